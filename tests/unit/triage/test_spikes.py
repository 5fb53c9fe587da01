"""When a brand is spoken of far more than it is used to: made-up series, window by window."""

import random
from datetime import UTC, datetime
from math import sin, tau

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earshot_triage.config_alarms import Spikes
from earshot_triage.domain.spikes import Incident, bucket_of, start_of, weigh

RULE = Spikes().rule()
AT_LEAST = 20
A_DAY = 96


def poisson(mean: float, dice: random.Random) -> int:
    """A draw of Poisson's law, by Knuth for little and by the normal law for much."""
    if mean > 50:
        return max(0, round(dice.gauss(mean, mean**0.5)))
    left, n = 2.718281828**-mean, 0
    drawn = dice.random()
    while drawn > left:
        n += 1
        drawn *= dice.random()
    return n


def alarms(series: list[int], *, start: int = A_DAY) -> list[int]:
    """The places of a series of windows that stand out against those before."""
    return [n for n in range(start, len(series)) if weigh(RULE, series[n], series[max(0, n - 672) : n][::-1], at_least=AT_LEAST).severity]


def day_and_night(days: int, noon: float, seed: int) -> list[int]:
    dice = random.Random(seed)
    return [poisson(max(0.3, noon * max(0.0, sin(tau * (n / A_DAY - 0.25)))), dice) for n in range(days * A_DAY)]


@pytest.mark.capability("T10")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.05, 1, 10, 200, 5000])
def test_a_quiet_stream_raises_nothing(mean: float, seed: int) -> None:
    dice = random.Random(seed)
    assert alarms([poisson(mean, dice) for _ in range(4 * A_DAY)]) == []


@pytest.mark.capability("T10")
@pytest.mark.parametrize("seed", range(5))
def test_slow_growth_raises_nothing(seed: int) -> None:
    dice = random.Random(seed)
    assert alarms([poisson(10 + 190 * n / (7 * A_DAY), dice) for n in range(7 * A_DAY)]) == []


@pytest.mark.capability("T10")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noon", [3, 40, 1000])
def test_the_morning_after_a_quiet_night_raises_nothing(noon: float, seed: int) -> None:
    assert alarms(day_and_night(6, noon, seed)) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_monday_after_a_quiet_weekend_raises_nothing(seed: int) -> None:
    week = day_and_night(5, 40, seed) + [poisson(1, random.Random(seed)) for _ in range(2 * A_DAY)]
    assert alarms(week + day_and_night(2, 40, seed + 9), start=5 * A_DAY) == []


@pytest.mark.capability("T10")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.05, 2, 40, 500])
def test_a_burst_stands_out_and_nothing_before_or_after(mean: float, seed: int) -> None:
    dice = random.Random(seed)
    series = [poisson(mean, dice) for _ in range(3 * A_DAY)]
    burst = [200, 201, 202]
    for n in burst:
        series[n] = round(5 * mean) + 60
    assert alarms(series) == burst


def test_a_burst_at_night_stands_out_when_it_passes_a_busy_day() -> None:
    series = day_and_night(4, 40, 1)
    midnight = 3 * A_DAY
    assert alarms([*series[:midnight], 150, *series[midnight + 1 :]]) == [midnight]
    assert alarms([*series[:midnight], 60, *series[midnight + 1 :]]) == []


@pytest.mark.parametrize(
    ("count", "before", "severity"),
    [
        pytest.param(19, [0] * A_DAY, 0, id="too few to speak of"),
        pytest.param(20, [0] * A_DAY, 7, id="enough, out of nothing"),
        pytest.param(20, [0] * (A_DAY - 1), 0, id="not listened long enough"),
        pytest.param(500, [0] * A_DAY, 10, id="as severe as can be"),
        pytest.param(26, [10] * A_DAY, 1, id="five spreads above busy"),
        pytest.param(25, [10] * A_DAY, 0, id="not quite"),
        pytest.param(1900, [1000] * A_DAY, 0, id="not twice as many"),
        pytest.param(2000, [1000] * A_DAY, 8, id="twice as many"),
        pytest.param(100, [10] * 85 + [90] * 11, 0, id="a tenth of the windows is as busy"),
        pytest.param(100, [10] * 92 + [90] * 4, 8, id="a few wild windows do not hide it"),
        pytest.param(60, [0, 20] * (A_DAY // 2), 0, id="a stream that varies may vary"),
    ],
)
def test_how_severe_it_is(count: int, before: list[int], severity: int) -> None:
    level = weigh(RULE, count, before, at_least=AT_LEAST)
    assert level.severity == severity, level


@given(st.lists(st.integers(0, 1000), min_size=A_DAY, max_size=A_DAY), st.integers(0, 5000), st.integers(0, 5000))
def test_more_is_never_less_severe_and_order_does_not_count(before: list[int], one: int, other: int) -> None:
    low, high = (weigh(RULE, count, before, at_least=AT_LEAST) for count in sorted((one, other)))
    assert low.severity <= high.severity <= 10
    assert weigh(RULE, one, before[::-1], at_least=AT_LEAST) == weigh(RULE, one, before, at_least=AT_LEAST)


def test_an_incident_takes_what_is_near() -> None:
    incident = Incident(100, 104)
    assert [incident.takes(bucket, 12) for bucket in (87, 88, 102, 116, 117)] == [False, True, True, True, False]
    assert incident.with_bucket(110) == Incident(100, 110)
    assert incident.with_bucket(96) == Incident(96, 104)


def test_buckets_are_whole_five_minutes() -> None:
    moment = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
    assert start_of(bucket_of(moment)) == datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
