"""Scores candidate pairs of a file's columns, a batch at a time.

Owns the combination of fields, crossed names and how common values are. Must not choose pairs nor thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from . import levels as lv
from . import mails, spelling
from .amounts import are_born_apart, is_named, is_one, is_roughly_enough, lives_together
from .beside import by_initial, distinct_beside, heard_beside, unrelated_beside, without_default_births
from .columns import Columns
from .levels import Levels
from .model import Floats, Model
from .tables import (
    COMMONNESS,
    CROSSED,
    NAMED_AFTER,
    NAMED_LIKE_HANDLE,
    SAME,
    SEVERAL,
    SHARED_SEEN,
    SHARED_UNSEEN,
    SMALLEST_POPULATION,
    STRANGER,
    Level,
)
from .texts import Codes, coded, looked_up, on_used, texts_at

MOST_NAMES = {"email": 8, "phone": 10, "handle": 6, "street": 12}  # a value beside more different names is nobody's own
OWN = {"birth": 2}  # days are alike common: one that the pair at hand shows, and nobody else, is no commoner for that
COPIES = 5  # so many records of one full name may be one person's
LINE_DIGITS = 8  # of a phone: what is left of it however it is dialled
HANDLE = "\x1f"  # ends a channel's name, so that none is a field's
NEVER = -60.0  # the logarithm of next to nothing
_COMPARED = ("birth", "street", "city", "postcode", "email", "phone")


FIELDS = ("given", "family", "birth", "street", "city", "postcode", "email", "phone", "generation", "region", "country")
_CONTACTS = [FIELDS.index("email"), FIELDS.index("phone")]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is known of pairs. Shapes: one row a pair; `levels` has one column a field, see `PairScorer.fields`."""

    levels: NDArray[np.int8]
    stranger: NDArray[np.float32]  # log likelihood between strangers
    crossed: NDArray[np.bool_]  # given and family name stand exchanged
    enough: NDArray[np.bool_]  # more than names and places is known to agree
    barely: NDArray[np.bool_]  # or is known to be roughly alike: enough where nobody's relatives are about
    together: NDArray[np.float32]  # how plainly two people of one household, 0..1
    contradicted: NDArray[np.bool_]  # something of both is known and is not alike
    apart: NDArray[np.bool_]  # their births or generations plainly differ
    heirs: NDArray[np.bool_]  # so do their births beside one name and one mail or phone: in any file parent and child
    household: NDArray[np.float32]  # log of how much likelier than usual they are of one household
    neighbours: NDArray[np.float32]  # what the log likelihood between strangers gains where they live in one town for certain


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
    _values: dict[str, Codes] = field(init=False)  # what may be shared, by field and channel
    _names_beside: dict[str, NDArray[np.int64]] = field(init=False)
    _given_beside: dict[str, NDArray[np.int64]] = field(init=False)
    _people_beside: NDArray[np.int64] = field(init=False)
    _shared_by: dict[str, Floats] = field(init=False)
    _serial: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self._names = lv.name_table(self.columns)
        sounds = heard_beside(self.columns, self._names)
        self.columns = columns = without_default_births(self.columns, sounds)
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
        sizes = self._sizes | {"given": len(columns.names), "family": len(columns.names)}
        self._shares = {name: _shares(columns.codes[name], sizes[name], *prior, OWN.get(name, 0)) for name, prior in COMMONNESS.items()}
        self._full_names = _full_names(columns)
        self._full_name_share = _log_share_beyond_copies(self._full_names, _full_names(columns, self._names.firm_sounds), columns.count)
        self._values = {"email": columns.codes["email"], "phone": _lines(columns), "street": columns.codes["street"]}
        self._values |= {channel + HANDLE: column for channel, column in columns.handles.items()}
        self._names_beside = {name: distinct_beside(value, sounds) for name, value in self._values.items()}
        known = np.where(self._names.is_known[columns.codes["given"]], self._names.sounds[columns.codes["given"]].astype(np.int64), -1)
        self._given_beside = {name: distinct_beside(self._values[name], known) for name in SHARED_SEEN}
        self._people_beside = distinct_beside(columns.codes["email"], by_initial(columns, self._names))
        self._serial = mails.serial(texts["email"])
        self._shared_by = {name: self._of_others(value) for name, value in self._values.items() if name != "street"}

    def _of_others(self, codes: Codes) -> Floats:
        """Return, by value, the log probability that a stranger has it; next to nothing where all beside it may be one's own people."""
        others = unrelated_beside(codes, self.columns, self._names) - 1
        return np.asarray(np.maximum(np.log(np.maximum(others, 1e-9) / max(self.columns.count, SMALLEST_POPULATION)), NEVER))

    @property
    def fields(self) -> tuple[str, ...]:
        """The table of each column of levels: one a field, one a channel of handles."""
        return (*FIELDS, *("handle" for _ in self.columns.handles))

    def weigh(self, i: Codes, j: Codes) -> Weighed:
        """Return what there is to know of the pairs (i, j) of records."""
        found = self.field_levels(i, j)
        crossed = self._cross(found, i, j)
        counted = self._doubt_mails(found, i, j)
        handles = {channel: self._handle_levels(channel, i, j) for channel in self.columns.handles}
        levels = np.stack([*(found[name] for name in FIELDS), *handles.values()], axis=1)
        stranger = np.zeros(i.size, np.float32)
        for place, table in enumerate(self.fields):
            stranger += self._of_strangers(table, levels[:, place], i)
        stranger += self._of_crossed(found, crossed, i)
        for name in ("email", "phone"):
            stranger += self._of_sharers(name, found[name], name, i)
        equal = np.flatnonzero((found["given"] == Level.EXACT) & (found["family"] == Level.EXACT) & ~crossed)
        apart = self._of_strangers("given", found["given"][equal], i[equal])
        apart += self._of_strangers("family", found["family"][equal], i[equal])
        together = np.maximum(self._full_name_share[self._full_names[i[equal]]], apart)
        stranger[equal] += together - apart
        namesakes = np.full(i.size, NEVER)  # how much likelier they are when both have had one handle
        namesakes[equal] = np.log(NAMED_LIKE_HANDLE) - together
        for channel, level in handles.items():
            stranger += self._of_sharers("handle", level, channel + HANDLE, i, namesakes)
        enough = self._is_enough(found, handles)
        unlike = (levels == Level.DIFFERENT) | (levels == Level.ROUGH)
        several = is_named(found) & ~enough & ~counted  # one person has several mails and phones
        unlike[:, _CONTACTS] &= ~several[:, None]
        contradicted = unlike.any(axis=1)
        barely = enough | is_roughly_enough(found)
        return Weighed(
            levels=levels,
            stranger=stranger,
            crossed=crossed,
            enough=enough,
            barely=barely,
            together=lives_together(found),
            contradicted=contradicted,
            apart=(found["birth"] == Level.DIFFERENT) | (found["birth"] == Level.ROUGH) | (found["generation"] == Level.DIFFERENT),
            heirs=are_born_apart(found) & (found["contact"] == Level.EXACT),
            household=self._of_household(found, counted, i),
            neighbours=self._of_neighbours(found, i),
        )

    def _compared(self, name: str, left: Codes, right: Codes) -> Levels:
        return lv.by_distinct(left, right, max(self._sizes[name], 1), self._comparers[name])

    def _cross(self, found: dict[str, Levels], i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Put the levels of exchanged names in place where they fit better, and return where; of two family names one may be left out."""
        logs = self.model.logs

        def gain(given: Levels, family: Levels) -> Floats:
            of = logs["given"][given] + logs["family"][family]
            return np.asarray(of[:, SAME] - of[:, STRANGER])

        low, high = (of(found["given_family"], found["family_given"]) for of in (np.minimum, np.maximum))
        better = (high > Level.DIFFERENT) & (gain(low, high) + np.log(CROSSED) > gain(found["given"], found["family"]))
        found["given"] = np.where(better, low, found["given"]).astype(np.int8)
        found["family"] = np.where(better, high, found["family"]).astype(np.int8)  # a name that stands alone is rather the family's
        left_out = np.flatnonzero((found["given"] == Level.CLOSE) & (found["family"] <= Level.ROUGH) & (high >= Level.CLOSE) & ~better)
        sides = [texts_at(self.columns.names, self.columns.codes[part][side[left_out]]) for side in (i, j) for part in ("given", "family")]
        told = zip(left_out.tolist(), *sides, strict=True)
        found["family"][[row for row, *names in told if spelling.lacks_a_name(names[:2], names[2:])]] = Level.ALIAS
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
        found["contact"] = np.maximum(found["phone"], found["email"])  # before what many share is forgotten
        for name in ("email", "phone", "street"):
            self._forget_shared(name, found[name], i)
        elsewhere = (found["city"] == Level.DIFFERENT) & (found["postcode"] < Level.CLOSE)
        found["street"][elsewhere & (found["street"] > Level.DIFFERENT)] = Level.MISSING  # every town has a High Street
        for name in ("generation", "region", "country"):
            found[name] = _equal_or_not(codes[name][i], codes[name][j])
        found["given"] = lv.name_levels(self._names, given[i], given[j])
        found["family"] = lv.name_levels(self._names, family[i], family[j])
        crossed = np.flatnonzero((found["given"] < Level.ALIAS) & (found["family"] < Level.ALIAS))
        for name, left, right in (("given_family", given, family), ("family_given", family, given)):
            found[name] = np.zeros(i.size, np.int8)
            found[name][crossed] = lv.name_levels(self._names, left[i[crossed]], right[j[crossed]])
        two_families = (found["family"] == Level.DIFFERENT) | (found["family"] == Level.ROUGH)
        other_form = (found["given"] == Level.ALIAS) & two_families
        found["given"][other_form] = Level.ROUGH  # Hans is Jean within one family alone
        return found

    def _forget_shared(self, name: str, level: Levels, i: Codes) -> None:
        """A mail or phone beside many names says nothing when it is equal."""
        code = np.maximum(self._values[name][i], 0)
        level[(level == Level.EXACT) & (self._names_beside[name][code] > MOST_NAMES[name])] = Level.MISSING

    def _handle_levels(self, channel: str, i: Codes, j: Codes) -> Levels:
        column = self.columns.handles[channel]
        level = self._compared("handle", column[i], column[j])
        shared = self._names_beside[channel + HANDLE][np.maximum(column[i], 0)] > MOST_NAMES["handle"]
        level[(level == Level.EXACT) & shared] = Level.MISSING
        return level

    def _doubt_mails(self, found: dict[str, Levels], i: Codes, j: Codes) -> NDArray[np.bool_]:
        """Mails made of their owners' names are like when the names are, and so say nothing more; see `mails`.

        Return where one domain gave two of one name a mailbox each.
        """
        code = self.columns.codes["email"]
        self._tell_owners_apart(found, i, j)
        serial = self._serial[np.maximum(code, 0)]
        found["email"][(found["email"] == Level.ALIAS) & serial[i] & serial[j]] = Level.MISSING
        named = is_named(found)
        near = (found["phone"] == Level.EXACT) | (found["street"] >= Level.CLOSE) | (found["birth"] >= Level.CLOSE)
        for column in self.columns.handles.values():
            near |= (column[i] >= 0) & (column[i] == column[j])
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
        found["email"][are_born_apart(found) & here & like] = Level.MISSING
        counted[rows] = named[rows] & (found["email"][rows] == Level.DIFFERENT)
        return counted

    def _tell_owners_apart(self, found: dict[str, Levels], i: Codes, j: Codes) -> None:
        """One mailbox called after both given names is two people's, however alike the names: hans.and.john."""
        like = (found["email"] == Level.EXACT) & (found["given"] > Level.DIFFERENT) & (found["given"] < Level.EXACT)
        rows = np.flatnonzero(like)
        names, codes = self.columns.names, self.columns.codes
        sides = [texts_at(names, codes[part][side[rows]]) for part in ("given", "family") for side in (i, j)]
        addresses = texts_at(self.columns.vocabularies["email"], codes["email"][i[rows]])
        told = zip(rows.tolist(), addresses, *sides, strict=True)
        both = [row for row, address, one, other, *families in told if mails.names_both(address, one, other, tuple(families))]
        found["given"][both] = Level.DIFFERENT

    def _of_strangers(self, table: str, level: Levels, i: Codes) -> NDArray[np.float32]:
        """Return the log likelihood of levels between strangers; equal values by how common they are."""
        found = self.model.logs[table][level, STRANGER]
        if table in self._shares:
            rows = np.flatnonzero(level == Level.EXACT)
            code = self.columns.codes[table][i[rows]]
            found[rows] = np.where(code >= 0, self._shares[table][np.maximum(code, 0)], found[rows])
        return np.asarray(found, np.float32)

    def _of_crossed(self, found: dict[str, Levels], crossed: NDArray[np.bool_], i: Codes) -> NDArray[np.float32]:
        """Return what the log likelihood between strangers changes where names stand exchanged: of an equal one nobody knows whose it is,
        so the commoner use counts.
        """
        changes = np.zeros(i.size, np.float32)
        for across, mine in (("given_family", "given"), ("family_given", "family")):
            rows = np.flatnonzero(crossed & (found[across] == Level.EXACT))
            changes[rows] += np.max([self._shares[name][self.columns.codes[mine][i[rows]]] for name in ("given", "family")], axis=0)
        for name in ("given", "family"):
            changes -= np.where(crossed & (found[name] == Level.EXACT), self._of_strangers(name, found[name], i), 0)
        return changes

    def _of_neighbours(self, found: dict[str, Levels], i: Codes) -> NDArray[np.float32]:
        """Return what the log likelihood between strangers changes where postcodes agree: such strangers live in one city, as one
        person does.
        """
        same = self.model.logs["city"][found["city"], SAME] - self._of_strangers("city", found["city"], i)
        return np.where((found["postcode"] >= Level.CLOSE) & (found["city"] >= Level.CLOSE), same, 0.0).astype(np.float32)

    def _of_sharers(self, table: str, level: Levels, name: str, i: Codes, unseen: Floats | None = None) -> NDArray[np.float32]:
        """Return what the log likelihood between strangers gains where people who have nothing to do with each other share the value.

        `unseen`: what it gains where the file does not show them.
        """
        seen = self._shared_by[name][np.maximum(self._values[name][i], 0)] - self.model.logs[table][Level.EXACT, STRANGER]
        gain = np.maximum(seen if unseen is None else np.logaddexp(seen, unseen), 0)
        return np.where(level == Level.EXACT, gain, 0.0).astype(np.float32)

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
            several = self._given_beside[name][np.maximum(self._values[name][i], 0)] >= SEVERAL
            more += np.where((found[name] == Level.EXACT) & several, np.log(factor), 0.0)
        heir = (found["given"] == Level.EXACT) & (found["family"] >= Level.CLOSE) & (found["birth"] == Level.DIFFERENT)
        more += np.where(heir | counted, np.log(NAMED_AFTER), 0.0)
        return np.asarray(more, np.float32)

    def _is_enough(self, found: dict[str, Levels], handles: dict[str, Levels]) -> NDArray[np.bool_]:
        """Whether anything but names and places agrees: nothing but a name and a city, or less, never merges. A birth that
        another family name shares is no more than that.
        """
        one_family = (found["family"] >= Level.CLOSE) | (found["family"] == Level.MISSING)
        enough = (found["email"] >= Level.ROUGH) | (found["phone"] >= Level.CLOSE)
        enough |= is_one(found["street"]) | is_one(found["birth"]) & one_family
        for level in handles.values():
            enough |= level == Level.EXACT
        return np.asarray(enough)


def _lines(columns: Columns) -> Codes:
    """Return a code for each record's phone, equal for the ways in which one number is dialled."""
    return looked_up(columns.codes["phone"], coded(number[-LINE_DIGITS:] for number in columns.vocabularies["phone"]))


def _full_names(columns: Columns, spelt: Codes | None = None) -> Codes:
    """Return a code for each pair of given and family name, as they are `spelt`, equal where either is missing."""
    codes = (columns.codes[part] if spelt is None else spelt[columns.codes[part]] for part in ("given", "family"))
    given, family = (code.astype(np.int64) for code in codes)
    key = np.where((given >= 0) & (family >= 0), given * (len(columns.names) + 1) + family, -1)
    _, found = np.unique(key, return_inverse=True)
    return np.asarray(found.reshape(-1), np.int32)


def _log_share_beyond_copies(names: Codes, heard: Codes, count: int) -> Floats:
    """Return the log share of each full name among the records of others: of those that sound alike some may be one person's."""
    counts, spoken = _counts(names), _counts(heard)
    sounding = np.ones(counts.size)
    sounding[names] = spoken[heard]
    others = np.maximum(counts, 1) * np.maximum(sounding - COPIES, 1e-3) / np.maximum(sounding, 1)
    return np.asarray(np.log(others / max(count, 1)))


def _counts(codes: Codes, size: int = 1) -> NDArray[np.int64]:
    return np.bincount(codes[codes >= 0], minlength=size)


def _shares(codes: Codes, size: int, prior: float, weight: float, own: int = 0) -> Floats:
    """Return the logarithm of each value's share among strangers, the file's counts beyond a pair's own smoothed by the prior."""
    counts = _counts(codes, size)
    shares = (np.maximum(counts - own, 0) + prior * weight) / (max(int(counts.sum()), 1) + weight)
    return np.asarray(np.log(np.maximum(shares, prior) if own else shares))


def _equal_or_not(left: Codes, right: Codes) -> Levels:
    return np.where((left < 0) | (right < 0), Level.MISSING, np.where(left == right, Level.EXACT, Level.DIFFERENT)).astype(np.int8)
