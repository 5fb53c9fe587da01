"""Like items gather beside the fold, whatever the order of arrival; people join and part themes, and close the loop."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from earshot_shared import ids
from earshot_shared.item import Item
from earshot_shared.pipeline.records import StoredRecord
from earshot_shared.postgres import Queries
from earshot_shared.topics import Topic
from earshot_triage.decisions import words_of
from earshot_triage.domain.gathering import Voice, nearest, weigh
from earshot_triage.gatherer import Gatherer
from earshot_triage.judgement.themes import stems_of
from earshot_triage.stage import SLICE_RECORDS
from earshot_triage.voices import Telling
from support.triage import TriageUnderTest, migrate, running_triage
from support.triage_world import DAY, PlainJudge, case_of, plain_item

DARK = ["idea 1 please add dark mode", "idea 1 dark mode would be great", "idea 1 add a dark mode for night"]
EXPORT = ["idea 1 export invoices to csv", "idea 1 csv export of invoices"]


@pytest.fixture
async def triage(fresh_database: Any) -> AsyncIterator[TriageUnderTest]:
    dsn = await asyncio.to_thread(fresh_database, migrate)
    async with running_triage(dsn, clock=lambda: DAY + timedelta(days=1)) as running:
        yield running


def said(prefix: str, texts: Sequence[str], start: float = 0, **more: Any) -> list[Item]:
    return [plain_item(f"{prefix}{n}", start + n, text, **more) for n, text in enumerate(texts)]


def id_of(name: str) -> str:
    return ids.feedback_id("forum", name)


async def gathered(triage: TriageUnderTest) -> None:
    """Gather until nothing is left."""
    gatherer = triage.wiring.gatherer(triage.runtime)
    while await gatherer.gather():
        pass


async def themes(triage: TriageUnderTest, **params: Any) -> list[Any]:
    answer = await triage.http.get("/v1/themes", params=params)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["items"]
    return found


async def do(triage: TriageUnderTest, name: str, verb: str, refused: int = 200, headers: Any = None, **body: Any) -> Any:
    answer = await triage.http.post(f"/v1/themes/{id_of(name)}/{verb}", json=body, headers=headers)
    assert answer.status_code == refused, answer.text
    return answer.json()


async def rows(triage: TriageUnderTest) -> list[Any]:
    found = await triage.runtime.pool.fetch("select key, theme from theme_items order by key")
    return [tuple(row) for row in found]


@pytest.mark.capability("C15")
async def test_like_asks_are_one_demand_with_its_supporters(triage: TriageUnderTest) -> None:
    await triage.fold(*said("dark", DARK), *said("csv", EXPORT, 10), plain_item("praise", 20, "praise 1 dark mode"))
    await triage.fold(*said("bolt", DARK[:2], 30, brand="Bolt"), plain_item("ours", 40, "idea 1 dark mode", brand_speaks=True))
    await gathered(triage)
    found = await themes(triage, brand="Acme")
    assert [(each["theme_id"], each["items"], each["supporters"]) for each in found] == [(id_of("dark0"), 3, 3), (id_of("csv0"), 2, 2)]
    assert {"dark", "mode", "add"} <= set(found[0]["words"])
    assert found[1]["words"][0] in ("export", "invoices", "csv"), "words, not stems"
    assert found[0]["excerpt"] == DARK[0]
    assert (found[0]["kind"], found[0]["status"], found[0]["first_at"]) == ("idea", "open", "2026-03-01T00:00:00Z")
    assert len(await themes(triage)) == 3
    assert [each["brand"] for each in (await triage.http.get("/v1/themes", headers=await triage.key(brands=["Bolt"]))).json()["items"]] == [
        "Bolt"
    ]
    view = (await triage.http.get(f"/v1/themes/{id_of('dark2')}")).json()
    assert (view["theme_id"], view["items"]) == (id_of("dark0"), 3), "the id of any item leads there"
    assert [each["feedback_id"] for each in view["latest"]] == [id_of("dark2"), id_of("dark1"), id_of("dark0")]
    assert view["latest"][0]["case_id"] == case_of("dark2")
    assert (await triage.http.get(f"/v1/themes/{id_of('praise')}")).status_code == 404
    assert (await themes(triage, kind="bug")) == []
    page = (await triage.http.get("/v1/themes", params={"limit": 1})).json()
    rest = (await triage.http.get("/v1/themes", params={"limit": 5, "cursor": page["next_cursor"]})).json()
    assert len({each["theme_id"] for each in page["items"] + rest["items"]}) == 3


async def test_an_edit_a_correction_and_a_withdrawal_move_an_item(triage: TriageUnderTest) -> None:
    await triage.fold(*said("dark", DARK), *said("csv", EXPORT, 10))
    await gathered(triage)
    await triage.fold(plain_item("dark0", 0, "idea 1 csv export", revision=2), plain_item("csv1", 11, revision=2, withdrawn=True))
    await triage.http.post(f"/v1/feedback/{id_of('dark2')}/correct", json={"intent": "praise"})
    await gathered(triage)
    found = await themes(triage, least=1)
    assert {each["theme_id"]: each["items"] for each in found} == {id_of("dark0"): 2, id_of("dark1"): 1}


def naive(items: Sequence[Item]) -> dict[str, str]:
    """Whom everybody follows, by the definition: one after the other, looking at all leaders."""
    telling = Telling(PlainJudge())
    leaders: list[Voice] = []
    found = {}
    for item in sorted(items, key=lambda item: (item.occurred_at, item.feedback_id)):
        voice = Voice(ids.case_id(item.feedback_id), (item.occurred_at, item.feedback_id), weigh(stems_of(words_of(item)), telling))
        leader = nearest(voice, leaders)
        found[voice.key] = voice.key if leader is None else leader.key
        if leader is None:
            leaders.append(voice)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.capability("C5")
async def test_any_order_of_arrival_gives_the_same_themes(triage: TriageUnderTest, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    words = [f"word{n}" for n in range(14)]
    items = [plain_item(f"n{n}", n // 2, "idea 1 " + " ".join(chance.sample(words, chance.randint(1, 5)))) for n in range(70)]
    monkeypatch.setattr("earshot_triage.gatherer.BATCH", chance.choice([3, 10, 300]))
    shuffled = chance.sample(items, len(items))
    for start in range(0, len(shuffled), 20):
        await triage.fold(*shuffled[start : start + 20])
        await gathered(triage)
    gone = chance.sample(items, 9)
    await triage.fold(*(plain_item(item.external_id, 0, revision=2, withdrawn=True) for item in gone))
    await gathered(triage)
    left = [item for item in items if item not in gone]
    stored = await triage.runtime.pool.fetch("select key, leader from theme_items")
    assert {str(row["key"]): str(row["leader"]) for row in stored} == naive(left)


@pytest.mark.capability("C5")
async def test_people_join_and_part_themes_and_a_rebuild_gives_the_same(triage: TriageUnderTest) -> None:
    await triage.fold(*said("dark", DARK), *said("csv", EXPORT, 10))
    await gathered(triage)
    merged = await do(triage, "csv1", "merge", other=id_of("dark1"), headers={"earshot-actor": "Ann"})
    assert (merged["theme_id"], merged["items"]) == (id_of("dark0"), 5)
    assert (await do(triage, "csv0", "merge", refused=409, other=id_of("dark1")))["code"] == "already-one"
    parted = await do(triage, "dark0", "split", items=[id_of("dark2"), id_of("dark0")])
    assert (parted["theme_id"], parted["items"]) == (id_of("dark0"), 2)
    await triage.fold(plain_item("late", 5, "idea 1 dark mode at night"))
    await gathered(triage)
    found = {each["theme_id"]: each["items"] for each in await themes(triage)}
    assert found == {id_of("dark1"): 4, id_of("dark0"): 2}
    history = (await triage.http.get(f"/v1/themes/{id_of('csv0')}")).json()["history"]
    assert [(each["verb"], each["actor"], each["key_id"]) for each in history] == [("merge-theme", "Ann", "first")]

    expected = await rows(triage)
    acts = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    copies = [StoredRecord("actions", 0, n, message.key, message.value) for n, message in enumerate(acts)]
    await triage.runtime.pool.execute(Queries.load("earshot_triage")["reset_views"])
    await triage.fold_records(Topic.ACTION_TAKEN, copies[::-1], replaying=True)
    everything = [*said("dark", DARK), *said("csv", EXPORT, 10), plain_item("late", 5, "idea 1 dark mode at night")]
    await triage.fold(*everything[::-1], replaying=True)
    await gathered(triage)
    assert await rows(triage) == expected


@pytest.mark.capability("T20")
async def test_everybody_behind_a_theme_is_told_what_became_of_it_once(triage: TriageUnderTest) -> None:
    await triage.fold(*said("dark", DARK), plain_item("alone", 9, "idea 1 zebra"))
    await gathered(triage)
    done = await do(triage, "dark1", "status", status="planned", text="Q3", headers={"earshot-actor": "Ann", "idempotency-key": "k"})
    assert (done["status"], done["status_by"], done["told"]) == ("planned", "Ann", 3)
    again = await do(triage, "dark1", "status", status="planned", text="Q3", headers={"earshot-actor": "Ann", "idempotency-key": "k"})
    assert again == done
    assert (await do(triage, "dark0", "status", status="planned"))["told"] == 0
    asked = [json.loads(each.value or b"")["data"] for each in await triage.said() if each.topic is Topic.OUTREACH_REQUESTED]
    assert {each["author_key"] for each in asked} == {"forum:dark0", "forum:dark1", "forum:dark2"}
    assert {(each["template"], each["cause"]) for each in asked} == {("theme-planned", id_of("dark0"))}
    assert "text" not in asked[0]
    assert [each["theme_id"] for each in await themes(triage, status="planned")] == [id_of("dark0")]
    assert await themes(triage, status="open") == []
    acts = [message for message in await triage.said() if message.topic is Topic.ACTION_TAKEN]
    copies = [StoredRecord("actions", 0, n, message.key, message.value) for n, message in enumerate(acts)]
    before = len(await triage.said())
    await triage.fold_records(Topic.ACTION_TAKEN, copies, replaying=True)
    assert len(await triage.said()) == before, "a replay asks for nothing"
    await do(triage, "alone", "status", status="declined")
    loop = (await triage.http.get("/v1/metrics/loop")).json()["items"]
    assert loop == [
        {"key": "Acme", "cases": 4, "acknowledged": 0, "answered": 0, "closed": 0, "reported_back": 4, "never_answered": 4},
    ]


@pytest.mark.capability("D10")
async def test_the_loop_is_counted_by_key(triage: TriageUnderTest) -> None:
    await triage.fold(plain_item("a", 0), plain_item("b", 1), plain_item("c", 2, channel="mail"), plain_item("d", 3))
    await triage.fold(plain_item("r", 5, brand_speaks=True, to="a"))
    await triage.http.post(f"/v1/cases/{case_of('b')}/assign", json={"assignee": "ann"})
    await triage.http.post(f"/v1/cases/{case_of('d')}/resolve", json={})
    found = {each["key"]: each for each in (await triage.http.get("/v1/metrics/loop", params={"by": "channel"})).json()["items"]}
    counts = {"cases": 3, "acknowledged": 3, "answered": 1, "closed": 1, "reported_back": 0, "never_answered": 1}
    assert found["forum"] == {"key": "forum", **counts}
    assert found["mail"]["never_answered"] == 1
    assert (await triage.http.get("/v1/metrics/loop", params={"from": "2027-01-01T00:00:00Z"})).json()["items"] == []


@pytest.mark.capability("T23")
@pytest.mark.capability("T28")
async def test_recurring_answered_questions_are_worth_an_article_and_are_suggested(triage: TriageUnderTest) -> None:
    asked = ["question 1 how do I reset my password", "question 1 reset password how", "question 1 password reset link where"]
    await triage.fold(*said("q", asked), plain_item("lone", 9, "question 1 opening hours"))
    await triage.fold(
        plain_item("answer", 20, "Press the link in the mail.", brand_speaks=True, to="q0"),
        plain_item("help", 15, "other 1 look into your spam folder", to="q1"),
        plain_item("hours", 21, "From nine.", brand_speaks=True, to="lone"),
    )
    await gathered(triage)
    (found,) = (await triage.http.get("/v1/faq-candidates")).json()["items"]
    assert (found["theme_id"], found["items"], found["answered"], found["question"]) == (id_of("q0"), 3, 1, asked[0])
    answer = found["answers"][0]
    assert (answer["case_id"], answer["feedback_id"], answer["excerpt"]) == (case_of("q0"), id_of("answer"), "Press the link in the mail.")
    case = (await triage.http.get(f"/v1/cases/{case_of('q2')}")).json()
    assert [each["feedback_id"] for each in case["suggested_articles"]] == [id_of("answer")]
    assert case["suggested_people"] == ["forum:help"]
    bound = await triage.key(brands=["Bolt"])
    assert (await triage.http.get("/v1/faq-candidates", headers=bound)).json()["items"] == []


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        pytest.param("status", {"status": "odd"}, 422, "invalid", id="no status"),
        pytest.param("status", {}, 422, "invalid", id="nothing"),
        pytest.param("merge", {"other": id_of("nobody")}, 404, "not-found", id="merge nobody"),
        pytest.param("merge", {"other": "x"}, 422, "invalid", id="merge no id"),
        pytest.param("split", {"items": []}, 422, "invalid", id="split nothing"),
        pytest.param("split", {"items": [id_of("csv0")]}, 422, "item-elsewhere", id="split what lies elsewhere"),
    ],
)
async def test_wrong_acts_are_refused_and_leave_nothing(triage: TriageUnderTest, verb: str, body: Any, status: int, code: str) -> None:
    await triage.fold(*said("dark", DARK), *said("csv", EXPORT, 10))
    await gathered(triage)
    before = len(await triage.said())
    assert (await do(triage, "dark0", verb, refused=status, **body))["code"] == code
    bound = await triage.key(scopes=("triage:write",), brands=["Bolt"])
    assert (await do(triage, "dark0", "status", refused=404, headers=bound, status="planned"))["code"] == "not-found"
    assert len(await triage.said()) == before


async def test_other_weights_of_words_gather_anew(triage: TriageUnderTest) -> None:
    class OtherJudge(PlainJudge):
        version = "plain-2"

        def commonness(self, word: str) -> float:
            return 0.5  # nothing tells anything

    await triage.fold(*said("dark", DARK))
    await gathered(triage)
    assert len(await rows(triage)) == 3
    await Gatherer(triage.runtime.pool, OtherJudge).gather()
    assert await rows(triage) == []


async def test_nobody_follows_a_leader_that_went_before_the_weights_of_words_changed(triage: TriageUnderTest) -> None:
    judge = PlainJudge()
    gatherer = Gatherer(triage.runtime.pool, lambda: judge)
    dark = said("dark", DARK)
    await triage.fold(*dark)
    await gatherer.gather()
    await triage.fold(plain_item("dark0", 0, revision=2, withdrawn=True))
    judge.version = "plain-2"
    await gatherer.gather()
    stored = await triage.runtime.pool.fetch("select key, leader from theme_items")
    assert {str(row["key"]): str(row["leader"]) for row in stored} == naive(dark[1:])


async def test_gathering_keeps_up_beside_a_steady_fold_and_yields_only_to_a_backlog(
    triage: TriageUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[tuple[bool, bool]] = []

    def rest_s(_took_s: float, *, found: int, more: bool, busy: bool) -> float:
        looks.append((more, busy))
        return 0.001

    async def all_gathered(items: Sequence[Item]) -> None:
        async with asyncio.timeout(30):
            while len(await rows(triage)) < len(items):
                await asyncio.sleep(0.01)

    monkeypatch.setattr("earshot_triage.gatherer.rest_s", rest_s)
    monkeypatch.setattr("earshot_triage.gatherer.BATCH", 40)
    monkeypatch.setattr(type(triage.runtime.relay), "holds_lease", True)
    assert triage.runtime.loop is not None
    state = triage.runtime.loop.state
    items = [plain_item(f"n{n}", n, f"idea 1 word{n % 7} word{n % 11} word{n % 13}") for n in range(600)]
    gathering = asyncio.create_task(triage.wiring.gatherer(triage.runtime).run())
    try:
        for start in range(0, 500, 50):
            state.lag = 50  # what came in while the last slice was at work
            await triage.fold(*items[start : start + 50])
            state.applied += 50
        state.lag = 0
        await all_gathered(items[:500])
        assert (True, False) in looks, "there was more than a batch at times"
        assert not any(busy for _, busy in looks), "nothing that a slice does not take is a backlog"
        state.lag = SLICE_RECORDS + 1
        await triage.fold(*items[500:])
        await all_gathered(items)
        assert (True, True) in looks, "it yields to a backlog, and goes on all the same"
    finally:
        gathering.cancel()
        await asyncio.gather(gathering, return_exceptions=True)
    stored = await triage.runtime.pool.fetch("select key, leader from theme_items")
    assert {str(row["key"]): str(row["leader"]) for row in stored} == naive(items)
