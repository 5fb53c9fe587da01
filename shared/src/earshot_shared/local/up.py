"""`earshot up`: the whole system on this machine, from nothing to a printed address, until somebody stops it.

Owns: the order of things and what the user reads. Must not: know how a server is made (servers.py) or kept alive (supervisor.py).
"""

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from earshot_shared.cli.counted import counted
from earshot_shared.cli.locate import data_dir_option
from earshot_shared.local.errors import LocalError, StartError
from earshot_shared.local.files import DataFolder, secret_in
from earshot_shared.local.processes import ProcessIdentity, end_orphans
from earshot_shared.local.product import Ground, Product, topic_prefix
from earshot_shared.local.servers import Servers, Wanted, prepare_servers
from earshot_shared.local.state import RunningSystem, read_processes, sole_owner, write_processes, write_state
from earshot_shared.local.supervisor import Supervisor
from earshot_shared.settings import check_settings

ORPHAN_GRACE_S = 4.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@click.command()
@data_dir_option
@click.option(
    "--port-base",
    type=click.IntRange(1, 65_531),
    default=8000,
    show_default=True,
    help="The console's port; the services take the next four.",
)
@click.option("--demo/--no-demo", default=True, show_default=True, help="Feed the system with a made-up community, live.")
@click.option("--kafka", metavar="HOST:PORT", help="Use this Kafka instead of a local one.")
@click.option("--postgres", metavar="DSN", help="Use this Postgres instead of a local one.")
@click.option("--mock-broker", is_flag=True, help="Try out on a broker in memory, which keeps little and forgets it all.")
def up(data_dir: Path, port_base: int, demo: bool, kafka: str | None, postgres: str | None, mock_broker: bool) -> None:
    """Run the whole system on this machine: Postgres, Kafka and every service, until Ctrl-C."""
    wanted = Wanted(kafka=kafka, postgres=postgres, mock_broker=mock_broker)
    Up(DataFolder(data_dir.absolute()), Product(port_base), wanted, demo=demo).run()


class _StoppedError(Exception):
    """Somebody wants to stop while nothing runs yet that would have to be stopped in order."""


@dataclass(slots=True)
class Up:
    """One run of `earshot up`."""

    folder: DataFolder
    product: Product
    wanted: Wanted
    demo: bool = True
    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    _supervisor: Supervisor = field(init=False)
    _system: RunningSystem | None = None
    _wishes_to_stop: int = 0

    def __post_init__(self) -> None:
        self._supervisor = Supervisor(say=self._say, changed=self._write_down)

    def run(self) -> None:
        """Start everything, keep it running until a signal, stop everything.

        Raises: EarshotError when it could not be started or kept; everything is stopped then too.
        """
        began_at_s = time.monotonic()
        check_settings()
        self.folder.make()
        with sole_owner(self.folder), self._signals():
            self._clear_up()
            self.product.check_ports()
            try:
                self._start(began_at_s)
                self._supervisor.watch(stopping=self._stopping)
            except _StoppedError:
                pass
            finally:
                self._stop()

    def _clear_up(self) -> None:
        """End what a killed supervisor left behind, before its ports and folders are used again."""
        self.folder.state.unlink(missing_ok=True)
        if ended := end_orphans(read_processes(self.folder.processes).values(), grace_s=ORPHAN_GRACE_S):
            self._say(f"Ended {counted(ended, 'process', 'processes')} that an earlier start had left behind.")
        self.folder.processes.unlink(missing_ok=True)

    def _start(self, began_at_s: float) -> None:
        servers = self._servers()
        self._supervisor.add(servers.specs)
        self._bring_up("Starting Postgres and Kafka …")
        ground = self._ground(servers)
        self.product.prepare(ground)
        self._supervisor.add(self.product.services(ground))
        try:
            self._bring_up("Starting the services …")
        except StartError:
            if not (losses := self.product.find_losses(ground)):
                raise
            self._await_mending(ground, next(iter(losses.values())))
        self._announce(ground)
        if self.demo:
            self._supervisor.add([self.product.demo(ground)])
        self._welcome(ground, time.monotonic() - began_at_s)

    def _await_mending(self, ground: Ground, loss: str) -> None:
        """Kafka's data is not what the services know: keep the servers up for the command that mends it; the services go on after it."""
        self._announce(ground)  # not ready, and yet the command finds the servers by it
        self._warn(loss)
        self._bring_up(f"The services wait for that: name this system by --data-dir {self.folder.root}", patient=True)

    def _servers(self) -> Servers:
        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task("Fetching Apache Kafka", visible=False)

            def show(there: int, total: int) -> None:
                if self._stopping():
                    raise _StoppedError
                if there == 0:
                    self._say(f"Fetching Apache Kafka into the cache, once ({total / 1e6:.0f} MB) …")
                bar.update(task, completed=there, total=total, visible=True)

            try:
                return prepare_servers(self.folder, self.wanted, progress=show, warn=self._warn)
            except LocalError:
                if self._stopping():  # Ctrl-C ended the program that was making the storage
                    raise _StoppedError from None
                raise

    def _ground(self, servers: Servers) -> Ground:
        return Ground(
            kafka=servers.kafka(),
            postgres=servers.postgres,
            api_key=os.environ.get("EARSHOT_API_KEY") or secret_in(self.folder.api_key),
            login_token=secrets.token_urlsafe(24),
            mock_broker=servers.mock_broker,
            needs=tuple(spec.name for spec in servers.specs),
            logs=self.folder.logs,
        )

    def _bring_up(self, sentence: str, *, patient: bool = False) -> None:
        self._say(sentence)
        self._supervisor.bring_up(stopping=self._stopping, patient=patient)
        if self._stopping():
            raise _StoppedError

    def _announce(self, ground: Ground) -> None:
        """From now on `earshot.json` tells everybody about the system."""
        own = ProcessIdentity.of(os.getpid())
        assert own is not None
        self._system = RunningSystem(
            ready=True,
            pid=own.pid,
            started_at_s=own.started_at_s,
            api_key=ground.api_key,
            kafka=ground.kafka,
            postgres=ground.postgres,
            services=self.product.urls,
            processes={},
            topic_prefix=topic_prefix(),
            mock_broker=ground.mock_broker,
        )
        self._write_down()

    def _write_down(self) -> None:
        running = self._supervisor.running
        write_processes(self.folder.processes, running)
        if (known := self._system) is not None:
            pids = {name: each.identity.pid for name, each in running.items()}
            self._system = msgspec.structs.replace(known, ready=self._supervisor.is_ready, processes=pids)
            write_state(self.folder.state, self._system)

    def _stop(self) -> None:
        """Stop what runs. The state goes first: nobody shall find a system that is going away."""
        self._system = None
        self.folder.state.unlink(missing_ok=True)
        if self._supervisor.running:
            self._say("Stopping …")
            self._supervisor.stop()
        self.folder.processes.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        wanted = list(STOP_SIGNALS)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup earshot up` outlives its terminal
            wanted.append(signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._wishes_to_stop += 1
        if self._wishes_to_stop > 1:  # a second Ctrl-C means: at once
            self._supervisor.kill()

    def _stopping(self) -> bool:
        return self._wishes_to_stop > 0

    def _say(self, sentence: str, *, style: str | None = None) -> None:
        # A closed terminal or pipe (which rich makes an exit of) is no reason to leave the processes alone.
        with contextlib.suppress(OSError, SystemExit):
            self.console.print(sentence, markup=False, style=style)

    def _warn(self, sentence: str) -> None:
        self._say(sentence, style="yellow")

    def _welcome(self, ground: Ground, took_s: float) -> None:
        urls = self.product.urls
        self._say(f"Earshot is ready after {took_s:.1f} s.\n")
        self._say(f"  Console   {urls['console']}/?token={ground.login_token}")
        self._say(f"  Ingest    {urls['ingest']}/docs")
        self._say(f"  API key   {self.folder.api_key}" if "EARSHOT_API_KEY" not in os.environ else "  API key   as in EARSHOT_API_KEY")
        self._say(f"  Logs      {self.folder.logs}\n")
        self._say("Ctrl-C stops it.")
