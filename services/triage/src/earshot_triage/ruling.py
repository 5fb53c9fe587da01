"""Putting rules over HTTP, and trying them on the past first.

Owns the one transaction of a put, and the dry run. What rules mean is the domain's; which hold is the rule book's.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import ValidationError

from earshot_shared.access.keys import Principal
from earshot_shared.actions import Actor, new_action
from earshot_shared.config import faults_of
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer, ConflictError, ForbiddenError
from earshot_shared.http.strict import invalid_of
from earshot_shared.item import Item, decode_item
from earshot_shared.pipeline.writer import Transaction, Writer
from earshot_shared.postgres import Pool, translated
from earshot_triage import wide_acts
from earshot_triage.config import TriageConfig
from earshot_triage.decisions import Judging, Ruling, model_version, words_of
from earshot_triage.domain.acts import Act, Verb
from earshot_triage.events import ACTIONS, SERVICE, Decision
from earshot_triage.repository import QUERIES, load_acts
from earshot_triage.rulebook import RuleBook, Rulebook, written

COMPARED = ("intent", "conduct", "severity", "topics", "routes", "stance", "needs_person")
PAGE = 500
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A person's wish that these rules hold; None: those of the file. ``replaces`` is the version they looked at."""

    rules: TriageConfig | None
    replaces: str | None
    reason: str | None
    principal: Principal
    actor: Actor
    ticket: Ticket | None
    traceparent: str | None


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One past item that other rules would decide otherwise: what differs, before and after, and the reasons after."""

    feedback_id: str
    excerpt: str
    before: dict[str, Any]
    after: dict[str, Any]
    reasons: tuple[str, ...]


class Rehearsal(msgspec.Struct, kw_only=True):
    """A dry run. ``complete``: every item of the time was tried; else an even sample of ``tried``."""

    before_version: str
    after_version: str
    model_version: str
    tried: int = 0
    changed: int = 0
    complete: bool = True
    by_field: dict[str, int] = {}
    items: list[Changed] = []


def parse_rules(document: object, *place: str) -> TriageConfig:
    """Return rules as sent.

    Raises: InvalidError that names each fault by its place in the body.
    """
    try:
        return TriageConfig.model_validate(document)
    except ValidationError as error:
        raise invalid_of([{**one, "loc": ("body", *place, *one["loc"])} for one in faults_of(error)]) from None


class RulesDesk:
    """Puts rules in force."""

    def __init__(self, writer: Writer, book: RuleBook, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._writer = writer
        self._book = book
        self._clock = clock
        self._new_id = new_id

    async def put(self, wish: Put) -> Answer:
        """Do it, once; this process uses them at once, the others within seconds.

        Raises: ForbiddenError for a key bound to brands; ConflictError when others hold than those that are to be replaced.
        """
        if wish.principal.brands is not None:
            raise ForbiddenError("Rules hold for all brands: a key that is bound to some cannot put them.", code="brand-bound")
        async with self._writer.transaction() as tx:
            answer = await once(tx.conn, wish.ticket, lambda: self._put(tx, wish))
        with translated():
            await self._book.look_up(self._writer.pool)
        return answer

    async def _put(self, tx: Transaction, wish: Put) -> Answer:
        await self._book.look_up(tx.conn)
        held = self._book.current.version
        if wish.replaces is not None and wish.replaces != held:
            raise ConflictError(f"Version {held} of the rules holds, not {wish.replaces}: read them again.", code="rules-changed")
        put = None if wish.rules is None else self._book.named(wish.rules)
        document = msgspec.Raw(b"null") if put is None else msgspec.Raw(_encoder.encode(written(put.model)))
        action = new_action(
            action_id=self._new_id(),
            service=SERVICE,
            actor=wish.actor,
            verb=wide_acts.PUT_RULES,
            subject=wide_acts.RULES_SUBJECT,
            at=self._clock(),
            arguments=wide_acts.PutRules(version=put.version if put else None, document=document, reason=wish.reason),
        )
        await wide_acts.keep(tx.conn, [wide_acts.read(action)])
        tx.tell_facts([ACTIONS.write(action, traceparent=wish.traceparent)])
        said = {
            "action_id": str(action.action_id),
            "version": put.version if put else self._book.from_file.version,
            "replaced": held,
            "source": "http" if put else "file",
            "rules": written(put.model) if put else written(self._book.from_file.model),
        }
        return Answer(body=_encoder.encode(said))


async def rehearse(
    pool: Pool,
    judge: Judging,
    before: Rulebook,
    after: Rulebook,
    *,
    since: datetime | None,
    most: int,
    shown: int,
    brands: Collection[str] | None,
) -> Rehearsal:
    """Decide past items, heard at ``since`` or later, by both rules, keeping nothing, and return where they differ.

    Items come in the order of their keys, which is none: of more than ``most`` those that are tried are an even sample.
    """
    found = Rehearsal(before_version=before.version, after_version=after.version, model_version=model_version(judge))
    rulings = [Ruling(each.model.rules(each.version), each.model.words()) for each in (before, after)]
    counts: Counter[str] = Counter()
    last = None
    while True:
        with translated():
            rows = await pool.fetch(QUERIES["page_items"], last, PAGE)
            acts = await load_acts(pool, [row["key"] for row in rows]) if rows else []
        if not rows:
            break
        last = rows[-1]["key"]
        heard = [(str(row["key"]), decode_item(row["item"])) for row in rows]
        wanted = [(key, item) for key, item in heard if _wanted(item, since, brands)][: most - found.tried]
        for change in await asyncio.to_thread(_compare, judge, rulings, wanted, _corrections(acts)):
            found.changed += 1
            counts.update(change.after.keys())
            if len(found.items) < shown:
                found.items.append(change)
        found.tried += len(wanted)
        if found.tried >= most:
            found.complete = False
            break
    found.by_field = dict(sorted(counts.items()))
    return found


def _wanted(item: Item, since: datetime | None, brands: Collection[str] | None) -> bool:
    if item.withdrawn or item.erased or (since is not None and item.received_at < since):
        return False
    return brands is None or item.brand in brands


def _corrections(acts: Sequence[Act]) -> dict[str, list[Act]]:
    said: dict[str, list[Act]] = {}
    for act in acts:
        if act.verb is Verb.CORRECT:
            said.setdefault(act.subject, []).append(act)
    return said


def _compare(
    judge: Judging, rulings: Sequence[Ruling], items: Sequence[tuple[str, Item]], corrections: Mapping[str, Sequence[Act]]
) -> list[Changed]:
    judged = judge.judge([words_of(item) for _, item in items], explain=False, languages=[item.language for _, item in items])
    version = model_version(judge)
    found = []
    for (key, item), each in zip(items, judged, strict=True):
        before, after = (ruling.decision(item, each, version, corrections.get(key, ())) for ruling in rulings)
        fields = [name for name in COMPARED if getattr(before, name) != getattr(after, name)]
        if fields:
            found.append(
                Changed(
                    feedback_id=item.feedback_id,
                    excerpt=words_of(item)[:200],
                    before=_part(before, fields),
                    after=_part(after, fields),
                    reasons=after.reasons,
                )
            )
    return found


def _part(decision: Decision, fields: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in fields}
