"""Group commit: requests that arrive together share one transaction, and each is answered when that one is durable.

Owns the queue before the pen. What a transaction does with the items is `acceptance`'s.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from earshot_ingest.acceptance import Submission, accept
from earshot_ingest.erasing import Forgotten
from earshot_shared.errors import EarshotError, RetryableError
from earshot_shared.http.idempotency import Ticket, once
from earshot_shared.http.problems import Answer
from earshot_shared.pipeline.writer import Writer

_log = logging.getLogger(__name__)

GROUP_ITEMS: Final = 4_000  # a group this large commits in some 50 ms; more would only delay the first of it
MOST_WAITING: Final = 40_000  # items; beyond it the door says "busy", instead of growing until somebody kills it
# After a group of several, wait this long for the next ones: under load it halves the price of a single post.
LINGER_S: Final = 0.003


class BusyError(RetryableError):
    """More is waiting to be stored than we want to hold; the same request will succeed in a moment."""

    code = "busy"


@dataclass(slots=True)
class _Waiting:
    submission: Submission
    answer: "asyncio.Future[list[bool]]"


class GroupCommit:
    """The queue of one process and the task that empties it."""

    def __init__(self, writer: Writer, forgotten: Forgotten) -> None:
        self._writer = writer
        self._forgotten = forgotten
        self._waiting: list[_Waiting] = []
        self._waiting_items = 0
        self._wake = asyncio.Event()
        self._refused: dict[str, int] = {}

    def note_refused(self, source: str, count: int) -> None:
        """Count refusals with the next group: nobody waits for that."""
        self._refused[source] = self._refused.get(source, 0) + count
        self._wake.set()

    async def settle(self) -> None:
        """Return once everything that was handed in before is stored."""
        await self.submit(Submission([]))

    async def submit(self, submission: Submission) -> list[bool]:
        """Return, once it is durable, for each item whether it was new.

        Raises: BusyError when too much waits; what the transaction raised.
        """
        if self._waiting_items + len(submission.items) > MOST_WAITING and self._waiting:
            raise BusyError("More arrives than can be stored at the moment: send it again shortly.", retry_after_s=1)
        waiting = _Waiting(submission, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_items += len(submission.items)
        self._wake.set()
        return await waiting.answer

    async def alone(self, submission: Submission, ticket: Ticket, tell: Callable[[list[bool]], Answer]) -> Answer:
        """Store one submission in a transaction of its own, with the answer, or give the answer that is kept from the first time.

        Raises: MismatchError for the same key with another request; what the transaction raised.
        """
        async with self._writer.transaction() as tx:

            async def work() -> Answer:
                return tell((await accept(tx, await self._forgotten.admit(tx, [submission])))[0])

            return await once(tx.conn, ticket, work)

    async def run(self) -> None:
        """Commit group after group until cancelled."""
        several = False
        try:
            while True:
                await self._wake.wait()
                if several:
                    await asyncio.sleep(LINGER_S)
                group = self._take()
                several = len(group) > 1
                await self._commit(group)
        finally:
            for waiting in self._waiting:
                _fail(waiting, RetryableError("The service is stopping: send it again shortly.", code="stopping"))

    def _take(self) -> list[_Waiting]:
        """Take the oldest submissions, up to `GROUP_ITEMS` items, at least one."""
        size = taken = 0
        for waiting in self._waiting:
            if taken and size + len(waiting.submission.items) > GROUP_ITEMS:
                break
            size += len(waiting.submission.items)
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if self._refused:
            refused, self._refused = self._refused, {}
            group.append(_Waiting(Submission([], refused), asyncio.get_running_loop().create_future()))
        self._waiting_items -= size
        if not self._waiting:
            self._wake.clear()
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        """Commit a group; when it fails by itself (not for want of Postgres), each submission alone, so that one harms no other."""
        try:
            answers = await self._store([waiting.submission for waiting in group])
        except RetryableError as error:
            for waiting in group:
                _fail(waiting, error)
        except asyncio.CancelledError:
            for waiting in group:
                _fail(waiting, RetryableError("The service is stopping: send it again shortly.", code="stopping"))
            raise
        except Exception as error:  # noqa: BLE001  # the supervisor of the door: a fault of one submission must not stop it
            if len(group) == 1:
                if not isinstance(error, EarshotError):
                    _log.error("a submission failed", exc_info=error, extra={"action": "submission_failed"})
                _fail(group[0], error)
                return
            for waiting in group:
                await self._commit([waiting])
        else:
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.answer.done():  # the client may have gone
                    waiting.answer.set_result(answer)

    async def _store(self, submissions: Sequence[Submission]) -> list[list[bool]]:
        async with self._writer.transaction() as tx:
            return await accept(tx, await self._forgotten.admit(tx, submissions))


def _fail(waiting: _Waiting, error: Exception) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        waiting.answer.set_exception(error)
        waiting.answer.exception()  # a client that has gone does not fetch it, which is no fault to report
