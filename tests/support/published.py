"""Makes what is published about the topics, from the models themselves: docs/topics.md, docs/asyncapi.yaml, docs/schemas/*.json.

`cd tests && python -m support.published` writes them anew; a contract test compares them with what stands in docs.
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from earshot_crm_sync.contacts import Contact
from earshot_crm_sync.domain.profile import Head
from earshot_crm_sync.events import Counters, ErasureRequested, MergedView
from earshot_recognition.events import RecognitionChanged
from earshot_shared.actions import Action
from earshot_shared.envelope import Envelope, schema_uri
from earshot_shared.item import Item
from earshot_shared.outreach import OutreachDecided, OutreachRequested
from earshot_shared.receipts import ErasureDone
from earshot_shared.topics import Topic
from earshot_triage import alarms
from earshot_triage.events import CaseChanged, CaseMerged, CaseWithdrawn, Decision

DOCS = Path(__file__).resolve().parents[2] / "docs"
_REF = "#/$defs/{name}"
_NULL_TEXT = {"type": ["string", "null"]}


def body_schemas() -> dict[Topic, dict[str, Any]]:
    """Return the JSON Schema of each topic's ``data`` that is published today."""
    item = schema_of(Item)
    decision = schema_of(Decision)
    triaged = {
        "title": "FeedbackTriaged",
        "description": "The item, whole, beside the decision on it. Readers keep the highest version of a feedback_id.",
        "allOf": [
            {
                "type": "object",
                "properties": {"item": item, "version": {"type": "integer"}, "case_id": _NULL_TEXT},
                "required": ["item", "version"],
            },
            decision,
        ],
    }
    case = {"title": "CaseChanged", "anyOf": [schema_of(CaseChanged), schema_of(CaseMerged), schema_of(CaseWithdrawn)]}
    customer = {"title": "CustomerChanged", "anyOf": [_customer(), schema_of(MergedView)]}
    return {
        Topic.FEEDBACK_RECEIVED: item,
        Topic.FEEDBACK_BACKFILLED: item,
        Topic.FEEDBACK_TRIAGED: triaged,
        Topic.FEEDBACK_PRODUCT: triaged,
        Topic.FEEDBACK_SUPPORT: triaged,
        Topic.ACTION_TAKEN: schema_of(Action),
        Topic.CONTACT_RECEIVED: schema_of(Contact),
        Topic.CASE_CHANGED: case,
        Topic.ALERT_RAISED: any_of("AlertRaised", alarms.KINDS),
        Topic.OUTREACH_REQUESTED: schema_of(OutreachRequested),
        Topic.OUTREACH_DECIDED: schema_of(OutreachDecided),
        Topic.RECOGNITION_CHANGED: schema_of(RecognitionChanged),
        Topic.CUSTOMER_CHANGED: customer,
        Topic.ERASURE_REQUESTED: schema_of(ErasureRequested),
        Topic.ERASURE_DONE: schema_of(ErasureDone),
    }


def schema_of(model: Any) -> dict[str, Any]:
    """Return a model's JSON Schema, whole in itself."""
    (schema,), definitions = msgspec.json.schema_components([model], ref_template=_REF)
    name = schema["$ref"].rsplit("/", 1)[1]
    main = dict(definitions.pop(name))
    return {**main, "$defs": definitions} if definitions else main


def any_of(title: str, models: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON Schema of what is one of several models, whole in itself."""
    schemas, definitions = msgspec.json.schema_components(models, ref_template=_REF)
    return {"title": title, "anyOf": list(schemas), "$defs": definitions}


def _customer() -> dict[str, Any]:
    """The merged view: crm-sync encodes it from two parts (contract §10)."""
    head, counters = schema_of(Head), schema_of(Counters)
    return {
        "title": "Customer",
        "description": "The whole merged view of one customer. Readers keep the highest version of a customer_id.",
        "type": "object",
        "properties": head["properties"] | counters["properties"],
        "required": [*head["required"], *counters["required"]],
        "$defs": head.get("$defs", {}) | counters.get("$defs", {}),
    }


def asyncapi() -> str:
    """Return the AsyncAPI 3 document of every topic."""
    bodies = body_schemas()
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Earshot's topics",
            "version": "1",
            "description": "CloudEvents 1.0 in structured mode: one header, `content-type: application/cloudevents+json`; "
            "the body is in `data`. Names begin with the installation's prefix. "
            "Fields are only added; readers ignore what they do not know.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {},
        "operations": {},
        "components": {"schemas": {"Envelope": schema_of(Envelope)}},
    }
    for topic in Topic:
        spec = topic.value
        body = {"$ref": f"schemas/{spec.noun}.json"} if topic in bodies else {"type": "object"}
        payload = {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": {"data": body}}]}
        document["channels"][spec.noun] = {
            "address": topic.full_name(),
            "description": f"{spec.meaning}. Key: {spec.key}. Written by {spec.producer}.",
            "messages": {spec.noun: {"name": topic.event_type(), "payload": payload}},
            "bindings": {"kafka": {"topic": topic.full_name(), "partitions": spec.partitions, "key": spec.key}},
        }
        document["operations"][f"publish.{spec.noun}"] = {"action": "send", "channel": {"$ref": f"#/channels/{spec.noun}"}}
    for channel in document["channels"].values():
        channel["bindings"]["kafka"].pop("key")  # no field of the binding; the description says it
    out = io.StringIO()
    yaml = YAML()
    yaml.width = 140
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump(document, out)
    return out.getvalue()


def topics_page() -> str:
    """Return docs/topics.md."""
    lines = [
        "# Topics",
        "",
        "Made from `shared/src/earshot_shared/topics.py` by `cd tests && python -m support.published`; a test compares them.",
        "Bodies: [asyncapi.yaml](asyncapi.yaml) and [schemas](schemas/). Partition: crc32 of the key modulo the count.",
        "",
        "| topic | key | written by | partitions | kept | body |",
        "|---|---|---|---|---|---|",
    ]
    for topic in Topic:
        spec = topic.value
        kept = "compacted, for ever" if spec.compacted else f"{(spec.retention_ms or 0) // 86_400_000} days"
        lines.append(f"| `{topic.full_name()}` | {spec.key} | {spec.producer} | {spec.partitions} | {kept} | {spec.meaning} |")
    return "\n".join(lines) + "\n"


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with all definitions at its root, where references look for them."""
    definitions: dict[str, Any] = {}

    def lifted(node: Any) -> Any:
        if isinstance(node, list):
            return [lifted(each) for each in node]
        if not isinstance(node, dict):
            return node
        definitions.update({name: lifted(each) for name, each in node.get("$defs", {}).items()})
        return {name: lifted(each) for name, each in node.items() if name != "$defs"}

    found = lifted(body)
    return {**found, "$defs": definitions} if definitions else dict(found)


def documents() -> dict[Path, str]:
    """Return every published document by its path."""
    made = {DOCS / "topics.md": topics_page(), DOCS / "asyncapi.yaml": asyncapi()}
    for topic, body in body_schemas().items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_uri(topic), **_whole(body)}
        made[DOCS / "schemas" / f"{topic.value.noun}.json"] = json.dumps(schema, indent=1, sort_keys=True) + "\n"
    return made


if __name__ == "__main__":
    for path, text in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
