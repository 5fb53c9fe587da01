"""Brings every service of an installation onto the log that is there now, after the one they knew was lost or grew younger.

Owns the deciding and the moving, for all services in one transaction: what one of them lost, another may not see any more a moment later,
when somebody has written to the log again. So if one stands on lost ground, all begin anew: positions at the beginning, and each says
again everything it knows (``restating``). Facts are applied once by their own keys, so nothing is counted twice.
"""

from collections.abc import Mapping
from typing import Any

import asyncpg

from earshot_shared import kafka
from earshot_shared.migrations.files import services_with_schema
from earshot_shared.pipeline.expectation import Expectation
from earshot_shared.pipeline.lost_ground import load_standing
from earshot_shared.pipeline.positions import Ground
from earshot_shared.postgres import Queries, translated
from earshot_shared.topics import Topic, schema_name

_QUERIES = Queries.load("earshot_shared.pipeline")
# A service that is frozen with its pen in hand is ended by the server well before.
_PEN_PATIENCE_MS = 30_000


async def survey(bootstrap: str, prefix: str) -> Ground:
    """Return the ground of all topics.

    Raises: FatalError when a topic is missing, RetryableError when Kafka does not answer.
    """
    consumer = kafka.make_consumer(bootstrap, client_id=f"{prefix.rstrip('.')}-survey")
    await kafka.start(consumer)
    try:
        return await kafka.survey(consumer, [topic.full_name(prefix) for topic in Topic])
    finally:
        await kafka.stop(consumer)


async def find_losses(dsn: str, bootstrap: str, prefix: str) -> dict[str, str]:
    """Return the services that stand on lost ground, with the sentence that says why; changes nothing.

    Raises: as `reground`.
    """
    return await _judge(dsn, bootstrap, prefix, move=False)


async def reground(dsn: str, bootstrap: str, prefix: str) -> dict[str, str]:
    """If any service stands on lost ground, let all begin anew on the ground that is there; return what `find_losses` does.

    Raises: FatalError when a topic is missing (run ``earshot topics apply``), RetryableError when Kafka or Postgres does not answer.
    """
    return await _judge(dsn, bootstrap, prefix, move=True)


async def _judge(dsn: str, bootstrap: str, prefix: str, *, move: bool) -> dict[str, str]:
    services = sorted(services_with_schema())
    with translated():
        conn = await asyncpg.connect(dsn, server_settings={"lock_timeout": str(_PEN_PATIENCE_MS), "timezone": "UTC"})
        try:
            async with conn.transaction():
                standings = {}
                for service in services:
                    await _enter(conn, service, prefix, pen=move)
                    standings[service] = await load_standing(conn)
                ground = await survey(bootstrap, prefix)
                losses = {service: loss.detail for service, each in standings.items() if (loss := each.loss_on(ground)) is not None}
                if losses and move:
                    for service in services:
                        await _enter(conn, service, prefix, pen=False)
                        await _begin_anew(conn, service, ground, prefix)
                return losses
        finally:
            await conn.close()


async def _enter(conn: Any, service: str, prefix: str, *, pen: bool) -> None:
    """Let the connection see one service's schema, with its pen in hand if wanted: in the order of names, and nobody else takes two."""
    schema = schema_name(service, prefix)
    await conn.execute("select set_config('search_path', $1, true)", schema)
    if pen:
        await conn.fetchval(_QUERIES["take_pen"], schema)


async def _begin_anew(conn: Any, service: str, ground: Ground, prefix: str) -> None:
    outputs = _outputs_of(service, prefix, ground)
    ends = {name: [ground.bounds[name, number][1] for number in range(count)] for name, count in outputs.items()}
    expectation = Expectation(offsets=ends, cluster_id=ground.cluster_id, topic_ids={name: ground.topic_ids[name] for name in outputs})
    is_empty = not any(offset for each in ends.values() for offset in each)
    await conn.execute(_QUERIES["drop_positions"])
    await conn.execute(_QUERIES["disown_relay"], expectation.pack())
    await conn.execute(_QUERIES["begin_restating"], is_empty)
    await conn.execute(_QUERIES["age_letters"])
    await conn.execute(_QUERIES["forget_loss"])


def _outputs_of(service: str, prefix: str, ground: Ground) -> Mapping[str, int]:
    """Return the topics of state that a service writes to, with their partition counts."""
    names = [topic.full_name(prefix) for topic in Topic if topic.value.stateful and topic.value.producer == service]
    return {name: sum(topic == name for topic, _ in ground.bounds) for name in names}
