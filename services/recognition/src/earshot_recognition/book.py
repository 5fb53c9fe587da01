"""The accounts that a slice or a request looks at, as far as they have been loaded.

Owns what must be loaded to know who owns an author key and who stands apart. A process keeps one from slice to slice as long as nobody
else writes (`Transaction.undisturbed`), so that authors heard of lately cost no query.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final
from uuid import UUID

from earshot_recognition import repository, repository_acts
from earshot_recognition.domain.accounts import Accounts, may_be_handle
from earshot_recognition.domain.deeds import NO_DEEDS, Act, Deeds, fold_deeds

# Half a KiB each, 20 MiB in all. Dropped whole: the hundred round trips it saved are cheap to repeat.
MOST_KEYS: Final = 40_000


class Book(Accounts):
    """Accounts with the means to load them. What is asked about must have been handed to `know` before."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str] = set()
        self._acts: dict[str, dict[UUID, Act]] = {}  # by subject
        self.has_erasures: bool | None = None  # None: not looked yet

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
        self.note(await repository_acts.load_acts(conn, asked))

    def note(self, acts: Iterable[Act]) -> None:
        """Take in acts about authors who are known."""
        for act in acts:
            self._acts.setdefault(act.subject, {})[act.action_id] = act

    def forget_acts(self, subject: str) -> None:
        """Drop what was done about somebody."""
        self._acts.pop(subject, None)

    def deeds(self, owner: str) -> Deeds:
        """Return what people's acts about an account, under its own key or its handles, come to."""
        if not self._acts:  # nearly always, and this is asked for every standing
            return NO_DEEDS
        acts = self.acts_of(owner)
        return fold_deeds(acts) if acts else NO_DEEDS

    def acts_of(self, owner: str) -> list[Act]:
        """Return what was done about an account, under its own key or its handles."""
        return [act for key in (owner, *self.names_of(owner)) for act in self._acts.get(key, {}).values()]


async def names_of(conn: Any, keys: Collection[str]) -> dict[str, str]:
    """Return the name of each of these accounts, empty for those that have none."""
    book = await Book.load(conn, keys)
    return {key: account.name if (account := book.find(key)) is not None else "" for key in keys}
