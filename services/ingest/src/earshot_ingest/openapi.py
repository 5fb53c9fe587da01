"""The documents of the hot routes, made from the very structs that decode and encode them."""

from typing import Any, Final

import msgspec

from earshot_ingest.answers import BatchTold, Told
from earshot_ingest.domain.given import ItemIn

_BACKFILL: Final = {
    "name": "backfill",
    "in": "query",
    "schema": {"type": "boolean", "default": False},
    "description": "Items of the past: they go to a topic of their own, page nobody and never delay live ones.",
}
_QUIET: Final = {
    "name": "quiet",
    "in": "query",
    "schema": {"type": "boolean", "default": False},
    "description": "Leave `items` out of the answer.",
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 255},
    "description": "The same request with the same key gets the answer it got; items are taken once without it, too.",
}


def hot_paths(single: str, batch: str) -> dict[str, Any]:
    """Return the OpenAPI path items of the two hot routes."""
    item = _schema(ItemIn)
    several = {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "maxItems": 1000, "items": item}}}
    return {
        single: {"post": _operation("Send one item", [_BACKFILL, _KEY], {"application/json": item}, _schema(Told))},
        batch: {
            "post": _operation(
                "Send up to 1,000 items or 5 MB; good items are kept, bad ones named",
                [_BACKFILL, _QUIET, _KEY],
                {"application/json": several, "application/x-ndjson": item},
                _schema(BatchTold),
            )
        },
    }


def _operation(summary: str, parameters: list[dict[str, Any]], bodies: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["items"],
        "summary": summary,
        "parameters": parameters,
        "requestBody": {"required": True, "content": {media: {"schema": schema} for media, schema in bodies.items()}},
        "responses": {"202": {"description": "Durable.", "content": {"application/json": {"schema": answer}}}},
    }


def _schema(struct: type) -> dict[str, Any]:
    """Return the JSON Schema of a struct with everything it names put in its place."""
    (schema,), parts = msgspec.json.schema_components([struct], ref_template="{name}")
    placed = _placed(schema, parts)
    assert isinstance(placed, dict)
    return placed


def _placed(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _placed(parts[schema["$ref"]], parts)
        return {name: _placed(value, parts) for name, value in schema.items()}
    return [_placed(each, parts) for each in schema] if isinstance(schema, list) else schema
