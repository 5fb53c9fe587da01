"""What an installation sets for ingest."""

from typing import Annotated, ClassVar

from pydantic import Field

from earshot_shared.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """The settings of ingest (`EARSHOT_INGEST_…`)."""

    service: ClassVar[str] = "ingest"

    port: Annotated[int, Field(ge=0, le=65535)] = 8001
    """The port the service listens on; 0 takes a free one."""
