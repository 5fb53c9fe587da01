"""What one process remembers of the store between its slices, as long as nobody else writes.

Owns the working copies and their number. They are changed in place while a slice is applied: after a failure, or when somebody else
wrote, everything must be dropped (`clear`).
"""

from typing import Final

from earshot_crm_sync.repository import Held, StatementRow, Totals

# A customer with one statement takes some 2 KiB here: 64 MiB in all.
MOST_CUSTOMERS: Final = 30_000


class Cache:
    """Statements by digest and customers by number; whole customers come and go together."""

    def __init__(self, most: int = MOST_CUSTOMERS) -> None:
        self._most = most
        self.totals: Totals | None = None
        self.statements: dict[bytes, StatementRow] = {}
        self.customers: dict[int, Held] = {}
        self.standings: dict[str, bytes] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.totals = None
        self.statements.clear()
        self.customers.clear()
        self.standings.clear()

    def put(self, held: Held) -> None:
        """Remember a customer."""
        self.customers[held.no] = held
        for row in held.spoken.values():
            row.customer_no = held.no
            self.statements[row.digest] = row

    def drop(self, customer_no: int) -> None:
        """Forget one customer."""
        held = self.customers.pop(customer_no, None)
        if held is not None:
            for row in held.spoken.values():
                if row.customer_no == customer_no:
                    self.statements.pop(row.digest, None)

    def shrink(self) -> None:
        """Forget those that were remembered longest ago, down to the limit; called between slices."""
        while len(self.customers) > self._most:
            self.drop(next(iter(self.customers)))
        if len(self.standings) > self._most:
            self.standings.clear()
