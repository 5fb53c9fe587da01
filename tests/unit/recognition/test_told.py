"""The standing put together from kept bytes is the one that its model would give."""

import msgspec
import pytest

from earshot_recognition.domain.accounts import Account
from earshot_recognition.domain.deeds import NO_DEEDS
from earshot_recognition.events import standing_with_deeds, tell_standing
from earshot_recognition.rules import BadgeRule, RecognitionConfig, RecognitionRules, ThankYouRule, TierRule

RULES = RecognitionRules(
    RecognitionConfig(
        tiers=(TierRule(name="newcomer", points=0), TierRule(name="member", points=5)),
        badges=(BadgeRule(name="first-answer", helped=1),),
        thank_yous=(ThankYouRule(name="first-answer", helped=1),),
    ),
    "test",
)


@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize(
    "account",
    [
        pytest.param(Account("forum:ann", version=3), id="nothing yet"),
        pytest.param(Account("forum:ann", name='Änn "A"', entries=4, active=4, followers=120, version=9), id="active"),
        pytest.param(Account("forum:ann", entries=4, active=4, helped=1, helpful=10, version=9), id="helpful"),
    ],
)
def test_kept_standings_are_told_as_the_model_would(account: Account, excluded: bool) -> None:
    for _ in range(2):
        value = tell_standing(account, RULES, NO_DEEDS, excluded=excluded, now="2025-01-01T00:00:00Z").value
        assert value is not None
        told = msgspec.json.decode(value)["data"]
        model = msgspec.json.decode(msgspec.json.encode(standing_with_deeds(account, RULES, NO_DEEDS, excluded=excluded)))
        empty: dict[str, object] = {
            "name": "",
            "badges": [],
            "next_step": None,
        }  # the model leaves out what is empty, the kept form does not
        assert told == empty | {name: value for name, value in told.items() if name in empty} | model
