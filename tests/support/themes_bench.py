"""What the gathering of themes carries beside a real Postgres: `cd tests && python -m support.themes_bench`. Prints JSON.

Owns the measurement: rows of feedback as the fold writes them, slice by slice, then one gathering after the other until nothing is left.
Nothing of Kafka, nothing else at work. `--profile FILE` writes where the time of this process goes. See docs/judgement.md for the figures.
"""

import argparse
import asyncio
import cProfile
import gc
import random
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import msgspec
import uvloop

from earshot_shared import ids
from earshot_shared.item import Author, Item
from earshot_triage.decisions import Decider
from earshot_triage.gatherer import Gatherer
from earshot_triage.judgement import Judge, Judgement
from earshot_triage.stage import SLICE_RECORDS, TriageStage
from support.crm_slice_bench import Meter, postgres
from support.ground import Databases
from support.triage import migrate
from support.triage_world import DAY, NOW, World, plain_rules

_COMMON, _KNOWN = 150, 9_000
"""Ranks of the judge's words: so many are common, matters and chatter are made of those up to the second bound."""
_INTENTS = ("idea", "bug", "question", "idea", "bug", "question", "praise", "complaint")
_PER_S = 1_000
_BRANDS = ("Acme", "Bolt")


class Rate(msgspec.Struct, kw_only=True):
    """One run. CPU microseconds a row are of this process, and of Postgres with all its backends.

    ``held_ms``: the most processor time between two turns of others on the event loop, in the unmeasured half.
    """

    rows_per_s: float
    rows_per_core_s: float
    python_us: float
    postgres_us: float
    held_ms: float
    rows: int
    voices: int
    leaders: int


class SureJudge:
    """The shipped judge, but that it finds ideas, bugs and questions in three texts of four: by their checksum, so always the same."""

    label_versions: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._judge = Judge.load()
        self.version = self._judge.version
        self.commonness = self._judge.commonness

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        judged = self._judge.judge(texts, explain=explain, languages=languages)
        found = (_INTENTS[zlib.crc32(text.encode("utf-8", "replace")) % len(_INTENTS)] for text in texts)
        return [replace(each, intent=intent, conduct="ok") for each, intent in zip(judged, found, strict=True)]


class Load:
    """A made-up stream: most items speak of one of many matters, a few of which many speak of; a tenth speak of nothing anybody else does.

    ``late_s``: an item is heard so much later than it was said, at most.
    """

    def __init__(self, *, seed: int = 1, matters: int = 600, late_s: float = 0.5) -> None:
        self._random = random.Random(seed)
        words = (files("earshot_triage.judgement") / "weights" / "words.txt").read_text(encoding="utf-8").split("\n")
        self._common = [word for word in words[:_COMMON] if word.isalpha()]
        self._words = [word for word in words[_COMMON:_KNOWN] if word.isalpha() and len(word) > 3]
        self._matters = [self._random.sample(self._words, 6) for _ in range(matters)]
        self._late_s = late_s
        self._said = 0

    def slices(self, count: int, size: int = SLICE_RECORDS) -> Iterator[list[Item]]:
        """Yield slices of items."""
        for _ in range(count):
            yield [self._item() for _ in range(size)]

    def _item(self) -> Item:
        draw = self._random
        self._said += 1
        name = f"t{self._said}"
        at = DAY + timedelta(seconds=self._said / _PER_S - draw.random() * self._late_s)
        author = f"a{int(self._said * draw.random() ** 2)}"
        return Item(
            feedback_id=ids.feedback_id("forum", name),
            revision=1,
            source="forum",
            external_id=name,
            channel="forum",
            author_key=f"forum:{author}",
            author=Author(id=author, handle=f"user_{author}", name=f"Person {author}"),
            occurred_at=at,
            received_at=at + timedelta(seconds=1),
            url=f"https://example.com/{name}",
            brand=draw.choice(_BRANDS),
            text=self._text(),
        )

    def _text(self) -> str:
        draw = self._random
        telling = draw.sample(self._words, 3)
        if draw.random() < 0.9:
            matter = self._matters[int(len(self._matters) * draw.random() ** 3)]
            telling = draw.sample(matter, draw.randint(4, 5)) + telling[:1]
        said = telling + draw.choices(self._common, k=draw.randint(12, 28))
        draw.shuffle(said)
        return " ".join(said)


async def held(until: asyncio.Event) -> float:
    """Return the most milliseconds of work of this thread between two of our turns, until told to end."""
    most, last = 0.0, time.thread_time()
    while not until.is_set():
        await asyncio.sleep(0.001)
        most, last = max(most, time.thread_time() - last), time.thread_time()
    return round(most * 1e3, 1)


async def fold(world: World, slices: Iterable[list[Item]]) -> None:
    """Write rows of feedback, and leave nothing behind in memory that would be in the way of a measurement."""
    for items in slices:
        await world.fold(items)
    world.told.clear()
    await world.pool.execute("checkpoint")
    gc.collect()
    gc.freeze()


async def gather_all(gatherer: Gatherer) -> int:
    """Gather until nothing is left; return how many rows it was."""
    rows = 0
    while seen := await gatherer.gather():
        rows += seen
    return rows


async def measure(dsn: str, postgres_pid: int, *, slices: int, late_s: float, profile: str | None) -> Rate:
    """Return the rate over ``slices`` slices of feedback, after as many that are gathered unmeasured."""
    judge, load = SureJudge(), Load(late_s=late_s)
    world = await World.open(dsn, rules=plain_rules())
    world.stage = TriageStage(Decider(judge, plain_rules()), lambda: NOW)
    gatherer = Gatherer(world.pool, lambda: judge)
    try:
        await fold(world, load.slices(slices))
        done = asyncio.Event()
        watching = asyncio.create_task(held(done))
        await gather_all(gatherer)
        done.set()
        held_ms = await watching
        await fold(world, load.slices(slices))
        profiler = cProfile.Profile() if profile else None
        before = await world.pool.fetchval("select count(*) from theme_items")
        meter = Meter(postgres_pid)
        if profiler:
            profiler.enable()
        rows = await gather_all(gatherer)
        if profiler:
            profiler.disable()
        wall, own, theirs = meter.so_far()
        found = await world.pool.fetchrow("select count(*) as voices, count(*) filter (where leader = key) as leaders from theme_items")
        assert found is not None, "counts are one row"
    finally:
        await world.close()
    if profiler and profile:
        profiler.dump_stats(profile)
    return Rate(
        rows_per_s=round(rows / wall, 1),
        rows_per_core_s=round(rows / (own + theirs), 1),
        python_us=round(own / rows * 1e6, 1),
        postgres_us=round(theirs / rows * 1e6, 1),
        held_ms=held_ms,
        rows=rows,
        voices=found["voices"] - before,
        leaders=found["leaders"],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=6, help="measured slices; as many go before")
    parser.add_argument("--late", type=float, default=0.5, help="an item is heard so many seconds after it was said, at most")
    parser.add_argument("--profile", help="write a cProfile to this file")
    asked = parser.parse_args()
    with postgres() as (admin_dsn, pid):
        databases = Databases(admin_dsn)
        dsn = databases.dsn_of(databases.make(migrate))
        rate = uvloop.run(measure(dsn, pid, slices=asked.slices, late_s=asked.late, profile=asked.profile))
    sys.stdout.write(msgspec.json.encode(rate).decode() + "\n")


if __name__ == "__main__":
    main()
