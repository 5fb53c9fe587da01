"""What two mail addresses that are merely alike say, once it is known that people make them of their names.

Owns that judgement about one pair. Must not weigh it: see `tables`. ``anna.keller@gmail.com`` and ``anna.keller@web.de``
are like because the names are, and so tell nothing that the names did not; ``anna.keller@firm.com`` and
``anna.kehler@firm.com`` beside those two names are two people's.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from .spelling import common_given_names, nicknames, share_a_group, translations
from .tables import Level
from .texts import Texts, coded

_MARKS = re.compile(r"[^a-z]+")
_LONG = re.compile("([aou])e+|(a)a+")  # what one spells with two letters, another spells with the first
_A_WORD, _SLIPS = 5, 2  # letters that no slip explains; slips that one address may have
_NO_DIGITS = str.maketrans("", "", "0123456789")
_SERIES = 5  # so many numbers of one wording are no chance
_A_DOMAIN = 0.66  # so much of a domain is left when it is misspelt
_A_LIKENESS = 0.5  # so much of a name is left when it is misspelt
_LONG_CALL = 8  # of so many letters some may be wrong in the name beside it
_A_NAME = 3  # letters that do not stand in a mailbox by chance
_FEW_DIGITS = re.compile(r"\D*(\d{0,2}|(?:19|20)\d\d)\D*")  # a namesake may well have chosen the same number, or been born in the year
# Providers of millions: two of them are two mailboxes, however alike they are spelt.
_PROVIDERS = frozenset(
    "gmail googlemail yahoo ymail hotmail outlook live msn icloud me mac aol gmx web t-online freenet arcor posteo mailbox orange wanadoo "
    "free sfr laposte neuf libero tiscali virgilio alice mail yandex ya rambler bk list inbox qq 163 126 sina naver daum hanmail proton "
    "protonmail pm zoho fastmail hushmail tutanota rediffmail uol bol terra ig seznam wp o2 interia onet comcast verizon att sbcglobal "
    "bellsouth cox charter btinternet sky virginmedia bigpond optusnet shaw rogers bluewin".split()
)

Owner = tuple[str, str, str]
"""A mail, and the given and family name it stands beside; all folded, "" for what is missing."""


def serial(addresses: Texts) -> NDArray[np.bool_]:
    """Return which addresses are of a series that their domain counts: user1@, user2@, … There a number says who, and nothing elsewhere."""
    wording = coded(_wording(address) for address in addresses)
    counts = np.bincount(wording[wording >= 0], minlength=1)
    return np.asarray((wording >= 0) & (counts[np.maximum(wording, 0)] >= _SERIES))


def _wording(address: str) -> str:
    local, domain = _halves(address)
    return f"{local.translate(_NO_DIGITS)}@{domain}" if any(map(str.isdigit, local)) else ""


def level(found: int, one: Owner, other: Owner, *, alike: bool) -> int:
    """Return the level that the mails of two records deserve, `found` by their letters alone.

    `alike`: whether both names agree (CLOSE or better); then either record's names may have made either mail.
    """
    (mine, my_domain), (theirs, their_domain) = _halves(one[0]), _halves(other[0])
    here = my_domain == their_domain
    few = bool(_FEW_DIGITS.fullmatch(mine) and _FEW_DIGITS.fullmatch(theirs))
    if here and found == Level.MISSING and not few:
        return found  # of long numbers one may be a slip
    if not here and not _is_slip(my_domain, their_domain):
        if _number(mine) != _number(theirs):
            return Level.DIFFERENT
        if Level.ROUGH <= found <= Level.CLOSE:
            return Level.MISSING  # two mailboxes called merely alike
    makers = (one[1:], other[1:])
    if alike and found > Level.DIFFERENT and _name_two(mine, theirs, makers):
        return Level.DIFFERENT  # paul.turner, paula.turner: both are names, and so neither is a slip
    if alike and here and found > Level.DIFFERENT and _differ_beside(mine, theirs, makers):
        return Level.DIFFERENT  # the name is all they share: frontdesk.keller, anna.keller
    if alike and here and makers[0] != makers[1] and _each_ones_own(mine, theirs, makers):
        return Level.DIFFERENT  # no slip is made twice, in the name and in the mail
    if alike and found == Level.CLOSE and (here or _is_slip(my_domain, their_domain)):
        called = few and _bare(mine) == _bare(theirs) and _is_made_of(mine, makers)
        return Level.MISSING if called else found  # anna.keller, annakeller: the name is in both, and a dot makes two of them
    ours, others = (makers, makers) if alike else (makers[:1], makers[1:])
    if not (_is_made_of(mine, ours, slips=not here) and _is_made_of(theirs, others, slips=not here)):
        return found
    if here:
        return Level.DIFFERENT if not alike or found == Level.MISSING else Level.MISSING
    return Level.ROUGH if mine == theirs and not few else Level.MISSING


def names_both(address: str, one: str, other: str, families: tuple[str, ...]) -> bool:
    """Whether a mailbox is called after two given names: hans.and.john; what the family name says does not count."""
    local = _without(_letters(_halves(address)[0]), families)
    first, last = _name_letters(one), _name_letters(other)
    if min(len(first), len(last)) < _A_NAME or first in last or last in first:
        return False
    return first in local and last in local.replace(first, " ", 1)


def _name_two(mine: str, theirs: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    """Whether two mailboxes are called after two given names, and else alike."""
    families = tuple(family for _, family in makers)
    whole = _letters(mine), _letters(theirs)
    one, other = (_without(letters, families) for letters in whole)
    if one == other or min(len(one), len(other)) < _A_NAME:
        return False
    known = common_given_names()
    unlike = len(one) < len(whole[0]) and len(other) < len(whole[1]) and OSA.normalized_similarity(one, other) < _A_LIKENESS
    if not unlike and not (one in known and other in known):
        return False
    return not share_a_group(nicknames(), one, other)  # nobody has a mailbox as Paolo and one as Pavel


def _is_one_name(one: str, other: str) -> bool:
    return any(share_a_group(groups, one, other) for groups in (nicknames(), translations()))


def _without(letters: str, names: tuple[str, ...]) -> str:
    for name in sorted({_name_letters(name) for name in names if name}, key=len, reverse=True):
        letters = letters.replace(name, "")
    return letters


def _each_ones_own(mine: str, theirs: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    ours, others = makers[:1], makers[1:]
    own = _is_made_of(mine, ours) and _is_made_of(theirs, others)
    return own and not (_is_made_of(mine, others) or _is_made_of(theirs, ours))


def _halves(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain


def _bare(local: str) -> str:
    return "".join(filter(str.isalnum, local))


def _number(local: str) -> str:
    return "".join(filter(str.isdigit, local))


def _is_slip(my_domain: str, their_domain: str) -> bool:
    """Whether one domain may be the other misspelt: two providers are not."""
    providers = my_domain.partition(".")[0] in _PROVIDERS and their_domain.partition(".")[0] in _PROVIDERS
    return not providers and OSA.normalized_similarity(my_domain, their_domain) >= _A_DOMAIN


def _is_made_of(local: str, makers: tuple[tuple[str, ...], ...], *, slips: bool = False) -> bool:
    return any(_is_called(local, given, family) or (slips and _is_nearly_called(local, given, family)) for given, family in makers)


@lru_cache(maxsize=8_000)
def _is_called(local: str, given: str, family: str) -> bool:
    """Whether a mailbox is called as an owner: anna.keller, akeller, keller.a, annak, keller; digits do not matter, nor which form of
    a given name: elizabeth.taylor is Liz Taylor's.
    """
    letters, first, last = _letters(local), _name_letters(given), _name_letters(family)
    if last and _is_one_name(letters.removesuffix(last) if letters.endswith(last) else letters.removeprefix(last), first):
        return True
    if local[:1] not in (given[:1], family[:1]):
        return False
    if len(letters) < 2 or letters in (first, last):
        return len(letters) >= 2
    heads = {first, first[:1], _name_letters(given.partition(" ")[0])}
    return any(letters in (_shortened(head + tail), _shortened(tail + head)) for head in heads for tail in (last, last[:1]))


def _is_nearly_called(local: str, given: str, family: str) -> bool:
    """Whether a mailbox is called by an owner's whole name, which may be misspelt beside it."""
    letters, first, last = _letters(local), _name_letters(given), _name_letters(family)
    whole = (_shortened(first + last), _shortened(last + first))
    return len(letters) >= _LONG_CALL and any(OSA.distance(letters, call, score_cutoff=_SLIPS) <= _SLIPS for call in whole)


def _differ_beside(mine: str, theirs: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    """Whether two mailboxes are called differently, once the names in them are left out."""
    if OSA.distance(mine, theirs, score_cutoff=_SLIPS) <= _SLIPS:
        return False
    names = tuple(name for maker in makers for name in maker)
    one, other = _without(_letters(mine), names), _without(_letters(theirs), names)
    return max(len(one), len(other)) >= _A_WORD and OSA.distance(one, other, score_cutoff=_SLIPS) > _SLIPS


@lru_cache(maxsize=8_000)
def _name_letters(name: str) -> str:
    return _letters(name)


def _letters(text: str) -> str:
    return _shortened(text if text.isalpha() else _MARKS.sub("", text))


def _shortened(letters: str) -> str:
    return _LONG.sub(lambda found: found[1] or found[2], letters)
