"""Erasure: what a person asked to be forgotten goes from every table, and what is older than the wish never comes back.

Owns striking and purging. An erasure names identifiers by alias, that is by keyed hashes: they stay, tell nobody anything, and stop what
was said before it, whether it comes again or for the first time. What is said later is a new relationship.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from earshot_crm_sync import repository_erasing
from earshot_crm_sync.contacts import decode_contact, encode_contact
from earshot_crm_sync.desk import Desk, Erasure, Told
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.domain.statements import Saying, Statement
from earshot_crm_sync.domain.timeline import Entry, pack_entry, unpack_entry
from earshot_crm_sync.identity import Identifier, Rule
from earshot_crm_sync.meeting import meet_aliases


def vouched_of(saying: Saying) -> list[Identifier]:
    """Return the identifiers by which an erasure strikes: the speaker, his own name, what is verified. Not what is merely claimed."""
    return [saying.anchor, *(link.identifier for link in saying.links if link.verified or link.rule is Rule.ACCOUNT)]


def struck(told: Told) -> Told:
    """Return what is left of a record: that there was one, then, there. It speaks of nobody, nor does it say which one it was."""
    if told.connector:
        contact = decode_contact(told.kept)
        bare = type(contact)(
            contact_id=contact.contact_id,
            connector=contact.connector,
            record_id="",
            revision=contact.revision,
            updated_at=contact.updated_at,
            deleted=True,
        )
        return _without(told, encode_contact(bare))
    entry = unpack_entry(told.kept)
    return _without(told, pack_entry(Entry(entry.channel, entry.kind, "", "unknown", entry.case_id, "")))


def _without(told: Told, kept: bytes) -> Told:
    return Told(told.record_id, told.revision, None, told.occurred_at, told.heard_at, kept, told.connector)


async def begin(desk: Desk, erasures: Sequence[Erasure]) -> tuple[list[Told], list[Told]]:
    """Remember erasures; return the items and contacts that they strike, as they are to be told from now on."""
    await meet_aliases(desk, {alias for erasure in erasures for alias in erasure.aliases})
    items: dict[str, Told] = {}
    contacts: dict[str, Told] = {}
    for erasure in erasures:
        numbers = {desk.by_alias[alias].no for alias in erasure.aliases}
        if not await repository_erasing.insert_erasure(desk.conn, erasure):
            continue
        await repository_erasing.mark_erased(desk.conn, numbers, erasure.at)
        desk.erased[erasure.erasure_id] = numbers
        said = await repository_erasing.load_struck_items(desk.conn, numbers, erasure.at)
        recorded = await repository_erasing.load_struck_contacts(desk.conn, numbers, erasure.at)
        items |= {one.record_id: struck(one) for one in said}
        contacts |= {one.record_id: struck(one) for one in recorded}
        desk.forgotten_contacts |= {one.record_id for one in recorded}
        desk.receipts[erasure.erasure_id] = {"items": len(said), "contacts": len(recorded), "identifiers": len(numbers)}
    desk.cache.has_erasures = True
    desk.cache.erased_until.clear()
    return list(items.values()), list(contacts.values())


async def admitted(desk: Desk, told: Sequence[Told]) -> list[Told]:
    """Return records as they may be known: struck where they are not later than the erasure of somebody they show."""
    if not desk.cache.has_erasures:
        return list(told)
    until = await _erased_until(desk, [one.statement for one in told if one.statement is not None])
    return [
        struck(one) if one.statement is not None and (end := until[one.statement.digest]) is not None and one.occurred_at <= end else one
        for one in told
    ]


async def _erased_until(desk: Desk, statements: Iterable[Statement]) -> Mapping[bytes, datetime | None]:
    """Return for each statement until when what it says is erased; remembered until the next erasure."""
    known = desk.cache.erased_until
    new = {one.digest: [alias_of(each, desk.key) for each in vouched_of(one.saying)] for one in statements if one.digest not in known}
    if new:
        erased = await repository_erasing.load_erased(desk.conn, sorted({alias for aliases in new.values() for alias in aliases}))
        for digest, aliases in new.items():
            known[digest] = max((erased[alias] for alias in aliases if alias in erased), default=None)
    return known


async def purge(desk: Desk) -> None:
    """Delete what is left of the erased: statements nobody makes any more, spellings, words, standings, kept answers."""
    for erasure_id, numbers in desk.erased.items():
        conn = desk.conn
        counts = desk.receipts[erasure_id]
        counts["statements"], shown = await repository_erasing.purge_statements(conn, numbers)
        acts = await repository_erasing.purge_words(conn, numbers)
        desk.forgotten_acts |= acts
        counts["words"] = len(acts)
        await repository_erasing.purge_spellings(conn, numbers | shown)
        await repository_erasing.keep_receipt(conn, erasure_id, "crm-sync", msgspec.json.encode(counts))
    if desk.erased:
        # The working copies know spellings that are gone now.
        desk.cache.clear()
