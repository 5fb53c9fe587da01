"""What an installation sets for triage."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from earshot_shared.settings import ServiceSettings


class TriageSettings(ServiceSettings):
    """The settings of triage (`EARSHOT_TRIAGE_…`)."""

    service: ClassVar[str] = "triage"

    port: Annotated[int, Field(ge=0, le=65535)] = 8002
    """The port the service listens on; 0 takes a free one."""
    model_dir: Path | None = None
    """A folder with labels, corrections or weights of your own, as `earshot triage train --model-dir` writes it; looked at again every
    second, and used as soon as it is whole.
    """
    semantic: bool = False
    """Whether texts whose label of your own is unsure are looked at again by MiniLM: some milliseconds each, 130 MB of memory. Needs the
    extra `semantic`, and labels taught with `earshot triage train --semantic`.
    """
