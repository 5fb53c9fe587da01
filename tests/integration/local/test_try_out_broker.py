"""The broker in memory answers what services ask of a log before they read it."""

import pytest
from confluent_kafka import Producer

from earshot_shared import kafka
from earshot_shared.errors import FatalError
from earshot_shared.local.mock_broker import make_topics


async def test_its_topics_stand_on_a_cluster_of_their_own() -> None:
    brokers = [Producer({"test.mock.num.brokers": 1, "log_level": 3}) for _ in range(2)]
    clusters = set()
    for keeper in brokers:
        (broker,) = keeper.list_topics(timeout=30).brokers.values()
        address = f"{broker.host}:{broker.port}"
        make_topics(address, ["one", "two"])
        consumer = kafka.make_consumer(address, client_id="asks")
        await kafka.start(consumer)
        try:
            ground = await kafka.survey(consumer, ["one", "two"])
            assert ground.topic_ids.keys() == {"one", "two"}
            assert (await kafka.survey(consumer, ["one", "two"])).topic_ids == ground.topic_ids
            clusters.add(ground.cluster_id)
            with pytest.raises(FatalError, match="three does not exist"):
                await kafka.survey(consumer, ["one", "three"])
        finally:
            await kafka.stop(consumer)
    assert len(clusters) == 2, "what was read from one means nothing on another"
