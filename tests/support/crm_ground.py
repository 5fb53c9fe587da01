"""crm-sync on a real Postgres, without Kafka: records are made here and folded straight through a writer.

Owns the making of records as other services would publish them, and the reading back of what was published.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from earshot_crm_sync import repository_read
from earshot_crm_sync.app import create_crm_sync_app
from earshot_crm_sync.contacts import Contact, contact_id, tell_contact
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.repository import QUERIES
from earshot_crm_sync.settings import CrmSyncSettings
from earshot_crm_sync.stage import ID_PURPOSE, OUTPUTS, CrmSync, view_of
from earshot_shared import ids
from earshot_shared.access import Secret, StoredKey
from earshot_shared.envelope import EventWriter, rfc3339
from earshot_shared.health import Health
from earshot_shared.http.auth import Keyring
from earshot_shared.http.paging import Cursors
from earshot_shared.item import Author, Item
from earshot_shared.messages import Message, unpack
from earshot_shared.metrics import Metrics
from earshot_shared.migrations.runner import migrate_all
from earshot_shared.outreach import OutreachRequested
from earshot_shared.pipeline.records import Batch, StoredRecord
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import Pool, open_pool
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.service import Parts
from earshot_shared.topics import Topic, schema_name

SCHEMA = schema_name("crm-sync")
KEY = b"k" * 32
START = datetime(2024, 5, 1, 12, tzinfo=UTC)
_TRIAGED = EventWriter(Topic.FEEDBACK_TRIAGED, "triage")
_MAIL_SECRET = b"mail"


async def migrate(dsn: str) -> None:
    """Bring a fresh database to the state that crm-sync wants."""
    await migrate_all(dsn, services=["crm-sync"])


def item(
    external_id: str,
    *,
    at: int = 0,
    channel: str = "forum",
    source: str = "",
    text: str = "",
    withdrawn: bool = False,
    erased: bool = False,
    revision: int = 1,
    mail: str | None = None,
    phone: str | None = None,
    **author: Any,
) -> Item:
    """Return an item of this external_id, said ``at`` minutes after the start by an author with these fields.

    ``mail`` and ``phone`` are verified; an unverified mail is the author's field ``email``.
    """
    if mail is not None:
        author |= {"email": mail, "email_verified": True}
    if phone is not None:
        author |= {"phone": phone, "phone_verified": True}
    speaker = Author(**author)
    source = source or channel
    key = ids.author_key(channel=channel, account_id=speaker.id, handle=speaker.handle, mail=speaker.email, secret=_MAIL_SECRET)
    assert key is not None, "an author has an id, a handle or a mail"
    moment = START + timedelta(minutes=at)
    hidden = withdrawn or erased
    return Item(
        feedback_id=ids.feedback_id(source, external_id),
        revision=revision,
        source=source,
        external_id=external_id,
        channel=channel,
        author_key="erased" if hidden else key,
        author=Author() if hidden else speaker,
        occurred_at=moment,
        received_at=moment + timedelta(seconds=1),
        text="" if hidden else text or f"text of {external_id}",
        withdrawn=withdrawn,
        erased=erased,
    )


class _Triaged(msgspec.Struct, omit_defaults=True):
    item: Item
    version: int
    intent: str = "question"
    case_id: str | None = None


def triaged(said: Item, *, version: int | None = None, intent: str = "question") -> StoredRecord:
    """Return the record by which triage tells of an item; its version is the item's revision unless given."""
    version = version or said.revision
    message = _TRIAGED.write(
        said.feedback_id,
        ids.event_id(said.feedback_id, version),
        _Triaged(said, version, intent, ids.case_id(said.feedback_id)),
        time="2024-05-01T12:00:00Z",
    )
    return record_of(message)


def contact(record_id: str, *, at: int = 0, connector: str = "crm", revision: int = 1, **fields: Any) -> StoredRecord:
    """Return the record of a contact of another system, changed there ``at`` minutes after the start."""
    told = Contact(
        contact_id=contact_id(connector, record_id),
        connector=connector,
        record_id=record_id,
        revision=revision,
        updated_at=START + timedelta(minutes=at),
        **fields,
    )
    return record_of(tell_contact(told, now="2024-05-01T12:00:00Z"))


_offsets = itertools.count()


def record_of(message: Message) -> StoredRecord:
    """Return a message as a consumer gets it."""
    return StoredRecord(message.topic.full_name(), 0, next(_offsets), message.key, message.value)


def batches(records: Iterable[StoredRecord]) -> list[Batch]:
    """Return records as one slice."""
    by_topic: dict[str, list[StoredRecord]] = {}
    for record in records:
        by_topic.setdefault(record.topic, []).append(record)
    topics = {topic.full_name(): topic for topic in Topic}
    return [Batch(topics[name], 0, group) for name, group in by_topic.items()]


@dataclass
class Bench:
    """A stage with its store, and all that it published."""

    pool: Pool
    writer: Writer
    stage: CrmSync
    published: list[Message] = field(default_factory=list)

    async def fold(self, *records: StoredRecord) -> Transaction:
        """Fold the records as one slice."""
        prepared = await self.stage.prepare(batches(records))
        try:
            async with self.writer.transaction() as tx:
                await self.stage.fold(tx, prepared)
        except BaseException:
            self.stage.forget()
            raise
        self.published += tx.messages
        return tx

    async def tell(self, *items: Item) -> Transaction:
        """Fold items as triage would tell them, in one slice."""
        return await self.fold(*(triaged(each) for each in items))

    async def published_by_routes(self) -> list[Message]:
        """Return what the service's own transactions wait to publish, in order: no relay runs here."""
        return [message for row in await self.rows("select messages from outbox order by id") for message in unpack(row["messages"])]

    def last(self) -> dict[str, Mapping[str, Any] | None]:
        """Return the last body published for every customer id; None after a tombstone."""
        return {
            message.key.decode(): None if message.value is None else msgspec.json.decode(message.value)["data"]
            for message in self.published
            if message.topic is Topic.CUSTOMER_CHANGED
        }

    def customers(self) -> list[Mapping[str, Any]]:
        """Return the views that stand, by customer_id."""
        return [body for _, body in sorted(self.last().items()) if body is not None and "merged_into" not in body]

    async def rows(self, query: str, *arguments: Any) -> Sequence[Any]:
        """Return the rows of a query of the test's own."""
        return await self.pool.fetch(query, *arguments)


@contextlib.asynccontextmanager
async def bench(dsn: str, rules: Rules | None = None) -> AsyncIterator[Bench]:
    """Give a stage on a migrated database."""
    chosen = rules or Rules()
    pool = await open_pool(dsn, schema=SCHEMA, application="test", max_size=3)
    try:
        yield Bench(
            pool,
            Writer(pool, service="crm-sync", schema=SCHEMA),
            CrmSync(lambda: chosen, key=Secret(KEY).key(ID_PURPOSE), clock=lambda: START),
        )
    finally:
        await pool.close()


def chunks(records: Sequence[StoredRecord], size: int) -> Iterator[Sequence[StoredRecord]]:
    """Split records into slices of this size."""
    for start in range(0, len(records), size):
        yield records[start : start + size]


class NoKeys:
    """A store without keys: the first key is the only one."""

    async def find(self, key_id: str) -> None:
        return None

    async def touch(self, key_id: str) -> None:
        return None

    async def add(self, key: StoredKey) -> None:
        raise NotImplementedError

    async def list(self) -> Sequence[StoredKey]:
        return []

    async def revoke(self, key_id: str) -> bool:
        return False


FIRST_KEY = "first-key-of-the-test"
_RECOGNITION = EventWriter(Topic.RECOGNITION_CHANGED, "recognition")


def standing(author_key: str, *, tier: str, version: int = 1) -> Message:
    """Return the message by which recognition tells of an account."""
    body = {"author_key": author_key, "version": version, "tier": tier, "points": {"helpful": version}}
    return _RECOGNITION.write(author_key, f"{author_key}/{version}", body, time="2024-05-01T12:00:00Z")


_OUTREACH = EventWriter(Topic.OUTREACH_REQUESTED, "recognition")


def outreach(name: str, author_key: str, *, purpose: str = "thank-you", brand: str | None = None, at: int = 0) -> StoredRecord:
    """Return the record by which somebody asks, ``at`` minutes after the start, to write to an author."""
    body = OutreachRequested(
        outreach_id=ids.uuid5_text(ids.NAMESPACE.bytes, name), author_key=author_key, purpose=purpose, template="thanks", brand=brand
    )
    return record_of(_OUTREACH.write(body.outreach_id, body.outreach_id, body, time=rfc3339(START + timedelta(minutes=at))))


@contextlib.asynccontextmanager
async def http(ground: Bench, dsn: str, rules: Rules | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the service's door, over the same store as the stage; no loop and no relay run."""
    place = Ground(service="crm-sync", kafka_bootstrap="127.0.0.1:1", postgres_dsn=dsn, topic_prefix="earshot")
    runtime = await Runtime.open(place, stage=lambda _: ground.stage, outputs=[Topic.CUSTOMER_CHANGED])
    try:
        async with _client(runtime, ground.stage, dsn, rules or Rules()) as client:
            yield client
    finally:
        await runtime.close()


@contextlib.asynccontextmanager
async def _client(runtime: Runtime, stage: CrmSync, dsn: str, rules: Rules) -> AsyncIterator[httpx.AsyncClient]:
    settings = CrmSyncSettings(kafka_bootstrap=runtime.ground.kafka_bootstrap, postgres_dsn=SecretStr(dsn), api_key=SecretStr(FIRST_KEY))
    secret = Secret(KEY)
    parts = Parts(
        settings=settings,
        runtime=runtime,
        secret=secret,
        keyring=Keyring(NoKeys(), first_key=FIRST_KEY),
        cursors=Cursors(secret),
        health=Health(),
        metrics=Metrics("crm-sync"),
    )
    door: Any = create_crm_sync_app(parts, lambda: rules, stage, clock=lambda: START)
    headers = {"authorization": f"Bearer {FIRST_KEY}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://crm-sync", headers=headers) as client:
        yield client


@contextlib.asynccontextmanager
async def running(dsn: str, kafka: str, prefix: str) -> AsyncIterator["CrmService"]:
    """Give the whole service in this process: loop, relay and routes."""
    stage = CrmSync(Rules, key=Secret(KEY).key(ID_PURPOSE), clock=lambda: START)
    place = Ground(service="crm-sync", kafka_bootstrap=kafka, postgres_dsn=dsn, topic_prefix=prefix)
    runtime = await Runtime.open(place, stage=lambda _: stage, outputs=OUTPUTS)
    tasks = [asyncio.create_task(run(), name=name) for name, run in runtime.tasks().items()]
    try:
        async with _client(runtime, stage, dsn, Rules()) as client:
            yield CrmService(Bench(runtime.pool, runtime.writer, stage), client)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runtime.close()


@dataclass
class CrmService:
    """The service in-process: its store, and a client with all scopes."""

    ground: Bench
    client: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        """Return the body of a good answer."""
        answer = await self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the body of a good answer to a write."""
        answer = await self.client.request(
            method, path, json=body, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """Return status and code of a refusal."""
        answer = await self.client.request(
            method, path, json=body, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )
        return answer.status_code, answer.json()["code"]


async def snapshot(ground: Bench) -> dict[str, Any]:
    """Return everything the store says, in a form that does not depend on numbers, versions or arrival."""
    async with ground.pool.acquire() as conn:
        customers = await repository_read.page_of_customers(conn, repository_read.NO_ID, 100_000)
        held = await repository_read.hold_all(conn, customers)
        aliases = [row["alias"] for row in await conn.fetch("select alias from identifiers where kind <> ''")]
        holders = {}
        names = {each.no: each.profile.customer_id for each in customers}
        for alias in aliases:
            found = next(iter(await repository_read.find_identifiers(conn, [str(alias)])), None)
            holders[str(alias)] = names.get(found.customer_no) if found and found.customer_no is not None else None
        timelines = {
            each.profile.customer_id: [
                entry.feedback_id for entry in await repository_read.read_timeline(conn, list(each.spoken), None, 100_000)
            ]
            for each in held
        }
        suggested = await conn.fetch("select suggestion_id, weight from suggestions order by suggestion_id")
        totals = await conn.fetchrow("select feedback, customers, identifiers, contacts from totals")
        counted = await conn.fetchrow(
            "select (select count(*) from activities), (select count(*) from customers),"
            " (select count(*) from identifiers where customer_no is not null), (select count(*) from contacts)"
        )
    views = {each.profile.customer_id: {**msgspec.json.decode(view_of(each)), "version": 0} for each in held}
    assert totals is None or (counted is not None and tuple(totals) == tuple(counted)), "the counts are exact"
    return {
        "views": views,
        "holders": {alias: holder for alias, holder in holders.items() if holder is not None},
        "timelines": timelines,
        "suggestions": [(str(row["suggestion_id"]), row["weight"]) for row in suggested],
    }


def check_published(ground: Bench, found: Mapping[str, Any]) -> None:
    """Assert that the last record of every key on the topic says what the store says, whatever came between."""
    for customer_id, body in ground.last().items():
        if body is None:
            assert customer_id not in found["holders"]
        elif "merged_into" in body:
            assert found["holders"].get(customer_id) is not None
            assert customer_id not in found["views"]
        else:
            assert {**body, "version": 0} == found["views"][customer_id]
    assert found["views"].keys() <= ground.last().keys()


async def empty(ground: Bench) -> None:
    """Empty every view, as a replay does."""
    await ground.pool.execute(QUERIES["reset_views"])
    ground.stage.forget()
    ground.published.clear()
