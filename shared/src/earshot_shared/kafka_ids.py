"""What identifies a log: the ids of a cluster and of its topics, asked in aiokafka's own terms.

Owns one request of Kafka's protocol that aiokafka does not have: metadata since version 12, which tells the ids of topics. Another client
only for that costs every service ten megabytes.
"""

import base64
from collections.abc import Collection
from typing import Any, NamedTuple

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

from earshot_shared.errors import FatalError, RetryableError

_UNKNOWN_TOPIC = 3  # Kafka's error UNKNOWN_TOPIC_OR_PARTITION
_ID = (("id_most", Int64), ("id_least", Int64))  # a UUID, in two halves
_ANY_ID = (0, 0)


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                *_ID,
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(*_ID, ("topic", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[MetadataRequest_v5 | _MetadataRequestStruct]):  # type: ignore[misc]
    """Asks for some topics; of a broker too old to know ids it asks what there is."""

    API_KEY = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        if request_struct_class is MetadataRequest_v5:
            return MetadataRequest_v5(list(self._topics), False)
        return _MetadataRequestStruct([(*_ANY_ID, name, {}) for name in self._topics], False, False, {})


class Identified(NamedTuple):
    """The cluster's id, each topic's id (22 characters; of a broker that knows no ids the topic's name) and number of partitions."""

    cluster_id: str
    ids: dict[str, str]
    partitions: dict[str, int]


async def identify(client: Any, topics: Collection[str]) -> Identified:
    """Return what identifies the logs of some topics, in one question.

    `client` is aiokafka's AIOKafkaClient, started. Raises: FatalError when a topic does not exist; RetryableError when the broker does not
    say who it is; what aiokafka raises.
    """
    node = client.get_random_node()
    if node is None:
        raise RetryableError("No broker of Kafka is known.", code="kafka-unreachable")
    told = (await client.send(node, _MetadataRequest(topics))).to_object()
    if not told["cluster_id"]:
        raise RetryableError("Kafka did not say who it is.", code="kafka-unreachable")
    found = Identified(told["cluster_id"], {}, {})
    for topic in told["topics"]:
        name = topic["topic"]
        if topic["error_code"] == _UNKNOWN_TOPIC:
            raise FatalError(f"The topic {name} does not exist. Run `earshot topics apply`.", code="topic-missing")
        if topic["error_code"]:
            raise RetryableError("Kafka could not be asked who it is.", code="kafka-unreachable")
        found.ids[name] = _text_of(topic["id_most"], topic["id_least"]) if "id_most" in topic else name
        found.partitions[name] = len(topic["partitions"])
    return found


def _text_of(most: int, least: int) -> str:
    whole = most.to_bytes(8, "big", signed=True) + least.to_bytes(8, "big", signed=True)
    return base64.b64encode(whole).rstrip(b"=").decode()  # with + and /, as librdkafka has it: positions hold ids in that form
