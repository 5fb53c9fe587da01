"""One real system for tests: started by the command, watched through its state file, asked over HTTP and in its tables."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earshot_shared.local.ports import free_base

PROGRAM = (sys.executable, "-m", "earshot_shared")
READY_S = 180.0


@dataclass(slots=True)
class System:
    """A running system; everything is read anew from its state file, since processes come and go."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def state(self) -> dict[str, Any]:
        """What the system says of itself now; empty while it has nothing to say."""
        try:
            return dict(json.loads((self.folder / "earshot.json").read_bytes()))
        except (OSError, ValueError):
            return {}

    def pid_of(self, name: str) -> int | None:
        """Return the pid of a service or server, None while it is down."""
        pid = self.state.get("processes", {}).get(name)
        return None if pid is None else int(pid)

    def until_ready(self, timeout_s: float = READY_S) -> None:
        """Wait until everything runs.

        Raises: AssertionError with the log's last lines when it does not.
        """
        deadline = time.monotonic() + timeout_s
        while not self.state.get("ready"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the system is not ready: {self.last_words()}\n{self.complaints()}")
            time.sleep(0.1)

    def complaints(self) -> str:
        """Return what each service says of its readiness, and the end of its log."""
        told = []
        for service in sorted(self.state.get("services", {})):
            try:
                answer: object = self.ask(service, "/readyz", timeout_s=5)
            except (OSError, ValueError, http.client.HTTPException) as error:
                answer = repr(error)
            log = (self.folder / "logs" / f"{service}.log").read_text(errors="replace")[-1500:]
            told.append(f"{service}: {answer}\n{log}")
        return "\n".join(told)

    def last_words(self) -> str:
        """Return the end of the system's own log."""
        return (self.folder / "up.log").read_text(errors="replace")[-2000:]

    def ask(self, service: str, path: str, *, method: str = "GET", body: object = None, timeout_s: float = 20) -> tuple[int, Any]:
        """Return status and JSON of one request.

        Raises: OSError, http.client.HTTPException when nobody answers.
        """
        state = self.state
        host = str(state.get("services", {}).get(service, "")).removeprefix("http://")
        if not host:
            raise ConnectionError(f"{service} is not announced")
        connection = http.client.HTTPConnection(host, timeout=timeout_s)
        headers = {"authorization": f"Bearer {state['api_key']}", "content-type": "application/json"}
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            answer = connection.getresponse()
            told = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(told) if told else None

    def settle(self, timeout_s: float = 180.0) -> dict[str, Any]:
        """Wait until nothing waits to be applied or published anywhere; return the services' statistics.

        Raises: AssertionError when it does not come to rest.
        """
        deadline = time.monotonic() + timeout_s
        told: dict[str, Any] = {}
        calm = 0
        while calm < 2:  # twice in a row: what one service publishes last, the next has yet to see
            if time.monotonic() > deadline:
                raise AssertionError(f"the system does not settle: {told}\n{self.last_words()}")
            try:
                told = {name: self.ask(name, "/v1/stats")[1] for name in ("ingest", "triage", "recognition", "crm-sync")}
                quiet = all(stats["unpublished"] == 0 and stats.get("lag", 0) == 0 for stats in told.values())
            except (OSError, http.client.HTTPException, KeyError, TypeError):
                quiet = False
            calm = calm + 1 if quiet else 0
            time.sleep(0.3)
        return told

    def command(self, *arguments: str, timeout_s: float = 240) -> str:
        """Run an `earshot` command against this system and return what it prints."""
        done = subprocess.run(
            [*PROGRAM, *arguments, "--data-dir", str(self.folder)], capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert done.returncode == 0, done.stderr[-1000:]
        return done.stdout


@contextlib.contextmanager
def running(folder: Path, *options: str, await_ready: bool = True) -> Iterator[System]:
    """Run a system on ``folder`` until the block ends; what is frozen is woken first, so that nothing stays behind."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [*PROGRAM, "up", "--no-demo", "--data-dir", str(folder), "--port-base", str(free_base()), *options]
    with (folder / "up.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=dict(os.environ))
    system = System(folder, process)
    try:
        if await_ready:
            system.until_ready()
        yield system
    finally:
        for pid in system.state.get("processes", {}).values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
