"""Why a customer is one: each identifier with the evidence path that ties it to the first, and what was refused.

Owns the reading of a component for an explanation; the judgement is the engine's, made anew from the evidence as it stands.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from earshot_crm_sync.domain.statements import OVERSIZE, links_nothing
from earshot_crm_sync.identity import Identifier, IdentityRules, Join, Refusal, paths
from earshot_crm_sync.picturing import picture_of
from earshot_crm_sync.rows import Held


class Step(msgspec.Struct, gc=False):
    """One join on the way: two identifiers, the rule, and the record that showed them together."""

    a: str
    b: str
    rule: str
    verified: bool
    weight: float
    at: datetime
    evidence_id: str
    source: str
    reasons: Sequence[str]


class Tied(msgspec.Struct, gc=False):
    """One identifier; ``path`` leads to it from the customer's first, and is empty for that one."""

    kind: str
    value: str
    path: list[Step]


class NotTied(msgspec.Struct, gc=False):
    """Evidence that was seen and joined nobody, with the reason."""

    a: str
    b: str
    rule: str
    reason: str
    evidence_id: str


class Why(msgspec.Struct, gc=False):
    """The whole answer; ``rules_version`` names the rules it was judged by."""

    customer_id: str
    rules_version: str
    identifiers: list[Tied]
    refused: list[NotTied]


async def explain(conn: Any, held: Held, rules: IdentityRules) -> Why:
    """Return why a customer is one."""
    picture = await picture_of(conn, [held], rules)
    resolution = picture.resolution(held)
    customer = resolution.by_identifier[held.speaker]
    tied = [Tied(one.kind, one.value, [_step(join) for join in path]) for one, path in sorted(paths(customer).items())]
    refused = [
        NotTied(_spelt(one.a), _spelt(one.b), one.rule, one.reason, one.evidence_id)
        for one in resolution.refused
        if one.a in customer.identifiers or one.b in customer.identifiers
    ]
    bits = picture.loaded.evidence.bits
    refused += [
        NotTied(_spelt(row.saying.anchor), _spelt(link.identifier), link.rule, _reason(bits[link.identifier]), row.tally.first_id)
        for row in held.spoken.values()
        for link in row.saying.links
        if links_nothing(link.rule, bits.get(link.identifier, 0))
    ]
    return Why(held.profile.customer_id, rules.version, tied, refused)


def _step(join: Join) -> Step:
    return Step(
        _spelt(join.a), _spelt(join.b), join.rule, join.verified, join.weight, join.at, join.evidence_id, join.source, list(join.reasons)
    )


def _spelt(identifier: Identifier) -> str:
    return f"{identifier.kind} {identifier.value}"


def _reason(bits: int) -> Refusal:
    """Return why an identifier with these bits ties nobody."""
    return Refusal.OVERSIZE if bits == OVERSIZE else Refusal.SHARED
