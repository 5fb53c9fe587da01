"""The step of a fold that decides who may be written to, in the transaction that knows the consents.

Owns when that is decided, once for each wish, and when what was allowed is taken back. The law is ``domain.outreach``. While the view is
folded anew nothing is decided: less than all may be known of consents, so wishes wait until the replay is through.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from earshot_crm_sync import repository, repository_erasing, repository_outreach, repository_words
from earshot_crm_sync.desk import Desk
from earshot_crm_sync.domain.outreach import Ask, Reached, Reason, Verdict, decide_outreach, names_of, numbered, only
from earshot_crm_sync.domain.profile import forbids_anything, members_of
from earshot_crm_sync.meeting import load_held
from earshot_shared.outreach import OutreachDecided

_AT_ONCE: Final = 1_000  # wishes decided in one transaction; the rest in the next
_KEPT: Final = timedelta(days=180)  # twice as long as the topic: a wish that can come again is known


async def decide(desk: Desk, asks: Sequence[Ask], *, replaying: bool) -> None:
    """Decide on wishes, new ones and those that waited, and take back what this transaction forbids."""
    cache = desk.cache
    if asks:
        await repository_outreach.prune(desk.conn, desk.now - _KEPT)
        await repository_outreach.insert(desk.conn, asks)
        cache.outreach_waits = True
    if cache.outreach_open_until is not None and cache.outreach_open_until > desk.now and not replaying:
        await _take_back(desk)
    if cache.outreach_waits and not await repository_outreach.is_being_folded_anew(desk.conn):
        waiting = await repository_outreach.load_to_decide(desk.conn, _AT_ONCE)
        await _store(desk, await _judge(desk, waiting))
        cache.outreach_waits = len(waiting) == _AT_ONCE


async def _take_back(desk: Desk) -> None:
    """Forbid what was allowed to customers of whom a denial is known now, or who are forgotten."""
    suspects = set().union(*desk.erased.values())
    for no, held in desk.reshaped.items():
        if no not in desk.promoted and forbids_anything(held.profile):
            suspects.update(held.links)
    if suspects:
        again = await _judge(desk, await repository_outreach.load_open(desk.conn, suspects, desk.now))
        await _store(desk, [(ask, verdict) for ask, verdict in again if not verdict.allowed])


async def _judge(desk: Desk, asks: Sequence[Ask]) -> list[tuple[Ask, Verdict]]:
    found = await _find(desk, {ask.author for ask in asks})
    return [(ask, decide_outreach(ask, found[ask.author], desk.rules.outreach, desk.now)) for ask in asks]


async def _find(desk: Desk, authors: set[str]) -> dict[str, Reached | Reason]:
    """Return whom each author is, by alias, with what he and all that are he said; or why nobody is sure to be."""
    if not authors:
        return {}
    rows = {row.alias: row for row in await repository.load_identifiers_by_alias(desk.conn, sorted(authors))}
    erased = await repository_erasing.load_erased(desk.conn, sorted(authors))
    await load_held(desk, {row.customer_no for row in rows.values() if row.customer_no is not None})
    found: dict[str, Reached | Reason] = {}
    for author in authors:
        row = rows.get(author)
        if row is None or row.customer_no is None:
            shared = row is not None and row.shared
            found[author] = Reason.ERASED if author in erased else Reason.SHARED if shared else Reason.UNKNOWN
            continue
        held = desk.cache.customers[row.customer_no]
        members = members_of(held.profile)
        known = {number: each for one in held.spoken.values() for number, each in numbered(one.saying, one.links).items()}
        own = only(known, members)
        consents = [stored.consent(own[no]) for no, stored in await repository_words.load_consents(desk.conn, own)]
        found[author] = Reached(names_of(row.identifier, [one.saying for one in held.spoken.values()]), members, tuple(consents))
    return found


async def _store(desk: Desk, decided: Sequence[tuple[Ask, Verdict]]) -> None:
    if not decided:
        return
    rules = desk.rules.outreach
    ends = [ask.requested_at + rules.valid_for for ask, _ in decided]
    await repository_outreach.decide(desk.conn, decided, ends)
    for (ask, verdict), end in zip(decided, ends, strict=True):
        if verdict.allowed:
            desk.cache.outreach_open_until = max(end, desk.cache.outreach_open_until or end)
        desk.decided.append(
            OutreachDecided(
                outreach_id=ask.outreach_id,
                allowed=verdict.allowed,
                reason=verdict.reason.value,
                purpose=ask.purpose,
                template=ask.template,
                brand=ask.brand,
                rule=rules.unasked(ask.purpose).value,
                rules_version=rules.version,
                consents=verdict.consents,
                at=desk.now,
                valid_until=end,
                version=desk.version,
            )
        )
