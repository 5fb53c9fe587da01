"""The gathering of themes while the service runs: beside the fold, in small transactions of its own, without the pen.

Owns the following of what changed, and the path from new voices to rows. What is alike is defined in `domain.gathering`. One process at a
time gathers; it takes a small share of the time while there is much to fold, since nobody waits for a theme.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from earshot_shared.errors import RetryableError
from earshot_shared.item import decode_item
from earshot_shared.postgres import Pool, translated
from earshot_triage.decisions import words_of
from earshot_triage.domain.gathering import Voice, likeness, may_follow, weigh
from earshot_triage.domain.leaders import Leaders
from earshot_triage.domain.message import Role
from earshot_triage.events import role_of
from earshot_triage.judgement.themes import stems_of
from earshot_triage.repository import QUERIES
from earshot_triage.settling import settle

BATCH: Final = 1_000
EVERY_S: Final = 1.0
BUSY_SHARE: Final = 20
"""While the fold is busy, gathering rests for so many times what it took."""
BREATHE_EVERY: Final = 16
BUSY_FROM: Final = 200
"""Records a second that the fold applies: from so many on it is busy."""
KINDS: Final = frozenset({"idea", "bug", "question"})
COMMON: Final = 0.12
"""A stem in more than this share of all texts says nothing."""
_ENDINGS: Final = ("", "s", "es", "ed", "ing", "er", "ly", "e")
SHORT_NUMBER: Final = 3
"""Numbers of fewer digits are counts, dates, versions; an error 404 is one."""
_MOST_STEMS: Final = 50_000
_RAREST: Final = 1e-9
MOST_LEADERS: Final = 40_000
"""So many are kept in memory (some 500 bytes each); with more, all are forgotten and come back as they are asked for."""
_COLUMNS: Final = ("key", "feedback_id", "book", "kind", "brand", "author_key", "at", "leader", "theme", "stems", "weights")
_log = logging.getLogger(__name__)


class Knowing(Protocol):
    """What is asked of a judge: how common a word is. Its version names the weights of words."""

    version: str

    def commonness(self, word: str) -> float:
        """Return the share of all texts that hold a word (0..1)."""


class Telling(dict[str, float]):
    """How much each stem tells, asked of a judge once each: the rarer, the more."""

    def __init__(self, judge: Knowing) -> None:
        super().__init__()
        self._judge = judge
        self.version = judge.version.split("+")[0]  # people's corrections teach no words

    def __missing__(self, stem: str) -> float:
        common = max(self._judge.commonness(stem + ending) for ending in _ENDINGS)
        if len(self) >= _MOST_STEMS:
            self.clear()
        told = self[stem] = 0.0 if common > COMMON else -log(max(common, _RAREST))
        return told


class _Intent(msgspec.Struct, gc=False):
    intent: str
    conduct: str


class Bustle:
    """Says whether a counter grows fast."""

    def __init__(self, count: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._clock = clock
        self._last = (clock(), count())

    def __call__(self) -> bool:
        """Return whether it grew by `BUSY_FROM` a second since somebody asked last."""
        at, count = self._clock(), self._count()
        (was_at, was), self._last = self._last, (at, count)
        return count - was >= BUSY_FROM * (at - was_at) > 0


class Fresh(NamedTuple):
    """A new voice with what its row holds besides."""

    voice: Voice
    book: str
    kind: str
    brand: str | None
    author_key: str


@dataclass(slots=True)
class Settled:
    """What a book's fold comes to: whom each new voice follows, and each old one that follows another now."""

    fresh: dict[str, str]
    moved: dict[str, str]


_intents = msgspec.json.Decoder(_Intent)


class Gatherer:
    """Gathers, batch by batch."""

    def __init__(
        self,
        pool: Pool,
        judge: Callable[[], Knowing],
        *,
        wanted: Callable[[], bool] = lambda: True,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """``judge`` returns the one in use; ``wanted`` says whether this process is the one that gathers; ``busy`` whether others wait."""
        self._pool = pool
        self._judge = judge
        self._wanted = wanted
        self._busy = busy
        self._telling: Telling | None = None
        self._books: dict[str, Leaders] = {}
        self._stood: tuple[int, str, str] | None = None  # as far as the books are true

    async def run(self) -> None:
        """Gather until cancelled."""
        while True:
            began = time.monotonic()
            try:
                seen = await self.gather() if self._wanted() else 0
            except RetryableError as error:  # the next round tries again
                _log.warning("gathering put off", extra={"action": "gather_retry", "code": error.code})
                seen = 0
            took = time.monotonic() - began
            await asyncio.sleep(EVERY_S if seen < BATCH else took * BUSY_SHARE if self._busy() else took)

    async def gather(self) -> int:
        """Take in one batch of what changed; return how many rows it was."""
        stood, self._stood = self._stood, None  # if anything fails, what is in memory may be wrong
        with translated():
            async with self._pool.acquire() as conn, conn.transaction():
                stands, count = await self._go_on(conn, stood)
        self._stood = stands
        return count

    async def _go_on(self, conn: Any, stood: tuple[int, str, str] | None) -> tuple[tuple[int, str, str], int]:
        """Return how far the gathering stands now, and how many rows were taken in."""
        telling = self._words()
        await conn.execute(QUERIES["begin_gathering"], telling.version)
        row = await conn.fetchrow(QUERIES["lock_gathering"])
        assert row is not None, "the row was made"
        changed, key, model = row["changed"], str(row["key"]), row["model"]
        if (changed, key, model) != stood or sum(map(len, self._books.values())) > MOST_LEADERS:
            self._books = {}
        if model != telling.version:
            await conn.execute(QUERIES["drop_gathering"])
            changed, key = -1, "00000000-0000-0000-0000-000000000000"
        rows = await conn.fetch(QUERIES["load_changed"], changed, key, BATCH)
        if not rows and model == telling.version:
            return (changed, key, model), 0
        await self._take_in(conn, rows, telling)
        if rows:
            changed, key = rows[-1]["changed"], str(rows[-1]["key"])
        await conn.execute(QUERIES["move_gathering"], changed, key, telling.version)
        return (changed, key, telling.version), len(rows)

    def _words(self) -> Telling:
        judge = self._judge()
        if self._telling is None or self._telling.version != judge.version.split("+")[0]:
            self._telling = Telling(judge)
        return self._telling

    async def _take_in(self, conn: Any, rows: Sequence[Any], telling: Telling) -> None:
        fresh = await asyncio.to_thread(_voices, [row for row in rows if row["item"] is not None], telling)
        known = [str(row["key"]) for row in rows if row["known"]]
        orphans: dict[str, list[Voice]] = {}
        if known:
            for row in await conn.fetch(QUERIES["load_followers"], known):
                if str(row["key"]) not in known:
                    orphans.setdefault(row["book"], []).append(_voice(row))
            await conn.execute(QUERIES["drop_theme_items"], known)
            for leaders in self._books.values():
                for key in known:
                    leaders.remove(key)
        placed: list[str] = []
        by_book: dict[str, list[Fresh]] = {book: [] for book in orphans}
        for each in fresh:
            by_book.setdefault(each.book, []).append(each)
        for book, newcomers in by_book.items():
            if book not in self._books:
                self._books[book] = Leaders(await conn.fetchval(QUERIES["latest_of_book"], book))
            fold = BookFold(conn, book, self._books[book])
            settled = await fold.run([each.voice for each in newcomers], orphans.get(book, []))
            await _write(conn, newcomers, settled)
            placed += (*settled.fresh, *settled.moved)
        await settle(conn, placed)


class BookFold:
    """Places new voices of one book, and those that this disturbs. ``leaders`` are kept true for the next."""

    def __init__(self, conn: Any, book: str, leaders: Leaders) -> None:
        self._conn = conn
        self._book = book
        self._leaders = leaders
        self._placed: set[str] = set()
        """What is decided about these is newer than their rows."""

    async def run(self, fresh: Sequence[Voice], orphans: Sequence[Voice]) -> Settled:
        """Return whom everybody follows. In the order of voices each is decided once: what it disturbs comes after it."""
        latest = self._leaders.latest
        waiting = {voice.key: voice for voice in (*fresh, *orphans)}
        heap = [(voice.order, voice.key) for voice in waiting.values()]
        heapq.heapify(heap)
        new = {voice.key for voice in fresh}
        settled = Settled({}, {})
        await self._know({stem for voice in waiting.values() for stem in voice.heavy})
        while heap:
            if len(heap) % BREATHE_EVERY == 0:
                await asyncio.sleep(0)  # the fold and the routes share this loop
            voice = waiting[heapq.heappop(heap)[1]]
            disturbed = await self._place(voice, latest)
            for each in disturbed:
                if each.key not in waiting:
                    waiting[each.key] = each
                    heapq.heappush(heap, (each.order, each.key))
            assert voice.leader is not None, "it was placed"
            (settled.fresh if voice.key in new else settled.moved)[voice.key] = voice.leader
        times = [voice.order[0] for voice in fresh]
        self._leaders.latest = max(times if latest is None else [latest, *times], default=latest)
        return settled

    async def _place(self, voice: Voice, latest: datetime | None) -> list[Voice]:
        """Decide whom a voice follows; return those for whom that may change something."""
        await self._know(set(voice.heavy))
        led = voice.leads
        self._placed.add(voice.key)
        best = self._leaders.nearest(voice)
        voice.leader = voice.key if best is None else best
        if best is not None:
            if not led:
                return []
            self._leaders.remove(voice.key)
            return [_voice(row) for row in await self._conn.fetch(QUERIES["load_followers"], [voice.key])]
        if led:
            return []
        self._leaders.add(voice)
        if latest is None or voice.order[0] > latest:
            return []
        at, feedback_id = voice.order
        rows = await self._conn.fetch(QUERIES["load_later"], self._book, at, feedback_id, list(voice.weights))
        return [each for each in map(_voice, rows) if may_follow(each, voice) and self._nearer(each, voice)]

    def _nearer(self, voice: Voice, leader: Voice) -> bool:
        """Say whether a voice may leave its leader for a new one; when in doubt it is asked."""
        held = None if voice.leads or voice.leader is None else self._leaders.likeness(voice, voice.leader)
        return held is None or likeness(voice, leader) >= held

    async def _know(self, stems: set[str]) -> None:
        """Load every leader that has one of some stems."""
        missing = sorted(stems - self._leaders.stems)
        if missing:
            rows = await self._conn.fetch(QUERIES["load_leaders"], self._book, missing)
            self._leaders.know(missing, (_voice(row) for row in rows if str(row["key"]) not in self._placed))


def _voices(rows: Sequence[Any], telling: Telling) -> list[Fresh]:
    found = []
    for row in rows:
        item, decided = decode_item(row["item"]), _intents.decode(row["decision"])
        kind = decided.intent if decided.intent in KINDS else item.kind
        if kind not in KINDS or decided.conduct != "ok" or item.withdrawn or item.erased or role_of(item) != Role.CUSTOMER:
            continue
        counts = {stem: count for stem, count in stems_of(words_of(item)).items() if not (stem.isdigit() and len(stem) < SHORT_NUMBER)}
        weights = weigh(counts, telling)
        if weights:
            order = (item.occurred_at.astimezone(UTC), item.feedback_id)
            found.append(Fresh(Voice(str(row["key"]), order, weights), f"{kind} {item.brand or ''}", kind, item.brand, item.author_key))
    return found


def _voice(row: Any) -> Voice:
    weights = dict(zip(row["stems"], row["weights"], strict=True))
    return Voice(str(row["key"]), (row["at"], str(row["feedback_id"])), weights, str(row["leader"]))


async def _write(conn: Any, fresh: Sequence[Fresh], settled: Settled) -> None:
    if fresh:
        rows = [
            (
                each.voice.key,
                each.voice.order[1],
                each.book,
                each.kind,
                each.brand,
                each.author_key,
                each.voice.order[0],
                settled.fresh[each.voice.key],
                settled.fresh[each.voice.key],
                list(each.voice.weights),
                list(each.voice.weights.values()),
            )
            for each in fresh
        ]
        await conn.copy_records_to_table("theme_items", records=rows, columns=_COLUMNS)
    if settled.moved:
        await conn.execute(QUERIES["move_theme_items"], list(settled.moved), list(settled.moved.values()))
