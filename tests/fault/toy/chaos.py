"""Named points at which a process kills or freezes itself, as drawn by its own seeded dice.

Owns: the points and the flags shared by all processes of a trial. Must not: know tables or topics.
"""

import mmap
import os
import random
import signal
from enum import IntEnum, StrEnum


class Point(StrEnum):
    IN_TRANSACTION = "in the transaction"
    IN_TRANSFER = "in the transaction, half-way through a message to the server"
    AFTER_COMMIT = "after commit"
    BEFORE_SEND = "before send"  # a relay with rows in its hand: where a zombie is made
    AFTER_SEND = "after send"  # handed to the producer, perhaps on the wire
    BEFORE_MARK = "before mark"  # acknowledged
    IN_REPAIR = "in the repair"


KILL_ONCE_FROZEN = 0.12  # times the weight: about every second zombie relay dies between its late send and its mark

# Relays pass their points a few times a second, writers a hundred times: without weights nearly all would die as writers.
WEIGHTS = {
    Point.IN_TRANSACTION: 0.5,
    Point.IN_TRANSFER: 1.0,
    Point.AFTER_COMMIT: 0.5,
    Point.BEFORE_SEND: 8.0,
    Point.AFTER_SEND: 3.0,
    Point.BEFORE_MARK: 4.0,
    Point.IN_REPAIR: 8.0,
}


class Flag(IntEnum):
    """One byte each in memory that all processes of a trial share."""

    LOAD = 0
    CHAOS = 1


class Flags:
    """Made before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, len(Flag))

    def set(self, flag: Flag, on: bool) -> None:
        self._memory[flag] = int(on)

    def __getitem__(self, flag: Flag) -> bool:
        return bool(self._memory[flag])


class Dice:
    """What happens to this process at a point. One that has been frozen once is likely to be killed at the next point."""

    def __init__(self, seed: str, flags: Flags, *, kill: float, freeze: float) -> None:
        self._random = random.Random(seed)
        self._flags = flags
        self._kill, self._freeze = kill, freeze

    def pass_by(self, point: Point) -> None:
        drawn = self._random.random() / WEIGHTS[point]
        if not self._flags[Flag.CHAOS]:
            return
        if drawn < self._kill:
            os.kill(os.getpid(), signal.SIGKILL)
        elif drawn < self._kill + self._freeze:
            os.kill(os.getpid(), signal.SIGSTOP)
            self._kill = KILL_ONCE_FROZEN
