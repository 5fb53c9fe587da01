"""The second step of a fold: records are written, and the tallies of what they say are brought up to them.

Owns what the move of a tally may change: nothing but counters, the last word on a field, or who is who.
"""

from collections.abc import Mapping, Sequence

from earshot_crm_sync import repository, repository_words
from earshot_crm_sync.desk import Desk, Told
from earshot_crm_sync.rows import ActivityRow, ContactRow, Held, NewActivity, StatementRow
from earshot_shared.postgres import in_turns


async def write_items(desk: Desk, applied: Sequence[Told], known: Mapping[str, ActivityRow]) -> None:
    """Write items, new and revised."""
    statements = desk.cache.statements
    fresh: list[NewActivity] = []
    revised: list[NewActivity] = []
    for one in applied:
        number = None if one.statement is None else statements[one.statement.digest].no
        heard_at = None if one.heard_at == one.occurred_at else one.heard_at
        activity = NewActivity(one.record_id, one.revision, number, one.occurred_at, heard_at, one.kept)
        (revised if one.record_id in known else fresh).append(activity)
    if fresh:
        await repository.insert_activities(desk.conn, fresh)
        desk.totals.feedback += len(fresh)
    if revised:
        await repository.update_activities(desk.conn, revised)


async def write_records(
    desk: Desk, said: Sequence[Told], recorded: Sequence[Told], items: Mapping[str, ActivityRow], contacts: Mapping[str, ContactRow]
) -> None:
    """Write items and records of other systems, new and revised, and the identifiers that they show for the first time."""
    if said:
        await write_items(desk, said, items)
    if recorded:
        await write_contacts(desk, recorded, contacts)
    if desk.fresh:
        await repository.insert_identifiers(desk.conn, [row for each, row in desk.identifiers.items() if each in desk.fresh])


async def write_contacts(desk: Desk, applied: Sequence[Told], known: Mapping[str, ContactRow]) -> None:
    """Write records of other systems, new and revised."""
    statements = desk.cache.statements
    rows = [
        ContactRow(
            one.record_id,
            one.connector,
            one.external_id,
            one.revision,
            None if one.statement is None else statements[one.statement.digest].no,
            one.occurred_at,
            one.kept,
        )
        for one in applied
    ]
    await repository_words.upsert_contacts(desk.conn, rows)
    desk.totals.contacts += sum(one.record_id not in known for one in applied)


async def count(desk: Desk, applied: Sequence[Told], known: Mapping[str, ActivityRow]) -> set[int]:
    """Add records to tallies; return the numbers of statements from which one was taken, to be recounted."""
    taken: set[int] = set()
    async for one in in_turns(applied):
        row = None if one.statement is None else desk.cache.statements[one.statement.digest]
        was = known.get(one.record_id)
        if was is None or was.statement_no is None:
            if row is not None:
                _add(desk, row, one)
        elif row is None or was.statement_no != row.no:
            taken.add(was.statement_no)
            if row is not None:
                _add(desk, row, one)
        elif (was.occurred_at, was.heard_at) != (one.occurred_at, one.heard_at):
            taken.add(row.no)
    return taken


def _add(desk: Desk, row: StatementRow, one: Told) -> None:
    earlier, later = row.tally.add(one.occurred_at, one.heard_at, one.record_id)
    if earlier:
        desk.moved_first.add(row.no)
    held = _touch(desk, row)
    if held is None:
        desk.seeds.update(row.links)
        return
    if row.is_item:
        held.feedback_count += 1
    profile = held.profile
    if (earlier and not profile.alone) or (profile.watched and row.no in profile.watched):
        desk.seeds.update(row.links)
    elif later and row.no not in profile.settled:
        desk.heard.setdefault(held.no, {})[row.no] = row


def _touch(desk: Desk, row: StatementRow) -> Held | None:
    """Note that a statement's tally changed, and with it the customer, who is returned when there is one."""
    row.version = desk.version
    if row.no not in desk.new:
        desk.touched[row.no] = row
    held = desk.held_of(row)
    if held is not None:
        held.version = desk.version
        if held.no not in desk.changed:
            desk.changed[held.no] = held
            desk.cache.use(held)
    return held


async def recount(desk: Desk, taken: set[int]) -> None:
    """Work out anew the tallies from which a record was taken; the records must be written."""
    found = await repository.recount_statements(desk.conn, taken)
    for row in [desk.cache.by_number[no] for no in sorted(taken)]:
        if (tally := found.get(row.no)) is None:
            row.tally.count = 0
        else:
            row.tally = tally
        desk.moved_first.add(row.no)
        held = _touch(desk, row)
        if held is not None:
            held.count_feedback()
            if row.tally.count and held.profile.alone:
                continue
        desk.seeds.update(row.links)
        desk.loosened.update(row.links)


async def store_tallies(desk: Desk) -> None:
    """Write the tallies of known statements that changed."""
    usual: list[StatementRow] = []
    rest: list[StatementRow] = []
    for row in desk.touched.values():
        plain = row.no not in desk.moved_first and row.tally.heard_at == row.tally.last_at
        (usual if plain else rest).append(row)
    if usual:
        await repository.advance_tallies(desk.conn, usual, desk.version)
    if rest:
        await repository.update_tallies(desk.conn, rest, desk.version)
