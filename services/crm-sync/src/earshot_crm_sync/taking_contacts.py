"""Contacts taken in over HTTP: given a revision, published, and folded at once.

Owns the revisions: we alone give them, so a record that says nothing new, or something older than what we have, gets none.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from earshot_crm_sync import repository_read, repository_words
from earshot_crm_sync.contacts import Contact, content_digest, decode_contact, tell_contact
from earshot_crm_sync.desk import Slice
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.intake import told_of_contact
from earshot_crm_sync.rows import RevisionRow
from earshot_crm_sync.stage import CrmSync
from earshot_shared.envelope import rfc3339
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer
from earshot_shared.pipeline.writer import Transaction, Writer

_json = msgspec.json.Encoder()
Status = Literal["created", "updated", "unchanged", "outdated"]


class TakenContact(msgspec.Struct):
    """What became of one record: ``outdated`` says that we have it newer. ``customer_id`` is whose it is now, None when deleted."""

    contact_id: str
    revision: int
    status: Status
    customer_id: str | None


def decide_revisions(
    given: Sequence[Contact], known: Mapping[str, RevisionRow]
) -> tuple[dict[str, Contact], dict[str, RevisionRow], list[tuple[str, Status]]]:
    """Return the new revisions (the last of each record), what is known of revisions then, and what became of each record given.

    Of two states of one record the one that was changed later in its system stands; the same content again is no revision.
    """
    now = dict(known)
    fresh: dict[str, Contact] = {}
    fates: list[tuple[str, Status]] = []
    for contact in given:
        key, digest = contact.contact_id, content_digest(contact)
        was = now.get(key)
        if was is not None and (digest == was.digest or contact.updated_at < was.updated_at):
            fates.append((key, "unchanged" if digest == was.digest else "outdated"))
            continue
        revision = 1 if was is None else was.revision + 1
        fresh[key] = msgspec.structs.replace(contact, revision=revision)
        now[key] = RevisionRow(key, revision, contact.updated_at, digest)
        fates.append((key, "created" if was is None else "updated"))
    return fresh, now, fates


class ContactDoor:
    """Takes records in."""

    def __init__(self, writer: Writer, stage: CrmSync, *, key: bytes, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._stage = stage
        self._key = key
        self._clock = clock

    async def take(self, given: Sequence[Contact], ticket: Ticket | None, *, alone: bool) -> Answer:
        """Take records in, all or none; answer with what became of each (of the one, when it came ``alone``)."""

        async def work(tx: Transaction) -> Answer:
            taken = await self._take(tx, given)
            return Answer(body=_json.encode(taken[0] if alone else {"items": taken}))

        try:
            async with self._writer.transaction() as tx:
                return await once(tx.conn, ticket, lambda: work(tx))
        except BaseException:
            self._stage.forget()  # its working copies may be ahead of what was kept
            raise

    async def _take(self, tx: Transaction, given: Sequence[Contact]) -> list[TakenContact]:
        known = await repository_words.load_revisions(tx.conn, [each.contact_id for each in given])
        fresh, now, fates = decide_revisions(given, known)
        if fresh:
            at = rfc3339(self._clock())
            await repository_words.upsert_revisions(tx.conn, [now[key] for key in fresh])
            await self._stage.apply(tx, Slice(contacts={key: told_of_contact(each) for key, each in fresh.items()}), cause="contact")
            # Told as it is kept: what is older than an erasure of its person must not reach the topic either.
            kept = await repository_words.load_contacts(tx.conn, list(fresh))
            tx.tell_facts(tell_contact(decode_contact(kept[key].record), now=at) for key in fresh)
        owners = await self._owners(tx.conn, given)
        return [TakenContact(key, now[key].revision, status, owners.get(key)) for key, status in fates]

    async def _owners(self, conn: Any, given: Sequence[Contact]) -> dict[str, str]:
        aliases = {each.contact_id: alias_of(Identifier("crm_id", f"{each.connector}:{each.record_id}"), self._key) for each in given}
        holders = await repository_read.holders_of(conn, list(aliases.values()))
        return {key: holders[alias] for key, alias in aliases.items() if alias in holders}
