"""Scores candidate pairs of a file's columns, a batch at a time.

Owns the combination of fields, crossed names and how common values are. Must not choose pairs nor thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import levels as lv
from . import mails
from .columns import Columns
from .levels import Levels
from .model import Floats, Model
from .tables import COMMONNESS, CROSSED, NAMED_AFTER, SAME, SEVERAL, SHARED_SEEN, SHARED_UNSEEN, STRANGER, Level
from .texts import Codes, coded, on_used, texts_at

MOST_NAMES = {"email": 8, "phone": 10, "handle": 6, "street": 12}  # a value beside more different names is nobody's own
HEIR = 0.1  # one name and births far apart: parent and child, or one person whose birth was mistaken
COPIES = 5  # so many records of one full name may be one person's
_COMPARED = ("birth", "street", "city", "postcode", "email", "phone")


FIELDS = ("given", "family", "birth", "street", "city", "postcode", "email", "phone", "generation", "region", "country")


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of pairs. Shapes: one row a pair; `levels` has one column a field, see `PairScorer.fields`."""

    levels: NDArray[np.int8]
    stranger: NDArray[np.float32]  # log likelihood between strangers
    crossed: NDArray[np.bool_]  # given and family name stand exchanged
    enough: NDArray[np.bool_]  # more than names and places is known to agree
    together: NDArray[np.float32]  # how plainly two people of one household, 0..1
    contradicted: NDArray[np.bool_]  # something of both is known and is not alike
    household: NDArray[np.float32]  # log of how much likelier than usual they are of one household


@dataclass(slots=True)
class PairScorer:
    """Holds what one file's pairs have in common: tables of names and of how common each value is."""

    columns: Columns
    model: Model
    _names: lv.NameTable = field(init=False)
    _comparers: dict[str, lv.Compare] = field(init=False)
    _sizes: dict[str, int] = field(init=False)
    _shares: dict[str, Floats] = field(init=False)
    _full_names: Codes = field(init=False)
    _full_name_share: Floats = field(init=False)
    _names_beside: dict[str, NDArray[np.int64]] = field(init=False)
    _given_beside: dict[str, NDArray[np.int64]] = field(init=False)
    _people_beside: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        columns = self.columns
        self._names = lv.name_table(columns)
        texts = columns.vocabularies
        self._comparers = {
            "birth": on_used(texts["birth"], lv.birth_comparer),
            "street": on_used(texts["street"], lv.street_comparer),
            "city": on_used(texts["city"], lv.place_comparer),
            "postcode": on_used(texts["postcode"], lv.postcode_comparer),
            "email": on_used(texts["email"], lv.email_comparer),
            "phone": on_used(texts["phone"], lv.phone_comparer),
            "handle": on_used(columns.handle_names, lv.handle_comparer),
        }
        self._sizes = {name: len(known) for name, known in texts.items()} | {"handle": len(columns.handle_names)}
        self._shares = {name: _shares(columns.codes[name], *prior) for name, prior in COMMONNESS.items()}
        self._full_names = _full_names(columns)
        self._full_name_share = np.log(np.maximum(_counts(self._full_names) - COPIES, 1e-3) / max(columns.count, 1))
        sounds = self._names.sounds[columns.codes["given"]].astype(np.int64) * len(columns.names)
        sounds += self._names.sounds[columns.codes["family"]]
        sounds = np.unique(sounds, return_inverse=True)[1].reshape(-1)
        self._names_beside = {name: _distinct_beside(columns.codes[name], sounds) for name in ("email", "phone", "street")}
        known = np.where(self._names.is_known[columns.codes["given"]], self._names.sounds[columns.codes["given"]].astype(np.int64), -1)
        self._given_beside = {name: _distinct_beside(columns.codes[name], known) for name in SHARED_SEEN}
        self._people_beside = _distinct_beside(columns.codes["email"], _by_initial(columns, self._names))
        for channel, column in columns.handles.items():
            self._names_beside[channel + "\x1f"] = _distinct_beside(column, sounds)

    @property
    def fields(self) -> tuple[str, ...]:
        """The table of each column of levels: one a field, one a channel of handles."""
        return (*FIELDS, *("handle" for _ in self.columns.handles))

    def weigh(self, i: Codes, j: Codes) -> Weighed:
        """Return what there is to know of the pairs (i, j) of records."""
        found = self.field_levels(i, j)
        crossed = self._cross(found)
        counted = self._doubt_mails(found, i, j)
        handles = {channel: self._handle_levels(channel, i, j) for channel in self.columns.handles}
        levels = np.stack([*(found[name] for name in FIELDS), *handles.values()], axis=1)
        stranger = np.zeros(i.size, np.float32)
        for place, table in enumerate(self.fields):
            stranger += self._of_strangers(table, levels[:, place], i)
        equal = np.flatnonzero((found["given"] == Level.EXACT) & (found["family"] == Level.EXACT) & ~crossed)
        apart = self._of_strangers("given", found["given"][equal], i[equal])
        apart += self._of_strangers("family", found["family"][equal], i[equal])
        stranger[equal] += np.maximum(self._full_name_share[self._full_names[i[equal]]] - apart, 0)
        contradicted = ((levels == Level.DIFFERENT) | (levels == Level.ROUGH)).any(axis=1)
        enough = self._is_enough(found, i, j)
        return Weighed(levels, stranger, crossed, enough, _lives_together(found), contradicted, self._of_household(found, counted, i))

    def _compared(self, name: str, left: Codes, right: Codes) -> Levels:
        return lv.by_distinct(left, right, max(self._sizes[name], 1), self._comparers[name])

    def _cross(self, found: dict[str, Levels]) -> NDArray[np.bool_]:
        """Put the levels of exchanged names in place where they fit better; return where."""
        logs = self.model.logs

        def gain(given: Levels, family: Levels) -> Floats:
            of = logs["given"][given] + logs["family"][family]
            return np.asarray(of[:, SAME] - of[:, STRANGER])

        across = found["given_family"], found["family_given"]
        possible = (across[0] > Level.DIFFERENT) | (across[1] > Level.DIFFERENT)
        better = possible & (gain(*across) + np.log(CROSSED) > gain(found["given"], found["family"]))
        found["given"] = np.where(better, across[0], found["given"]).astype(np.int8)
        found["family"] = np.where(better, across[1], found["family"]).astype(np.int8)
        return np.asarray(better)

    def field_levels(self, i: Codes, j: Codes) -> dict[str, Levels]:
        """Return the level of every field of every pair."""
        codes = self.columns.codes
        given, family = codes["given"], codes["family"]
        found = {name: self._compared(name, codes[name][i], codes[name][j]) for name in _COMPARED}
        abroad = self.columns.international
        whole = (found["phone"] == Level.ALIAS) & abroad[i] & abroad[j]  # two whole numbers of different countries
        found["phone"][found["phone"] == Level.ALIAS] = Level.EXACT
        found["phone"][whole] = Level.DIFFERENT
        for name in ("email", "phone", "street"):
            self._forget_shared(name, found[name], i)
        for name in ("generation", "region", "country"):
            found[name] = _equal_or_not(codes[name][i], codes[name][j])
        found["given"] = lv.name_levels(self._names, given[i], given[j])
        found["family"] = lv.name_levels(self._names, family[i], family[j])
        crossed = np.flatnonzero((found["given"] < Level.ALIAS) & (found["family"] < Level.ALIAS))
        for name, left, right in (("given_family", given, family), ("family_given", family, given)):
            found[name] = np.zeros(i.size, np.int8)
            found[name][crossed] = lv.name_levels(self._names, left[i[crossed]], right[j[crossed]])
        return found

    def _forget_shared(self, name: str, level: Levels, i: Codes) -> None:
        """A mail or phone beside many names says nothing when it is equal."""
        code = self.columns.codes[name][i]
        level[(level == Level.EXACT) & (self._names_beside[name][np.maximum(code, 0)] > MOST_NAMES[name])] = Level.MISSING

    def _handle_levels(self, channel: str, i: Codes, j: Codes) -> Levels:
        column = self.columns.handles[channel]
        level = self._compared("handle", column[i], column[j])
        shared = self._names_beside[channel + "\x1f"][np.maximum(column[i], 0)] > MOST_NAMES["handle"]
        level[(level == Level.EXACT) & shared] = Level.MISSING
        return level

    def _doubt_mails(self, found: dict[str, Levels], i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Mails made of their owners' names are like when the names are, and so say nothing more; see `mails`.

        Return where one domain gave two of one name a mailbox each.
        """
        code = self.columns.codes["email"]
        named = (found["given"] >= Level.CLOSE) & (found["family"] >= Level.CLOSE)
        near = (found["phone"] == Level.EXACT) | (found["street"] >= Level.CLOSE) | (found["birth"] >= Level.CLOSE)
        like = (found["email"] > Level.ROUGH) & (found["email"] < Level.EXACT)  # a rough likeness alone decides nothing
        like |= (found["email"] == Level.ROUGH) & (named | near)
        like |= (found["email"] == Level.MISSING) & named & (code[i] >= 0) & (code[j] >= 0) & (code[i] != code[j])
        rows = np.flatnonzero(like)
        counted = np.zeros(i.size, np.bool_)
        if not rows.size:
            return counted
        names, addresses = self.columns.names, self.columns.vocabularies["email"]
        kept = ((addresses, code), (names, self.columns.codes["given"]), (names, self.columns.codes["family"]))
        owners = (zip(*(texts_at(known, codes[side[rows]]) for known, codes in kept), strict=True) for side in (i, j))
        told = zip(found["email"][rows].tolist(), named[rows].tolist(), *owners, strict=True)
        found["email"][rows] = [mails.level(level, one, other, alike=alike) for level, alike, one, other in told]
        here = (found["phone"] == Level.EXACT) | (found["street"] >= Level.CLOSE)
        like = (found["email"] > Level.DIFFERENT) & (found["email"] < Level.EXACT)
        found["email"][_born_apart(found) & here & like] = Level.MISSING
        counted[rows] = named[rows] & (found["email"][rows] == Level.DIFFERENT)
        return counted

    def _of_strangers(self, table: str, level: Levels, i: Codes) -> NDArray[np.float32]:
        """Return the log likelihood of levels between strangers; equal values by how common they are."""
        found = self.model.logs[table][level, STRANGER]
        if table in self._shares:
            rows = np.flatnonzero(level == Level.EXACT)
            code = self.columns.codes[table][i[rows]]
            found[rows] = np.where(code >= 0, self._shares[table][np.maximum(code, 0)], found[rows])
        return np.asarray(found, np.float32)

    def _of_household(self, found: dict[str, Levels], counted: NDArray[np.bool_], i: Codes) -> NDArray[np.float32]:
        """Return the log of how much likelier than usual two are of one household.

        Less where the file knows one person beside a mailbox, at most, and nothing of one of the two but the mailbox; more
        where it shows several; and for two of one name that were born far apart, or have mailboxes that one domain counts:
        nobody calls two siblings alike.
        """
        unnamed = (found["given"] == Level.MISSING) & (found["family"] == Level.MISSING) & (found["birth"] == Level.MISSING)
        code = np.maximum(self.columns.codes["email"][i], 0)
        own = (found["email"] == Level.EXACT) & unnamed & (self._people_beside[code] <= 1)
        more = np.where(own, np.log(SHARED_UNSEEN), 0.0)
        for name, factor in SHARED_SEEN.items():
            several = self._given_beside[name][np.maximum(self.columns.codes[name][i], 0)] >= SEVERAL
            more += np.where((found[name] == Level.EXACT) & several, np.log(factor), 0.0)
        heir = (found["given"] == Level.EXACT) & (found["family"] >= Level.CLOSE) & (found["birth"] == Level.DIFFERENT)
        more += np.where(heir | counted, np.log(NAMED_AFTER), 0.0)
        return np.asarray(more, np.float32)

    def _is_enough(self, found: dict[str, Levels], i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Whether anything but names and places agrees: nothing but a name and a city, or less, never merges."""
        enough = np.zeros(i.size, np.bool_)
        here = (found["city"] >= Level.CLOSE) | (found["postcode"] >= Level.CLOSE)
        enough |= found["birth"] >= np.where(here, Level.ROUGH, Level.CLOSE)
        for name, least in (("email", Level.ROUGH), ("phone", Level.CLOSE), ("street", Level.ROUGH)):
            enough |= found[name] >= least
        named = (found["given"] >= Level.CLOSE) & (found["family"] >= Level.CLOSE)
        enough |= named & (found["postcode"] == Level.EXACT)
        for column in self.columns.handles.values():
            enough |= (column[i] >= 0) & (column[i] == column[j])
        return enough


def _born_apart(found: dict[str, Levels]) -> NDArray[np.bool_]:
    """Whether two are of one full name and plainly not of one birth: parent and child, as a rule."""
    return np.asarray((found["given"] == Level.EXACT) & (found["family"] == Level.EXACT) & (found["birth"] == Level.DIFFERENT))


def _lives_together(found: dict[str, Levels]) -> NDArray[np.float32]:
    """How plainly a pair is of two people who share something: a household, or an office.

    Another given name and birth, or one name and births far apart, at one address or on one phone or mail; or quite another
    name on one phone or mail.
    """
    contact = (found["phone"] == Level.EXACT) | (found["email"] == Level.EXACT)
    here = (found["street"] >= Level.CLOSE) & ((found["postcode"] >= Level.CLOSE) | (found["city"] >= Level.CLOSE))
    apart = found["birth"] == Level.DIFFERENT
    others = (found["family"] >= Level.CLOSE) & (found["given"] == Level.DIFFERENT)
    colleagues = contact & (found["family"] == Level.DIFFERENT) & (found["given"] == Level.DIFFERENT)
    unlike = found["birth"] <= Level.DIFFERENT
    plainly = others & (here & apart | contact & unlike) | colleagues & unlike
    return np.where(plainly, 1.0, np.where(_born_apart(found) & (here | contact), HEIR, 0.0)).astype(np.float32)


def _full_names(columns: Columns) -> Codes:
    """Return a code for each pair of given and family name, -1 when either is missing."""
    given, family = columns.codes["given"].astype(np.int64), columns.codes["family"].astype(np.int64)
    key = np.where((given >= 0) & (family >= 0), given * max(len(columns.names), 1) + family, -1)
    _, codes = np.unique(key, return_inverse=True)
    return np.asarray(codes, np.int32)


def _distinct_beside(codes: Codes, names: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each value the number of different names (-1 is none) on the records that carry it."""
    size = max(int(codes.max(initial=0)) + 1, 1)
    rows = np.flatnonzero((codes >= 0) & (names >= 0))
    if not rows.size:
        return np.zeros(size, np.int64)
    beside = np.sort(codes[rows].astype(np.int64) * (int(names.max()) + 1) + names[rows])
    fresh = np.concatenate(([True], beside[1:] != beside[:-1]))
    return np.bincount(beside[fresh] // (int(names.max()) + 1), minlength=size)


def _by_initial(columns: Columns, table: lv.NameTable) -> NDArray[np.int64]:
    """Return a number for each record's first letter and how its family name sounds; -1 where it tells neither."""
    first = np.append(coded(text[:1] for text in columns.names)[: len(columns.names)], np.int32(-1))
    given, family = columns.codes["given"], columns.codes["family"]
    key = (first[given].astype(np.int64) + 1) * (len(columns.names) + 2) + table.sounds[family] + 1
    return np.where((given >= 0) | (family >= 0), key, -1)


def _counts(codes: Codes) -> NDArray[np.int64]:
    return np.bincount(codes[codes >= 0], minlength=1)


def _shares(codes: Codes, prior: float, weight: float) -> Floats:
    """Return the logarithm of each value's share among strangers, the file's counts smoothed by the prior."""
    counts = _counts(codes)
    return np.asarray(np.log((counts + prior * weight) / (max(int(counts.sum()), 1) + weight)))


def _equal_or_not(left: Codes, right: Codes) -> Levels:
    return np.where((left < 0) | (right < 0), Level.MISSING, np.where(left == right, Level.EXACT, Level.DIFFERENT)).astype(np.int8)
