"""Records as columns: every field a code into a vocabulary, -1 where it is missing.

Owns the reading of one record and the encoding of many. Must not compare.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from earshot_crm_sync.identity import normalise

from . import spelling
from .texts import Codes, Interner, Texts, looked_up, shifted

MOST_REMEMBERED = 32_000  # spellings a field keeps at hand: bounds the memory
FEW_REMEMBERED = 1_000  # of a field that hardly ever repeats
MOST_DIGITS = 20  # of a number that means anything here
MOST_CHANNELS = 24  # of handles; what is said of further channels is not compared

_FORMER_CHANNELS = {"twitter": "x", "tw": "x"}  # one channel, whatever it is called


@dataclass(slots=True)
class Columns:
    """All records of one file. Shapes: every column has one int32 a record."""

    count: int
    ids: Texts  # as JSON; see `id_of`
    names: Texts  # given and family names share one, so that they can be compared crosswise
    vocabularies: dict[str, Texts]
    codes: dict[str, Codes]
    handles: dict[str, Codes]  # by channel, into `handle_names`
    handle_names: Texts
    international: NDArray[np.bool_]  # of the phone


class _Field:
    """One field being read: remembers what the texts it met lately became, where most repeat."""

    __slots__ = ("_codes", "_hits", "_interner", "_known", "_most", "_spell")

    def __init__(self, spell: Callable[[str], str]) -> None:
        self._interner = Interner()
        self._codes = array("i")
        self._known: dict[str, int] = {}
        self._most, self._hits = MOST_REMEMBERED, 0
        self._spell = spell

    def add(self, value: object) -> None:
        """Take the next record's value, whatever it is."""
        if value is None:
            self._codes.append(-1)
            return
        if type(value) is not str or len(value) > spelling.MOST_LETTERS:
            value = spelling.text_of(value)
        code = self._known.get(value)
        if code is None:
            code = self._interner.add(self._spell(value))
            if len(self._known) >= self._most:
                self._settle_down()
            self._known[value] = code
        else:
            self._hits += 1
        self._codes.append(code)

    def _settle_down(self) -> None:
        if self._hits < len(self._known) // 4:
            self._most = FEW_REMEMBERED
        self.forget()

    def forget(self) -> None:
        """Let go of the spellings at hand."""
        self._known.clear()
        self._hits = 0

    def extend(self, other: _Field) -> None:
        """Take another's records after one's own."""
        by = self._interner.extend(other._interner)
        self._codes.extend(shifted(other._codes, by))

    def settle(self) -> tuple[Texts, Codes]:
        """Return the texts and each record's code."""
        texts, table = self._interner.settle()
        return texts, looked_up(np.array(self._codes, np.int32), table)


_SPELLINGS: dict[str, tuple[str, Callable[[str], str]]] = {
    "birth": ("birth_date", spelling.birth_date),
    "email": ("email", spelling.mail),
    "phone": ("phone", spelling.phone),
    "street": ("street", spelling.address),
    "city": ("city", spelling.place),
    "postcode": ("postcode", spelling.postcode),
    "region": ("region", spelling.place),
    "country": ("country", spelling.country),
}


class ColumnsBuilder:
    """Takes records one by one."""

    def __init__(self) -> None:
        self._count = 0
        self._ids = Interner()
        self._names, self._generations = Interner(), Interner()
        self._given, self._family, self._generation = array("i"), array("i"), array("i")
        self._parts: dict[tuple[str, str, str], tuple[int, int, int]] = {}
        self._halves: dict[str, tuple[int, int]] = {}
        self._fields = {name: _Field(spell) for name, (_, spell) in _SPELLINGS.items()}
        self._takers = [(key, self._fields[name].add) for name, (key, _) in _SPELLINGS.items()]
        self._handles: dict[str, tuple[array[int], array[int]]] = {}  # by channel: records, handles
        self._handle_names = Interner()

    def add_line(self, line: bytes) -> None:
        """Take one line of JSON; what is no object, or has no id, becomes a record about which nothing is known."""
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            record = _read_leniently(line)
        self.add(record if isinstance(record, dict) and _is_id(record.get("id")) else {})

    def add(self, record: Mapping[str, object]) -> None:
        """Take one record of the contract's shape; fields of the wrong type count as missing."""
        get = record.get
        accounts = get("accounts")
        name, handles = get("name"), accounts.values() if isinstance(accounts, dict) else ()
        if spelling.repeats(name, get("email"), *handles):
            name = None
        given, family, generation = self._name(name, get("given_name"), get("family_name"))
        self._given.append(given)
        self._family.append(family)
        self._generation.append(generation)
        for key, take in self._takers:
            take(get(key))
        if isinstance(accounts, dict):
            self._add_handles(accounts)
        known_as = get("id")
        self._ids.add(_json_of(known_as))
        self._count += 1

    def _add_handles(self, accounts: Mapping[object, object]) -> None:
        for channel, value in accounts.items():
            text = spelling.text_of(value)
            page = normalise.profile_link(text) if "/" in text else None
            own = page.handle if page else normalise.handle(text)
            if own and len(own) > 1:
                name = str(channel).lower()
                known = self._handles.get(name := _FORMER_CHANNELS.get(name, name))
                if known is None:
                    if len(self._handles) >= MOST_CHANNELS:
                        continue
                    known = self._handles[name] = (array("i"), array("i"))
                known[0].append(self._count)
                known[1].append(self._handle_names.add(own))

    def _name(self, name: object, given: object, family: object) -> tuple[int, int, int]:
        text = spelling.text_of
        raw = (text(name), text(given), text(family))
        if not raw[0] and raw[1] and raw[2] and raw[2].isascii():
            head, own = self._part(raw[1])
            tail, later = self._part(raw[2])
            return head, tail, own if later < 0 else later
        found = self._parts.get(raw)
        if found is None:
            first, last, generation = spelling.name_parts(*raw)
            found = self._names.add(first), self._names.add(last), self._generations.add(generation)
            if len(self._parts) >= MOST_REMEMBERED:
                self._parts.clear()
            self._parts[raw] = found
        return found

    def _part(self, text: str) -> tuple[int, int]:
        """Return the codes of one of two given parts of a name and of its generation: most parts repeat, few whole names do."""
        found = self._halves.get(text)
        if found is None:
            part, _, generation = spelling.name_parts("", text, "x")
            found = self._names.add(part), self._generations.add(generation)
            if len(self._halves) >= MOST_REMEMBERED:
                self._halves.clear()
            self._halves[text] = found
        return found

    def extend(self, other: ColumnsBuilder) -> None:
        """Take another's records after one's own."""
        names, generations = self._names.extend(other._names), self._generations.extend(other._generations)
        self._given.extend(shifted(other._given, names))
        self._family.extend(shifted(other._family, names))
        self._generation.extend(shifted(other._generation, generations))
        for name, field in self._fields.items():
            field.extend(other._fields[name])
        handles = self._handle_names.extend(other._handle_names)
        for channel, (records, owns) in other._handles.items():
            if channel in self._handles or len(self._handles) < MOST_CHANNELS:
                known = self._handles.setdefault(channel, (array("i"), array("i")))
                known[0].extend(shifted(records, self._count))
                known[1].extend(shifted(owns, handles))
        self._ids.extend(other._ids)
        self._count += other._count

    def forget(self) -> ColumnsBuilder:
        """Let go of what only made reading faster."""
        self._parts.clear()
        self._halves.clear()
        for field in self._fields.values():
            field.forget()
        return self

    def build(self) -> Columns:
        """Return the columns."""
        self.forget()
        names, name_codes = self._names.settle()
        generations, generation_codes = self._generations.settle()
        codes = {
            "given": looked_up(np.array(self._given, np.int32), name_codes),
            "family": looked_up(np.array(self._family, np.int32), name_codes),
            "generation": looked_up(np.array(self._generation, np.int32), generation_codes),
        }
        vocabularies = {"generation": generations}
        for name in list(self._fields):
            vocabularies[name], codes[name] = self._fields.pop(name).settle()
        abroad = vocabularies["phone"].begin_with("+")
        vocabularies["phone"] = vocabularies["phone"].without_first(abroad)
        handle_names, handle_codes = self._handle_names.settle()
        handles = {}
        for channel, (records, owns) in self._handles.items():
            column = handles[channel] = np.full(self._count, -1, np.int32)
            column[np.array(records, np.int64)] = handle_codes[np.array(owns, np.int64)]
        international = np.append(abroad, False)[codes["phone"]]
        return Columns(self._count, self._ids.all(), names, vocabularies, codes, handles, handle_names, international)


def _read_leniently(line: bytes) -> object:
    """Return what a line says that is not quite JSON: no UTF-8, control characters, half a surrogate, NaN, endless numbers."""
    try:
        return json.loads(line.decode(errors="replace"), strict=False, parse_int=_whole_number)
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= MOST_DIGITS else None


def _is_id(known_as: object) -> bool:
    return isinstance(known_as, str | int) and not isinstance(known_as, bool)


def _json_of(known_as: object) -> str:
    """Return a record's id as JSON: a text or a whole number as it came, null for anything else."""
    try:
        return msgspec.json.encode(known_as if _is_id(known_as) else None).decode()
    except UnicodeEncodeError:
        return json.dumps(known_as)


def id_of(columns: Columns, record: int) -> str | int | None:
    """Return the id a record came with."""
    known_as: str | int | None = json.loads(columns.ids[record])
    return known_as


def columns_of(records: Iterable[Mapping[str, object]]) -> Columns:
    """Return the columns of records at hand."""
    builder = ColumnsBuilder()
    for record in records:
        builder.add(record)
    return builder.build()
