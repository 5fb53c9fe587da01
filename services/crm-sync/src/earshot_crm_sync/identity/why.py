"""Why an identifier belongs to its customer: the steps of evidence from the customer's earliest identifier to it.

Owns the walk over the joins. Must not judge.
"""

from __future__ import annotations

from collections import defaultdict

from .model import Customer, Identifier, Join, Resolution


def why(resolution: Resolution, identifier: Identifier) -> tuple[Join, ...]:
    """Return the evidence path to an identifier, first step first; () for the customer's own anchor.

    Raises: KeyError when the component does not know the identifier.
    """
    return paths(resolution.by_identifier[identifier])[identifier]


def paths(customer: Customer) -> dict[Identifier, tuple[Join, ...]]:
    """Return the path of every identifier of a customer."""
    steps: dict[Identifier, list[Join]] = defaultdict(list)
    for join in customer.joins:
        steps[join.a].append(join)
        steps[join.b].append(join)
    found: dict[Identifier, tuple[Join, ...]] = {customer.anchor: ()}
    ahead = [customer.anchor]
    while ahead:
        here = ahead.pop()
        for join in steps[here]:
            there = join.b if join.a == here else join.a
            if there not in found:
                found[there] = (*found[here], join)
                ahead.append(there)
    return found
