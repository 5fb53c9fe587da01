"""What an installation sets of recognition by environment."""

from typing import Annotated, ClassVar

from pydantic import Field

from earshot_shared.settings import ServiceSettings


class RecognitionSettings(ServiceSettings):
    """Recognition's own settings; the common ones stand in the base class."""

    service: ClassVar[str] = "recognition"

    port: Annotated[int, Field(ge=0, le=65535)] = 8003
    """The port the service listens on; 0 takes a free one."""
