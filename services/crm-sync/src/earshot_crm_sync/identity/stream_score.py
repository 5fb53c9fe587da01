"""How much two groups that share a value speak for being one person: a sum of bits, each with its reason.

Owns the weights of the stream's small comparisons. Must not know thresholds: bands are the rules'.
"""

from __future__ import annotations

from dataclasses import dataclass

from .people import Person


@dataclass(frozen=True, slots=True)
class Score:
    """Evidence that two people are one. Units: bits (log2 odds); 0 says nothing, negative speaks against."""

    bits: float
    reasons: tuple[str, ...] = ()


_PRIOR = -4.0
_SAME_EMAIL = 11.0
_SAME_PHONE = 8.0
_SAME_HANDLE = 8.0
_SAME_NAME = 6.0
_OTHER_NAME = -6.0


def score_people(left: Person, right: Person) -> Score:
    """Return the sum over mail, phone, handle and name; what either side lacks says nothing."""
    bits, reasons = _PRIOR, []
    for label, ours, theirs, weight in (
        ("same mail", left.emails, right.emails, _SAME_EMAIL),
        ("same phone", left.phones, right.phones, _SAME_PHONE),
        ("same handle", left.handles, right.handles, _SAME_HANDLE),
    ):
        if not set(ours).isdisjoint(theirs):
            bits += weight
            reasons.append(f"{label} {weight:+.1f}")
    if left.names and right.names:
        same = not {name.casefold() for name in left.names}.isdisjoint(name.casefold() for name in right.names)
        bits += _SAME_NAME if same else _OTHER_NAME
        reasons.append(f"{'same' if same else 'other'} name {_SAME_NAME if same else _OTHER_NAME:+.1f}")
    return Score(bits, tuple(reasons))
