"""After the storm: what every view must hold, computed from what was acknowledged, and from a replay."""

import asyncio
import json
from typing import Any

import aiokafka
import asyncpg

from earshot_shared.topics import Topic
from support.system import System

# What a replay must rebuild to the same content, by service: queries over its views, without versions and packed values.
VIEWS = {
    "triage": (
        "select key, thread, revision, convert_from(item, 'utf8')::jsonb as item,"
        " convert_from(decision, 'utf8')::jsonb - 'version' as decision from feedback",
        "select thread, has_case, opened_by_customer, stance, status, priority, intent, team, assignee, brand, channel,"
        " opened_at, due_at, first_response_at, resolved_at from threads",
        "select node, thread from nodes",
        "select name, n from counts where n <> 0",
    ),
    "recognition": (
        "select feedback_id, author_key, flags, occurred_at, rest from items",
        "select cause, rule, member, beneficiary, board, points, occurred_at from ledger",
        "select author_key, staff, brand, followers, name, entries, helped, active, helpful from accounts",
        "select handle_key, account_key from handle_pairs",
        "select parent, feedback_id from replies",
    ),
    "crm-sync": ("select feedback_id, occurred_at from activities", "select alias, kind, value, shared from identifiers where kind <> ''"),
}


def check_presence(system: System, acknowledged: dict[str, dict[str, Any]], refused: set[str]) -> None:
    """Every acknowledged item once in triage, in its customer's timeline and in the ledger; nothing of what was refused."""
    stats = system.settle()
    asyncio.run(_presence(system, acknowledged, refused, stats))


async def _presence(system: System, acknowledged: dict[str, dict[str, Any]], refused: set[str], stats: dict[str, Any]) -> None:
    conn = await asyncpg.connect(system.state["postgres"])
    try:
        sent = set(acknowledged)
        accepted = {str(row[0]) for row in await conn.fetch("select feedback_id from earshot_ingest.items")}
        assert sent <= accepted, f"{len(sent - accepted)} acknowledged items are lost at the door"
        held_by = {
            "triage": "select convert_from(item, 'utf8')::jsonb ->> 'feedback_id' from earshot_triage.feedback",
            "crm-sync": "select feedback_id from earshot_crm_sync.activities",
        }
        for name, query in held_by.items():
            held = [str(row[0]) for row in await conn.fetch(query)]
            assert len(held) == len(set(held))
            assert set(held) == accepted, f"{name} holds {len(held)} of {len(accepted)}"
            assert stats[name]["feedback"] == len(accepted)
        rows = await conn.fetch("select convert_from(body, 'utf8')::jsonb ->> 'external_id' from earshot_ingest.items")
        assert not refused & {row[0] for row in rows}, "what was refused is held"
        ours = {key for key, item in acknowledged.items() if not item["author"].get("on_behalf_of_brand")}
        rows = await conn.fetch("select cause from earshot_recognition.ledger where rule = 'item'")
        causes = [str(row[0]) for row in rows]
        assert len(causes) == len(set(causes))
        assert set(causes) & sent == ours, f"the ledger has {len(causes)} entries for {len(ours)} items"
        letters = await conn.fetch(
            " union all ".join(f"select topic, code from earshot_{name}.dead_letters" for name in ("triage", "recognition", "crm_sync"))
        )
        assert not letters, [dict(row) for row in letters]
    finally:
        await conn.close()


def check_timelines(system: System, acknowledged: dict[str, dict[str, Any]], sample: int = 25) -> None:
    """Sampled items stand exactly once in the timeline of the customer whose they are."""
    keys = sorted(acknowledged)
    for feedback_id in keys[:: max(1, len(keys) // sample)]:
        status, told = system.ask("crm-sync", f"/v1/feedback/{feedback_id}")
        assert status == 200, (feedback_id, told)
        found, cursor = 0, ""
        while True:
            _, page = system.ask("crm-sync", f"/v1/customers/{told['customer_id']}/timeline?limit=500{cursor}")
            found += sum(each["feedback_id"] == feedback_id for each in page["items"])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert found == 1, f"{feedback_id} stands {found} times in its timeline"


def check_last_words(system: System) -> None:
    """The last record of every key of a state topic is the highest version on it."""
    asyncio.run(_last_words(system))


async def _last_words(system: System) -> None:
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=system.state["kafka"], enable_auto_commit=False)
    await consumer.start()
    try:
        for topic in (Topic.CASE_CHANGED, Topic.CUSTOMER_CHANGED, Topic.RECOGNITION_CHANGED, Topic.FEEDBACK_TRIAGED):
            partitions = [aiokafka.TopicPartition(topic.full_name(), n) for n in range(topic.value.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            highest: dict[bytes, int] = {}
            last: dict[bytes, int] = {}
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    for record in records:
                        if record.value is None:
                            last.pop(record.key, None)
                            highest.pop(record.key, None)
                            continue
                        version = json.loads(record.value)["data"]["version"]
                        last[record.key] = version
                        highest[record.key] = max(version, highest.get(record.key, 0))
            stale = {key for key in last if last[key] != highest[key]}
            assert not stale, f"{len(stale)} keys of {topic.value.noun} end on an old version"
    finally:
        await consumer.stop()


def check_replay(system: System) -> None:
    """Rebuilding each service from its topics gives the same rows, and the same customers by the same ids."""
    customers = all_customers(system)
    for service, queries in VIEWS.items():
        before = asyncio.run(dump(system, service))
        system.command("replay", "--service", service, "--from-beginning")
        system.settle()
        after = asyncio.run(dump(system, service))
        for query in queries:
            assert before[query] == after[query], f"{service} differs after a replay: {_difference(before[query], after[query])}"
    rebuilt = all_customers(system)
    assert customers == rebuilt, _difference(sorted(customers.values()), sorted(rebuilt.values()))


def all_customers(system: System) -> dict[str, str]:
    """Return every customer by id as the list tells it, without version and standing."""
    told: dict[str, str] = {}
    cursor = ""
    while True:
        _, page = system.ask("crm-sync", f"/v1/customers?limit=500{cursor}")
        for customer in page["items"]:
            told[customer["customer_id"]] = str({name: value for name, value in customer.items() if name not in ("version", "recognition")})
        if page["next_cursor"] is None:
            return told
        cursor = f"&cursor={page['next_cursor']}"


async def dump(system: System, service: str) -> dict[str, list[str]]:
    """Return the rows of a service's views as sorted texts, by query."""
    schema = f"earshot_{service.replace('-', '_')}"
    conn = await asyncpg.connect(system.state["postgres"], server_settings={"search_path": schema})
    try:
        return {query: sorted(str(dict(row)) for row in await conn.fetch(query)) for query in VIEWS[service]}
    finally:
        await conn.close()


def _difference(before: list[str], after: list[str]) -> str:
    lost, found = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    return f"{len(lost)} rows gone (such as {lost[:1]}), {len(found)} new (such as {found[:1]})"
