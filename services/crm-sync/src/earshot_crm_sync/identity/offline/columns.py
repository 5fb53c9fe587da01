"""Records as columns: every field a code into a vocabulary, -1 where it is missing.

Owns the reading of one record and the encoding of many. Must not compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from .. import normalise
from . import spelling

Codes = NDArray[np.int32]
PLAIN_FIELDS = ("generation", "birth", "email", "phone", "street", "city", "postcode", "region", "country")
MOST_CHANNELS = 8  # further channels are compared by exact handle alone


@dataclass(slots=True)
class Vocabulary:
    """Texts and their codes, in the order of their first appearance."""

    texts: list[str] = field(default_factory=list)
    _codes: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        """Return the text's code, -1 for ""."""
        if not text:
            return -1
        found = self._codes.get(text)
        if found is None:
            found = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return found


@dataclass(slots=True)
class Columns:
    """All records of one file. Shapes: every column has one int32 a record."""

    ids: list[str | None]
    names: Vocabulary  # given and family names share one, so that they can be compared crosswise
    vocabularies: dict[str, Vocabulary]
    codes: dict[str, Codes]
    handles: dict[str, Codes]  # by channel, into `handle_names`
    handle_names: Vocabulary
    international: NDArray[np.bool_]  # of the phone

    @property
    def count(self) -> int:
        """How many records there are."""
        return len(self.ids)


@dataclass(slots=True)
class ColumnsBuilder:
    """Takes records one by one."""

    _ids: list[str | None] = field(default_factory=list)
    _names: Vocabulary = field(default_factory=Vocabulary)
    _vocabularies: dict[str, Vocabulary] = field(default_factory=lambda: {name: Vocabulary() for name in PLAIN_FIELDS})
    _given: list[int] = field(default_factory=list)
    _family: list[int] = field(default_factory=list)
    _plain: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in PLAIN_FIELDS})
    _handles: list[tuple[int, str, int]] = field(default_factory=list)
    _handle_names: Vocabulary = field(default_factory=Vocabulary)
    _international: list[bool] = field(default_factory=list)

    def add_line(self, line: bytes) -> None:
        """Take one line of JSON; what is no object becomes a record about which nothing is known."""
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            record = None
        self.add(record if isinstance(record, dict) else {})

    def add(self, record: Mapping[str, object]) -> None:
        """Take one record of the contract's shape; fields of the wrong type count as missing."""
        text = spelling.text_of
        given, family, generation = spelling.name_parts(
            text(record.get("name")), text(record.get("given_name")), text(record.get("family_name"))
        )
        phone, abroad = spelling.phone_key(text(record.get("phone")))
        self._ids.append(text(record.get("id")) or None)
        self._given.append(self._names.code(given))
        self._family.append(self._names.code(family))
        self._international.append(abroad)
        values = {
            "generation": generation,
            "birth": spelling.birth_date(text(record.get("birth_date"))),
            "email": spelling.mail(text(record.get("email"))),
            "phone": phone,
            "street": spelling.address(text(record.get("street"))),
            "city": spelling.place(text(record.get("city"))),
            "postcode": spelling.postcode(text(record.get("postcode"))),
            "region": spelling.place(text(record.get("region"))),
            "country": spelling.place(text(record.get("country"))),
        }
        for name, value in values.items():
            self._plain[name].append(self._vocabularies[name].code(value))
        accounts = record.get("accounts")
        for channel, value in (accounts if isinstance(accounts, dict) else {}).items():
            own = normalise.handle(text(value))
            if own:
                self._handles.append((len(self._ids) - 1, str(channel).lower(), self._handle_names.code(own)))

    def build(self) -> Columns:
        """Return the columns."""
        count = len(self._ids)
        codes = {"given": np.asarray(self._given, np.int32), "family": np.asarray(self._family, np.int32)}
        codes |= {name: np.asarray(values, np.int32) for name, values in self._plain.items()}
        handles: dict[str, Codes] = {}
        for record, channel, code in self._handles:
            if channel not in handles and len(handles) >= MOST_CHANNELS:
                continue
            column = handles.setdefault(channel, np.full(count, -1, np.int32))
            column[record] = code
        return Columns(
            self._ids,
            self._names,
            self._vocabularies,
            codes,
            handles,
            self._handle_names,
            np.asarray(self._international, np.bool_),
        )


def columns_of(records: Iterable[Mapping[str, object]]) -> Columns:
    """Return the columns of records at hand."""
    builder = ColumnsBuilder()
    for record in records:
        builder.add(record)
    return builder.build()
