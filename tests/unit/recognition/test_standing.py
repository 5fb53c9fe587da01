"""Standing follows from the sums alone."""

import pytest

from earshot_recognition.domain.standing import Badge, Tier, Totals, decide_standing
from earshot_recognition.rules import RecognitionConfig

TIERS = (
    Tier(name="new", points=0),
    Tier(name="regular", points=50, helped=2),
    Tier(name="leader", points=100, helped=5, abilities=("moderate",)),
)
BADGES = (Badge(name="first", helped=1), Badge(name="voice", items=10))


@pytest.mark.capability("R6")
@pytest.mark.capability("R27")
@pytest.mark.parametrize(
    ("totals", "tier", "next_step"),
    [
        pytest.param(Totals(), "new", "50 more points and 2 more answers that help somebody to regular", id="nothing-yet"),
        pytest.param(Totals(active=60), "new", "2 more answers that help somebody to regular", id="points-are-not-enough"),
        pytest.param(
            Totals(active=49, helped=1), "new", "1 more point and 1 more answer that helps somebody to regular", id="one-is-missing"
        ),
        pytest.param(
            Totals(active=40, helpful=20, helped=2), "regular", "40 more points and 3 more answers that help somebody to leader", id="r"
        ),
        pytest.param(Totals(helpful=500, helped=50), "leader", None, id="at-the-top"),
    ],
)
def test_tiers_and_the_next_step(totals: Totals, tier: str, next_step: str | None) -> None:
    standing = decide_standing(totals, TIERS, BADGES, excluded=False)
    assert (standing.tier, standing.next_step) == (tier, next_step)
    assert standing.abilities == (("moderate",) if tier == "leader" else ())
    assert standing.reasons


@pytest.mark.capability("R5")
def test_badges_by_rule() -> None:
    assert decide_standing(Totals(helped=1, items=9), TIERS, BADGES, excluded=False).badges == ("first",)
    assert decide_standing(Totals(items=10), TIERS, BADGES, excluded=False).badges == ("voice",)


@pytest.mark.capability("R22")
def test_staff_stand_apart() -> None:
    standing = decide_standing(Totals(helpful=500, helped=50), TIERS, BADGES, excluded=True)
    assert (standing.tier, standing.badges, standing.next_step) == ("staff", (), None)


@pytest.mark.parametrize(("followers", "reach"), [(0, 0), (1, 0), (100, 20), (1_000_000, 60)])
def test_reach(followers: int, reach: int) -> None:
    assert Totals(followers=followers).reach == reach


def test_tiers_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        RecognitionConfig.model_validate({"tiers": [{"name": "a", "points": 0}, {"name": "b", "points": 0}]})
