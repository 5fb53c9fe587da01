"""``earshot simulate``: the made-up community, live, posted through ingest like everybody else."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TextIO

import click
import msgspec

from earshot_ingest.client import BatchClient
from earshot_ingest.simulation.community import Community, Event
from earshot_shared import ids
from earshot_shared.cli.locate import data_dir_option, find_service, url_option
from earshot_shared.envelope import rfc3339

MOST_AT_ONCE: Final = 500
_PLAIN_EVERY_S: Final = 10.0


class Sent(msgspec.Struct):
    """What a simulation has sent."""

    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    people: int = 0


_encoder = msgspec.json.Encoder()


@click.command("simulate")
@click.option("--customers", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="How many people there are.")
@click.option("--rate", type=click.FloatRange(0.01, 100_000), default=10.0, show_default=True, help="Items a second.")
@click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="How long.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same people and the same words.")
@click.option("--continuous", is_flag=True, help="Without end, with new items at every start.")
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write who is who and what is what to this file.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the items to this file, and send nothing.")
@click.option("--start", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="When it begins, in UTC; now, unless given.")
@data_dir_option
@url_option
def simulate_command(
    customers: int,
    rate: float,
    seconds: float,
    seed: int,
    continuous: bool,
    truth: Path | None,
    output: Path | None,
    start: datetime | None,
    data_dir: Path,
    url: str | None,
) -> None:
    """Simulate a community whose truth is known, through ingest."""
    begin = datetime.now(UTC) if start is None else start.replace(tzinfo=UTC)
    tag = f"s{seed}-{int(begin.timestamp()):x}-" if continuous else f"s{seed}-"
    answer_s = 20.0 if continuous else min(20.0, seconds / 6)
    community = Community(customers=customers, seed=seed, rate=rate, answer_s=answer_s, tag=tag)
    events = community.events() if continuous else itertools.islice(community.events(), max(1, round(rate * seconds)))
    with _Truth(truth, community) as known:
        if output is not None:
            sent = _write(output, events, begin, known)
        else:
            with BatchClient(lambda: find_service("ingest", data_dir=data_dir, url=url)) as client:
                sent = _send(client, events, begin, known)
    sent.people = len(community.people())
    click.echo(_encoder.encode(sent).decode())


class _Truth:
    """The truth file: people first, then one line an item; nothing when nobody wants it."""

    def __init__(self, path: Path | None, community: Community) -> None:
        self._path = path
        self._community = community
        self._file: TextIO | None = None

    def __enter__(self) -> "_Truth":
        if self._path is not None:
            self._file = self._path.open("w", encoding="utf-8")
            for person in self._community.people():
                self._file.write(_encoder.encode(person.truth()).decode() + "\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, events: list[Event]) -> None:
        """Tell the truth about items."""
        if self._file is not None:
            for event in events:
                feedback_id = ids.feedback_id(event.truth["source"], event.truth["external_id"])
                self._file.write(_encoder.encode(event.truth | {"feedback_id": feedback_id}).decode() + "\n")


def body_of(event: Event, begin: datetime) -> bytes:
    """Return the item of an event as HTTP takes it."""
    return _encoder.encode(event.item | {"occurred_at": rfc3339(begin + timedelta(seconds=event.at_s))})


def _write(path: Path, events: Iterator[Event], begin: datetime, known: _Truth) -> Sent:
    sent = Sent()
    with path.open("wb") as file:
        for event in events:
            file.write(body_of(event, begin) + b"\n")
            known.add([event])
            sent.sent += 1
    return sent


def _send(client: BatchClient, events: Iterator[Event], begin: datetime, known: _Truth) -> Sent:
    """Send events when they are due; when sending is slower than that, without a pause."""
    sent = Sent()
    started = told_at = time.monotonic()
    waiting: list[Event] = []
    for event in events:
        late_s = time.monotonic() - started - event.at_s
        if waiting and (late_s < 0 or len(waiting) >= MOST_AT_ONCE):
            _post(client, waiting, begin, known, sent)
            waiting = []
        if late_s < 0:
            time.sleep(max(0.0, started + event.at_s - time.monotonic()))
        waiting.append(event)
        if time.monotonic() - told_at > _PLAIN_EVERY_S:
            told_at = time.monotonic()
            click.echo(f"{sent.sent:,} sent, {sent.accepted:,} accepted.", err=True)
    if waiting:
        _post(client, waiting, begin, known, sent)
    return sent


def _post(client: BatchClient, events: list[Event], begin: datetime, known: _Truth, sent: Sent) -> None:
    result = client.send([body_of(event, begin) for event in events])
    known.add(events)
    sent.sent += len(events)
    sent.accepted += result.accepted
    sent.duplicates += result.duplicates
    sent.rejected += len(result.rejected)
