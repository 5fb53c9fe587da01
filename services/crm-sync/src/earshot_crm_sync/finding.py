"""Finding a customer by any id it ever had.

Owns what an id that leads nowhere is answered.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from earshot_crm_sync import repository_read
from earshot_crm_sync.rows import Held
from earshot_shared.http.problems import GoneError, NotFoundError


async def find(conn: Any, customer_id: UUID) -> Held:
    """Return the customer that an id leads to now.

    Raises: NotFoundError for an id that never was; GoneError for one that nobody holds any more.
    """
    return await find_first(conn, [str(customer_id)])


async def find_first(conn: Any, aliases: Sequence[str]) -> Held:
    """Return the customer that the first of some ids leads to which leads anywhere.

    Raises: as `find`.
    """
    found = {row.alias: row.customer_no for row in await repository_read.find_identifiers(conn, aliases)}
    if not found:
        raise NotFoundError("No customer ever had that id.", code="customer-unknown")
    for alias in aliases:
        if (number := found.get(alias)) is not None and (held := await repository_read.read_held(conn, number)) is not None:
            return held
    raise GoneError("Nothing is left of that customer: all that named it was withdrawn or erased.", code="customer-gone")
