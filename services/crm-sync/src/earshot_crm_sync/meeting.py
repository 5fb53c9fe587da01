"""The first step of a fold: every statement and identifier of a slice gets its row.

Owns loading known ones into the cache, and numbering new ones. A statement whose identifiers nobody knew founds a customer at once.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from earshot_crm_sync import repository, repository_words
from earshot_crm_sync.desk import Desk
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.domain.components import earliest
from earshot_crm_sync.domain.profile import Sketch, Words, build_profile
from earshot_crm_sync.domain.statements import Statement, Tally, shown_by
from earshot_crm_sync.identity import Identifier
from earshot_crm_sync.rows import Held, IdentifierRow, StatementRow, held_of


async def meet(desk: Desk, wanted: Mapping[bytes, Statement], left: Collection[int]) -> None:
    """Bring into the cache the statements by digest, and by number those from which a record is taken."""
    cache = desk.cache
    missing = [digest for digest in wanted if digest not in cache.statements]
    rows = await repository.load_statements_by_digest(desk.conn, missing) if missing else []
    found = {row.no for row in rows}
    if away := {no for no in left if no not in cache.by_number and no not in found}:
        rows += await repository.load_statements(desk.conn, away)
    await load_held(desk, {row.customer_no for row in rows if row.customer_no is not None})
    for row in rows:
        if row.digest not in cache.statements:  # its speaker may have a customer, but this is not among what speaks of him now
            row.customer_no = None
            cache.add(row)
    strangers = [statement for digest, statement in wanted.items() if digest not in cache.statements]
    if strangers:
        await _introduce(desk, strangers)


async def load_held(desk: Desk, numbers: Iterable[int]) -> None:
    """Bring customers into the cache, each with all statements that speak of him."""
    missing = {no for no in numbers if no not in desk.cache.customers}  # a set less a dictionary's keys looks at each of the thousands
    if not missing:
        return
    stored = await repository.load_customers(desk.conn, missing)
    rows = await repository.load_statements(desk.conn, {no for customer in stored for no in customer.statements})
    spoken = {row.no: desk.cache.statements.get(row.digest, row) for row in rows}
    for customer in stored:
        desk.cache.put(held_of(customer, [spoken[no] for no in customer.statements]))


async def meet_aliases(desk: Desk, aliases: Collection[str]) -> None:
    """Bring the identifiers that people name by alias; one that no record has shown yet gets a nameless row."""
    missing = sorted(set(aliases) - desk.by_alias.keys())
    for row in await repository.load_identifiers_by_alias(desk.conn, missing):
        desk.by_alias[row.alias] = row
    nameless = []
    for alias in missing:
        if alias not in desk.by_alias:
            row = IdentifierRow(desk.totals.next_identifier, alias, Identifier("", ""))
            desk.totals.next_identifier += 1
            desk.by_alias[alias] = row
            nameless.append(row)
    if nameless:
        await repository.insert_identifiers(desk.conn, nameless)


async def _introduce(desk: Desk, strangers: Sequence[Statement]) -> None:
    """Give numbers to statements that the store does not know, and to the identifiers they bring."""
    sayings = [statement.saying for statement in strangers]
    shown_of = [shown_by(saying) for saying in sayings]
    uses = Counter(each for shown in shown_of for each in shown)
    await _number(desk, uses)
    founders = []
    is_blocked = desk.rules.identity.is_blocked
    for statement, saying, shown in zip(strangers, sayings, shown_of, strict=True):
        links = tuple(desk.identifiers[each].no for each in shown)
        number, digest, author = desk.totals.next_statement, statement.digest, statement.author_key
        row = StatementRow(number, digest, links, statement.packed, author, Tally(), None, desk.version, saying)
        desk.totals.next_statement += 1
        desk.new[row.no] = (row, shown)
        desk.cache.add(row)
        if all(each in desk.fresh and uses[each] == 1 and not is_blocked(each) for each in shown):
            founders.append((row, shown))
        else:
            desk.seeds.update(links)
    await _found(desk, founders)


async def _number(desk: Desk, wanted: Iterable[Identifier]) -> None:
    """Load the rows of identifiers, or make them."""
    aliases = {each: alias_of(each, desk.key) for each in wanted}
    stored = {row.alias: row for row in await repository.load_identifiers_by_alias(desk.conn, list(aliases.values()))}
    named = []
    for each, alias in aliases.items():
        row = stored.get(alias)
        if row is None:
            row = IdentifierRow(desk.totals.next_identifier, alias, each)
            desk.totals.next_identifier += 1
            desk.fresh.add(each)
        elif not row.identifier.kind:
            row.identifier = each
            named.append(row)
        desk.identifiers[each] = desk.by_alias[alias] = row
    told_of = await repository.load_told_of(desk.conn, [desk.identifiers[each].alias for each in desk.fresh])
    for each in desk.fresh:
        desk.identifiers[each].published = desk.identifiers[each].alias in told_of
    if named:
        await repository.name_identifiers(desk.conn, named)


async def _found(desk: Desk, founders: Sequence[tuple[StatementRow, Sequence[Identifier]]]) -> None:
    """Make customers of statements whose identifiers nobody knew: no judgement could say otherwise."""
    if not founders:
        return
    keys = {row.author_key for row, _ in founders if row.author_key}
    standings = await repository_words.load_standings(desk.conn, keys) if keys else {}
    for row, shown in founders:
        members = frozenset(shown)
        anchor = desk.identifiers[earliest(members, [row])]
        for each in shown:
            held_one = desk.identifiers[each]
            held_one.customer_no = anchor.no
            if held_one.published and held_one is not anchor:  # told of before a replay by other rules
                desk.moved[held_one.alias] = anchor.alias
        desk.totals.identifiers += len(shown)
        standing = standings.get(row.author_key)
        words = Words(standings=[standing[1]] if standing else [])
        profile = build_profile(Sketch(anchor.alias, members, alone=True), [row], words, desk.rules.survivorship)
        held = Held(anchor.no, profile, {row.no: row}, desk.version, 0)
        desk.cache.put(held)
        desk.founded[anchor.no] = held
    await repository.tell_of(desk.conn, {held.profile.customer_id for held in desk.founded.values()})
