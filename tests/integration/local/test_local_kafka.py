"""The broker's settings, as its clients meet them (its deaths are in tests/e2e/local)."""

from confluent_kafka import Producer


def test_unknown_topics_are_not_made_by_asking(kafka_bootstrap: str) -> None:
    asker = Producer({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    asker.list_topics(topic="nobody-made-this", timeout=10)
    assert "nobody-made-this" not in asker.list_topics(timeout=10).topics
