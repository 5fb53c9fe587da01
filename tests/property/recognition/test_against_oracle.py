"""The ledger against the oracle: items in any order, with old versions, duplicates and any slices, end in the oracle's entries."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from earshot_recognition import repository
from earshot_recognition.book import Book
from earshot_recognition.domain.deeds import Act, Particulars, Verb
from earshot_recognition.domain.ledger import Contribution
from earshot_recognition.erasing import Erasure, alias_of
from earshot_recognition.rules import PointRules, RecognitionConfig, RecognitionRules, ThankYouRule
from earshot_recognition.stage import Prepared, Recognition
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.writer import Writer
from earshot_shared.postgres import Pool, Queries, open_pool
from earshot_shared.topics import schema_name
from oracle.accounts import find_accounts
from oracle.cases import Judge, Judgement
from oracle.facts import Author, Content, ItemRevision, Role, standing
from oracle.ledger import HELP_POINTS, ITEM_POINTS, fold_ledger
from support.ground import Databases

START = datetime(2025, 1, 1, tzinfo=UTC)
SPACE = UUID("7f1c0a52-2f0f-4a43-9d3e-0c5d2c6f3d11")
KEY = b"k" * 32
RULES = RecognitionRules(
    RecognitionConfig(
        points=PointRules(item_default=ITEM_POINTS, help=HELP_POINTS),
        thank_yous=(ThankYouRule(name="one", items=1), ThankYouRule(name="helped", helped=1)),
    ),
    "test",
)
VIEWS = (
    "select feedback_id, author_key, flags, occurred_at, member, earned, rest from items",
    "select author_key, staff, brand, followers, name, named_at, named_by, entries, helped, active, helpful from accounts",
    "select handle_key, account_key from handle_pairs",
    "select cause, beneficiary, member, points, occurred_at from helps",
    "select parent, feedback_id from replies",
    "select action_id, subject, verb, at from acts",
    "select thank_you_id, author_key, cause from thank_yous",
    "select alias, at from erasures",
    "select name, n from counts where n <> 0",
)
RESET = Queries.load("earshot_recognition")["reset_views"]


def no_questions(item: ItemRevision) -> Judgement:
    """The oracle's judge here: questions are told by kind alone."""
    del item
    return Judgement(intent="other", severity=1, team=None)


JUDGE: Judge = no_questions
Fact = ItemRevision | Act | Erasure


@st.composite
def facts(draw: st.DrawFn) -> list[ItemRevision]:
    """A handful of items with one to three revisions each; authors by id, by handle or by both, some staff or brand, some replies."""
    made: list[ItemRevision] = []
    count = draw(st.integers(1, 9))
    for number in range(count):
        parents = draw(st.frozensets(st.integers(0, count - 1), max_size=2)) - {number}
        for revision in range(1, draw(st.integers(1, 3)) + 1):
            account = draw(st.sampled_from([None, "1", "2", "3"]))
            handle = draw(st.sampled_from(["ann", "bea"] if account is None else [None, "ann", "bea"]))
            fate = draw(st.sampled_from(["said"] * 4 + ["withdrawn", "erased"])) if revision > 1 else "said"
            author = Author(account_id=account, handle=handle, name=draw(st.sampled_from([None, "Ann", "Bea"])))
            kind = draw(st.sampled_from(["question", "post"]))
            made.append(
                ItemRevision(
                    feedback_id=uuid5(SPACE, str(number)),
                    revision=revision,
                    occurred_at=START + timedelta(minutes=number),
                    received_at=START + timedelta(minutes=number),
                    channel="forum",
                    brand=None,
                    role=draw(st.sampled_from([Role.CUSTOMER] * 5 + [Role.STAFF, Role.BRAND])),
                    replies_to=frozenset(uuid5(SPACE, str(parent)) for parent in parents),
                    conversations=frozenset(),
                    content=None if fate == "erased" else Content(source="s", external_id=str(number), kind=kind, author=author, text=""),
                    withdrawn=fate == "withdrawn",
                )
            )
    return made


def contribution(item: ItemRevision) -> Contribution:
    """The item as recognition decodes it."""
    content = item.content
    present = content is not None and not item.withdrawn
    both = content is not None and content.author.account_id and content.author.handle
    return Contribution(
        feedback_id=item.feedback_id,
        version=item.revision * 100 + item.occurred_at.minute,
        author_key=item.author_key,
        handle_key=f"forum:@{content.author.handle}" if both and content is not None else None,
        present=present,
        staff=present and item.role is Role.STAFF,
        brand=present and item.role is Role.BRAND,
        question=content is not None and content.kind == "question",
        kind=content.kind if content is not None else "post",
        occurred_at=item.occurred_at,
        parents=tuple(sorted(item.replies_to)),
        name=content.author.name if content is not None else None,
        named_at=item.occurred_at,
    )


def _newest(items: Iterable[ItemRevision]) -> dict[UUID, Contribution]:
    newest: dict[UUID, Contribution] = {}
    for item in map(contribution, items):
        known = newest.get(item.feedback_id)
        if known is None or item.version > known.version:
            newest[item.feedback_id] = item
    return newest


class Stand:
    """Recognition on a schema of its own."""

    def __init__(self, dsn: str) -> None:
        self.runner = asyncio.Runner()
        self.pool: Pool = self.runner.run(open_pool(dsn, schema=schema_name("recognition"), application="test"))
        self.writer = Writer(self.pool, service="recognition", schema=schema_name("recognition"))
        self.stage = Recognition(lambda: RULES, key=KEY)

    async def fold(self, slices: Sequence[Sequence[ItemRevision]], forgetting: Collection[int] = ()) -> dict[str, object]:
        """Empty the views, fold the slices, and return entries, sums and counts; the numbers of ``forgetting`` begin with a new book."""
        await self.pool.execute(RESET)
        self.stage.forget()
        for number, part in enumerate(slices):
            if number in forgetting:
                self.stage.forget()
            prepared = Prepared(items=_newest(part))
            async with self.writer.transaction() as tx:
                await self.stage.fold(tx, prepared)
        rows = await self.pool.fetch("select member, rule, cause, beneficiary, board, points, occurred_at from ledger")
        sums = await self.pool.fetch("select author_key, active, helpful, entries, helped from accounts where entries > 0 or helped > 0")
        counts = await repository.read_counts(self.pool)
        return {"entries": {tuple(row) for row in rows}, "sums": {row["author_key"]: tuple(row)[1:] for row in sums}, "counts": counts}

    async def rows(self, slices: Sequence[Sequence[Fact]]) -> dict[str, set[tuple[object, ...]]]:
        """Empty the views, fold the slices, and return every view without versions."""
        await self.pool.execute(RESET)
        self.stage.forget()
        for part in slices:
            prepared = Prepared(
                acts=[each for each in part if isinstance(each, Act)],
                erasures=[each for each in part if isinstance(each, Erasure)],
                items=_newest(each for each in part if isinstance(each, ItemRevision)),
            )
            async with self.writer.transaction() as tx:
                await self.stage.fold(tx, prepared)
        return {query: {tuple(row) for row in await self.pool.fetch(query)} for query in VIEWS}

    def close(self) -> None:
        """Close what was opened."""
        self.runner.run(self.pool.close())
        self.runner.close()


@pytest.fixture(scope="module")
def stand(databases: Databases) -> Iterator[Stand]:
    """One database for all examples."""
    made = Stand(databases.dsn_of(databases.make(lambda dsn: migrate_all(dsn, services=["recognition"]))))
    yield made
    made.close()


@pytest.mark.capability("R4")
@pytest.mark.capability("R22")
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(facts=facts(), data=st.data())
def test_any_order_and_any_slices_end_in_the_oracles_ledger(stand: Stand, facts: list[ItemRevision], data: st.DataObject) -> None:
    twice = [*facts, *data.draw(st.lists(st.sampled_from(facts), max_size=4))]
    order = data.draw(st.permutations(twice))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)))
    slices = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]
    told = stand.runner.run(stand.fold(slices, data.draw(st.sets(st.integers(1, 4)))))
    present = standing(facts).present
    expected = fold_ledger(present, find_accounts(present), JUDGE)
    wanted = {(e.member, e.rule, e.cause, e.beneficiary or "", e.board, e.points, e.occurred_at) for e in expected}
    assert told["entries"] == wanted
    sums: dict[str, list[int]] = {}
    for entry in expected:
        total = sums.setdefault(entry.member, [0, 0, 0, 0])
        item = entry.rule == "item"
        total[0 if item else 1] += entry.points
        total[2 if item else 3] += 1
    assert told["sums"] == {member: tuple(total) for member, total in sums.items()}
    assert told["counts"] == {
        "feedback": len({item.feedback_id for item in facts}),
        "entries": len(expected),
        "points": sum(entry.points for entry in expected),
        "members": len(sums),
    }


KEYS = ["forum:1", "forum:2", "forum:3", "forum:@ann", "forum:@bea"]


@st.composite
def deeds(draw: st.DrawFn) -> list[Fact]:
    """Acts about some authors, and wishes of some to be forgotten."""
    acts = [
        Act(
            action_id=UUID(int=number),
            subject=draw(st.sampled_from(KEYS)),
            verb=draw(st.sampled_from(Verb)),
            at=START + timedelta(minutes=draw(st.integers(0, 9))),
            actor="cleo",
            particulars=Particulars(badge="b", cause="one"),
        )
        for number in range(1, draw(st.integers(1, 4)))
    ]
    erasures = [
        Erasure(f"e{number}", (alias_of(draw(st.sampled_from(KEYS)), KEY),), START + timedelta(minutes=draw(st.integers(0, 9))))
        for number in range(draw(st.integers(0, 2)))
    ]
    return [*acts, *erasures]


@pytest.mark.capability("G14")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(items=facts(), others=deeds(), data=st.data())
def test_acts_and_erasures_end_the_same_in_any_order_and_any_slices(
    stand: Stand, items: list[ItemRevision], others: list[Fact], data: st.DataObject
) -> None:
    told: list[Fact] = [*items, *others]
    order = data.draw(st.permutations(told))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(order)), max_size=4)))
    slices = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True) if a < b]
    at_once = stand.runner.run(stand.rows([told]))
    assert stand.runner.run(stand.rows(slices)) == at_once


def test_a_handle_without_an_account_leads_nowhere(stand: Stand) -> None:
    async def book() -> Book:
        async with stand.pool.acquire() as conn:
            return await Book.load(conn, ["forum:@nobody"])

    assert stand.runner.run(book()).owner("forum:@nobody") == "forum:@nobody"
