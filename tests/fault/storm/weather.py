"""The load and the blows of a storm, both from one seed."""

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from support.system import System

VICTIMS = ("ingest", "triage", "recognition", "crm-sync", "kafka", "postgres")
FREEZABLE = ("triage", "recognition", "crm-sync", "ingest")
BATCH = 40
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Poster:
    """Posts batches until told to stop, each until it is acknowledged; remembers what was acknowledged and what was refused."""

    system: System
    seed: int
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @contextlib.contextmanager
    def pouring(self) -> Iterator[None]:
        """Post in the background until the block ends; the batch under way is brought home."""
        self._thread = threading.Thread(target=self._pour, daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join(240)
            assert not self._thread.is_alive(), "the last batch was never acknowledged"

    def _pour(self) -> None:
        draw = random.Random(self.seed)
        number = 0
        while not self._stop.is_set():
            batch = [make_item(draw, number + each) for each in range(BATCH)]
            number += BATCH
            bad = [{**batch[0], "external_id": f"bad-{number}", "occurred_at": "yesterday"}] if draw.random() < 0.2 else []
            self._until_acknowledged(batch, bad)
            if draw.random() < 0.2:  # sent twice by somebody who was not sure
                self._until_acknowledged(draw.sample(batch, BATCH // 2), [])

    def _until_acknowledged(self, batch: Sequence[dict[str, Any]], bad: Sequence[dict[str, Any]]) -> None:
        while True:
            try:
                status, told = self.system.ask("ingest", "/v1/feedback/batch", method="POST", body={"items": [*batch, *bad]}, timeout_s=10)
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.1)
                continue
            if status == 202:
                for entry in told["items"]:
                    self.acknowledged[entry["feedback_id"]] = batch[entry["index"]]
                self.refused |= {item["external_id"] for item in bad}
                assert len(told["rejected"]) == len(bad)
                return
            assert status in (429, 500, 503), (status, told)
            time.sleep(0.1)


def make_item(draw: random.Random, number: int) -> dict[str, Any]:
    """Return one item: a third reply to earlier (or to later) ones, a tenth are a brand's, some authors show mails that join them."""
    person = draw.randrange(40)
    channel = draw.choice(("forum", "chat", "mail"))
    author: dict[str, Any] = {"id": f"{channel}-{person}", "handle": f"p{person}", "name": f"Person {person}"}
    if draw.random() < 0.3:
        author |= {"email": f"person{person}@example.com", "email_verified": True}
    item: dict[str, Any] = {
        "source": "storm",
        "external_id": f"i{number}",
        "channel": channel,
        "kind": draw.choice(("post", "question", "idea")),
        "author": author,
        "text": draw.choice(("It broke again and nobody answers!", "How do I reset this?", "Please add dark mode.", "Lovely, thank you.")),
        "occurred_at": (_START + timedelta(seconds=number, microseconds=draw.randrange(10**6))).isoformat(),
        "brand": f"brand{draw.randrange(2)}",
    }
    if draw.random() < 0.35:
        item["in_reply_to"] = f"i{max(0, number + draw.randrange(-60, 10))}"
        item["kind"] = "reply"
    if draw.random() < 0.1:
        item["author"] = {"id": f"care-{item['brand']}", "on_behalf_of_brand": True}
    return item


@dataclass(slots=True)
class Blows:
    """Kills and freezes, one after the other, until the time is over."""

    system: System
    seed: int
    told: list[str] = field(default_factory=list)

    def fall(self, *, blows: int | None = None, seconds: float | None = None) -> None:
        """Strike until so many blows have fallen or so much time has passed, waiting for the system to stand up in between (mostly)."""
        draw = random.Random(self.seed)
        began = time.monotonic()
        struck = 0
        while (blows is None or struck < blows) and (seconds is None or time.monotonic() - began < seconds):
            time.sleep(draw.uniform(0.3, 2.5))
            if draw.random() < 0.25:
                self._freeze(draw)
            else:
                self._kill(draw)
            struck += 1
            if draw.random() < 0.7:
                self.system.until_ready()
        self.system.until_ready()

    def _kill(self, draw: random.Random) -> None:
        for victim in draw.sample(VICTIMS, draw.choice((1, 1, 1, 2))):
            pid = self.system.pid_of(victim)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self.told.append(f"kill {victim}")

    def _freeze(self, draw: random.Random) -> None:
        """Freeze a service past its session's time-out, or shortly, then wake it."""
        victim = draw.choice(FREEZABLE)
        pid = self.system.pid_of(victim)
        if pid is None:
            return
        seconds = draw.choice((0.5, 2.0, 12.0))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(pid, signal.SIGCONT)
        self.told.append(f"freeze {victim} for {seconds:.1f} s")
