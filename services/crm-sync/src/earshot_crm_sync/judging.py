"""The third step of a fold: who the customers of the touched components are now.

Owns loading components, releasing what may no longer be shared, and the difference between what was and what is. The judgement itself is
``domain.components``.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from earshot_crm_sync import repository, repository_words
from earshot_crm_sync.desk import Desk, Rules
from earshot_crm_sync.domain.components import Evidence, Judgement, Person, judge_all
from earshot_crm_sync.domain.profile import Sketch, build_profile
from earshot_crm_sync.domain.statements import OVERSIZE, SHARED_NAME, SHARED_VALUE
from earshot_crm_sync.domain.suggestions import pack_suggestion, suggestion_id
from earshot_crm_sync.identity import Identifier, IdentityRules, is_over, paths
from earshot_crm_sync.meeting import load_held
from earshot_crm_sync.profiles import Known, load_words
from earshot_crm_sync.rows import Held, IdentifierRow, StatementRow, SuggestionRow

_log = logging.getLogger(__name__)

# Up to so many speakers a shared value is simply judged anew when evidence was taken from it; beyond, its spans are counted first.
_FEW_SPEAKERS = 64
# Who is over the limit among so many is over it among all: of a value that very many show, no more is read.
_ENOUGH_STATEMENTS = 1024


@dataclass(slots=True)
class Loaded:
    """The components around some identifiers. ``reached``: the identifiers that belong to them."""

    evidence: Evidence
    reached: set[int]
    identifiers: dict[int, IdentifierRow]
    rows: dict[int, StatementRow] = field(default_factory=dict)
    by_value: dict[Identifier, IdentifierRow] = field(default_factory=dict)


async def load(conn: Any, seeds: Iterable[int]) -> Loaded:
    """Return everything that belongs to the components of some identifiers."""
    reached = set(await repository.reach(conn, set(seeds)))
    rows = {row.no: row for row in await repository.load_component(conn, reached)}
    words = await repository_words.load_words(conn, reached)
    numbers = reached | {link for row in rows.values() for link in row.links} | {each for word in words for each in word.named()}
    identifiers = {row.no: row for row in await repository.load_identifiers(conn, numbers)}
    name_of = {no: row.identifier for no, row in identifiers.items() if row.identifier.kind}
    evidence = Evidence(
        spoken=dict(rows),
        bits={row.identifier: row.shared for row in identifiers.values() if row.shared},
        decisions=[word.decision(name_of) for word in words],
    )
    return Loaded(evidence, reached, identifiers, rows, {row.identifier: row for row in identifiers.values()})


async def judge(desk: Desk) -> None:
    """Judge the components of the seeds, and note what that changes."""
    if desk.loosened:
        await _release(desk)
    loaded = await load(desk.conn, desk.seeds)
    for number, row in loaded.rows.items():  # the copies that this fold works on
        loaded.rows[number] = loaded.evidence.spoken[number] = desk.cache.statements.get(row.digest, row)
    desk.judged += loaded.rows.values()
    holders = {loaded.identifiers[no].customer_no for no in loaded.reached}
    before = await _take_out(desk, {no for no in holders if no is not None})
    judgements = judge_all(loaded.evidence, desk.rules.identity)
    await _mark_shared(desk, loaded, judgements)
    holder = _holders(loaded, judgements)
    await _settle(desk, loaded, judgements, before)
    await _hold(desk, loaded, holder)
    if desk.moved:
        _note_grounds(desk, loaded, judgements)
    _dissolve(desk, before.keys() - set(holder.values()))
    await _suggest(desk, loaded, judgements)


async def _take_out(desk: Desk, numbers: set[int]) -> dict[int, Held]:
    """Return the customers as they are, and take them out of the cache."""
    await load_held(desk, numbers)
    before = {no: desk.cache.customers[no] for no in numbers if no in desk.cache.customers}
    for no in before:
        desk.cache.drop(no)
    return before


def _holders(loaded: Loaded, judgements: Iterable[Judgement]) -> dict[int, int]:
    """Return who holds each identifier: identifier_no -> customer_no."""
    return {
        loaded.by_value[member].no: loaded.by_value[person.anchor].no
        for judgement in judgements
        for person in judgement.people
        for member in person.members
    }


async def _settle(desk: Desk, loaded: Loaded, judgements: Iterable[Judgement], before: Mapping[int, Held]) -> None:
    """Put the judged customers into the cache, noting those who are other than before."""
    for held in await envision(desk.conn, loaded, judgements, desk.rules, desk.version):
        _compare(desk, held, before.get(held.no))
        desk.cache.put(held)


async def envision(conn: Any, loaded: Loaded, judgements: Iterable[Judgement], rules: Rules, version: int) -> list[Held]:
    """Return the judged customers as they look; nothing is changed."""
    people = [person for judgement in judgements for person in judgement.people]
    bits = {identifier: found for judgement in judgements for identifier, found in judgement.bits.items()}
    known: list[Known] = [
        ([loaded.rows[no] for no in person.statements], {loaded.by_value[each].no: each for each in person.members}) for person in people
    ]
    customers = []
    for person, (rows, _), words in zip(people, known, await load_words(conn, known), strict=True):
        anchor = loaded.by_value[person.anchor]
        profile = build_profile(_sketch(person, anchor.alias, rows, bits), rows, words, rules.survivorship)
        held = Held(anchor.no, profile, {row.no: row for row in rows}, version, 0)
        held.count_feedback()
        customers.append(held)
    return customers


def _sketch(person: Person, alias: str, rows: Iterable[StatementRow], bits: Mapping[Identifier, int]) -> Sketch:
    shown = {link.identifier for row in rows for link in row.saying.links}
    shared = frozenset(each for each in shown if bits.get(each) and each not in person.members)
    return Sketch(alias, person.members, shared, person.alone, person.watched, person.locked)


def _compare(desk: Desk, held: Held, known: Held | None) -> None:
    if known is not None and known.profile == held.profile and known.spoken.keys() == held.spoken.keys():
        held.version = known.version
        if held.no in desk.changed:
            desk.changed[held.no] = held
        if held.no in desk.founded:
            desk.founded[held.no] = held
    else:
        desk.founded.pop(held.no, None)
        desk.reshaped[held.no] = desk.changed[held.no] = held


async def _hold(desk: Desk, loaded: Loaded, holder: Mapping[int, int]) -> None:
    """Write who holds each identifier now, and tell where ids lead by which a customer was ever told of."""
    changes: dict[int, int | None] = {}
    for no in loaded.reached:
        row = loaded.identifiers[no]
        now = holder.get(no)
        if now == row.customer_no:
            continue
        changes[no] = now
        desk.totals.identifiers += (now is not None) - (row.customer_no is not None)
        if row.published and now != no:
            desk.moved[row.alias] = None if now is None else loaded.identifiers[now].alias
    if changes:
        await repository.hold_identifiers(desk.conn, changes)
    anchors = set(holder.values())
    if unheard := {loaded.identifiers[no].alias for no in anchors if not loaded.identifiers[no].published}:
        await repository.tell_of(desk.conn, unheard)
    for no in loaded.reached:  # an id that was told of, of an identifier that is nobody's now: too many show it, or none any more
        row = loaded.identifiers[no]
        shared = loaded.evidence.bits.get(row.identifier)
        if row.published and no not in holder and (shared or no in desk.released):
            desk.moved[row.alias] = await repository.first_claimant(desk.conn, no) if shared else None


def _note_grounds(desk: Desk, loaded: Loaded, judgements: Iterable[Judgement]) -> None:
    """Note by which rules ids that lead elsewhere now hang on their customer: the log of merges tells them."""
    for judgement in judgements:
        for customer in judgement.resolution.customers:
            known = {each: loaded.by_value[each].alias for each in customer.identifiers if each in loaded.by_value}
            if moved := {each: alias for each, alias in known.items() if desk.moved.get(alias)}:
                ways = paths(customer)
                for each, alias in moved.items():
                    desk.grounds[alias] = ", ".join(sorted({join.rule for join in ways.get(each, ())}))


def _dissolve(desk: Desk, gone: Iterable[int]) -> None:
    """Note customers that are no more."""
    for no in gone:
        desk.changed.pop(no, None)
        if desk.founded.pop(no, None) is None:
            desk.gone.add(no)


async def _mark_shared(desk: Desk, loaded: Loaded, judgements: Iterable[Judgement]) -> None:
    """Remember what proved to tie nobody, so that nothing is looked for beyond it from now on."""
    known = loaded.evidence.bits
    found = {
        identifier: bits
        for judgement in judgements
        for identifier, bits in judgement.bits.items()
        if bits != known.get(identifier, 0) and identifier in loaded.by_value
    }
    if found:
        known.update(found)
        await repository.mark_shared(desk.conn, {loaded.by_value[identifier].no: bits for identifier, bits in found.items()})
    if too_large := [identifier for identifier, bits in found.items() if bits & OVERSIZE]:
        _log.warning(
            "a component is too large to be judged edge by edge: %d values tie nobody now, only accounts and people's words do",
            len(too_large),
            extra={"action": "identity_oversize", "customer_id": loaded.by_value[min(too_large)].alias},
        )


async def _release(desk: Desk) -> None:
    """Let identifiers bind again for this judgement that may no longer be shared: evidence was taken from them, or beside them."""
    near = await repository.links_of_speakers(desk.conn, desk.loosened) | desk.loosened
    shared = [row for row in await repository.load_identifiers(desk.conn, near) if row.shared]
    free = {row.no for row in shared if not await _is_surely_shared(desk.conn, row, desk.rules.identity)}
    if any(row.shared & OVERSIZE for row in shared if row.no in free):
        free |= await _oversize_around(desk.conn, free)
    if free:
        await repository.mark_shared(desk.conn, dict.fromkeys(free, 0))
        desk.seeds |= free
        desk.released |= free


async def _is_surely_shared(conn: Any, row: IdentifierRow, rules: IdentityRules) -> bool:
    """Return whether an identifier is over its limit by so much that nothing taken away now can matter."""
    if rules.is_blocked(row.identifier):
        return True
    if not row.shared & SHARED_VALUE or row.shared & SHARED_NAME:
        return False
    limit = rules.limit_of(row.identifier)
    for most in (_ENOUGH_STATEMENTS, None):
        spans = await repository.spans_of_shared(conn, row.no, most)
        # A speaker by handle may prove to be one of the accounts: leave them all out, and ask whether the rest is over the limit alone.
        if len(spans) > _FEW_SPEAKERS and is_over(((first, last) for _, by_handle, first, last in spans if not by_handle), limit):
            return True
    return False


async def _oversize_around(conn: Any, free: set[int]) -> set[int]:
    """Return every identifier that is marked as too large a component's, as far as the marks reach from some."""
    found, edge = set(free), set(free)
    while edge:
        await repository.mark_shared(conn, dict.fromkeys(edge, 0))
        reached = await repository.reach(conn, edge)
        near = {link for row in await repository.load_component(conn, reached) for link in row.links}
        edge = {row.no for row in await repository.load_identifiers(conn, near) if row.shared & OVERSIZE} - found
        found |= edge
    return found


async def _suggest(desk: Desk, loaded: Loaded, judgements: Iterable[Judgement]) -> None:
    """Replace what is suggested about the judged identifiers."""
    found: dict[str, SuggestionRow] = {}
    for judgement in judgements:
        for one in judgement.suggestions:
            a, b = loaded.by_value[one.a], loaded.by_value[one.b]
            found[suggestion_id(a.alias, b.alias)] = SuggestionRow(
                a.no, b.no, one.weight, pack_suggestion(one, desk.rules.identity.version)
            )
    await repository_words.replace_suggestions(desk.conn, loaded.reached, found)
