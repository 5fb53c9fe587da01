"""Records as columns: every field a code into a vocabulary, -1 where it is missing.

Owns the reading of one record and the encoding of many. Must not compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from earshot_crm_sync.identity import normalise

from . import spelling

Codes = NDArray[np.int32]
MOST_REMEMBERED = 200_000  # spellings a field keeps at hand: bounds the memory
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

    ids: list[str | int | None]
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


class _Field:
    """One field being read: remembers what the texts it met lately became, since most repeat."""

    __slots__ = ("_codes", "_known", "_spell", "vocabulary")

    def __init__(self, spell: Callable[[str], str]) -> None:
        self.vocabulary = Vocabulary()
        self._codes: list[int] = []
        self._known: dict[str, int] = {}
        self._spell = spell

    def add(self, value: object) -> None:
        """Take the next record's value, whatever it is."""
        if type(value) is not str:
            value = spelling.text_of(value)
        code = self._known.get(value)
        if code is None:
            code = self.vocabulary.code(self._spell(value))
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[value] = code
        self._codes.append(code)

    def column(self) -> Codes:
        """Return the codes."""
        return np.asarray(self._codes, np.int32)


_SPELLINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "birth": ("birth_date", spelling.birth_date),
    "email": ("email", spelling.mail),
    "phone": ("phone", spelling.phone),
    "street": ("street", spelling.address),
    "city": ("city", spelling.place),
    "postcode": ("postcode", spelling.postcode),
    "region": ("region", spelling.place),
    "country": ("country", spelling.place),
}


class ColumnsBuilder:
    """Takes records one by one."""

    def __init__(self) -> None:
        self._ids: list[str | int | None] = []
        self._names, self._generations = Vocabulary(), Vocabulary()
        self._given: list[int] = []
        self._family: list[int] = []
        self._generation: list[int] = []
        self._parts: dict[tuple[object, object, object], tuple[int, int, int]] = {}
        self._halves: dict[str, tuple[int, int]] = {}
        self._fields = {name: _Field(spell) for name, (_, spell) in _SPELLINGS.items()}
        self._takers = [(key, self._fields[name].add) for name, (key, _) in _SPELLINGS.items()]
        self._handles: list[tuple[int, str, int]] = []
        self._handle_names = Vocabulary()

    def add_line(self, line: bytes) -> None:
        """Take one line of JSON; what is no object becomes a record about which nothing is known."""
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            record = None
        self.add(record if isinstance(record, dict) else {})

    def add(self, record: Mapping[str, object]) -> None:
        """Take one record of the contract's shape; fields of the wrong type count as missing."""
        get = record.get
        given, family, generation = self._name(get("name"), get("given_name"), get("family_name"))
        self._given.append(given)
        self._family.append(family)
        self._generation.append(generation)
        for key, take in self._takers:
            take(get(key))
        accounts = get("accounts")
        if isinstance(accounts, dict):
            for channel, value in accounts.items():
                own = normalise.handle(spelling.text_of(value))
                if own:
                    self._handles.append((len(self._ids), str(channel).lower(), self._handle_names.code(own)))
        known_as = get("id")
        self._ids.append(known_as if isinstance(known_as, str | int) and not isinstance(known_as, bool) else None)

    def _name(self, name: object, given: object, family: object) -> tuple[int, int, int]:
        text = spelling.text_of
        raw = (text(name), text(given), text(family))
        if not raw[0] and raw[1] and raw[2]:
            head, own = self._part(raw[1])
            tail, later = self._part(raw[2])
            return head, tail, own if later < 0 else later
        found = self._parts.get(raw)
        if found is None:
            first, last, generation = spelling.name_parts(*raw)
            found = self._names.code(first), self._names.code(last), self._generations.code(generation)
            if len(self._parts) >= MOST_REMEMBERED:
                self._parts.clear()
            self._parts[raw] = found
        return found

    def _part(self, text: str) -> tuple[int, int]:
        """Return the codes of one of two given parts of a name and of its generation: most parts repeat, few whole names do."""
        found = self._halves.get(text)
        if found is None:
            part, _, generation = spelling.name_parts("", text, "x")
            found = self._names.code(part), self._generations.code(generation)
            if len(self._halves) >= MOST_REMEMBERED:
                self._halves.clear()
            self._halves[text] = found
        return found

    def build(self) -> Columns:
        """Return the columns."""
        count = len(self._ids)
        codes = {
            "given": np.asarray(self._given, np.int32),
            "family": np.asarray(self._family, np.int32),
            "generation": np.asarray(self._generation, np.int32),
        }
        codes |= {name: field.column() for name, field in self._fields.items()}
        vocabularies = {name: field.vocabulary for name, field in self._fields.items()}
        abroad = np.asarray([text.startswith("+") for text in vocabularies["phone"].texts] + [False])
        vocabularies["phone"].texts[:] = [text.removeprefix("+") for text in vocabularies["phone"].texts]
        handles: dict[str, Codes] = {}
        for record, channel, code in self._handles:
            if channel not in handles and len(handles) >= MOST_CHANNELS:
                continue
            column = handles.setdefault(channel, np.full(count, -1, np.int32))
            column[record] = code
        return Columns(
            self._ids,
            self._names,
            vocabularies | {"generation": self._generations},
            codes,
            handles,
            self._handle_names,
            abroad[codes["phone"]],
        )


def columns_of(records: Iterable[Mapping[str, object]]) -> Columns:
    """Return the columns of records at hand."""
    builder = ColumnsBuilder()
    for record in records:
        builder.add(record)
    return builder.build()
