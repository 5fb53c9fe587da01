"""What is known of one group as a person to compare: the shape that scores work on.

Owns the gathering of traits and values. Must not weigh them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .model import Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything comparable about one group of identifiers; every field is a set of spellings seen, sorted."""

    names: tuple[str, ...] = ()
    births: tuple[str, ...] = ()  # ISO dates
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()  # channel:@handle
    streets: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


_FIELD_OF_TRAIT = {
    "name": "names",
    "birth_date": "births",
    "street": "streets",
    "city": "cities",
    "postcode": "postcodes",
    "country": "countries",
}
_FIELD_OF_IDENTIFIER = {"email": "emails", "phone": "phones", "handle": "handles"}


def gather(identifiers: Iterable[Identifier], traits: Mapping[Identifier, Iterable[tuple[str, str]]]) -> Person:
    """Return the person that these identifiers and the (kind, value) traits of their anchors describe."""
    found: dict[str, set[str]] = {}
    for identifier in identifiers:
        if known := _FIELD_OF_IDENTIFIER.get(identifier.kind):
            found.setdefault(known, set()).add(identifier.value)
        for kind, value in traits.get(identifier, ()):
            if known := _FIELD_OF_TRAIT.get(kind):
                found.setdefault(known, set()).add(value)
    return Person(**{kind: tuple(sorted(values)) for kind, values in found.items()})
