"""The accounts that a slice or a request looks at, as far as they have been loaded.

Owns what must be loaded to know who owns an author key and who stands apart. A process keeps one from slice to slice as long as nobody
else writes (`Transaction.undisturbed`), so that authors heard of lately cost no query.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from earshot_recognition import repository
from earshot_recognition.domain.accounts import Accounts, may_be_handle

# Half a KiB each, 20 MiB in all. Dropped whole: the hundred round trips it saved are cheap to repeat.
MOST_KEYS: Final = 40_000


class Book(Accounts):
    """Accounts with the means to load them. What is asked about must have been handed to `know` before."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()

    @classmethod
    async def load(cls, conn: Any, keys: Collection[str]) -> "Book":
        """Return a new book of these author keys."""
        book = cls()
        await book.know(conn, keys)
        return book

    @property
    def is_full(self) -> bool:
        """Whether it is time to begin a new one."""
        return len(self._known) > MOST_KEYS

    async def know(self, conn: Any, keys: Iterable[str]) -> None:
        """Load all that `owner` and `excluded` need of these keys: an account with its handles, a handle with its one account."""
        asked: set[str] = set()
        while frontier := set(keys) - self._known:
            self._known |= frontier
            asked |= frontier
            pairs = await repository.load_pairs(conn, [key for key in frontier if may_be_handle(key)], frontier)
            for handle, account in pairs:
                self.pair(handle, account)
            # A handle that several accounts show is nobody's: there is no need to know them.
            keys = {handle for handle, _ in pairs} | {owner for handle, _ in pairs if (owner := self.bound_to(handle)) is not None}
        self.accounts |= await repository.load_accounts(conn, asked)
