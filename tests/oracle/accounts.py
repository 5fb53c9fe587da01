"""Accounts: which author keys are one account on their channel (README 23).

Owns: the binding of handles to account ids. Must not: look across channels; customers.py does.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from oracle.facts import Identifier, ItemRevision, shown_identifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """bound: handle key -> account key, for handles that exactly one account id shows; shown_by: each handle's first account."""

    bound: dict[str, str]
    shown_by: dict[str, str]

    def key_of(self, author_key: str) -> str:
        """The key of the account that holds an author key now."""
        return self.bound.get(author_key, author_key)

    def binding(self, item: ItemRevision) -> tuple[Identifier, ...]:
        """The identifiers of an item that tie it to somebody: a handle beside an id only while it is that id's alone."""
        shown = shown_identifiers(item)
        has_id = bool(shown) and shown[0].kind == "account"
        return tuple(each for each in shown if not (has_id and each.kind == "handle" and each.value not in self.bound))


def find_accounts(present: Iterable[ItemRevision]) -> Accounts:
    """Shapes: present items in the order of messages, each looked at once."""
    shows: dict[str, list[str]] = {}
    for item in present:
        shown = shown_identifiers(item)
        if len(shown) > 1 and (shown[0].kind, shown[1].kind) == ("account", "handle"):
            accounts = shows.setdefault(shown[1].value, [])
            if shown[0].value not in accounts:
                accounts.append(shown[0].value)
    return Accounts(
        bound={handle: accounts[0] for handle, accounts in shows.items() if len(accounts) == 1},
        shown_by={handle: accounts[0] for handle, accounts in shows.items()},
    )
