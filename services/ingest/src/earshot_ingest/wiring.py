"""How the parts of ingest hang together: runtime, group, intake, routes.

Owns the order of making them, for the command and for tests alike.
"""

from collections.abc import Mapping

from earshot_ingest.app import make_app
from earshot_ingest.config import SourceConfig, SourcesConfig
from earshot_ingest.door import Intake
from earshot_ingest.erasing import Forgotten, Sweeper
from earshot_ingest.group import GroupCommit
from earshot_ingest.registry import SourceRegistry, read_kept
from earshot_ingest.settings import IngestSettings
from earshot_ingest.stage import OUTPUTS, IngestStage
from earshot_shared.access import Secret
from earshot_shared.config import ConfigFile
from earshot_shared.http.door import Door
from earshot_shared.identifiers import ALIAS_PURPOSE
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.serve import Task
from earshot_shared.service import Parts


class Wiring:
    """Makes each part of one ingest process once, in the order in which `earshot_shared.service` asks for them."""

    def __init__(self, settings: IngestSettings) -> None:
        self.settings = settings
        self._forgotten: Forgotten | None = None
        self._group: GroupCommit | None = None
        self._registry: SourceRegistry | None = None
        self._kept: dict[str, SourceConfig] = {}

    async def open_runtime(self, ground: Ground, secret: Secret) -> Runtime:
        """Return the runtime, with nothing running yet."""
        self._forgotten = forgotten = Forgotten(secret.key(ALIAS_PURPOSE))
        runtime = await Runtime.open(ground, stage=lambda _pool: IngestStage(forgotten), outputs=OUTPUTS)
        self._kept = await read_kept(runtime.pool)  # before the first request: a source's rights must not depend on when it asks
        return runtime

    def forgotten(self) -> Forgotten:
        """Return who asked to be forgotten; it is known once the runtime is open."""
        assert self._forgotten is not None, "the runtime is opened first"
        return self._forgotten

    def group(self, runtime: Runtime) -> GroupCommit:
        """Return the one queue before the pen."""
        if self._group is None:
            self._group = GroupCommit(runtime.writer, self.forgotten())
        return self._group

    def registry(self, parts: Parts) -> SourceRegistry:
        """Return the one registry of sources."""
        if self._registry is None:
            file = ConfigFile(self.settings.config_dir, "sources", SourcesConfig).counted_in(parts.metrics)
            self._registry = SourceRegistry(file, parts.runtime.pool, self._kept)
        return self._registry

    def more_tasks(self, parts: Parts) -> Mapping[str, Task]:
        """Return what runs beside the loop and the relay."""
        runtime = parts.runtime
        sweeper = Sweeper(runtime.writer, self.forgotten(), wanted=lambda: runtime.relay.holds_lease)
        return {"group": self.group(runtime).run, "sources": self.registry(parts).watch, "erasures": sweeper.run}

    def build_app(self, parts: Parts) -> Door:
        """Return the routes."""
        group, registry = self.group(parts.runtime), self.registry(parts)
        intake = Intake(group, book=registry.book, mail_secret=parts.secret.key("mail"))
        return make_app(parts, group=group, intake=intake, registry=registry, forgotten=self.forgotten())
