"""The ledger of recognition: entries as a function of the items (README 26, 27).

Owns: who earns for what. Must not: know tiers, badges or windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from oracle.accounts import Accounts
from oracle.cases import Judge
from oracle.facts import ItemRevision, Role

ITEM_POINTS = 1
HELP_POINTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """(member, rule, cause, beneficiary) is unique; points are the model's own, the product's come from its configuration."""

    member: str
    rule: str
    cause: UUID
    beneficiary: str | None
    board: str
    points: int
    occurred_at: datetime


def fold_ledger(present: Sequence[ItemRevision], accounts: Accounts, judge: Judge) -> frozenset[Entry]:
    by_id = {item.feedback_id: item for item in present if item.content is not None}
    apart = {accounts.key_of(item.author_key) for item in by_id.values() if item.role is not Role.CUSTOMER}
    entries = set()
    for item in by_id.values():
        member = accounts.key_of(item.author_key)
        if member in apart:
            continue
        entries.add(_entry(item, member, rule="item", board="active", points=ITEM_POINTS))
        questions = (by_id[parent] for parent in item.replies_to if parent in by_id)
        helped = {accounts.key_of(question.author_key) for question in questions if _is_question(question, judge)}
        for person in helped - {member} - apart:
            entries.add(_entry(item, member, rule="help", board="helpful", points=HELP_POINTS, beneficiary=person))
    return frozenset(entries)


def leaderboard(entries: frozenset[Entry], board: str) -> list[tuple[str, int]]:
    """(account key, points), most points first, ties by key; who has none is not on it."""
    points: dict[str, int] = {}
    for entry in entries:
        if entry.board == board:
            points[entry.member] = points.get(entry.member, 0) + entry.points
    return sorted(((member, sum_) for member, sum_ in points.items() if sum_), key=lambda row: (-row[1], row[0]))


def _is_question(item: ItemRevision, judge: Judge) -> bool:
    assert item.content is not None
    return item.content.kind == "question" or judge(item).intent == "question"


def _entry(item: ItemRevision, member: str, *, rule: str, board: str, points: int, beneficiary: str | None = None) -> Entry:
    return Entry(
        member=member,
        rule=rule,
        cause=item.feedback_id,
        beneficiary=beneficiary,
        board=board,
        points=points,
        occurred_at=item.occurred_at,
    )
