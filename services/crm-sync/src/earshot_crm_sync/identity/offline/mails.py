"""What two mail addresses that are merely alike say, once it is known that people make them of their names.

Owns that judgement about one pair. Must not weigh it: see `tables`. ``anna.keller@gmail.com`` and ``anna.keller@web.de``
are like because the names are, and so tell nothing that the names did not; ``anna.keller@firm.com`` and
``anna.kehler@firm.com`` beside those two names are two people's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from .tables import Level

_MARKS = re.compile(r"[^a-z]+")
_NO_DIGITS = str.maketrans("", "", "0123456789")
_LONG = ("ae", "oe", "ue", "aa")  # what one spells with two letters, another spells with the first
_A_WORD, _SLIPS = 5, 2  # letters that no slip explains; slips that one address may have
_FEW_DIGITS = 2  # so many, and a namesake may well have chosen the same; a year is still some evidence
# Providers of millions: two of them are two mailboxes, however alike they are spelt.
_PROVIDERS = frozenset(
    "gmail googlemail yahoo ymail hotmail outlook live msn icloud me mac aol gmx web t-online freenet arcor posteo mailbox orange wanadoo "
    "free sfr laposte neuf libero tiscali virgilio alice mail yandex ya rambler bk list inbox qq 163 126 sina naver daum hanmail proton "
    "protonmail pm zoho fastmail hushmail tutanota rediffmail uol bol terra ig seznam wp o2 interia onet comcast verizon att sbcglobal "
    "bellsouth cox charter btinternet sky virginmedia bigpond optusnet shaw rogers bluewin".split()
)

Owner = tuple[str, str, str]
"""A mail, and the given and family name it stands beside; all folded, "" for what is missing."""


def level(found: int, one: Owner, other: Owner, *, alike: bool) -> int:
    """Return the level that the mails of two records deserve, `found` by their letters alone.

    `alike`: whether both names agree (CLOSE or better); then either record's names may have made either mail.
    """
    (mine, my_domain), (theirs, their_domain) = _halves(one[0]), _halves(other[0])
    here = my_domain == their_domain
    few = min(_digits(mine), _digits(theirs)) <= _FEW_DIGITS
    if here and found == Level.MISSING and not few:
        return found  # of long numbers one may be a slip
    makers = (one[1:], other[1:])
    if alike and here and found > Level.DIFFERENT and _differ_beside(mine, theirs, makers):
        return Level.DIFFERENT  # the name is all they share: frontdesk.keller, anna.keller
    if alike and here and makers[0] != makers[1] and _each_ones_own(mine, theirs, makers):
        return Level.DIFFERENT  # no slip is made twice, in the name and in the mail
    if alike and found == Level.CLOSE and (here or not (_is_provider(my_domain) and _is_provider(their_domain))):
        return found  # a slip
    if not (_is_made_of(mine, makers if alike else makers[:1]) and _is_made_of(theirs, makers if alike else makers[1:])):
        return found
    if here:
        return Level.DIFFERENT if not alike or found == Level.MISSING else Level.MISSING
    return Level.ROUGH if mine == theirs and not few else Level.MISSING


def _each_ones_own(mine: str, theirs: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    ours, others = makers[:1], makers[1:]
    own = _is_made_of(mine, ours) and _is_made_of(theirs, others)
    return own and not (_is_made_of(mine, others) or _is_made_of(theirs, ours))


def _halves(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain


def _is_provider(domain: str) -> bool:
    return domain.partition(".")[0] in _PROVIDERS


def _is_made_of(local: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    return any(_is_called(local, given, family) for given, family in makers)


@lru_cache(maxsize=8_000)
def _is_called(local: str, given: str, family: str) -> bool:
    """Whether a mailbox is called as an owner: anna.keller, akeller, keller.a, annak, keller; digits do not matter."""
    if local[:1] not in (given[:1], family[:1]):
        return False
    letters, first, last = _letters(local), _name_letters(given), _name_letters(family)
    if len(letters) < 2 or letters in (first, last):
        return len(letters) >= 2
    heads = {first, first[:1], _name_letters(given.partition(" ")[0])}
    return any(letters in (_joined(head, tail), _joined(tail, head)) for head in heads for tail in (last, last[:1]))


def _joined(head: str, tail: str) -> str:
    return head + tail[1:] if head[-1:] + tail[:1] in _LONG else head + tail


def _differ_beside(mine: str, theirs: str, makers: tuple[tuple[str, ...], ...]) -> bool:
    """Whether two mailboxes are called differently, once the names in them are left out."""
    if OSA.distance(mine, theirs, score_cutoff=_SLIPS) <= _SLIPS:
        return False
    one, other = _letters(mine), _letters(theirs)
    for name in sorted({_name_letters(name) for maker in makers for name in maker if name}, key=len, reverse=True):
        one, other = one.replace(name, ""), other.replace(name, "")
    return max(len(one), len(other)) >= _A_WORD and OSA.distance(one, other, score_cutoff=_SLIPS) > _SLIPS


def _digits(local: str) -> int:
    return len(local) - len(local.translate(_NO_DIGITS))


@lru_cache(maxsize=8_000)
def _name_letters(name: str) -> str:
    return _letters(name)


def _letters(text: str) -> str:
    letters = text if text.isalpha() else _MARKS.sub("", text)
    for long in _LONG:
        letters = letters.replace(long, long[0])
    return letters
