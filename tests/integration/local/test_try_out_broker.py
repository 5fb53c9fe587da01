"""The broker in memory answers what services ask of a log before they read it."""

import pytest
from confluent_kafka import Producer

from earshot_shared.errors import FatalError
from earshot_shared.kafka import topic_ids
from earshot_shared.local.mock_broker import make_topics


def test_its_topics_are_known_by_name_on_a_cluster_of_their_own() -> None:
    brokers = [Producer({"test.mock.num.brokers": 1, "log_level": 3}) for _ in range(2)]
    clusters = set()
    for keeper in brokers:
        (broker,) = keeper.list_topics(timeout=30).brokers.values()
        address = f"{broker.host}:{broker.port}"
        make_topics(address, ["one", "two"])
        cluster, ids = topic_ids(address, ["one", "two"])
        assert ids == {"one": "one", "two": "two"}
        clusters.add(cluster)
        with pytest.raises(FatalError, match="three does not exist"):
            topic_ids(address, ["one", "three"])
    assert len(clusters) == 2, "what was read from one means nothing on another"
