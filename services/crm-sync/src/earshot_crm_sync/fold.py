"""A slice applied to the store: from what records and people say to who the customers are.

Owns the order of the steps; each is a module of its own (see ``desk``). A record whose author says nothing new costs a probe, a row and a
counter; components are loaded and judged anew only where something new touches them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from earshot_crm_sync import (
    counting,
    deciding,
    erasing,
    judging,
    profiles,
    repository,
    repository_erasing,
    repository_outreach,
    repository_words,
)
from earshot_crm_sync.desk import Desk, Erasure, Said, Slice, Told
from earshot_crm_sync.domain.aliases import alias_of, speaker_of
from earshot_crm_sync.domain.outreach import Ask
from earshot_crm_sync.domain.profile import StandingView
from earshot_crm_sync.domain.statements import Statement
from earshot_crm_sync.domain.words import Word
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.meeting import load_held, meet, meet_aliases
from earshot_crm_sync.rows import ActivityRow, ContactRow, Held
from earshot_shared.messages import Message
from earshot_shared.outreach import OutreachDecided
from earshot_shared.postgres import beside, in_turns


@dataclass(slots=True)
class Outcome:
    """What a slice changed: what tells the customers as they are now, and ids that lead elsewhere (alias to alias) or nowhere (to None).

    ``receipts``: what was erased here, by erasure; records and acts of the erased are to be forgotten by the topics too.
    """

    told: list[Message]
    moved: dict[str, str | None]
    receipts: dict[str, dict[str, int]]
    forgotten_contacts: set[str]
    forgotten_acts: set[str]
    decided: list[OutreachDecided]


async def apply(desk: Desk, slice_: Slice, *, cause: str | None, tell: Callable[[Held], Message]) -> Outcome:
    """Apply a slice in the desk's transaction.

    ``cause`` stands in the log of what became of customers; None logs nothing. ``tell`` says what a changed customer is now.
    """
    if desk.cache.totals is None:
        desk.cache.totals = await repository.load_totals(desk.conn)
        desk.cache.has_erasures = await repository_erasing.has_erasures(desk.conn)
        desk.cache.outreach_waits, desk.cache.outreach_open_until = await repository_outreach.load_state(desk.conn)
    await _apply_records(desk, slice_)
    await _keep_acts(desk, slice_)
    await _apply_decisions(desk, slice_.said)
    spoken_of = await _keep_words(desk, slice_)
    standings = await _keep_standings(desk, slice_)
    if desk.seeds:
        await judging.judge(desk)
    spoken_of |= profiles.promote(desk, standings)
    if spoken_of:
        await _note_words(desk, spoken_of)
    profiles.refresh(desk)
    if desk.rebuild:
        await profiles.rebuild(desk)
    async with beside(profiles.store(desk, cause)):
        told = [tell(held) async for held in in_turns(desk.changed.values())]
    await deciding.decide(desk, _asks(desk, slice_), replaying=cause is None)
    if desk.erased:
        await erasing.purge(desk)
    for erasure_id, service, counts in slice_.receipts:
        await repository_erasing.keep_receipt(desk.conn, erasure_id, service, counts)
    for row in desk.touched.values():
        if not row.tally.count:
            desk.cache.remove(row)
    _pack_up(desk)
    desk.cache.shrink()
    return Outcome(told, desk.moved, desk.receipts, desk.forgotten_contacts, desk.forgotten_acts, desk.decided)


def _pack_up(desk: Desk) -> None:
    """Let go of what was unpacked of statements that stay in the cache."""
    customers = [desk.cache.customers[no] for no in desk.heard.keys() | desk.rebuild if no in desk.cache.customers]
    for row in (*desk.judged, *(row for row, _ in desk.new.values()), *(row for held in customers for row in held.spoken.values())):
        row.pack_up()


def _asks(desk: Desk, slice_: Slice) -> list[Ask]:
    return [
        Ask(
            outreach_id=asked.body.outreach_id,
            author=alias_of(speaker_of(asked.body.author_key), desk.key),
            purpose=asked.body.purpose,
            template=asked.body.template,
            brand=asked.body.brand,
            requested_at=asked.at,
        )
        for asked in slice_.outreach.values()
    ]


async def _apply_records(desk: Desk, slice_: Slice) -> None:
    conn = desk.conn
    items = await repository.load_activities(conn, list(slice_.items)) if slice_.items else {}
    contacts = await repository_words.load_contacts(conn, list(slice_.contacts)) if slice_.contacts else {}
    said = [one for one in slice_.items.values() if (was := items.get(one.record_id)) is None or one.revision > was.version]
    recorded = [one for one in slice_.contacts.values() if (row := contacts.get(one.record_id)) is None or one.revision > row.revision]
    desk.duplicates += len(slice_.items) + len(slice_.contacts) - len(said) - len(recorded)
    if slice_.erasures:
        await _strike(desk, slice_.erasures, said, recorded, items, contacts)
    if not said and not recorded:
        return
    said, recorded = await erasing.admitted(desk, said), await erasing.admitted(desk, recorded)
    known = items | {key: ActivityRow(row.revision, row.statement_no, row.updated_at, row.updated_at) for key, row in contacts.items()}
    left = {row.statement_no for row in known.values() if row.statement_no is not None}
    await meet(desk, _statements((*said, *recorded)), left)
    async with beside(counting.write_records(desk, said, recorded, items, contacts)):
        taken = await counting.count(desk, [*said, *recorded], known)
    if desk.new:
        await repository.insert_statements(conn, list(desk.new.values()), desk.version)
        desk.loosened.update(_names_of_known_speakers(desk))
    if taken:
        await counting.recount(desk, taken)
    await counting.store_tallies(desk)


async def _strike(
    desk: Desk,
    erasures: list[Erasure],
    said: list[Told],
    recorded: list[Told],
    items: dict[str, ActivityRow],
    contacts: dict[str, ContactRow],
) -> None:
    """Add the records that erasures strike to those that the slice tells anew, with what is known of them."""
    for told, more in zip((said, recorded), await erasing.begin(desk, erasures), strict=True):
        newer = {one.record_id for one in told}
        told += [one for one in more if one.record_id not in newer]
    items |= await repository.load_activities(desk.conn, [one.record_id for one in said if one.record_id not in items])
    contacts |= await repository_words.load_contacts(desk.conn, [one.record_id for one in recorded if one.record_id not in contacts])


def _statements(told: Iterable[Told]) -> dict[bytes, Statement]:
    return {one.statement.digest: one.statement for one in told if one.statement is not None}


def _names_of_known_speakers(desk: Desk) -> set[int]:
    """Return the handles that a new statement shows as an account's own and that were known before.

    Where such a handle spoke for itself, it and its account count as one from now on: a value on both may no longer be over its limit.
    """
    found = set()
    for row, shown in desk.new.values():
        number_of = dict(zip(shown, row.links, strict=True))
        for link in row.saying.links:
            identifier: Identifier = link.identifier
            if link.rule == "account" and identifier not in desk.fresh:
                found.add(number_of[identifier])
    return found


async def _keep_acts(desk: Desk, slice_: Slice) -> None:
    """Give every identifier that people name its row, and keep what was done to it."""
    if not slice_.acts:
        return
    await meet_aliases(desk, {alias for act in slice_.acts for alias in act.aliases})
    for act in slice_.acts:  # people act one at a time
        await repository_words.insert_act(desk.conn, act, {desk.by_alias[alias].no for alias in act.aliases}, desk.version)


async def _apply_decisions(desk: Desk, said: list[Said]) -> None:
    if not said:
        return
    no_of = {alias: row.no for alias, row in desk.by_alias.items()}
    words = [
        Word(
            one.action_id,
            one.verb,
            no_of[one.a],
            no_of[one.b],
            tuple(no_of[each] for each in one.left),
            tuple(no_of[each] for each in one.right),
            one.at,
            one.actor,
        )
        for one in said
    ]
    await repository_words.insert_words(desk.conn, words)
    for word in words:
        desk.seeds |= word.named()


async def _keep_words(desk: Desk, slice_: Slice) -> set[str]:
    """Keep edits and consents; return the aliases of the identifiers they are about."""
    aliases = {alias for alias, _ in (*slice_.edits, *slice_.consents)}
    if aliases:
        await repository_words.insert_edits(desk.conn, [(desk.by_alias[alias].no, edit) for alias, edit in slice_.edits])
        await repository_words.insert_consents(desk.conn, [(desk.by_alias[alias].no, consent) for alias, consent in slice_.consents])
    return aliases


async def _note_words(desk: Desk, aliases: set[str]) -> None:
    """Note whose profiles the kept words may change: those who hold the identifiers now."""
    rows = await repository.load_identifiers_by_alias(desk.conn, sorted(aliases))
    holders = {row.customer_no for row in rows if row.customer_no is not None}
    await load_held(desk, holders)
    desk.rebuild |= holders


async def _keep_standings(desk: Desk, slice_: Slice) -> dict[str, StandingView]:
    """Keep the standings that say something new; return those by author key."""
    seen = desk.cache.standings
    unlike = {key: told for key, told in slice_.standings.items() if seen.get(key) != told[1]}
    if not unlike:
        return {}
    known = await repository_words.load_standings(desk.conn, unlike.keys())
    news = []
    for key, (version, standing) in unlike.items():
        was = known.get(key)
        if was is None or (version > was[0] and standing != was[1]):
            news.append((version, standing))
        seen[key] = standing if was is None or version > was[0] else was[1]
    if news:
        await repository_words.upsert_standings(desk.conn, news)
    return {standing.author_key: standing for _, standing in news}
