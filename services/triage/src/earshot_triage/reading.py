"""What the HTTP side reads: cases, questions and figures, as views ready to be told.

Owns the reading queries and the shapes of answers (contract §10). Changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from earshot_shared.access.keys import Principal
from earshot_shared.item import Visibility, decode_item
from earshot_triage import repository
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.domain.message import Stance
from earshot_triage.events import CaseChanged, case_body, shown
from earshot_triage.repository import QUERIES, Held, Thread, load_known, load_threads, thread_of


class HistoryEntry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing a person did about a case."""

    action_id: str
    verb: str
    actor: str
    """The person, or the key where it named none."""
    key_id: str
    at: datetime
    text: str | None = None
    assignee: str | None = None
    team: str | None = None
    priority: int | None = None
    reason: str | None = None
    feedback_id: str | None = None
    """The reply that was made, or the item that was corrected."""
    other: str | None = None
    """The case that was merged into this one, by its own id."""
    intent: str | None = None
    conduct: str | None = None
    routes: tuple[str, ...] | None = None


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """When what was due and when it happened; ``overdue`` as of the answer."""

    opened_at: datetime
    first_response_due_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    overdue: bool
    calendar: str | None
    """The business calendar whose hours count; None: all time does."""
    rung: int
    """The last rung of its ladder of escalation that was told; 0: none."""
    next_rung_at: datetime | None
    """When the next rung comes unless somebody answers, resolves or acknowledges before; None: none will."""


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was given before."""

    case_id: str
    feedback_id: str
    answered_at: datetime
    excerpt: str


class CaseView(CaseChanged, frozen=True, kw_only=True):
    """A case with everything about it."""

    clocks: Clocks
    history: tuple[HistoryEntry, ...]
    suggested_articles: tuple[Article, ...]
    """Answers that were given in cases like this one."""
    suggested_people: tuple[str, ...]
    """Author keys of those who spoke in cases like this one without having opened them."""


class CaseLine(msgspec.Struct, frozen=True, kw_only=True):
    """A case as lists show it: without its messages."""

    case_id: str
    stance: str
    status: str
    team: str | None
    priority: int
    assignee: str | None
    brand: str | None
    channel: str
    author_key: str
    intent: str
    opened_at: datetime
    first_response_at: datetime | None
    first_response_due_at: datetime
    resolved_at: datetime | None
    version: int
    message_count: int
    private: bool


class ListedCase(CaseLine, frozen=True, kw_only=True):
    """A case in a list of cases, with the beginning of the message that opened it."""

    excerpt: str


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """First responses of one key; ``target_s`` is None where its cases have different targets."""

    key: str
    cases: int
    answered: int
    median_first_response_s: float | None
    p90_first_response_s: float | None
    within_target: float
    target_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a list of cases is limited to; None asks nothing. ``brands``: those the key may see."""

    team: str | None = None
    status: str | None = None
    priority: int | None = None
    assignee: str | None = None
    brand: str | None = None
    stance: Stance | None = None
    overdue: bool | None = None
    q: str | None = None
    brands: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an id leads to: the item whose own id it is, and its thread when that has a message."""

    held: Held
    thread: Thread | None

    @property
    def case(self) -> Thread | None:
        """The thread, when it has a case."""
        return self.thread if self.thread is not None and self.thread.state.has_case else None


class _Words(msgspec.Struct, gc=False):
    text: str = ""


class _Opening(_Words, gc=False):
    feedback_id: str = ""


EXCERPT = 200
_words = msgspec.json.Decoder(_Words)
_tail = msgspec.json.Decoder(list[_Opening])


def _fields(body: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.__struct_fields__}


async def find(conn: Any, case_id: str) -> Found | None:
    """Return what a case's id of any time leads to now; None for an id that never was one."""
    held = (await load_known(conn, [case_id])).get(case_id)
    if held is None:
        return None
    return Found(held, (await load_threads(conn, [held.label])).get(held.label))


async def messages_of(conn: Any, label: str) -> list[Held]:
    """Return every item of one thread, withdrawn ones included."""
    return await repository.load_members(conn, [label])


async def acts_of(conn: Any, label: str, messages: Sequence[Held]) -> list[Act]:
    """Return what people did about one thread, in order."""
    nodes = await repository.load_nodes_of(conn, [label])
    return await repository.load_acts(conn, [*nodes, *(held.key for held in messages)])


async def visibility_of(conn: Any, key: str) -> Visibility:
    """Return the visibility of an item we hold."""
    return decode_item((await repository.load_items(conn, [key]))[key].item).visibility


async def list_cases(conn: Any, wanted: CaseFilter, *, after: tuple[datetime, str] | None, limit: int, now: datetime) -> list[ListedCase]:
    """Return up to ``limit`` cases, newest first, after a place in that order."""
    rows = await conn.fetch(
        QUERIES["list_cases"],
        wanted.team,
        wanted.status,
        wanted.priority,
        wanted.assignee,
        wanted.brand,
        wanted.stance,
        wanted.overdue,
        now,
        None if wanted.brands is None else list(wanted.brands),
        after[0] if after else None,
        after[1] if after else None,
        None if wanted.q is None else f"%{_like(wanted.q)}%",
        limit,
    )
    return await listed(conn, [thread_of(row) for row in rows])


async def listed(conn: Any, threads: Sequence[Thread]) -> list[ListedCase]:
    """Return cases as lists show them. The opening message is among the latest ones of most; of long threads it is looked up."""
    opening: dict[str, str] = {}
    for thread in threads:
        for each in _tail.decode(thread.tail_json):
            if each.feedback_id == thread.state.opening[1]:
                opening[thread.state.label] = each.text
    stored = await repository.load_items(conn, [thread.state.label for thread in threads if thread.state.label not in opening])
    opening |= {key: _words.decode(each.item).text for key, each in stored.items()}
    return [ListedCase(**_fields(line(thread)), excerpt=excerpt(opening.get(thread.state.label, ""))) for thread in threads]


def excerpt(text: str) -> str:
    """Return the beginning of a text, on one line."""
    words = " ".join(text[: 4 * EXCERPT].split())
    return words if len(words) <= EXCERPT else f"{words[: EXCERPT - 1].rstrip()}…"


async def list_questions(
    conn: Any, *, unanswered: bool, brands: Sequence[str] | None, after: tuple[datetime, str] | None, limit: int
) -> list[ListedCase]:
    """Return up to ``limit`` cases that ask something, oldest first."""
    rows = await conn.fetch(
        QUERIES["list_questions"],
        unanswered,
        None if brands is None else list(brands),
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return await listed(conn, [thread_of(row) for row in rows])


async def case_view(conn: Any, thread: Thread, *, now: datetime, articles: Sequence[Article], people: Sequence[str]) -> CaseView:
    """Return a case with all its messages and all that was done about it."""
    state, due_at = thread.state, thread.due_at
    messages = await messages_of(conn, state.label)
    erased = {held.key for held in messages if held.message.erased}
    named = {held.key: held.message.feedback_id for held in messages}
    stored = await repository.load_items(conn, [held.key for held in messages])
    present = sorted((held.message for held in messages if not held.message.withdrawn), key=lambda message: message.order)
    told = b"[%b]" % b",".join(shown(message, _words.decode(stored[message.key].item).text) for message in present)
    acts = await acts_of(conn, state.label, messages)
    body = case_body(state, due_at=due_at, tail=told, version=thread.version)
    waits = state.first_response is None and state.resolved_at is None
    overdue = waits and due_at < now
    row = await conn.fetchrow(QUERIES["read_clocks"], state.label)
    clocks = Clocks(
        opened_at=state.opening[0],
        first_response_due_at=due_at,
        first_response_at=state.first_response_at,
        resolved_at=state.resolved_at,
        overdue=overdue,
        calendar=row["calendar"],
        rung=row["rung"] or 0,
        next_rung_at=row["climb_at"] if waits else None,
    )
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    return CaseView(
        **fields,
        clocks=clocks,
        history=tuple(_entry(act, erased, named.get(act.subject)) for act in acts),
        suggested_articles=tuple(articles),
        suggested_people=tuple(people),
    )


async def service_levels(
    conn: Any,
    *,
    by: str,
    opened_from: datetime | None,
    opened_to: datetime | None,
    stance: Stance | None,
    brands: Sequence[str] | None,
    after: str | None,
    limit: int,
) -> list[ServiceLevel]:
    """Return first-response figures by brand, channel or team, in the order of keys."""
    rows = await conn.fetch(
        QUERIES["service_levels"], by, opened_from, opened_to, stance, None if brands is None else list(brands), after, limit
    )
    return [
        ServiceLevel(
            key=row["key"],
            cases=row["cases"],
            answered=row["answered"],
            median_first_response_s=_seconds(row["median"]),
            p90_first_response_s=_seconds(row["p90"]),
            within_target=row["in_time"] / row["cases"],
            target_s=row["least_target"] if row["least_target"] == row["most_target"] else None,
        )
        for row in rows
    ]


async def counts(conn: Any) -> dict[str, Any]:
    """Return the exact counts: items applied, cases, and items by route."""
    found = {row["name"]: row["n"] for row in await conn.fetch(QUERIES["read_counts"])}
    routes = {name.removeprefix("route "): n for name, n in sorted(found.items()) if name.startswith("route ")}
    return {"feedback": found.get("feedback", 0), "cases": found.get("cases", 0), "by_route": routes}


def line(thread: Thread) -> CaseLine:
    """Return a case without its messages."""
    body = case_body(thread.state, due_at=thread.due_at, tail=b"[]", version=thread.version)
    return CaseLine(**{name: getattr(body, name) for name in CaseLine.__struct_fields__})


def may_see(principal: Principal, brand: str | None) -> bool:
    """Say whether a key may see what belongs to a brand; one that is bound to brands sees nothing without a brand."""
    return principal.brands is None or (brand is not None and principal.may_brand(brand))


def _entry(act: Act, erased: set[str], corrected: str | None) -> HistoryEntry:
    return HistoryEntry(
        action_id=act.action_id,
        verb=act.verb.value,
        actor=act.actor,
        key_id=act.key_id,
        at=act.at,
        text=None if act.subject in erased else act.text,
        assignee=act.assignee,
        team=act.team,
        priority=act.priority,
        reason=act.reason,
        feedback_id=corrected if act.verb is Verb.CORRECT else act.reply,
        other=act.other,
        intent=act.intent,
        conduct=act.conduct,
        routes=act.routes,
    )


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6


def _like(text: str) -> str:
    """Return text with what `like` reads as a sign made plain."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
