"""CloudEvents 1.0, structured mode: how every record's value looks.

Owns the envelope and its header. The body in ``data`` is the topic's own; it is carried as raw JSON, decoded by whoever knows it.
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from datetime import UTC, datetime

import msgspec

from earshot_shared.messages import Message
from earshot_shared.topics import Topic

CONTENT_TYPE_HEADER = ("content-type", b"application/cloudevents+json")
HEADERS = [CONTENT_TYPE_HEADER]


class Envelope(msgspec.Struct, frozen=True, omit_defaults=False, gc=False):
    """One event. ``time`` is when it was written, RFC 3339 UTC; ``subject`` is the record's key; ``data`` is JSON."""

    id: str
    source: str
    type: str
    time: str
    subject: str
    dataschema: str
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Envelope)


def decode(value: bytes) -> Envelope:
    """Return the envelope of a record's value.

    Raises: msgspec.DecodeError (of which ValidationError is one) when the value is no CloudEvent.
    """
    return _decoder.decode(value)


def schema_uri(topic: Topic) -> str:
    """Return the ``dataschema`` of a topic's body, relative to the documents in ``docs/schemas``."""
    return f"urn:{topic.event_type().replace('.', ':')}"


class EventWriter:
    """Makes messages for one topic; build one per topic and keep it."""

    def __init__(self, topic: Topic, source: str) -> None:
        self.topic = topic
        self._source = f"earshot/{source}"
        self._type = topic.event_type()
        self._schema = schema_uri(topic)

    def write(self, key: str, event_id: str, body: object, *, time: str, traceparent: str | None = None) -> Message:
        """Return the message that tells ``body`` (a msgspec struct, or ``msgspec.Raw`` JSON) under ``key``."""
        data = body if isinstance(body, msgspec.Raw) else msgspec.Raw(_encoder.encode(body))
        envelope = Envelope(event_id, self._source, self._type, time, key, self._schema, data, traceparent=traceparent)
        return Message(self.topic, key.encode(), _encoder.encode(envelope))

    def tombstone(self, key: str) -> Message:
        """Return the message after which compaction forgets ``key``."""
        return Message(self.topic, key.encode(), None)


def rfc3339(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
