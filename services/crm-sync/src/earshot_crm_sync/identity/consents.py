"""May this address be written to, for this purpose, by this brand: from the consents on record.

Owns the strictness. A grant speaks for its own identifier alone, a denial for everybody whom the evidence calls the
same person: so a
merge can only take permissions away, and an unmerge gives back exactly what each side had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .model import Identifier

EVERY = "*"  # as purpose or brand of a consent: all of them


class ConsentStatus(StrEnum):
    """What is on record; the order of strictness is unknown < granted < denied, and only granted allows."""

    UNKNOWN = "unknown"
    GRANTED = "granted"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One recorded word of a customer: for one identifier, purpose and brand, with its proof and time."""

    identifier: Identifier
    purpose: str
    brand: str
    granted: bool
    at: datetime
    consent_id: str
    proof: str = ""
    source: str = ""


def opt_out_of_all(consent: Consent, members: Iterable[Identifier]) -> list[Consent]:
    """Return a denial without an identifier as what it means: one for each identifier the customer has.

    Raises: ValueError for an opt-in, which always speaks for one identifier.
    """
    if consent.granted:
        raise ValueError("an opt-in needs the identifier it speaks for")
    return [
        Consent(
            identifier=member,
            purpose=consent.purpose,
            brand=consent.brand,
            granted=False,
            at=consent.at,
            consent_id=consent.consent_id,
            proof=consent.proof,
            source=consent.source,
        )
        for member in sorted(members)
    ]


def standing_consents(consents: Iterable[Consent]) -> list[Consent]:
    """Return the word that stands for each identifier, purpose and brand: the latest by (at, id).

    At one moment the denial.
    """
    latest: dict[tuple[Identifier, str, str], Consent] = {}
    for one in consents:
        key = (one.identifier, one.purpose, one.brand)
        held = latest.get(key)
        if held is None or _place(one) > _place(held):
            latest[key] = one
    return [latest[key] for key in sorted(latest)]


def _place(one: Consent) -> tuple[datetime, bool, str, str]:
    return (one.at, not one.granted, one.consent_id, one.proof)


def strictest(
    consents: Iterable[Consent],
    members: Collection[Identifier],
    *,
    purpose: str,
    brand: str,
    identifier: Identifier | None = None,
) -> ConsentStatus:
    """Return what a customer's consents amount to for one purpose and brand.

    With `identifier`: whether that one may be used: it needs a grant of its own and no denial of anybody in `members`.
    Without: whether any may.
    """
    status = ConsentStatus.UNKNOWN
    for one in standing_consents(consents):
        if one.identifier not in members or one.purpose not in (purpose, EVERY) or one.brand not in (brand, EVERY):
            continue
        if not one.granted:
            return ConsentStatus.DENIED
        if identifier in (None, one.identifier):
            status = ConsentStatus.GRANTED
    return status
