"""What tests do to running processes."""

import time

import psutil


def freeze(pid: int) -> None:
    """Stop a process, and wait until it stands: until then a signal that ends it still does."""
    process, deadline = psutil.Process(pid), time.monotonic() + 10
    process.suspend()
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        time.sleep(0.005)
