"""What the relay remembers of the rows that its own process wrote, so that it need not ask the table for them.

Owns the bound. The table has every row too: what is not here is read from there.
"""

from earshot_shared.messages import Message


class Memory:
    """Messages of committed rows that we wrote ourselves, by row id; up to ``most_bytes`` of them, packed."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rows: dict[int, tuple[list[Message], int]] = {}
        self._size_bytes = 0

    def keep(self, row: int, messages: list[Message], size_bytes: int) -> None:
        """Remember a row, unless that would be too much."""
        if self._size_bytes + size_bytes <= self._most_bytes:
            self._rows[row] = (messages, size_bytes)
            self._size_bytes += size_bytes

    def take(self, row: int) -> list[Message] | None:
        """Return the messages of a row and forget it; None when it is not here."""
        messages, size_bytes = self._rows.pop(row, (None, 0))
        self._size_bytes -= size_bytes
        return messages

    def following(self, row: int, *, most: int, most_bytes: int) -> list[int]:
        """Return the ids that follow ``row`` without a gap: ``most`` of them, and none after ``most_bytes``."""
        found: list[int] = []
        size_bytes = 0
        while len(found) < most and size_bytes < most_bytes and (row := row + 1) in self._rows:
            found.append(row)
            size_bytes += self._rows[row][1]
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        self._size_bytes = 0
