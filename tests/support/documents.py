"""Holds answers against the OpenAPI document of their service.

Owns the part of JSON Schema that our documents use. It asks more than JSON Schema does: what an object holds beyond what is described is
a misfit, too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


class Documented:
    """The OpenAPI document of one service."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def untold(self) -> set[tuple[str, str]]:
        """Return the operations whose good answers are not described: (method, path)."""
        return {
            (method, path)
            for path, operations in self._document["paths"].items()
            for method, operation in operations.items()
            for status, answer in operation["responses"].items()
            if status.startswith("2")
            for told in answer.get("content", {}).values()
            if not told["schema"] or told["schema"].get("additionalProperties") is True
        }

    def misfits(self, method: str, path: str, status: int, body: object) -> list[str]:
        """Return in what an answer is not as described."""
        answer = self._document["paths"][path][method]["responses"][str(status)]
        return list(self._misfits(answer["content"]["application/json"]["schema"], body, "$"))

    def _misfits(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        yield from self._part_misfits(schema, value, at)
        if isinstance(value, dict) and (known := self._known(schema)) is not None:
            yield from (f"{at}.{name} is not described" for name in value.keys() - known)

    def _part_misfits(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        if "$ref" in schema:
            yield from self._part_misfits(self._named(schema), value, at)
        for part in schema.get("allOf", ()):
            yield from self._part_misfits(part, value, at)
        if "anyOf" in schema and all(any(self._misfits(each, value, at)) for each in schema["anyOf"]):
            yield f"{at} is none of what it may be"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at} is {value!r}"
        if "type" in schema:
            kind = schema["type"]
            if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
                yield f"{at} is no {kind}"
                return
        if isinstance(value, dict):
            yield from (f"{at} has no {name}" for name in schema.get("required", ()) if name not in value)
            described = schema.get("properties", {})
            rest = schema.get("additionalProperties")
            for name, each in value.items():
                if name in described:
                    yield from self._misfits(described[name], each, f"{at}.{name}")
                elif isinstance(rest, dict):
                    yield from self._misfits(rest, each, f"{at}.{name}")
        elif isinstance(value, list) and "items" in schema:
            for number, each in enumerate(value):
                yield from self._misfits(schema["items"], each, f"{at}.{number}")

    def _known(self, schema: dict[str, Any]) -> set[str] | None:
        """Return the fields that a schema describes; None when it takes any, or leaves them to one of several."""
        if "$ref" in schema:
            return self._known(self._named(schema))
        if "anyOf" in schema or schema.get("additionalProperties") or not schema.keys() & {"properties", "allOf"}:
            return None
        parts = [self._known(part) for part in schema.get("allOf", ())]
        return set(schema.get("properties", ())).union(*(part or () for part in parts))

    def _named(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert isinstance(found, dict)
        return found
