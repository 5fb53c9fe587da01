"""Loopback ports: free ones for the servers, and a plain answer when a wanted one is taken."""

import secrets
import socket

LOOPBACK = "127.0.0.1"

# Below the ports that Linux (32768 up) and macOS (49152 up) give to outgoing connections. Were a server's port among those, then while it
# is down a client's own connection could be given it, connect to itself, and keep the server from ever coming back.
_QUIET_PORTS = range(20_000, 32_000)
# Apart from those: the servers of a system choose theirs before its services listen, and must not be given a service's.
_QUIET_BASES = range(12_000, 19_990)


def free_ports(count: int) -> list[int]:
    """Return `count` different loopback ports that were free a moment ago."""
    chosen: list[int] = []
    for port in secrets.SystemRandom().sample(_QUIET_PORTS, len(_QUIET_PORTS)):
        if len(chosen) == count:
            break
        if is_free(port):
            chosen.append(port)
    return chosen


def free_base(count: int = 5) -> int:
    """Return the first of `count` neighbouring loopback ports that were free a moment ago."""
    for port in secrets.SystemRandom().sample(_QUIET_BASES, len(_QUIET_BASES)):
        if all(is_free(port + step) for step in range(count)):
            return port
    raise OSError("no neighbouring ports are free")


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # A port in TIME_WAIT after a server's end can be taken by the next server, which sets the same option.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def keep_or_choose(wanted: list[int]) -> list[int]:
    """Return the wanted ports where they are still free, and fresh ones in the place of the others."""
    fresh = free_ports(len(wanted))
    return [old if old and is_free(old) else new for old, new in zip(wanted, fresh, strict=True)]
