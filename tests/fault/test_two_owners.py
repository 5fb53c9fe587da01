"""Two real processes of one service, while one is frozen past its session's time-out, also inside its transaction, and woken again."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from earshot_shared.item import Item
from earshot_shared.topics import Topic
from fault.conftest import MakePlain
from support.crm_ground import item, triaged
from support.replicas import Plain, Replica, until
from support.triage_world import ITEMS

pytestmark = pytest.mark.fault

FROZEN_S = 12.0  # past the group's session time-out of 10 s
# A frozen owner loses the pen within 4 to 9 s, and its partitions within 10 s; a busy machine may take as long again.
OTHER_GOES_ON_S = 20.0
ALL_ARE_DONE_S = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A service, what it reads, a table that each of its folds writes to, and what it must hold in the end."""

    service: str
    topic: Topic
    record: Callable[[Item], tuple[bytes, bytes]]
    written: str
    held: str
    state_topic: Topic


def received(said: Item) -> tuple[bytes, bytes]:
    message = ITEMS.write(said.feedback_id, f"{said.feedback_id}.1", said, time="2026-01-01T00:00:00Z")
    assert message.value is not None
    return message.key, message.value


def decided(said: Item) -> tuple[bytes, bytes]:
    record = triaged(said)
    assert record.key is not None
    assert record.value is not None
    return record.key, record.value


TRIAGE = Case(
    service="triage", topic=Topic.FEEDBACK_RECEIVED, record=received, written="counts", state_topic=Topic.CASE_CHANGED,
    held="select count(*), (select n from counts where name = 'cases') from feedback",
)  # fmt: skip
CRM_SYNC = Case(
    service="crm-sync", topic=Topic.FEEDBACK_TRIAGED, record=decided, written="totals", state_topic=Topic.CUSTOMER_CHANGED,
    held="select count(*), (select feedback from totals) from activities",
)  # fmt: skip


async def test_a_frozen_owner_hinders_the_other_for_seconds_and_does_nothing_twice(make_plain: MakePlain) -> None:
    async with asyncio.TaskGroup() as group:  # side by side: most of it is waiting
        group.create_task(freeze_and_wake(await make_plain("triage"), TRIAGE))
        group.create_task(freeze_and_wake(await make_plain("crm"), CRM_SYNC))


async def freeze_and_wake(plain: Plain, case: Case) -> None:
    """Two replicas; one is frozen with the pen in its hand, then the other between its transactions."""
    pair = [plain.start(case.service) for _ in range(2)]
    for each in pair:
        await asyncio.to_thread(each.until_ready)
    conn = await plain.connect(case.service)

    async def held() -> int:
        total, counted = await conn.fetchrow(case.held)
        assert counted in (None, total), "rows and their count are of one transaction"
        return int(total)

    await tell(plain, case, range(60))
    await until(lambda: reaches(held, 60), "both at work")

    frozen = await freeze_in_transaction(plain, case, pair, range(60, 120))
    began = time.monotonic()
    await tell(plain, case, range(120, 180))
    await until(lambda: reaches(held, 61), "the other goes on", timeout_s=OTHER_GOES_ON_S)
    await until(lambda: reaches(held, 180), "the other takes over what the frozen one had", timeout_s=ALL_ARE_DONE_S)
    await asyncio.sleep(max(0.0, FROZEN_S - (time.monotonic() - began)))
    frozen.wake()
    await until(lambda: answers(frozen), "the woken one lives on")

    other = pair[1 - pair.index(frozen)]
    other.freeze()  # between its transactions: nothing waits
    await tell(plain, case, range(180, 240))
    await until(lambda: reaches(held, 240), "the woken one goes on alone", timeout_s=ALL_ARE_DONE_S)
    other.wake()
    await tell(plain, case, range(240, 260))
    await until(lambda: reaches(held, 260), "both again")
    await until(lambda: at_rest(pair), "nothing waits")
    assert await held() == 260
    assert await conn.fetchval("select count(*) from dead_letters") == 0
    # One case, and one customer, an item; what a woken relay said late was repaired.
    assert len(await plain.last_words(case.state_topic)) == 260


async def tell(plain: Plain, case: Case, numbers: range) -> None:
    """Put items on the service's topic, each by an author of its own."""
    await plain.produce(case.topic, [case.record(item(f"i{n}", at=n, id=f"a{n}")) for n in numbers])


async def reaches(held: Callable[[], Any], wanted: int) -> bool:
    return bool(await held() >= wanted)


async def answers(replica: Replica) -> bool:
    return bool((await asyncio.to_thread(replica.ask, "/healthz"))[0] == 200)


async def at_rest(pair: Sequence[Replica]) -> bool:
    stats = [(await asyncio.to_thread(each.ask, "/v1/stats"))[1] for each in pair]
    return all(each["lag"] == 0 and each["unpublished"] == 0 for each in stats)


async def freeze_in_transaction(plain: Plain, case: Case, pair: Sequence[Replica], numbers: range) -> Replica:
    """Freeze the process whose transaction holds the pen: its statement waits for a lock of ours meanwhile."""
    ours = await plain.connect(case.service)
    async with ours.transaction():
        await ours.execute(f"lock table {case.written} in exclusive mode")
        await tell(plain, case, numbers)

        async def waiting() -> int | None:
            port: int | None = await ours.fetchval(
                "select client_port from pg_stat_activity join pg_locks using (pid)"
                " where datname = current_database() and not granted and relation = $1::regclass",
                case.written,
            )
            return port

        port = await until(waiting, "a fold waits for our lock", timeout_s=20)
        frozen = next(each for each in pair if port in each.ports())
        frozen.freeze()
    return frozen
