"""Clusters and connectors of who helps whom."""

import random

from earshot_recognition.domain.network import Tie, find_network


def circle(*names: str) -> list[Tie]:
    """Everybody helps everybody, three times."""
    return [Tie(one, other, 3) for one in names for other in names if one != other]


def test_two_circles_and_who_connects_them() -> None:
    network = find_network([*circle("a", "b", "c", "d"), *circle("x", "y", "z"), Tie("a", "x", 1)])
    assert [set(cluster.members) for cluster in network.clusters] == [{"a", "b", "c", "d"}, {"x", "y", "z"}]
    assert [cluster.times for cluster in network.clusters] == [36, 18]
    assert [(one.author_key, one.clusters, one.times) for one in network.connectors] == [("a", 1, 1), ("x", 1, 1)]


def test_no_help_is_no_network() -> None:
    assert find_network([]).clusters == ()


def test_the_order_of_ties_does_not_matter() -> None:
    draw = random.Random(3)  # made-up ties
    pairs = sorted({(draw.randrange(40), draw.randrange(40)) for _ in range(120)})
    ties = [Tie(f"p{one}", f"p{other}", draw.randint(1, 5)) for one, other in pairs if one != other]
    expected = find_network(ties)
    for _ in range(5):
        draw.shuffle(ties)
        assert find_network(ties) == expected
