"""How the parts of triage hang together: rules, judge, stage, runtime, routes.

Owns the order of making them, for the command and for tests alike.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from earshot_shared.access import Secret
from earshot_shared.http.door import Door
from earshot_shared.runtime import Ground, Runtime
from earshot_shared.serve import Task
from earshot_shared.service import Parts
from earshot_triage.app import make_app
from earshot_triage.decisions import Judging
from earshot_triage.gatherer import Gatherer
from earshot_triage.judgement.semantic import Encoder
from earshot_triage.modelbook import ModelBook, load_judge
from earshot_triage.rulebook import RuleBook
from earshot_triage.settings import TriageSettings
from earshot_triage.stage import OUTPUTS, SLICE_RECORDS, YIELDS, TriageStage
from earshot_triage.watching import Watchman


def now() -> datetime:
    """Return the time: the one clock of the service."""
    return datetime.now(UTC)


class Wiring:
    """Makes each part of one triage process once, in the order in which `earshot_shared.service` asks for them."""

    def __init__(self, settings: TriageSettings, *, judge: Judging | None = None, clock: Callable[[], datetime] = now) -> None:
        self.settings = settings
        self._clock = clock
        encoder = Encoder.load() if settings.semantic else None
        self.book = RuleBook(settings.config_dir, judge or load_judge(settings.model_dir, encoder))
        self.models = ModelBook(settings.model_dir, self.book.decider, encoder) if settings.model_dir is not None else None
        self.stage = TriageStage(self.book.decider, clock)

    async def open_runtime(self, ground: Ground, secret: Secret) -> Runtime:  # noqa: ARG002  # only the routes need the secret
        """Return the runtime, with nothing running yet."""
        return await Runtime.open(ground, stage=lambda _pool: self.stage, outputs=OUTPUTS, yields=YIELDS, slice_records=SLICE_RECORDS)

    def more_tasks(self, parts: Parts) -> Mapping[str, Task]:
        """Return what runs beside the loop and the relay."""
        tasks: dict[str, Task] = {
            "rules": lambda: self.book.follow(parts.runtime.pool),
            "watchman": Watchman(parts.runtime.writer, self._clock, lambda: self.book.decider.rules).run,
            "gatherer": self.gatherer(parts.runtime).run,
        }
        if self.models is not None:
            tasks["models"] = self.models.follow
        return tasks

    def gatherer(self, runtime: Runtime) -> Gatherer:
        """Return what gathers themes: in the process that holds the relay's lease, and less while more than a slice waits to be folded."""
        loop = runtime.loop
        return Gatherer(
            runtime.pool,
            lambda: self.book.decider.judge,
            wanted=lambda: runtime.relay.holds_lease,
            busy=lambda: loop is not None and loop.state.lag > SLICE_RECORDS,
        )

    def build_app(self, parts: Parts) -> Door:
        """Return the routes."""
        self.book.count_in(parts.metrics)
        return make_app(parts, self.stage, self.book, self._clock)
