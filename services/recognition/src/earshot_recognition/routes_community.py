"""The reading routes about advocates, thank-yous and the network.

Thin: queries are in ``repository_acts``, what acts come to in ``domain.deeds``, clusters and connectors in ``domain.network``.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from earshot_recognition import repository_acts
from earshot_recognition.book import Book, names_of
from earshot_recognition.domain.deeds import ADVOCACY, Stage
from earshot_recognition.domain.network import Network, find_network
from earshot_recognition.views import Advocate, ThankYou, advocate_view, thank_you_view
from earshot_shared.http.auth import require
from earshot_shared.http.paging import DEFAULT_LIMIT, CursorText, Limit
from earshot_shared.postgres import translated
from earshot_shared.service import Parts

_READ = Depends(require("recognition:read", every_brand=True))
# The strongest ties tell who belongs together; this many take a second of one core, in a thread.
_MOST_TIES: Final = 20_000
_NETWORK_KEPT_S: Final = 60.0
_MEMBERS_SHOWN: Final = 20


class AdvocateList(BaseModel):
    """A page of advocates, by author key."""

    items: list[Advocate]
    next_cursor: str | None


class ThankYouList(BaseModel):
    """A page of thank-yous, by author key."""

    items: list[ThankYou]
    next_cursor: str | None


class Person(BaseModel):
    """Somebody in the network."""

    author_key: str
    name: str


class ClusterShown(BaseModel):
    """People who help one another: how many, how often, and those with the most ties."""

    size: int
    times: int
    members: list[Person]


class ConnectorShown(Person):
    """Somebody who connects clusters: how many beside the own, and how often help went across."""

    clusters: int
    times: int


class NetworkShown(BaseModel):
    """A page of who helps whom: the largest clusters and the widest connectors first. Made anew at most once a minute."""

    clusters: list[ClusterShown]
    connectors: list[ConnectorShown]
    next_cursor: str | None


class CommunityRoutes:
    """What is read of the community."""

    def __init__(self, parts: Parts) -> None:
        self._pool = parts.runtime.pool
        self._cursors = parts.cursors
        self._network: tuple[float, Network] | None = None
        self._drawing = asyncio.Lock()

    def router(self) -> APIRouter:
        """Return the router."""
        router = APIRouter(prefix="/v1", dependencies=[_READ])
        router.add_api_route("/advocates", self.advocates, methods=["GET"], summary="Advocates and those on the way")
        router.add_api_route("/thank-yous", self.thank_yous, methods=["GET"], summary="Whom there is cause to thank")
        router.add_api_route("/network", self.network, methods=["GET"], summary="Who helps whom: clusters and connectors")
        return router

    async def advocates(
        self, stage: Annotated[Stage | None, Query()] = None, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
    ) -> AdvocateList:
        filters = {"stage": stage.value if stage is not None else ""}
        (after,) = self._cursors.read("advocates", filters, cursor, length=1) or [""]
        found: list[tuple[str, Advocate]] = []  # by the key that the acts name: pages follow those
        with translated():
            async with self._pool.acquire() as conn:
                while len(found) <= limit and (keys := await repository_acts.page_of_subjects(conn, ADVOCACY, str(after), limit + 1)):
                    found += _advocates(keys, await Book.load(conn, keys), stage)
                    after = keys[-1]
        following = self._cursors.issue("advocates", filters, [found[limit - 1][0]]) if len(found) > limit else None
        return AdvocateList(items=[advocate for _, advocate in found[:limit]], next_cursor=following)

    async def thank_yous(
        self, done: Annotated[bool, Query()] = False, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None
    ) -> ThankYouList:
        filters = {"done": str(done)}
        after = self._cursors.read("thank-yous", filters, cursor, length=2) or ["", ""]
        place = (str(after[0]), str(after[1]))
        items: list[ThankYou] = []
        with translated():
            async with self._pool.acquire() as conn:
                while len(items) <= limit and (rows := await repository_acts.page_of_thank_yous(conn, place, limit + 1)):
                    book = await Book.load(conn, {key for _, key, _ in rows})
                    shown = [thank_you_view(each, book.whole(book.account(key)), cause, book) for each, key, cause in rows]
                    items += [each for each in shown if (each.done is not None) == done]
                    place = rows[-1][1:]
        page = items[:limit]
        following = self._cursors.issue("thank-yous", filters, [page[-1].author_key, page[-1].cause]) if len(items) > limit else None
        return ThankYouList(items=page, next_cursor=following)

    async def network(self, limit: Limit = DEFAULT_LIMIT, cursor: CursorText = None) -> NetworkShown:
        found = await self._draw()
        rows = list(zip_longest(found.clusters, found.connectors))
        page, following = self._cursors.page_of("network", rows, limit, cursor)
        clusters = [cluster for cluster, _ in page if cluster is not None]
        connectors = [connector for _, connector in page if connector is not None]
        keys = {key for cluster in clusters for key in cluster.members[:_MEMBERS_SHOWN]} | {each.author_key for each in connectors}
        with translated():
            async with self._pool.acquire() as conn:
                names = await names_of(conn, keys)
        return NetworkShown(
            clusters=[
                ClusterShown(
                    size=len(each.members),
                    times=each.times,
                    members=[Person(author_key=key, name=names[key]) for key in each.members[:_MEMBERS_SHOWN]],
                )
                for each in clusters
            ],
            connectors=[
                ConnectorShown(author_key=each.author_key, name=names[each.author_key], clusters=each.clusters, times=each.times)
                for each in connectors
            ],
            next_cursor=following,
        )

    async def _draw(self) -> Network:
        """Return the network, drawn in a thread and kept for a minute."""
        async with self._drawing:
            if self._network is None or time.monotonic() - self._network[0] > _NETWORK_KEPT_S:
                with translated():
                    async with self._pool.acquire() as conn:
                        ties = await repository_acts.load_ties(conn, _MOST_TIES)
                self._network = (time.monotonic(), await asyncio.to_thread(find_network, ties))
            return self._network[1]


def _advocates(subjects: Iterable[str], book: Book, stage: Stage | None) -> Iterator[tuple[str, Advocate]]:
    """Yield the advocates that acts name so; one whom they name by handle and by account is yielded once, by the account."""
    for subject in subjects:
        owner = book.owner(subject)
        account = book.find(owner)
        if account is None or any(act.verb in ADVOCACY and owner == act.subject != subject for act in book.acts_of(owner)):
            continue
        found = book.deeds(owner).stage
        if found is not None and stage in (None, found) and not _named_before(subject, owner, book):
            yield subject, advocate_view(account, book)


def _named_before(subject: str, owner: str, book: Book) -> bool:
    """Say whether another handle of the same account, earlier in order, is named by such acts too."""
    return any(act.verb in ADVOCACY and act.subject < subject for act in book.acts_of(owner) if owner != subject)
