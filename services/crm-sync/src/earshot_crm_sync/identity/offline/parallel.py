"""Two pieces of work at once, on machines with a second processor.

Owns the child process. Must not know what the work is. The child is a fork: it sees everything at hand without a copy and sends its answer
back through a pipe. Where forking is not safe or of no use, the pieces run one after the other, to the same answers.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

_T = TypeVar("_T")


def both(ours: Callable[[], _T], theirs: Callable[[], _T], *, worth_it: bool = True) -> tuple[_T, _T]:
    """Return the answers of both; `theirs` runs in a child when it is worth that, so it must not rely on side effects here.

    A child that dies is no failure: its work is done again here, and raises what it raises.
    """
    if not worth_it or not _may_fork():
        return ours(), theirs()
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_tell, args=(sending, theirs), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: those of numpy wait, those of ours are none
        child.start()
    sending.close()
    try:
        mine = ours()
        try:
            told: _T = receiving.recv()
        except EOFError:
            told = theirs()
        return mine, told
    finally:
        receiving.close()
        child.kill()
        child.join()


def _tell(sending: Connection, work: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # told by the pipe's end
        sending.send(work())


def _may_fork() -> bool:
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1
