"""Fakes for unit tests, shipped with what they stand for. Each passes the same suite as the real thing (``tests/contract/shared``)."""

from earshot_shared.testing.app import Client, open_app
from earshot_shared.testing.clock import FakeClock
from earshot_shared.testing.keys import MemoryKeys

__all__ = ["Client", "FakeClock", "MemoryKeys", "open_app"]
