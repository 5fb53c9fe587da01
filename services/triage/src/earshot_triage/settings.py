"""What an installation sets for triage."""

from typing import Annotated, ClassVar

from pydantic import Field

from earshot_shared.settings import ServiceSettings


class TriageSettings(ServiceSettings):
    """The settings of triage (`EARSHOT_TRIAGE_…`)."""

    service: ClassVar[str] = "triage"

    port: Annotated[int, Field(ge=0, le=65535)] = 8002
    """The port the service listens on; 0 takes a free one."""
