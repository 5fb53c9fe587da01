"""Erasure: what a person asked to be forgotten goes from every table, and what is older than the wish never comes back.

Owns striking. An erasure names authors by keyed hashes; those are all that stays of them. What is said later is a new relationship.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from earshot_recognition import repository, repository_acts
from earshot_recognition.book import Book
from earshot_recognition.domain.deeds import Act
from earshot_recognition.domain.ledger import Contribution
from earshot_shared import identifiers
from earshot_shared.http.idempotency import forget_answers

ID_PURPOSE: Final = "customer"
"""Names the key of the installation that the hashes are made with."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A wish to be forgotten: everything up to ``at`` by those whom the hashes stand for."""

    erasure_id: str
    aliases: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Struck:
    """What erasures hit: items as they are left, author keys, acts, and counts by erasure."""

    items: Mapping[UUID, Contribution]
    keys: frozenset[str]
    acts: Sequence[str]
    counts: Mapping[str, dict[str, int]]


NOTHING: Final = Struck({}, frozenset(), (), {})


@lru_cache(maxsize=20_000)
def alias_of(author_key: str, key: bytes) -> str:
    """Return the keyed hash of an author key as `erasure.requested` spells it."""
    return identifiers.alias_of(*identifiers.speaker_of(author_key), key)


def struck(item: Contribution) -> Contribution:
    """Return what is left of an item: that there was one, then, in answer to that. It speaks of nobody."""
    return Contribution(
        item.version,
        item.feedback_id,
        f"erased:{item.feedback_id}",
        item.occurred_at,
        present=False,
        question=item.question,
        kind=item.kind,
        parents=item.parents,
    )


async def begin(conn: Any, book: Book, erasures: Sequence[Erasure], key: bytes) -> Struck:
    """Remember erasures; return what they hit. Looks through all author keys, since hashes cannot be turned back."""
    until: dict[str, datetime] = {}
    for erasure in erasures:
        for alias in erasure.aliases:
            until[alias] = max(erasure.at, until.get(alias, erasure.at))
    await repository_acts.store_erasures(conn, sorted(until.items()))
    book.has_erasures = True
    hit = {each: until[alias] async for each in repository_acts.list_keys(conn) if (alias := alias_of(each, key)) in until}
    held = await repository.load_items_of(conn, hit.keys() | await _accounts_of(conn, hit))
    items = {feedback_id: struck(each.item) for feedback_id, each in held.items() if each.item.present and _is_erased(each.item, hit)}
    acts: list[str] = []
    for subject, at in hit.items():
        acts += await repository_acts.delete_acts(conn, [subject], at)
        book.forget_acts(subject)
    book.note(await repository_acts.load_acts(conn, hit.keys()))
    await forget_answers(conn, hit.keys())
    counts = {erasure.erasure_id: {"items": len(items), "accounts": len(hit), "acts": len(acts)} for erasure in erasures}
    return Struck(items, frozenset(hit), acts, counts)


async def _accounts_of(conn: Any, keys: Iterable[str]) -> set[str]:
    """Return the accounts that are shown with these as handles."""
    return {account for _, account in await repository.load_pairs(conn, list(keys), [])}


def _is_erased(item: Contribution, until: Mapping[str, datetime]) -> bool:
    return any(
        name is not None and (at := until.get(name)) is not None and item.occurred_at <= at for name in (item.author_key, item.handle_key)
    )


async def _until(conn: Any, names: Iterable[str], key: bytes) -> dict[str, datetime]:
    alias_by_name = {name: alias_of(name, key) for name in names}
    erased = await repository_acts.load_erasures(conn, set(alias_by_name.values()))
    return {name: erased[alias] for name, alias in alias_by_name.items() if alias in erased}


async def admitted(conn: Any, book: Book, items: Mapping[UUID, Contribution], key: bytes) -> Mapping[UUID, Contribution]:
    """Return items as they may be known: struck where they are not later than the erasure of whom they show."""
    if not await _any(conn, book):
        return items
    until = await _until(conn, {name for item in items.values() for name in (item.author_key, item.handle_key) if name}, key)
    return {each: struck(item) if item.present and _is_erased(item, until) else item for each, item in items.items()}


async def admitted_acts(conn: Any, book: Book, acts: Sequence[Act], key: bytes) -> list[Act]:
    """Return the acts that are not about somebody who asked to be forgotten later."""
    if not acts or not await _any(conn, book):
        return list(acts)
    until = await _until(conn, {act.subject for act in acts}, key)
    return [act for act in acts if act.subject not in until or act.at > until[act.subject]]


async def _any(conn: Any, book: Book) -> bool:
    if book.has_erasures is None:
        book.has_erasures = await repository_acts.has_erasures(conn)
    return book.has_erasures
