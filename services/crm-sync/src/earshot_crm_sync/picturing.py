"""What a word about customers would change, seen before it is said: their components, judged with it and without.

Owns the picture. Writes nothing and decides nothing: what a word means is the engine's (``identity.changes``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from earshot_crm_sync.domain.components import Judgement, judge_all
from earshot_crm_sync.identity import Customer, Decision, IdentityRules, Refused, Resolution
from earshot_crm_sync.judging import Loaded, load
from earshot_crm_sync.rows import Held


@dataclass(slots=True)
class Picture:
    """The components around some customers, judged."""

    loaded: Loaded
    judgements: list[Judgement]
    rules: IdentityRules

    def customer(self, held: Held) -> Customer:
        """Return a customer as the engine knows him."""
        return self.resolution(held).by_identifier[held.speaker]

    def resolution(self, held: Held) -> Resolution:
        """Return what became of the component in which a customer is."""
        return next(each.resolution for each in self.judgements if held.speaker in each.resolution.by_identifier)

    def after(self, decision: Decision) -> "Picture":
        """Return the same with one more word."""
        evidence = replace(self.loaded.evidence, decisions=[*self.loaded.evidence.decisions, decision])
        return Picture(replace(self.loaded, evidence=evidence), judge_all(evidence, self.rules), self.rules)

    def refusals(self, decision: Decision) -> list[Refused]:
        """Return what a word asked for and the rules refuse."""
        return [one for each in self.judgements for one in each.resolution.refused if one.evidence_id == decision.decision_id]


async def picture_of(conn: Any, customers: Sequence[Held], rules: IdentityRules) -> Picture:
    """Load and judge what is around some customers."""
    loaded = await load(conn, set().union(*[held.links for held in customers]))
    return Picture(loaded, judge_all(loaded.evidence, rules), rules)
