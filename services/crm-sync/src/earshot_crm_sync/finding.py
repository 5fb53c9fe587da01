"""Finding a customer by any id it ever had.

Owns what an id that leads nowhere is answered.
"""

from typing import Any
from uuid import UUID

from earshot_crm_sync import repository_read
from earshot_crm_sync.rows import Held
from earshot_shared.http.problems import GoneError, NotFoundError


async def find(conn: Any, customer_id: UUID) -> Held:
    """Return the customer that an id leads to now.

    Raises: NotFoundError for an id that never was; GoneError for one that nobody holds any more.
    """
    found = await repository_read.find_identifier(conn, str(customer_id))
    if found is None:
        raise NotFoundError("No customer ever had that id.", code="customer-unknown")
    held = None if found.customer_no is None else await repository_read.read_held(conn, found.customer_no)
    if held is None:
        raise GoneError("Nothing is left of that customer: all that named it was withdrawn or erased.", code="customer-gone")
    return held
