"""Japanese names in their own signs: the family comes first, and signs are read as the Japanese read them, not as the Chinese do.

Owns that reading, for the commonest names. Must not fold any other text.
"""

from __future__ import annotations

import re
from functools import cache

from anyascii import anyascii

from earshot_crm_sync.identity.lists import lines

_SIGNS = re.compile("[\u3005\u3040-\u30ff\u4e00-\u9fff]+")  # kana and Han
_KANA = re.compile("[\u3040-\u30ff]+")
_LONGEST_FAMILY = 3


def read(name: str, given: str, family: str) -> tuple[str, str] | None:
    """Return (given, family) in Latin letters of a name written in signs, whole or in parts; None where it is not known as Japanese."""
    if given and family:
        return _read(given.strip(), family.strip())
    whole = "".join(name.split())
    if not _SIGNS.fullmatch(whole):
        return None
    if _KANA.fullmatch(whole):
        return _cut(anyascii(whole).lower())
    cuts = range(min(_LONGEST_FAMILY, len(whole) - 1), 0, -1)
    return next((found for cut in cuts if (found := _read(whole[cut:], whole[:cut]))), None)


def _read(given: str, family: str) -> tuple[str, str] | None:
    known = _families().get(family)
    called = anyascii(given).lower() if _KANA.fullmatch(given) else _given_names().get(given)
    return (called, known) if known and called else None


def _cut(spoken: str) -> tuple[str, str] | None:
    """Return (given, family) of a name in kana without a blank."""
    known = sorted(filter(spoken.startswith, _families().values()), key=len)
    return (spoken.removeprefix(known[-1]), known[-1]) if known and spoken != known[-1] else None


@cache
def _families() -> dict[str, str]:
    return dict(line.split() for line in lines("japanese_families"))


@cache
def _given_names() -> dict[str, str]:
    return dict(line.split() for line in lines("japanese_given_names"))
