"""Erasure: items of who asked to be forgotten become skeletons, in others' words they are named no more, and nothing older comes back.

Owns the hashes that the door looks at, and the going through the items, page by page, each in a transaction of its own. An erasure names
identifiers by keyed hashes: those are all that stays of them. What is said later is a new relationship.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from msgspec.structs import replace

from earshot_ingest import repository, repository_erasing
from earshot_ingest.acceptance import Prepared, Submission, prepare, put
from earshot_ingest.domain.mentions import left_of
from earshot_ingest.events import RECEIPTS, ErasureRequested
from earshot_ingest.repository_erasing import OpenErasure, Struck
from earshot_shared.envelope import rfc3339
from earshot_shared.errors import RetryableError
from earshot_shared.identifiers import Shown, alias_of
from earshot_shared.item import Item, decode_item
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import translated

PAGE_ITEMS: Final = 500
POLL_S: Final = 1.0
_BEFORE_ALL: Final = -1
_alias_of = lru_cache(maxsize=50_000)(alias_of)  # authors speak again and again


class Forgotten:
    """Who asked to be forgotten, as this process knows it; ``key`` is the installation's for aliases.

    Holds every hash in memory (some 200 bytes each), so that the door asks Postgres only for what other processes added meanwhile.
    """

    def __init__(self, key: bytes) -> None:
        self._until: dict[str, datetime] = {}
        self._seen = self._read = _BEFORE_ALL
        self._key = key

    def alias_of(self, shown: Shown) -> str:
        """Return the keyed hash that stands for an identifier."""
        return _alias_of(shown.kind, shown.value, self._key)

    async def any(self, tx: Transaction) -> bool:
        """Return whether anybody is forgotten; reads what is new, unless nobody else has written since the last look."""
        may_be_more = self._seen == _BEFORE_ALL or not (tx.undisturbed and tx.version == self._seen + 1)
        self._seen = tx.version
        if may_be_more:
            for alias, at, version in await repository_erasing.load_erased(tx.conn, self._read):
                self._until[alias] = at
                if version < tx.version:
                    self._read = max(self._read, version)
                else:
                    self._seen = _BEFORE_ALL  # written by this transaction, which may yet fail: to be read again
        return bool(self._until)

    async def note(self, tx: Transaction, asked: ErasureRequested) -> None:
        """Keep a wish: from this transaction on the door heeds it. One that is known changes nothing."""
        if await repository_erasing.insert_erasure(tx.conn, asked.erasure_id, asked.identifiers, asked.at):
            await repository_erasing.put_erased(tx.conn, asked.identifiers, asked.at, tx.version)
        self._seen = _BEFORE_ALL  # to be read again

    def heed(self, item: Item) -> Item:
        """Return an item as it may come in: without anybody whose erasure is not before it; the same item when nobody was in it."""

        def is_erased(shown: Shown) -> bool:
            until = self._until.get(self.alias_of(shown))
            return until is not None and item.occurred_at <= until

        left = left_of(item, is_erased)
        return item if left is None else replace(left, revision=item.revision)

    async def admit(self, tx: Transaction, submissions: Sequence[Submission]) -> Sequence[Submission]:
        """Return submissions as they may be taken: what is erased already comes in as its skeleton, or without whom it named."""
        if not await self.any(tx):
            return submissions
        return [Submission([self._admitted(each) for each in one.items], one.rejected) for one in submissions]

    def _admitted(self, prepared: Prepared) -> Prepared:
        item = prepared.item
        heeded = self.heed(item)
        return prepared if heeded is item else prepare(heeded, time=rfc3339(item.received_at))


class Sweeper:
    """Goes through the items for the erasures that are under way, in the process that is ``wanted`` to."""

    def __init__(self, writer: Writer, forgotten: Forgotten, *, wanted: Callable[[], bool]) -> None:
        self._writer = writer
        self._forgotten = forgotten
        self._wanted = wanted

    async def run(self) -> None:
        """Look for erasures and carry them out until cancelled."""
        while True:
            try:
                while self._wanted() and await self.step():
                    pass
            except RetryableError:  # Postgres is away: the loop and the door say so, and this goes on where it was
                pass
            await asyncio.sleep(POLL_S)

    async def step(self) -> bool:
        """Take the next page; return whether there was any erasure under way.

        Raises: RetryableError when Postgres does not answer.
        """
        with translated():
            async with self._writer.pool.acquire() as conn:
                erasures = await repository_erasing.open_erasures(conn)
                if not erasures:
                    return False
                before = erasures[0].after
                page = await repository_erasing.page(conn, before, PAGE_ITEMS)
        hit = [feedback_id for feedback_id, body in page if self._left_of(decode_item(body), erasures) is not None]
        async with self._writer.transaction() as tx:
            struck = await self._strike(tx, hit, erasures)
            done = len(page) < PAGE_ITEMS
            after = page[-1][0] if page else before
            totals = await repository_erasing.advance(tx.conn, struck, before=before, after=after, done=done)
            if totals.keys() != struck.keys():
                raise RetryableError("Another process goes through the items too.", code="erasure-taken")
            if done:
                now = rfc3339(datetime.now(UTC))
                tx.tell_facts([RECEIPTS.tell_erased(each, totals[each].told(), now=now) for each in sorted(totals)])
        return True

    async def _strike(self, tx: Transaction, feedback_ids: Sequence[str], erasures: Sequence[OpenErasure]) -> dict[str, Struck]:
        """Put what is left of items in their place, as these stand now; return what each erasure struck."""
        struck = {each.erasure_id: Struck() for each in erasures}
        left = []
        for stored in (await repository.load(tx.conn, feedback_ids)).values() if feedback_ids else ():
            found = self._left_of(decode_item(stored.body), erasures)
            if found is not None:
                item, by = found
                left.append(item)
                for erasure_id in by:
                    struck[erasure_id] += Struck(items=int(item.erased), mentions=int(not item.erased))
        await put(tx, left, now=datetime.now(UTC))
        return struck

    def _left_of(self, item: Item, erasures: Sequence[OpenErasure]) -> tuple[Item, set[str]] | None:
        """Return what erasures leave of an item, and which of them took something; None when none does."""
        due = [each for each in erasures if item.occurred_at <= each.at]
        by: list[str] = []

        def is_erased(shown: Shown) -> bool:
            alias = self._forgotten.alias_of(shown)
            named = [each.erasure_id for each in due if alias in each.aliases]
            by.extend(named)
            return bool(named)

        left = left_of(item, is_erased)
        if left is None:
            return None
        if left.erased:  # one takes it all
            return replace(left, erasure_id=by[0]), {by[0]}
        return left, set(by)
