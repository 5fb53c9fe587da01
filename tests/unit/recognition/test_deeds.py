"""What people's acts come to: the same in any order, and nothing that does not follow."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from earshot_recognition.domain.deeds import Act, Evidence, Particulars, Stage, Verb, fold_deeds

START = datetime(2025, 1, 1, tzinfo=UTC)
BLOG = Evidence(kind="blog", what="writes weekly")


def act(number: int, verb: Verb, **particulars: object) -> Act:
    """The ``number``-th act about Ann."""
    return Act(
        action_id=UUID(int=number),
        subject="forum:ann",
        verb=verb,
        at=START + timedelta(minutes=number),
        actor="cleo",
        particulars=Particulars(**particulars),  # type: ignore[arg-type]  # each test gives its verb's own fields
    )


@pytest.mark.parametrize(
    ("verbs", "stage"),
    [
        pytest.param([], None, id="nobody asked"),
        pytest.param([Verb.INVITE], Stage.INVITED, id="invited"),
        pytest.param([Verb.ACCEPT], None, id="accepted without having been invited"),
        pytest.param([Verb.INVITE, Verb.ACCEPT], Stage.ADVOCATE, id="accepted"),
        pytest.param([Verb.INVITE, Verb.DECLINE, Verb.ACCEPT], Stage.DECLINED, id="declined, then accepted too late"),
        pytest.param([Verb.INVITE, Verb.ACCEPT, Verb.LEAVE], Stage.LEFT, id="left"),
        pytest.param([Verb.INVITE, Verb.ACCEPT, Verb.LEAVE, Verb.INVITE], Stage.INVITED, id="invited again"),
        pytest.param([Verb.INVITE, Verb.BADGE, Verb.THANK], Stage.INVITED, id="badges and thanks lead nowhere"),
    ],
)
def test_the_stage_follows_from_the_acts_in_whatever_order_they_came(verbs: list[Verb], stage: Stage | None) -> None:
    acts = [act(number, verb) for number, verb in enumerate(verbs)]
    for order in itertools.permutations(acts):
        assert fold_deeds(order).stage is stage


def test_the_first_to_give_a_badge_or_to_say_thanks_stands() -> None:
    deeds = fold_deeds([act(2, Verb.BADGE, badge="b"), act(1, Verb.BADGE, badge="b"), act(3, Verb.THANK, cause="c")])
    assert deeds.badges["b"].action_id == UUID(int=1)
    assert deeds.thanked.keys() == {"c"}


def test_a_disclosure_lasts_until_a_new_invitation() -> None:
    acts = [act(1, Verb.INVITE, evidence=(BLOG,)), act(2, Verb.DISCLOSE, statement="tied"), act(3, Verb.ACCEPT, topics=("billing",))]
    deeds = fold_deeds(acts)
    assert (deeds.evidence, deeds.topics) == ((BLOG,), ("billing",))
    assert deeds.disclosure is not None
    assert fold_deeds([*acts, act(4, Verb.LEAVE), act(5, Verb.INVITE)]).disclosure is None
