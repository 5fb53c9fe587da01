"""The routes of crm-sync that read: customers, their timelines, why they are one, whose an item is, figures.

Thin: parameters are checked here, queries are in ``repository``, who is who is decided in ``domain`` and ``identity``.
"""

import functools
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from earshot_crm_sync import repository, repository_read
from earshot_crm_sync.answers import CUSTOMER, EXPORT, HISTORY, SUGGESTION
from earshot_crm_sync.desk import Rules
from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.domain.lookup import identifiers_meant
from earshot_crm_sync.domain.timeline import Connector, Owner, TimelineEntry
from earshot_crm_sync.finding import find
from earshot_crm_sync.people import People
from earshot_crm_sync.repository_read import NO_ID, Place
from earshot_crm_sync.routes_people import WriteRoutes
from earshot_crm_sync.rows import CustomerRow, FoundSuggestion, Held
from earshot_crm_sync.stage import ID_PURPOSE, CrmSync, view_of
from earshot_crm_sync.taking_contacts import ContactDoor
from earshot_crm_sync.why import Why, explain
from earshot_shared.administration.routes import administration
from earshot_shared.envelope import rfc3339
from earshot_shared.http.app import create_app
from earshot_shared.http.auth import require
from earshot_shared.http.door import Door
from earshot_shared.http.etags import etag
from earshot_shared.http.paging import DEFAULT_LIMIT, CursorText, Limit
from earshot_shared.http.problems import GoneError, InvalidError, NotFoundError
from earshot_shared.http.rules import PathRule
from earshot_shared.http.shapes import NUMBER, answers, page_of, shape, stats_of
from earshot_shared.http.times import parse_time
from earshot_shared.postgres import translated
from earshot_shared.service import Parts

_READ = Depends(require("crm-sync:read", every_brand=True))
_LONGEST_SEARCH = 200
CONTACTS_LIMIT_BYTES = 5 * 1024 * 1024
_MOST_MEANT: Final = 1000  # a text names a few identifiers, and each has one holder
_LIST: Final = "customers by id"  # a cursor from before they came so is refused
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_json = msgspec.json.Encoder()


def create_crm_sync_app(
    parts: Parts, rules: Callable[[], Rules], stage: CrmSync, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Door:
    """Return the ASGI application."""
    key, writer = parts.secret.key(ID_PURPOSE), parts.runtime.writer
    people = People(writer, stage, rules, key=key, clock=clock, new_id=uuid4)
    contacts = ContactDoor(writer, stage, key=key, clock=clock)
    return create_app(
        parts.settings,
        title="Earshot crm-sync",
        summary="One view of every customer, and why it is one.",
        routers=[ReadRoutes(parts, rules).router(), WriteRoutes(people, contacts).router(), *administration(parts)],
        rules={"/v1/contacts": PathRule(body_limit_bytes=CONTACTS_LIMIT_BYTES)},
        authenticate=parts.keyring,
        health=parts.health,
        metrics=parts.metrics,
    )


class ReadRoutes:
    """What can be read; every answer is of one moment."""

    def __init__(self, parts: Parts, rules: Callable[[], Rules]) -> None:
        self._pool = parts.runtime.pool
        self._runtime = parts.runtime
        self._cursors = parts.cursors
        self._key = parts.secret.key(ID_PURPOSE)
        self._rules = rules

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1", dependencies=[_READ])
        add = functools.partial(router.add_api_route, methods=["GET"])
        one = "/customers/{customer_id}"
        add("/customers", self.customers, summary="Customers, all or by words or by identifier", responses=answers(page_of(CUSTOMER)))
        add(one, self.customer, summary="One customer, by any id it ever had", responses=answers(CUSTOMER))
        add(
            f"{one}/timeline",
            self.timeline,
            summary="What a customer said on all channels, newest first",
            responses=answers(page_of(shape(TimelineEntry))),
        )
        add(f"{one}/why", self.why, summary="Each identifier and the evidence that ties it", responses=answers(shape(Why)))
        add(f"{one}/history", self.history, summary="Who did what to a customer, and what became of ids", responses=answers(HISTORY))
        add(f"{one}/export", self.export, summary="Everything that is held of a customer", responses=answers(EXPORT))
        add(
            "/merge-suggestions",
            self.suggestions,
            summary="Customers that may be one, the likeliest first",
            responses=answers(page_of(SUGGESTION)),
        )
        add("/feedback/{feedback_id}", self.feedback, summary="Whose an item is", responses=answers(shape(Owner)))
        add(
            "/connectors",
            self.connectors,
            summary="The systems whose records have been taken in",
            responses=answers(page_of(shape(Connector))),
        )
        counts = stats_of(feedback=NUMBER, customers=NUMBER, identifiers=NUMBER, contacts=NUMBER)
        add("/stats", self.stats, summary="Exact counts", responses=answers(counts))
        return router

    @asynccontextmanager
    async def _moment(self) -> AsyncIterator[Any]:
        """Give a connection whose queries all see one moment."""
        with translated():
            async with self._pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
                yield conn

    async def customers(
        self,
        q: str | None = Query(None, max_length=_LONGEST_SEARCH, description="Words that names, handles or addresses begin with."),
        identifier: str | None = Query(None, max_length=1024, description="An author key, mail, phone or record id, exactly."),
        merged: bool = Query(False, description="Only those of whom several accounts or records speak, the last met first."),
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorText = None,
    ) -> Response:
        q, identifier = q or None, identifier or None  # `?q=&identifier=` asks for nothing
        if merged and (q is not None or identifier is not None):
            raise InvalidError("Ask for merged customers without q and identifier.", code="invalid")
        filters = {"q": q, "identifier": identifier, "merged": merged or None}
        after = self._cursors.read(_LIST, filters, cursor, length=2)
        place = (int(after[0] or 0), str(after[1])) if after else (0, NO_ID)
        async with self._moment() as conn:
            if merged:
                found = [_first_ranked(row) for row in await repository_read.page_of_merged(conn, place[1], limit + 1)]
            else:
                found = await self._page(conn, q, identifier, place, limit + 1)
            held = await repository_read.hold_all(conn, [row for _, row in found[:limit]])
        following = self._cursors.issue(_LIST, filters, found[limit - 1][0]) if len(found) > limit else None
        return _told({"items": [view_of(each) for each in held], "next_cursor": following})

    async def _page(self, conn: Any, q: str | None, identifier: str | None, place: Place, limit: int) -> list[tuple[Place, CustomerRow]]:
        if q is None and identifier is None:
            return [_first_ranked(row) for row in await repository_read.page_of_customers(conn, place[1], limit)]
        meant = await self._meant(conn, q if identifier is None else identifier)
        if q is not None and identifier is not None:
            named = {row.no for row in await self._meant(conn, q)} | await repository_read.with_words(conn, [row.no for row in meant], q)
            meant = [row for row in meant if row.no in named]
        exact = [_first_ranked(row) for row in meant]
        page = [each for each in exact if each[0] > place]
        if q is None or identifier is not None or len(page) >= limit:
            return page[:limit]
        but = {row.no for row in meant}
        return page + await repository_read.search_customers(conn, q, place, limit - len(page), but=but)

    async def _meant(self, conn: Any, text: str | None) -> list[CustomerRow]:
        """Return the customers known by this text: by the identifiers it may name, or by an id."""
        named = text or ""
        aliases = [str(UUID(named.strip()))] if _UUID.fullmatch(named.strip()) else []
        aliases += [alias_of(each, self._key) for each in identifiers_meant(named)]
        return await repository_read.customers_by_alias(conn, aliases, _MOST_MEANT) if aliases else []

    async def customer(self, customer_id: UUID) -> Response:
        async with self._moment() as conn:
            held = await find(conn, customer_id)
        return _told(view_of(held), version=held.version)

    async def timeline(self, customer_id: UUID, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> Response:
        filters = {"customer": str(customer_id)}
        after = self._cursors.read("timeline", filters, cursor, length=2)
        before = (parse_time(str(after[0])), str(after[1])) if after else None
        async with self._moment() as conn:
            held = await find(conn, customer_id)
            entries = await repository_read.read_timeline(conn, list(held.spoken), before, limit + 1)
        page = entries[:limit]
        following = None
        if len(entries) > limit:
            following = self._cursors.issue("timeline", filters, [rfc3339(page[-1].occurred_at), page[-1].feedback_id])
        return _told({"items": page, "next_cursor": following})

    async def why(self, customer_id: UUID) -> Response:
        async with self._moment() as conn:
            held = await find(conn, customer_id)
            answer = await explain(conn, held, self._rules().identity)
        return _told(answer, version=held.version)

    async def history(self, customer_id: UUID) -> Response:
        async with self._moment() as conn:
            held = await find(conn, customer_id)
            told = await self._history(conn, held)
        return _told(told, version=held.version)

    async def _history(self, conn: Any, held: Held) -> dict[str, object]:
        links = held.links
        aliases = [row.alias for row in await repository.load_identifiers(conn, links)]
        return {
            "customer_id": held.profile.customer_id,
            "acts": await repository_read.list_acts(conn, links, 0),
            "moves": await repository_read.list_moves(conn, aliases),
        }

    async def export(self, customer_id: UUID) -> Response:
        async with self._moment() as conn:
            held = await find(conn, customer_id)
            body = {
                "customer": view_of(held),
                "timeline": await repository_read.read_timeline(conn, list(held.spoken), None, None),
                "contacts": await repository_read.contacts_of(conn, held.spoken),
                "why": await explain(conn, held, self._rules().identity),
                "history": await self._history(conn, held),
            }
        return _told(body, version=held.version)

    async def suggestions(self, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> Response:
        after = self._cursors.read("merge-suggestions", {}, cursor, length=2)
        place = (float(after[0] or 0), str(after[1])) if after else None
        async with self._moment() as conn:
            found = await repository_read.page_of_suggestions(conn, place, limit + 1)
            held = await repository_read.read_held_of(conn, {no for each in found[:limit] for no in (each.a, each.b)})
            items = [_suggestion(each, held) for each in found[:limit]]
        following = None
        if len(found) > limit:
            last = found[limit - 1]
            following = self._cursors.issue("merge-suggestions", {}, [last.why.weight, last.suggestion_id])
        return _told({"items": items, "next_cursor": following})

    async def feedback(self, feedback_id: UUID) -> Response:
        with translated():  # one query is of one moment by itself
            owner = await repository_read.whose_is_it(self._pool, str(feedback_id))
        if owner is None:
            raise NotFoundError("No item of that id has been heard.", code="feedback-unknown")
        if owner.customer_id is None:
            raise GoneError("The item was withdrawn or erased: it is nobody's.", code="feedback-gone")
        return _told(owner)

    async def connectors(self, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> Response:
        async with self._moment() as conn:
            page, following = self._cursors.page_of("connectors", await repository_read.count_contacts(conn), limit, cursor)
        return _told({"items": page, "next_cursor": following})

    async def stats(self) -> Response:
        async with self._moment() as conn:
            totals = await repository.load_totals(conn)
        counts = {
            "feedback": totals.feedback,
            "customers": totals.customers,
            "identifiers": totals.identifiers,
            "contacts": totals.contacts,
        }
        return _told({**counts, **await self._runtime.stats()})


def _suggestion(found: FoundSuggestion, held: Mapping[int, Held]) -> dict[str, object]:
    return {
        "suggestion_id": found.suggestion_id,
        "weight": found.why.weight,
        "reasons": found.why.reasons,
        "refused": found.why.refused,
        "evidence_id": found.why.evidence_id,
        "rules_version": found.why.rules_version,
        "customers": [view_of(held[no]) for no in (found.a, found.b) if no in held],
    }


def _first_ranked(row: CustomerRow) -> tuple[Place, CustomerRow]:
    return (0, row.profile.customer_id), row


def _told(body: object, *, version: int | None = None) -> Response:
    headers = {} if version is None else {"etag": etag(version)}
    return Response(_json.encode(body), media_type="application/json", headers=headers)
