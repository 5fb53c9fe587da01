"""What an installation sets of the console by environment."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from earshot_shared.settings import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """The console's own settings; the common ones stand in the base class."""

    service: ClassVar[str] = "console"

    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port the page is served on; 0 takes a free one."""
    login_token: SecretStr | None = None
    """A one-time token: whoever opens `/?token=…` with it first gets a session with all scopes."""
    session_hours: Annotated[float, Field(gt=0, le=720)] = 12.0
    """How long a browser's session lasts."""
    secure_cookies: bool = False
    """Whether session cookies are sent over HTTPS only; set it where a proxy in front of the console speaks HTTPS."""
    max_streams: Annotated[int, Field(ge=1)] = 500
    """Streams served at once; more are answered 503."""
    ingest_url: str = "http://127.0.0.1:8001"
    """Where ingest answers."""
    triage_url: str = "http://127.0.0.1:8002"
    """Where triage answers."""
    recognition_url: str = "http://127.0.0.1:8003"
    """Where recognition answers."""
    crm_sync_url: str = "http://127.0.0.1:8004"
    """Where crm-sync answers."""
