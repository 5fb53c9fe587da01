"""What crm-sync's slice carries beside a real Postgres: `cd tests && python -m support.crm_slice_bench`. Prints JSON.

Owns the measurement: decode, one transaction with everything that a slice does (the outbox row too), nothing of Kafka. Records are made
before anything is measured. `--profile FILE` writes where the time of this process goes. See docs/performance.md for the figures.
"""

import argparse
import asyncio
import contextlib
import cProfile
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import psutil
import uvloop

from earshot_crm_sync.repository import QUERIES
from earshot_crm_sync.stage import Prepared
from earshot_shared.local.postgres import prepare_postgres
from earshot_shared.pipeline.loop import SLICE_RECORDS
from earshot_shared.pipeline.records import StoredRecord
from support.crm_ground import Bench, batches, bench, item, migrate, triaged
from support.crm_load import Load
from support.ground import Databases, running

_HUB = 100_000
_GIANT = (50, 940)  # accounts and mails: just under what config/crm-sync.yaml allows one customer


class Rate(msgspec.Struct, kw_only=True):
    """One run. CPU microseconds are of this process, and of Postgres with all its backends, an item each."""

    items_per_s: float
    python_us: float
    postgres_us: float
    items: int
    customers: int
    identifiers: int
    statements: int
    suggestions: int


class Extreme(msgspec.Struct, kw_only=True):
    """Milliseconds that single things take on an extreme customer or value, worst of a few."""

    build_s: float
    identifiers: int
    ms: dict[str, float]


class Meter:
    """Processor time of this process and of Postgres."""

    def __init__(self, postgres_pid: int) -> None:
        self._postgres = psutil.Process(postgres_pid)
        self._began = (time.monotonic(), time.process_time(), self._used())

    def _used(self) -> float:
        family = [self._postgres, *self._postgres.children()]
        used = 0.0
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                used += times.user + times.system
        return used

    def so_far(self) -> tuple[float, float, float]:
        """Return seconds passed, of this process, of Postgres."""
        wall, own, theirs = self._began
        return time.monotonic() - wall, time.process_time() - own, self._used() - theirs


async def fold(ground: Bench, records: list[StoredRecord], prepared: Prepared | None = None) -> None:
    """Fold one slice as the service does; what was published before is deleted, as the relay does."""
    if prepared is None:
        prepared = await ground.stage.prepare(batches(records))
    async with ground.writer.transaction() as tx:
        await tx.conn.execute("delete from outbox where id < $1", tx.version)
        await ground.stage.fold(tx, prepared)
    assert not tx.poison


async def measure(dsn: str, postgres_pid: int, *, slices: int, size: int, standings: bool, profile: str | None) -> Rate:
    """Return the rate over ``slices`` slices, after as many unmeasured ones."""
    load = Load()
    warm = list(load.slices(slices, size, standings=standings))
    measured = list(load.slices(slices, size, standings=standings))
    profiler = cProfile.Profile() if profile else None
    async with bench(dsn) as ground:
        for records in warm:
            await fold(ground, records)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        meter = Meter(postgres_pid)
        if profiler:
            profiler.enable()
        ahead = asyncio.create_task(ground.stage.prepare(batches(measured[0])))
        for records, following in pairwise([*measured, []]):
            prepared = await ahead
            ahead = asyncio.create_task(ground.stage.prepare(batches(following)))  # as the loop does while slices are full
            await fold(ground, records, prepared)
        await ahead
        if profiler:
            profiler.disable()
        wall, own, theirs = meter.so_far()
        (row,) = await ground.rows(
            "select customers, identifiers, (select count(*) from statements) as statements,"
            " (select count(*) from suggestions) as suggestions from totals"
        )
    if profiler and profile:
        profiler.dump_stats(profile)
    items = slices * size
    return Rate(
        items_per_s=round(items / wall, 1),
        python_us=round(own / items * 1e6, 1),
        postgres_us=round(theirs / items * 1e6, 1),
        items=items,
        **dict(row),
    )


async def timed(ground: Bench, work: Callable[[int], list[StoredRecord]], times: int = 5) -> float:
    """Return the milliseconds of the slowest of a few slices."""
    worst = 0.0
    for n in range(times):
        records = work(n)
        began = time.monotonic()
        await fold(ground, records)
        worst = max(worst, time.monotonic() - began)
    return round(worst * 1000, 1)


async def hub(dsn: str, count: int) -> Extreme:
    """A value on very many accounts: what it costs to make, and what one more, one less and one unconcerned item cost then."""
    phone = "+49301234567"
    async with bench(dsn) as ground:
        began = time.monotonic()
        for start in range(0, count, SLICE_RECORDS):
            said = [item(f"h{n}", at=n // 100, id=f"h{n}", phone=phone) for n in range(start, min(start + SLICE_RECORDS, count))]
            await fold(ground, [triaged(each) for each in said])
        built = time.monotonic() - began
        ms = {
            "one_more": await timed(ground, lambda n: [triaged(item(f"m{n}", at=n, id=f"m{n}", phone=phone))]),
            "known_speaks": await timed(ground, lambda n: [triaged(item(f"k{n}", at=5000 + n, id="h77", phone=phone))]),
            "one_withdrawn": await timed(ground, lambda n: [triaged(item(f"h{n}", at=0, id=f"h{n}", withdrawn=True, revision=2))]),
        }
        (row,) = await ground.rows("select identifiers from totals")
        await explain(ground, "reach", [(await ground.rows("select identifier_no from identifiers where kind = 'phone'"))[0][0]])
    return Extreme(build_s=round(built, 2), identifiers=row[0], ms=ms)


async def giant(dsn: str, accounts: int, mails: int) -> Extreme:
    """One customer of very many identifiers: accounts in a ring, each mail shown by two of them, both vouching for it."""

    def says(name: str, at: int, account: int, mail: int | None) -> StoredRecord:
        shown = None if mail is None else f"giant{mail}@example.org"
        return triaged(item(name, at=at, channel=f"c{account % accounts}", id="giant", mail=shown))

    async with bench(dsn) as ground:
        began = time.monotonic()
        for start in range(0, mails, 100):
            ring = range(start, min(start + 100, mails))
            await fold(ground, [says(f"{side}{mail}", mail, mail + place, mail) for mail in ring for place, side in enumerate("ab")])
        built = time.monotonic() - began
        ms = {
            "one_more_identifier": await timed(ground, lambda n: [says(f"o{n}", mails + n, 1, mails + n)]),
            "known_speaks": await timed(ground, lambda n: [says(f"s{n}", 2 * mails + n, 0, 0)]),
            "one_withdrawn": await timed(
                ground, lambda n: [triaged(item(f"a{n}", channel=f"c{n}", id="giant", withdrawn=True, revision=2))]
            ),
        }
        (row,) = await ground.rows("select identifiers, customers from totals")
        assert row["customers"] == 1
        await explain(ground, "reach", (await ground.rows("select identifier_no from identifiers where kind = 'account' limit 1"))[0][:1])
    return Extreme(build_s=round(built, 2), identifiers=row["identifiers"], ms=ms)


async def explain(ground: Bench, query: str, *arguments: object) -> None:
    """Print the plan of a query as Postgres carried it out."""
    for row in await ground.rows(f"explain (analyze, buffers, costs off, timing off) {QUERIES[query]}", *arguments):
        sys.stderr.write(f"  {row[0]}\n")


@contextlib.contextmanager
def postgres() -> Iterator[tuple[str, int]]:
    """Give address and pid of a Postgres of our own, as `earshot up` runs it."""
    with tempfile.TemporaryDirectory(prefix="earshot-slice-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)  # Postgres may run as another user and must get through; its own folder is closed
        folder = Path(name)
        local = prepare_postgres(folder / "pg", folder / "postgres.log")
        with running(local.spec) as pid:
            yield local.dsn, pid


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=20, help="measured slices; as many go before")
    parser.add_argument("--size", type=int, default=SLICE_RECORDS)
    parser.add_argument("--only", choices=("items", "standings", "hub", "giant"))
    parser.add_argument("--profile", help="write a cProfile of the first run to this file")
    asked = parser.parse_args()
    told: dict[str, object] = {}
    with postgres() as (admin_dsn, pid):
        databases = Databases(admin_dsn)
        for name in ("items", "standings", "hub", "giant"):
            if asked.only not in (None, name):
                continue
            dsn = databases.dsn_of(databases.make(migrate))
            if name == "hub":
                told[name] = uvloop.run(hub(dsn, _HUB))
            elif name == "giant":
                told[name] = uvloop.run(giant(dsn, *_GIANT))
            else:
                more = {"slices": asked.slices, "size": asked.size, "profile": asked.profile}
                told[name] = uvloop.run(measure(dsn, pid, standings=name == "standings", **more))
            sys.stderr.write(f"{name}: {msgspec.json.encode(told[name]).decode()}\n")
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")


if __name__ == "__main__":
    main()
