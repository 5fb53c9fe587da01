"""Ports that servers take: free, and never among those given to outgoing connections."""

import socket

from earshot_shared.local.ports import LOOPBACK, free_base, free_ports, is_free, keep_or_choose


def test_free_ports_differ_and_are_quiet() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(port < 32_768 for port in ports)


def test_the_ports_of_services_are_never_those_of_servers() -> None:
    servers = set(free_ports(12_000))
    for _ in range(50):
        base = free_base()
        assert servers.isdisjoint(range(base, base + 5))


def test_a_port_is_kept_while_it_is_free() -> None:
    [wanted] = free_ports(1)
    assert keep_or_choose([wanted]) == [wanted]
    with socket.socket() as holder:
        holder.bind((LOOPBACK, wanted))
        holder.listen()
        assert not is_free(wanted)
        assert keep_or_choose([wanted]) != [wanted]
