"""What one process remembers of the store between its slices, as long as nobody else writes.

Owns the working copies and their number. They are changed in place while a slice is applied: after a failure, or when somebody else
wrote, everything must be dropped (`clear`).
"""

from datetime import datetime
from typing import Final

from earshot_crm_sync.domain.profile import StandingView
from earshot_crm_sync.rows import Held, StatementRow, Totals

# A statement takes some 2 KiB here with its share of its customer: 18 MiB in all.
MOST_STATEMENTS: Final = 9_000


class Cache:
    """Statements by digest and by number, customers by number; whole customers come and go together."""

    def __init__(self, most: int = MOST_STATEMENTS) -> None:
        self._most = most
        self.totals: Totals | None = None
        self.statements: dict[bytes, StatementRow] = {}
        self.by_number: dict[int, StatementRow] = {}
        self.by_author: dict[str, StatementRow] = {}  # one statement of each author key: all of them speak of one customer
        self.customers: dict[int, Held] = {}
        self.standings: dict[str, StandingView] = {}
        self.has_erasures = False
        self.outreach_waits = False  # something is to be decided
        self.outreach_open_until: datetime | None = None  # something that was allowed may still be sent
        self.erased_until: dict[bytes, datetime | None] = {}  # by digest of the statement

    def clear(self) -> None:
        """Forget everything."""
        self.totals = None
        self.statements.clear()
        self.by_number.clear()
        self.by_author.clear()
        self.customers.clear()
        self.standings.clear()
        self.erased_until.clear()

    def add(self, row: StatementRow) -> None:
        """Remember a statement."""
        self.statements[row.digest] = self.by_number[row.no] = row
        if row.author_key:
            self.by_author[row.author_key] = row

    def remove(self, row: StatementRow) -> None:
        """Forget a statement."""
        self.statements.pop(row.digest, None)
        self.by_number.pop(row.no, None)
        if self.by_author.get(row.author_key) is row:
            del self.by_author[row.author_key]

    def put(self, held: Held) -> None:
        """Remember a customer with his statements."""
        self.customers[held.no] = held
        for row in held.spoken.values():
            row.customer_no = held.no
            self.add(row)

    def use(self, held: Held) -> None:
        """Remember a customer longer than those who are not used."""
        self.customers[held.no] = self.customers.pop(held.no)

    def drop(self, customer_no: int) -> None:
        """Forget one customer with his statements."""
        held = self.customers.pop(customer_no, None)
        if held is not None:
            for row in held.spoken.values():
                if row.customer_no == customer_no:
                    self.remove(row)

    def shrink(self) -> None:
        """Forget those who were used longest ago, down to the limit; called between slices."""
        while len(self.statements) > self._most and self.customers:
            self.drop(next(iter(self.customers)))
        for remembered in (self.standings, self.erased_until):
            if len(remembered) > self._most:
                remembered.clear()
