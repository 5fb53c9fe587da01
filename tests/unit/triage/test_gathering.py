"""Whom an item follows: by its telling words, never by chance or by what comes later; measured on a public set of intents."""

import json
import math
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from earshot_triage.domain.gathering import HEAVY, LIKE, TELLING, UNIT, Voice, likeness, may_follow, nearest, weigh
from earshot_triage.domain.leaders import Leaders
from earshot_triage.gatherer import BUSY_REST, EVERY_S, REST, SOON_S, rest_s
from earshot_triage.judgement import Judge
from earshot_triage.judgement.themes import stems_of
from earshot_triage.voices import Telling
from support.public_data import public_data
from support.triage_world import DAY


def voice(minute: int, **weights: int) -> Voice:
    return Voice(f"k{minute}", (DAY + timedelta(minutes=minute), f"f{minute}"), weights)


def test_a_text_is_weighed_by_its_most_telling_stems() -> None:
    telling = {f"s{n}": float(n) for n in range(12)}
    weights = weigh(Counter(dict.fromkeys(telling, 1)), telling)
    assert list(weights) == [f"s{n}" for n in range(11, 11 - TELLING, -1)]
    assert math.isqrt(sum(weight**2 for weight in weights.values())) in range(UNIT - 2, UNIT + 2)
    assert weigh(Counter({"s0": 5}), telling) == {}, "nothing in it tells anything"
    assert weigh(Counter(b=1, a=1), {"a": 1.0, "b": 1.0}) == {"a": 707, "b": 707}
    assert next(iter(weigh(Counter(a=4, b=1), {"a": 1.0, "b": 1.0}))) == "a"


def test_an_item_follows_the_leader_it_is_most_like_and_of_equals_the_earliest() -> None:
    one, other, far = voice(1, dark=800, mode=600), voice(2, dark=600, mode=800), voice(3, csv=1000)
    assert nearest(voice(5, mode=1000), [one, other, far]) is other
    assert nearest(voice(5, dark=707, mode=707), [other, one]) is one
    assert nearest(voice(5, zebra=1000), [one, other, far]) is None
    assert nearest(voice(0, dark=1000), [one]) is None, "nobody follows what comes later"


@pytest.mark.parametrize(
    ("weight", "follows"),
    [pytest.param(LIKE // UNIT, True, id="just like enough"), pytest.param(LIKE // UNIT - 1, False, id="just not")],
)
def test_the_bound_counts(weight: int, follows: bool) -> None:
    assert may_follow(voice(2, dark=weight, other=900), voice(1, dark=UNIT)) is follows


def test_what_two_have_in_common_besides_says_little() -> None:
    light = {f"own{n}": 400 for n in range(HEAVY)} | {"app": 350, "page": 350, "site": 350, "shop": 350}
    leader = voice(1, app=500, page=500, site=500, shop=500)
    assert likeness(voice(2, **light), leader) >= LIKE
    assert not may_follow(voice(2, **light), leader)


@pytest.mark.parametrize(
    ("found", "more", "busy", "rest"),
    [
        pytest.param(0, False, False, EVERY_S, id="nothing new"),
        pytest.param(9, False, False, SOON_S, id="nothing left"),
        pytest.param(9, False, True, SOON_S, id="nothing left beside a backlog"),
        pytest.param(9, True, False, 0.2 * REST, id="more, and room"),
        pytest.param(9, True, True, 0.2 * BUSY_REST, id="more, beside a backlog"),
    ],
)
def test_gathering_yields_only_while_the_fold_has_a_backlog_and_never_starves(found: int, more: bool, busy: bool, rest: float) -> None:
    assert rest_s(0.2, found=found, more=more, busy=busy) == rest


@pytest.mark.parametrize("seed", range(8))
def test_leaders_in_arrays_are_those_of_the_definition(seed: int) -> None:
    chance = random.Random(seed)
    stems = [f"s{n}" for n in range(chance.choice([6, 30, 300]))]
    leaders, book = list[Voice](), Leaders()
    for number in range(600):
        told = chance.sample(stems, chance.randint(1, min(TELLING, len(stems))))
        each = voice(chance.randrange(10_000), **weigh(dict.fromkeys(told, 1), {stem: chance.random() + 0.1 for stem in told}))
        each.key = f"n{number}"
        expected = nearest(each, leaders)
        assert book.nearest(each) == (expected.key if expected else None)
        for leader in leaders[:3]:
            assert book.likeness(each, leader.key) == likeness(each, leader)
        if expected is None:
            leaders.append(each)
            book.add(each)
            book.add(each)
        elif chance.random() < 0.2:
            leaders.remove(expected)
            book.remove(expected.key)
            assert book.likeness(each, expected.key) is None
            if chance.random() < 0.5:
                leaders.append(expected)
                book.add(expected)


@pytest.mark.public_data
@pytest.mark.parametrize(
    ("name", "size", "agrees", "groups"),
    [pytest.param("banking77", 3_000, 0.66, 420, id="banking"), pytest.param("twacs_airline_intents", 343, 0.5, 260, id="airline")],
)
def test_themes_agree_with_the_intents_of_a_public_set(name: str, size: int, agrees: float, groups: int) -> None:
    rows = [json.loads(line) for line in public_data(name, "dev.jsonl").read_text(encoding="utf-8").splitlines()]
    random.Random(5).shuffle(rows)
    telling = Telling(Judge.load())
    book = Leaders()
    found = []
    for number, row in enumerate(rows[:size]):
        each = voice(number)
        each.weights = weigh(stems_of(row["text"]), telling)
        leader = book.nearest(each)
        found.append(each.key if leader is None else leader)
        if leader is None:
            book.add(each)
    agreed = agreement(found, [row["label"] for row in rows[:size]])
    print(f"{name}: NMI {agreed:.3f} in {len(book)} groups")
    assert agreed >= agrees
    assert len(book) <= groups


def agreement(one: Sequence[object], other: Sequence[object]) -> float:
    """Normalised mutual information of two partitions."""
    size = len(one)
    left, right, both = Counter(one), Counter(other), Counter(zip(one, other, strict=True))
    shared = sum(count / size * math.log(count * size / (left[a] * right[b])) for (a, b), count in both.items())
    return 2 * shared / sum(-sum(count / size * math.log(count / size) for count in side.values()) for side in (left, right))
