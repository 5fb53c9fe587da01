"""What an installation sets of crm-sync by environment."""

from typing import Annotated, ClassVar

from pydantic import Field

from earshot_shared.settings import ServiceSettings


class CrmSyncSettings(ServiceSettings):
    """crm-sync's own settings; the common ones stand in the base class."""

    service: ClassVar[str] = "crm-sync"

    port: Annotated[int, Field(ge=0, le=65535)] = 8004
    """The port the service listens on; 0 takes a free one."""
