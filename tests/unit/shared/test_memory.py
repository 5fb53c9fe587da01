"""What the relay remembers of rows: bounded, and next is only what no gap parts from what was before."""

from earshot_shared.messages import Message
from earshot_shared.pipeline.memory import Memory
from earshot_shared.topics import Topic

SAID = [Message(Topic.CASE_CHANGED, b"k", b"{}")]


def test_what_follows_ends_at_a_gap() -> None:
    memory = Memory(100)
    for row in (5, 6, 8):
        memory.keep(row, SAID, 10)
    assert memory.following(4, most=9, most_bytes=99) == [5, 6]
    assert memory.following(3, most=9, most_bytes=99) == []
    assert memory.following(7, most=9, most_bytes=99) == [8]


def test_what_follows_is_no_more_than_a_round_takes() -> None:
    memory = Memory(100)
    for row in range(1, 9):
        memory.keep(row, SAID, 10)
    assert memory.following(0, most=3, most_bytes=99) == [1, 2, 3]
    assert memory.following(0, most=9, most_bytes=11) == [1, 2]


def test_a_row_too_many_is_left_to_the_table_and_room_comes_back() -> None:
    memory = Memory(25)
    for row in (1, 2, 3):
        memory.keep(row, SAID, 10)
    assert memory.take(3) is None
    assert memory.take(1) == SAID
    memory.keep(4, SAID, 10)
    assert memory.following(1, most=9, most_bytes=99) == [2]
    assert memory.take(4) == SAID
    memory.clear()
    assert memory.following(1, most=9, most_bytes=99) == []
    memory.keep(5, SAID, 25)
    assert memory.take(5) == SAID
