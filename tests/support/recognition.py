"""A recognition in the test's own process: real Postgres, its real routes, no server in between, no broker.

Owns the opening and closing, and the making of records as triage and crm-sync publish them. What was said stays in the outbox.
"""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from earshot_recognition.app import create_recognition_app
from earshot_recognition.erasing import ID_PURPOSE, alias_of
from earshot_recognition.rules import CurrentRules, RecognitionConfig
from earshot_recognition.settings import RecognitionSettings
from earshot_recognition.stage import OUTPUTS, Recognition
from earshot_shared import ids
from earshot_shared.access import PostgresKeys, new_key, open_access_pool, read_secret
from earshot_shared.config import ConfigFile
from earshot_shared.envelope import EventWriter
from earshot_shared.health import Health
from earshot_shared.http.auth import Keyring
from earshot_shared.http.paging import Cursors
from earshot_shared.item import Author, Item
from earshot_shared.messages import Message, unpack
from earshot_shared.metrics import Metrics
from earshot_shared.migrations import migrate_all
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.postgres import Queries
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import Parts
from earshot_shared.topics import Topic

FIRST_KEY = "a-first-key-for-tests"
START = datetime(2025, 3, 1, 9, tzinfo=UTC)
RESET = Queries.load("earshot_recognition")["reset_views"]
_TRIAGED = EventWriter(Topic.FEEDBACK_TRIAGED, "triage")
_ERASURES = EventWriter(Topic.ERASURE_REQUESTED, "crm-sync")
_TIME = "2025-03-01T09:00:00Z"
_offsets = itertools.count()

CONFIG = """
points: {item_default: 1, help: 10}
tiers:
  - {name: newcomer, points: 0}
  - {name: expert, points: 20, helped: 2, abilities: [tag]}
badges:
  - {name: first-answer, helped: 1}
  - {name: ambassador}
thank_yous:
  - {name: first-answer, helped: 1}
  - {name: two-answers, helped: 2, template: thank-you}
"""


async def migrate(dsn: str) -> None:
    """Bring a database to the shipped state; a function of its own, so that its result is kept as a template."""
    await migrate_all(dsn, services=["recognition"])


def said(name: str, who: str, *, at: int = 0, to: str | None = None, kind: str = "post", handle: str | None = None, **more: Any) -> Item:
    """Return what ``who`` said ``at`` minutes after the start, in answer to the item ``to``; a name with @ in front is a bare handle."""
    bare = who.startswith("@")
    return Item(
        feedback_id=ids.feedback_id("forum", name),
        revision=1,
        source="forum",
        external_id=name,
        channel="forum",
        author_key=f"forum:{who}",
        handle_key=f"forum:@{handle}" if handle and not bare else None,
        author=Author(id=None if bare else who, handle=who[1:] if bare else handle, name=who.strip("@").title()),
        occurred_at=START + timedelta(minutes=at),
        received_at=START + timedelta(minutes=at),
        kind=kind,  # type: ignore[arg-type]  # the tests name kinds that there are
        parents=(ids.feedback_id("forum", to),) if to else (),
        **more,
    )


class _Triaged(msgspec.Struct):
    item: Item
    version: int


def record_of(message: Message) -> StoredRecord:
    """Return a message as a consumer gets it."""
    return StoredRecord(message.topic.full_name(), 0, next(_offsets), message.key, message.value)


def triaged(item: Item, version: int = 1) -> StoredRecord:
    """Return the record by which triage tells of an item."""
    return record_of(_TRIAGED.write(item.feedback_id, f"{item.feedback_id}.{version}", _Triaged(item, version), time=_TIME))


@dataclass(slots=True, kw_only=True)
class RecognitionUnderTest:
    """One running recognition: ``http`` carries the first key."""

    parts: Parts
    http: httpx.AsyncClient
    keys: PostgresKeys
    stage: Recognition
    heard: list[StoredRecord] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        return self.parts.runtime

    async def key(self, *scopes: str) -> dict[str, str]:
        """Make a key and return the headers that carry it."""
        token, stored = new_key(name="test", scopes=scopes, brands=None)
        await self.keys.add(stored)
        return {"authorization": f"Bearer {token}"}

    async def fold(self, *items: Item, version: int = 1, replaying: bool = False) -> None:
        """Fold items as one slice."""
        records = [triaged(item, version) for item in items]
        self.heard += records
        await self.fold_records(Topic.FEEDBACK_TRIAGED, records, replaying=replaying)

    async def fold_records(self, topic: Topic, records: list[StoredRecord], *, replaying: bool = False) -> None:
        """Fold records as one slice."""
        prepared = await self.stage.prepare([Batch(topic, 0, records, replaying)])
        async with self.runtime.writer.transaction() as tx:
            await self.stage.fold(tx, prepared)

    def erasure(self, *author_keys: str, at: int, number: int = 1) -> StoredRecord:
        """Return the record by which crm-sync asks to forget these, as they were ``at`` minutes after the start."""
        key = self.parts.secret.key(ID_PURPOSE)
        body = {
            "erasure_id": f"e{number}",
            "identifiers": [alias_of(each, key) for each in author_keys],
            "at": START + timedelta(minutes=at),
            "actor": "ann",
        }
        return record_of(_ERASURES.write(f"e{number}", f"e{number}", body, time=_TIME))

    async def said(self, topic: Topic) -> list[Message]:
        """Return every message for a topic that waits in the outbox, in order."""
        rows = await self.runtime.pool.fetch("select messages from outbox order by id")
        return [message for row in rows for message in unpack(row["messages"]) if message.topic is topic]

    async def told(self, topic: Topic) -> list[Any]:
        """Return the bodies of those messages; None for a tombstone."""
        return [None if value is None else msgspec.json.decode(value)["data"] for _, _, value in await self.said(topic)]

    async def standing(self, author_key: str) -> Any:
        """Return the last that was told of a key; None for a tombstone."""
        last = {key: value for _, key, value in await self.said(Topic.RECOGNITION_CHANGED)}[author_key.encode()]
        return None if last is None else msgspec.json.decode(last)["data"]

    async def empty(self) -> None:
        """Empty the views and the outbox, as a replay begins."""
        await self.runtime.pool.execute(RESET)
        await self.runtime.pool.execute("truncate outbox")
        self.stage.forget()

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the content of every view that a replay must make the same, without versions."""
        queries = {
            "items": "select feedback_id, author_key, flags, occurred_at, member, earned, rest from items",
            "accounts": "select author_key, staff, brand, followers, name, named_at, entries, helped, active, helpful from accounts",
            "handle_pairs": "select handle_key, account_key from handle_pairs",
            "helps": "select cause, beneficiary, member, points from helps",
            "replies": "select parent, feedback_id from replies",
            "acts": "select action_id, subject, verb, at, actor, particulars from acts",
            "thank_yous": "select thank_you_id, author_key, cause from thank_yous",
            "erasures": "select alias, at from erasures",
            "counts": "select name, n from counts where n <> 0",
        }
        return {name: sorted(map(tuple, await self.runtime.pool.fetch(query)), key=repr) for name, query in queries.items()}

    async def do(self, path: str, body: Any = None, *, status: int = 200, headers: dict[str, str] | None = None) -> Any:
        """Post and return the answer's body."""
        answer = await self.http.post(path, json={} if body is None else body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str, *, status: int = 200) -> Any:
        """Get and return the answer's body."""
        answer = await self.http.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()


@contextlib.asynccontextmanager
async def running_recognition(dsn: str, folder: Path, *, config: str = CONFIG) -> AsyncIterator[RecognitionUnderTest]:
    """Run recognition on a migrated database until the block ends."""
    (folder / "recognition.yaml").write_text(config)
    settings = RecognitionSettings(
        kafka_bootstrap="127.0.0.1:1", postgres_dsn=SecretStr(dsn), api_key=SecretStr(FIRST_KEY), config_dir=folder
    )
    ground = Ground(service="recognition", kafka_bootstrap=settings.kafka_bootstrap, postgres_dsn=dsn, topic_prefix=settings.topic_prefix)
    async with contextlib.AsyncExitStack() as stack:
        access = await stack.enter_async_context(open_access_pool(dsn, settings.topic_prefix, application="test"))
        secret = await read_secret(access)
        stage = Recognition(CurrentRules(ConfigFile(folder, "recognition", RecognitionConfig)), key=secret.key(ID_PURPOSE))
        runtime = await Runtime.open(ground, stage=lambda _: stage, outputs=OUTPUTS)
        stack.push_async_callback(runtime.close)
        keys = PostgresKeys(access)
        parts = Parts(
            settings=settings, runtime=runtime, secret=secret, keyring=Keyring(keys, first_key=FIRST_KEY), cursors=Cursors(secret),
            health=Health(), metrics=Metrics("recognition"),
        )  # fmt: skip
        door: Any = create_recognition_app(parts, stage)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=door), base_url="http://recognition", headers={"authorization": f"Bearer {FIRST_KEY}"}
        )
        http = await stack.enter_async_context(client)
        yield RecognitionUnderTest(parts=parts, http=http, keys=keys, stage=stage)
