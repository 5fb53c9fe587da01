"""What people do about themes: say what becomes of one, make two one, part one.

Owns the one transaction of each, and whom it is told to: everybody behind a theme gets to know what became of it, if they consent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from earshot_shared import ids
from earshot_shared.access.keys import Principal
from earshot_shared.actions import Action, Actor, new_action
from earshot_shared.envelope import EventWriter, rfc3339
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ConflictError, InvalidError, NotFoundError
from earshot_shared.outreach import OutreachRequested
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.topics import Topic
from earshot_triage import reading, themes_reading, wide_acts
from earshot_triage.events import ACTIONS, SERVICE
from earshot_triage.repository import QUERIES
from earshot_triage.themes_reading import ThemeLine
from earshot_triage.wide_acts import MergeTheme, SetThemeStatus, SplitTheme

OUTREACH = EventWriter(Topic.OUTREACH_REQUESTED, SERVICE)
PURPOSE = "feedback-outcome"
_encoder = msgspec.json.Encoder()


class Themed(ThemeLine, frozen=True, kw_only=True):
    """The answer to an act: the theme after it, the act's id, and how many are to be told."""

    action_id: str
    told: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A person's wish about the theme of an item."""

    feedback_id: str
    verb: str
    said: SetThemeStatus | MergeTheme | SplitTheme
    principal: Principal
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


class ThemesDesk:
    """Carries out what people ask for."""

    def __init__(self, writer: Writer, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._writer = writer
        self._clock = clock
        self._new_id = new_id

    async def act(self, wish: Wish) -> Answer:
        """Do it, once, and return the theme after it.

        Raises: NotFoundError, ConflictError, InvalidError; then nothing has happened.
        """
        async with self._writer.transaction() as tx:
            return await once(tx.conn, wish.ticket, lambda: self._act(tx, wish))

    async def _act(self, tx: Transaction, wish: Wish) -> Answer:
        await tx.conn.fetchrow(QUERIES["lock_gathering"])  # so that themes stand still meanwhile
        theme = await _find(tx.conn, wish.principal, wish.feedback_id)
        before = await themes_reading.theme_view(tx.conn, theme)
        assert before is not None, "a theme that holds an item"
        await _check(tx.conn, wish, theme)
        action = new_action(
            action_id=self._new_id(),
            service=SERVICE,
            actor=wish.actor,
            verb=wish.verb,
            subject=before.theme_id,
            at=self._clock(),
            arguments=wish.said,
        )
        await wide_acts.keep(tx.conn, [wide_acts.read(action)])
        tx.tell_facts([ACTIONS.write(action, traceparent=wish.traceparent)])
        told = 0
        if isinstance(wish.said, SetThemeStatus) and wish.said.status not in ("open", before.status):
            told = await _tell(tx, theme, before, action, wish.said.status)
        found = await themes_reading.theme_of(tx.conn, wish.feedback_id)
        after = None if found is None else await themes_reading.theme_view(tx.conn, found[0])
        assert after is not None, "its items are still there"
        fields = {name: getattr(after, name) for name in ThemeLine.__struct_fields__}
        return Answer(body=_encoder.encode(Themed(**fields, action_id=str(action.action_id), told=told)))


async def _find(conn: Any, principal: Principal, feedback_id: str) -> str:
    """Return the theme that holds an item.

    Raises: NotFoundError.
    """
    found = await themes_reading.theme_of(conn, feedback_id)
    if found is None or not reading.may_see(principal, found[1]):
        raise NotFoundError("No theme holds an item of this id.")
    return found[0]


async def _check(conn: Any, wish: Wish, theme: str) -> None:
    match wish.said:
        case MergeTheme(other=other):
            if await _find(conn, wish.principal, other) == theme:
                raise ConflictError("These are one theme already.", code="already-one")
        case SplitTheme(items=items):
            strange = [each for each in items if await _find(conn, wish.principal, each) != theme]
            if strange:
                raise InvalidError(f"The item {strange[0]} is not of this theme.", code="item-elsewhere")
        case SetThemeStatus():
            pass


async def _tell(tx: Transaction, theme: str, before: ThemeLine, action: Action, status: str) -> int:
    """Ask for everybody behind a theme to be told; return how many they are."""
    time = rfc3339(action.at)
    rows = await tx.conn.fetch(QUERIES["supporters_of_theme"], theme)
    for row in rows:
        outreach_id = ids.uuid5_text(action.action_id.bytes, row["author_key"])
        body = OutreachRequested(
            outreach_id=outreach_id,
            author_key=row["author_key"],
            brand=before.brand,
            purpose=PURPOSE,
            template=f"theme-{status}",
            cause=before.theme_id,
        )
        tx.send([OUTREACH.write(outreach_id, outreach_id, body, time=time)])
    return len(rows)
