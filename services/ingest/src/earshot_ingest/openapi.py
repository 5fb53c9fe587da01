"""The documents of what FastAPI cannot see for itself, made from the very structs that decode and encode it."""

from typing import Any, Final

import msgspec

from earshot_ingest.answers import BatchTold, Told
from earshot_ingest.domain.given import EditIn, ItemIn, WithdrawalIn
from earshot_ingest.edits import Changed

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
    return {
        single: {"post": _operation("Send one item", [_BACKFILL, _KEY], {"application/json": item}, _schema(Told))},
        batch: {
            "post": _operation(
                "Send up to 1,000 items or 5 MB; good items are kept, bad ones named",
                [_BACKFILL, _QUIET, _KEY],
                {"application/json": _several(item), "application/x-ndjson": item},
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


def _several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "maxItems": 1000, "items": item}}}


def _body(schema: dict[str, Any], media: str = "application/json", *, required: bool = True) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {media: {"schema": schema}}}}


def _answer(status: int, struct: type) -> dict[str, Any]:
    return {"responses": {str(status): {"content": {"application/json": {"schema": _schema(struct)}}}}}


def _headers(**told: str) -> list[dict[str, Any]]:
    return [
        {"name": name.replace("_", "-"), "in": "header", "required": True, "schema": {"type": "string"}, "description": description}
        for name, description in told.items()
    ]


EDIT: Final = {**_body(_schema(EditIn)), **_answer(202, Changed)}
WITHDRAWAL: Final = {**_body(_schema(WithdrawalIn), required=False), **_answer(202, Changed)}
_DELIVERED: Final = {**_schema(ItemIn), "required": [name for name in _schema(ItemIn)["required"] if name != "source"]}
DELIVERY: Final = {
    "parameters": _headers(
        webhook_id="The delivery's own id.",
        webhook_timestamp="When it was sent, in seconds since 1970.",
        webhook_signature="`v1,` and the base64 of the HMAC; several parted by blanks.",
    ),
    **_body({"oneOf": [_DELIVERED, _several(_DELIVERED)]}),
    **_answer(202, BatchTold),
}
_FIELD: Final = {"type": "string"}
FORM: Final = _body(
    {
        "type": "object",
        "required": ["text"],
        "properties": {"text": _FIELD, "name": _FIELD, "email": _FIELD, "brand": _FIELD, "product": _FIELD, "form_id": _FIELD},
    },
    "application/x-www-form-urlencoded",
)
