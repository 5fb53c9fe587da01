"""What the OpenAPI document tells of answers and headers that FastAPI cannot see: routes of ours send their bytes themselves, and read
`Idempotency-Key`, `Earshot-Actor` and `If-Match` from the request.

Owns the words for both. The shapes are msgspec structs; they stand among the document's components under their names.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from earshot_shared.http.auth import actor
from earshot_shared.http.etags import if_match
from earshot_shared.http.idempotency import ticket_of

Schema = dict[str, Any]

WORD: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
NUMBER: Final[Schema] = {"type": "integer"}
NUMBERS: Final[Schema] = {"type": "object", "additionalProperties": NUMBER}
_REF: Final = "#/components/schemas/{name}"
_named: dict[str, type[msgspec.Struct]] = {}
_HEADERS: Final[Mapping[Any, tuple[str, str]]] = {
    ticket_of: ("Idempotency-Key", "1 to 255 visible ASCII characters; the same request again gets the same answer, for 7 days."),
    actor: ("Earshot-Actor", "The person on whose behalf the key acts."),
    if_match: ("If-Match", "The ETag looked at; 412 says who changed what since."),
}


def shape(struct: type[msgspec.Struct]) -> Schema:
    """Return the reference to a struct's schema."""
    assert _named.setdefault(struct.__name__, struct) is struct, f"two shapes are named {struct.__name__}"
    return {"$ref": _REF.format(name=struct.__name__)}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def or_null(schema: Schema) -> Schema:
    """Return the schema of what may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def fields(**schemas: Schema) -> Schema:
    """Return the schema of an object that has these fields."""
    return {"type": "object", "properties": schemas, "required": list(schemas)}


def page_of(schema: Schema) -> Schema:
    """Return the schema of a page of a list."""
    return fields(items=list_of(schema), next_cursor=or_null(WORD))


def stats_of(**counts: Schema) -> Schema:
    """Return the schema of ``/v1/stats``: a service's own counts, and where its fold stands."""
    return fields(**counts, position=NUMBERS, lag=NUMBER, unpublished=NUMBER)


def answers(schema: Schema, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return a route's ``responses`` for what it answers when all is well."""
    return {status: {"content": {"application/json": {"schema": schema}}}}


def complete(document: dict[str, Any], routes: Iterable[object]) -> None:
    """Add to an OpenAPI document the shapes that it refers to, and the headers that its routes read."""
    wanted = [_named[name] for name in sorted(set(_names(document.get("paths", {}))) & _named.keys())]
    _, components = msgspec.json.schema_components(wanted, ref_template=_REF)
    if components:
        known = document.setdefault("components", {}).setdefault("schemas", {})
        assert not known.keys() & components.keys(), f"two shapes share a name: {known.keys() & components.keys()}"
        known.update(components)
    for route in routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            headers = [_header(*_HEADERS[call]) for call in dict.fromkeys(_calls(route.dependant)) if call in _HEADERS]
            for method in (route.methods or ()) if headers else ():
                operation = document["paths"][route.path_format][method.lower()]
                operation["parameters"] = [*operation.get("parameters", ()), *headers]


def _header(name: str, told: str) -> Schema:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": told}


def _calls(dependant: Dependant) -> Iterator[Any]:
    """Return what is called to answer a route."""
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)


def _names(part: object) -> Iterator[str]:
    """Return the names of the schemas that a part of a document refers to."""
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for each in part.values():
            yield from _names(each)
    elif isinstance(part, list):
        for each in part:
            yield from _names(each)
