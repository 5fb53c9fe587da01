"""One storm from beginning to end."""

from dataclasses import dataclass
from pathlib import Path

from fault.storm.reckoning import check_last_words, check_presence, check_replay, check_timelines
from fault.storm.weather import Blows, Poster
from support.system import running


@dataclass(frozen=True, slots=True)
class Told:
    """What a storm did."""

    items: int
    blows: tuple[str, ...]


def weather(folder: Path, *, seed: int, blows: int | None = None, seconds: float | None = None) -> Told:
    """Run a system, pour items into it, strike it; then hold every view against what was acknowledged.

    Raises: AssertionError with what does not hold.
    """
    with running(folder) as system:
        poster, strikes = Poster(system, seed), Blows(system, seed)
        with poster.pouring():
            strikes.fall(blows=blows, seconds=seconds)
        check_presence(system, poster.acknowledged, poster.refused)
        check_timelines(system, poster.acknowledged)
        check_last_words(system)
        check_replay(system)
        check_presence(system, poster.acknowledged, poster.refused)
        return Told(len(poster.acknowledged), tuple(strikes.told))
