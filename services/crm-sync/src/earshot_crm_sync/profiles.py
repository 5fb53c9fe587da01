"""The last step of a fold: how customers look, where another statement or word may have the last say now; and their rows.

Owns gathering people's words for profiles, and writing customers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from earshot_crm_sync import repository, repository_words
from earshot_crm_sync.desk import Desk
from earshot_crm_sync.domain.aliases import alias_of, speaker_of
from earshot_crm_sync.domain.profile import (
    StandingView,
    Words,
    build_profile,
    heard_again,
    is_found_alike,
    sketch_of,
    with_standings,
    words_to_find,
)
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.rows import CustomerRow, Held, StatementRow

BY_EVIDENCE: Final = ("evidence", "contact")
"""Causes that name no person: items, or records of other systems."""

Known = tuple[Sequence[StatementRow], Mapping[int, Identifier]]
"""A customer as words are looked up for: what speaks of him, and his identifiers by number."""


async def load_words(conn: Any, customers: Sequence[Known]) -> list[Words]:
    """Return what people and recognition said of each customer."""
    words = [Words() for _ in customers]
    owner = {no: place for place, (_, members) in enumerate(customers) for no in members}
    speaker = {row.author_key: place for place, (rows, _) in enumerate(customers) for row in rows if row.author_key}
    for no, edit in await repository_words.load_edits(conn, owner.keys()):
        words[owner[no]].edits.append(edit.edit(customers[owner[no]][1][no]))
    for no, consent in await repository_words.load_consents(conn, owner.keys()):
        words[owner[no]].consents.append(consent.consent(customers[owner[no]][1][no]))
    for key, (_, standing) in (await repository_words.load_standings(conn, speaker.keys())).items():
        words[speaker[key]].standings.append(standing)
    return words


def promote(desk: Desk, standings: Mapping[str, StandingView]) -> set[str]:
    """Show new standings, by author key, in the profiles at hand, where nothing else can have changed.

    Returns the aliases of the accounts whose customers are not at hand: these are to be rebuilt.
    """
    cache = desk.cache
    told: dict[int, dict[str, StandingView]] = defaultdict(dict)
    away = set()
    for key, standing in standings.items():
        row = cache.by_author.get(key)
        if row is None or row.customer_no is None:
            away.add(alias_of(speaker_of(key), desk.key))
        else:
            told[row.customer_no][key] = standing
    for no, theirs in told.items():
        if no in desk.reshaped or no in desk.rebuild:  # worked out anew with all that is stored: these standings are
            continue
        held = cache.customers[no]
        held.profile = with_standings(held.profile, theirs)
        held.version = desk.version
        desk.changed[no] = held
        if no not in desk.founded:
            desk.reshaped[no] = held
            desk.promoted.add(no)
    return away


def refresh(desk: Desk) -> None:
    """Show in profiles what was merely said again: another statement may have the last say on a field now."""
    for no, heard in desk.heard.items():
        held = desk.cache.customers.get(no)
        if held is None or no in desk.rebuild or (no in desk.reshaped and no not in desk.promoted):  # gone, or worked out anew
            continue
        profile = heard_again(held.profile, heard.values(), held.spoken, desk.rules.survivorship)
        if profile is None:
            desk.rebuild.add(no)
        elif profile != held.profile:
            if no not in desk.founded:
                if not is_found_alike(profile, held.profile):
                    desk.promoted.discard(no)
                elif no not in desk.reshaped:
                    desk.promoted.add(no)
                desk.reshaped[no] = held
            held.profile = profile
            held.version = desk.version
            desk.changed[no] = held


async def rebuild(desk: Desk) -> None:
    """Work out anew the profiles in which another statement or word may have the last say now."""
    customers = [
        held
        for no in desk.rebuild
        if (held := desk.cache.customers.get(no)) is not None and (no not in desk.reshaped or no in desk.promoted)
    ]
    sketches = [sketch_of(held.profile) for held in customers]
    name_of = await _numbers(desk, {each for sketch in sketches for each in sketch.members})
    known: list[Known] = [
        (list(held.spoken.values()), {name_of[each]: each for each in sketch.members})
        for held, sketch in zip(customers, sketches, strict=True)
    ]
    for held, sketch, (rows, _), words in zip(customers, sketches, known, await load_words(desk.conn, known), strict=True):
        profile = build_profile(sketch, rows, words, desk.rules.survivorship)
        if profile != held.profile:
            held.profile = profile
            held.version = desk.version
            desk.changed[held.no] = held
            desk.promoted.discard(held.no)
            if held.no not in desk.founded:
                desk.reshaped[held.no] = held


async def _numbers(desk: Desk, members: Iterable[Identifier]) -> dict[Identifier, int]:
    aliases = {alias_of(each, desk.key): each for each in members}
    rows = await repository.load_identifiers_by_alias(desk.conn, list(aliases))
    return {aliases[row.alias]: row.no for row in rows}


async def store(desk: Desk, cause: str | None) -> None:
    """Write the rows of customers, what they are found by, and where ids lead."""
    conn, totals = desk.conn, desk.totals
    if desk.gone:
        totals.customers -= await repository.delete_customers(conn, desk.gone - desk.reshaped.keys())
    if desk.founded:
        await repository.insert_customers(conn, [_row(held) for held in desk.founded.values()])
        totals.customers += len(desk.founded)
    if desk.reshaped:
        totals.customers += await repository.upsert_customers(conn, [_row(held) for held in desk.reshaped.values()], desk.version)
    renamed = {no: held for no, held in (desk.founded | desk.reshaped).items() if no not in desk.promoted}
    if renamed:
        await repository.upsert_words(conn, {no: words_to_find(held.profile) for no, held in renamed.items()})
    if desk.moved and cause is not None:
        await repository.log_moves(conn, desk.moved, _causes(desk, cause), desk.version)
    await repository.store_totals(conn, totals)


def _causes(desk: Desk, cause: str) -> dict[str, str]:
    """Return why each id moved: who said so, or which evidence by which version of the rules."""
    if cause not in BY_EVIDENCE:
        return dict.fromkeys(desk.moved, cause)
    version = desk.rules.identity.version
    return {alias: f"{cause}: {desk.grounds.get(alias) or 'taken away'} (rules {version})" for alias in desk.moved}


def _row(held: Held) -> CustomerRow:
    return CustomerRow(held.no, tuple(sorted(held.spoken)), held.profile, held.version)
