"""Triage on a real Postgres without Kafka: facts of the oracle go in slice by slice, views come out.

Owns the translation between the oracle's facts and the wire, a judge that says what the text says, and the reading of triage's tables.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from earshot_shared import ids
from earshot_shared.actions import Action as WireAction
from earshot_shared.actions import ActionWriter, Actor
from earshot_shared.envelope import EventWriter
from earshot_shared.errors import FatalError
from earshot_shared.item import Author, Item, Visibility
from earshot_shared.messages import Message as Told
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.pipeline.writer import Writer
from earshot_shared.topics import Topic
from earshot_triage.config import Route, Treatment, TriageConfig, When
from earshot_triage.decisions import Decider
from earshot_triage.domain.routing import Rules
from earshot_triage.events import key_of
from earshot_triage.judgement import Judgement
from earshot_triage.repository import QUERIES, load_known, load_threads, thread_of
from earshot_triage.stage import TriageStage
from oracle import facts as oracle
from oracle.cases import Judgement as OracleJudgement

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = datetime(2026, 3, 1, tzinfo=UTC)
ITEMS = EventWriter(Topic.FEEDBACK_RECEIVED, "ingest")
ACTIONS = ActionWriter("triage")
ROUTES: dict[str, tuple[str, ...]] = {"bug": ("support", "product"), "complaint": ("support",), "idea": ("product",)}


class PlainJudge:
    """Finds intent and severity where the text says so: ``bug 3 …``; anything else is `other` and 1."""

    version = "plain-1"
    label_versions: Mapping[str, str] = MappingProxyType({})

    def commonness(self, word: str) -> float:
        return 0.5 if word in ("bug", "idea", "question", "1", "2", "3", "the") else 0.001

    def judge(self, texts: Sequence[str], *, explain: bool = True, languages: Sequence[str | None] | None = None) -> list[Judgement]:
        return [replace(each, reasons=("as it says",)) if explain else each for each in map(_judged, texts)]


def _judged(text: str) -> Judgement:
    words = text.split()
    known = len(words) > 1 and words[0] in (*ROUTES, "question", "praise", "other")
    intent, severity = (words[0], int(words[1])) if known else ("other", 1)
    return Judgement(
        intent=intent,
        intents={intent: 1.0},
        conduct="ok",
        sentiment=0.0,
        sentiment_label="neutral",
        sentiment_probabilities={},
        emotion=None,
        severity=severity,
        urgency=0.0,
        language="en",
        confidence=1.0,
        needs_person=False,
        model_version="plain-1",
    )


def oracle_judge(item: oracle.ItemRevision) -> OracleJudgement:
    """The same judgement for the oracle; our own words have no route."""
    judged = _judged(item.content.text if item.content else "")
    routes = () if item.role is oracle.Role.BRAND else ROUTES.get(judged.intent, ())
    return OracleJudgement(intent=judged.intent, severity=judged.severity, team=routes[0] if routes else None)


def plain_rules() -> Rules:
    """Rules that route as `oracle_judge` does; everybody but the brand is answered within the hour."""
    brand = When(role=frozenset({"brand"}))
    routes = [Route(name=intent, when=When(intent={intent: 0.5}), to=to) for intent, to in ROUTES.items()]
    return TriageConfig(
        routes=(Route(name="own", when=brand, to=(), last=True), *routes),
        stances=(Treatment(name="own", when=brand, stance="watch"), Treatment(name="all", stance="respond")),
    ).rules("rules-1")


def item_of(fact: oracle.ItemRevision, *, backfill: bool = False) -> Item:
    """The item as ingest tells it; a skeleton keeps role, links and times."""
    content = fact.content
    ours = content is not None and content.source == "earshot"  # a reply that an action made: ingest's copy is the same to the byte
    parents = tuple(sorted(map(str, fact.replies_to)))
    return Item(
        feedback_id=str(fact.feedback_id),
        revision=fact.revision,
        source=content.source if content else "",
        external_id=content.external_id if content else "",
        channel=fact.channel,
        author_key=fact.author_key,
        kind="reply" if ours else "post",
        in_reply_to=parents[0] if ours else None,
        author=Author(
            id=content.author.account_id if ours and content else None,
            name=content.author.name if content else None,
            is_staff=fact.role is oracle.Role.STAFF,
            on_behalf_of_brand=fact.role is oracle.Role.BRAND,
        ),
        occurred_at=fact.occurred_at,
        received_at=fact.received_at,
        text=content.text if content else "",
        parents=parents,
        conversations=tuple(sorted(map(str, fact.conversations))),
        brand=fact.brand,
        withdrawn=fact.withdrawn,
        erased=content is None,
        backfill=backfill,
    )


def action_of(fact: oracle.Action) -> WireAction:
    """The action as its service tells it."""
    seen = sorted(map(str, fact.seen))
    arguments: dict[str, Any]
    match fact.verb:
        case oracle.Verb.ASSIGN:
            arguments = {"assignee": fact.assignee}
        case oracle.Verb.ROUTE:
            arguments = {"team": fact.team}
        case oracle.Verb.ESCALATE:
            arguments = {"priority": fact.priority}
        case oracle.Verb.NOTE:
            arguments = {"text": fact.text}
        case oracle.Verb.RESPOND:
            arguments = {"text": fact.text or "", "channel": fact.channel, "brand": fact.brand, "seen": seen}
        case _:
            arguments = {"seen": seen}
    return WireAction(
        action_id=fact.action_id,
        service="triage",
        actor=Actor(fact.actor),
        verb=fact.verb.value,
        subject=str(fact.subject),
        at=fact.at,
        arguments=msgspec.Raw(msgspec.json.encode(arguments)),
    )


def plain_item(
    name: str, minute: float, text: str = "complaint 2", *, brand_speaks: bool = False, staff: bool = False, to: str | None = None,
    talk: str | None = None, brand: str | None = "Acme", revision: int = 1, channel: str = "forum", visibility: Visibility = "public",
    withdrawn: bool = False, backfill: bool = False,
) -> Item:  # fmt: skip
    """An item of the source `forum`; ``to`` and ``talk`` name what it replies to and the conversation it belongs to."""
    at = DAY + timedelta(minutes=minute)
    return Item(
        feedback_id=ids.feedback_id("forum", name), revision=revision, source="forum", external_id=name, channel=channel,
        author_key=f"{channel}:{name}", author=Author(id=name, on_behalf_of_brand=brand_speaks, is_staff=staff), occurred_at=at,
        received_at=at, text=text, brand=brand, parents=(ids.feedback_id("forum", to),) if to else (), visibility=visibility,
        conversations=(ids.conversation_node("forum", talk),) if talk else (), withdrawn=withdrawn, backfill=backfill,
    )  # fmt: skip


def case_of(name: str) -> str:
    """The id of the case that an item of `plain_item` would be alone."""
    return ids.case_id(ids.feedback_id("forum", name))


_HISTORY = ("version", "watch_at", "told_due_at")


async def rows_of(pool: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the views, but for what tells of their history: versions, and what was published when."""
    threads = await pool.fetch("select * from threads order by thread")
    return {
        "feedback": [
            tuple(row) for row in await pool.fetch("select key, thread, revision, brief, item, decision from feedback order by key")
        ],
        "nodes": [tuple(row) for row in await pool.fetch("select node, thread from nodes order by node")],
        "threads": [tuple(value for name, value in row.items() if name not in _HISTORY) for row in threads],
        "actions": [tuple(row) for row in await pool.fetch("select action_id, subject, body from actions order by action_id")],
        "counts": [tuple(row) for row in await pool.fetch("select name, n from counts where n <> 0 order by name")],
    }


@dataclass(slots=True)
class World:
    """A migrated schema of triage with its stage; `told` is every message of committed transactions, in order."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    writer: Writer
    stage: TriageStage
    told: list[Told] = field(repr=False)

    @classmethod
    async def open(cls, dsn: str, *, rules: Rules | None = None, schema: str = "earshot_triage") -> "World":
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2, server_settings={"search_path": schema, "timezone": "UTC"})
        stage = TriageStage(Decider(PlainJudge(), rules or plain_rules()), lambda: NOW)
        return cls(pool, Writer(pool, service="triage", schema=schema), stage, [])

    async def close(self) -> None:
        await self.pool.close()

    async def reset(self) -> None:
        """Empty the views. By `delete`, which is quicker than the replay's `truncate` where there is little."""
        tables = QUERIES["reset_views"].rpartition("truncate")[2].split(",")
        await self.pool.execute(";".join(f"delete from {table.strip()}" for table in tables))
        self.told.clear()

    async def fold(self, facts: Iterable[oracle.Fact | Item], *, replaying: bool = False) -> None:
        """Fold one slice, in the order given."""
        live, acts = [], []
        for offset, fact in enumerate(facts):
            match fact:
                case oracle.ItemRevision() | Item():
                    item = fact if isinstance(fact, Item) else item_of(fact)
                    message = ITEMS.write(item.feedback_id, f"{item.feedback_id}.{item.revision}", item, time="2026-06-01T00:00:00Z")
                    live.append(StoredRecord("items", 0, offset, message.key, message.value))
                case oracle.Action():
                    message = ACTIONS.write(action_of(fact))
                    acts.append(StoredRecord("actions", 0, offset, message.key, message.value))
                case _:
                    raise FatalError("triage reads items and actions")
        batches = [
            Batch(topic, 0, records, replaying)
            for topic, records in ((Topic.FEEDBACK_RECEIVED, live), (Topic.ACTION_TAKEN, acts))
            if records
        ]
        prepared = await self.stage.prepare(batches)
        assert not prepared.poison, prepared.poison
        async with self.writer.transaction() as tx:
            await self.stage.fold(tx, prepared)
        self.told += tx.messages

    async def cases(self) -> dict[UUID, dict[str, Any]]:
        """Every case by its id: columns and what is packed."""
        rows = await self.pool.fetch("select * from threads where has_case")
        return {UUID(str(row["thread"])): {**dict(row), "unpacked": thread_of(row)} for row in rows}

    async def holder(self, feedback: Iterable[UUID]) -> dict[UUID, UUID]:
        """The case that each item's own id leads to; items that lead nowhere are absent."""
        keys = {key_of(str(each)): each for each in feedback}
        known = await load_known(self.pool, keys)
        threads = await load_threads(self.pool, {held.label for held in known.values()})
        return {
            keys[key]: UUID(case_id)
            for key, held in known.items()
            if (thread := threads.get(held.label)) is not None and (case_id := thread.state.case_id) is not None
        }

    async def counts(self) -> dict[str, int]:
        """The exact counts that are not zero."""
        return {row["name"]: row["n"] for row in await self.pool.fetch("select name, n from counts where n <> 0")}

    def last(self, topic: Topic) -> dict[str, Any]:
        """The newest body of every key on a topic; None for a tombstone. Fails when a version does not grow."""
        found: dict[str, Any] = {}
        for message in self.told:
            if message.topic is topic:
                key = message.key.decode()
                body = None if message.value is None else json.loads(message.value)["data"]
                before = found.get(key)
                assert not (before and body) or body["version"] > before["version"], f"the version of {key} does not grow"
                found[key] = body
        return found
