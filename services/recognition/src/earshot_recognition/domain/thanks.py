"""Thank-yous: which causes a member has given to be thanked, once each.

Owns the rule. A cause is reached by sums of the ledger; that thanks were said is a person's act (``domain.deeds``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from earshot_shared import ids


@dataclass(frozen=True, slots=True, kw_only=True)
class ThankRule:
    """A cause by name: so many people helped, and so many items.

    ``template`` names what the member is written with; None leaves it to people.
    """

    name: str
    helped: int = 0
    items: int = 0
    template: str | None = None

    def reached(self, helped: int, items: int) -> bool:
        """Say whether these sums reach it."""
        return helped >= self.helped and items >= self.items


def causes_reached(rules: Iterable[ThankRule], *, helped: int, items: int) -> tuple[str, ...]:
    """Return the names of the causes that these sums reach."""
    return tuple(rule.name for rule in rules if rule.reached(helped, items))


def causes_moved(rules: Sequence[ThankRule], was: tuple[int, int], now: tuple[int, int]) -> tuple[list[ThankRule], list[ThankRule]]:
    """Return the causes that are reached no more, and those that are reached newly; ``was`` and ``now`` are (helped, items)."""
    gone = [rule for rule in rules if rule.reached(*was) and not rule.reached(*now)]
    fresh = [rule for rule in rules if rule.reached(*now) and not rule.reached(*was)]
    return gone, fresh


def thank_you_id(author_key: str, cause: str) -> UUID:
    """Return the id of a thank-you: a function of whom and what for."""
    return UUID(ids.uuid5_text(ids.NAMESPACE.bytes, ids.UNIT_SEPARATOR.join(("thank-you", author_key, cause))))
