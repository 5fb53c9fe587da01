"""Microseconds of CPU an item costs the identity engine: `python tests/support/identity_bench.py`. Prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from earshot_crm_sync.identity import Claim, EvidenceSet, IdentityRules, evidence_of, resolve

_NOON = datetime(2024, 5, 1, tzinfo=UTC)
_COUNT = 10_000


def _claim(number: int, channel: str, *, mail: str | None = None, verified: bool = False) -> Claim:
    return Claim(
        evidence_id=f"{channel}-{number}",
        source="bench",
        at=_NOON,
        channel=channel,
        author_key=f"{channel}:{number}",
        account_id=str(number),
        handle=f"user{number}",
        name="Anna Lee",
        email=mail,
        email_verified=verified,
    )


def _both(number: int, *, verified: bool) -> EvidenceSet:
    mail = f"p{number}@mail.org"
    one, other = (_claim(number, channel, mail=mail, verified=verified) for channel in ("x", "forum"))
    return evidence_of(one) + evidence_of(other)


def measure(work: Callable[[], object], count: int = _COUNT) -> float:
    """Return CPU microseconds an item."""
    began = time.process_time()
    work()
    return round((time.process_time() - began) / count * 1e6, 1)


def main() -> None:
    """Print the figures."""
    rules = IdentityRules()
    claims = [_claim(number, "x") for number in range(_COUNT)]
    known = {(edge.a, edge.b) for claim in claims for edge in evidence_of(claim).edges}
    alone = [evidence_of(claim) for claim in claims]
    joined = [_both(number, verified=True) for number in range(_COUNT)]
    scored = [_both(number, verified=False) for number in range(_COUNT // 10)]
    figures = {
        "known_author_us": measure(lambda: [all((e.a, e.b) in known for e in evidence_of(claim).edges) for claim in claims]),
        "new_author_us": measure(lambda: [resolve(one, rules) for one in alone]),
        "verified_mail_joins_two_us": measure(lambda: [resolve(one, rules) for one in joined]),
        "claimed_mail_scored_us": measure(lambda: [resolve(one, rules) for one in scored], len(scored)),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
