"""What the services are told."""

import socket
from pathlib import Path

import pytest

from earshot_shared.local.errors import PortTakenError
from earshot_shared.local.ports import LOOPBACK, free_ports
from earshot_shared.local.product import Ground, Product

GROUND = Ground(
    kafka="127.0.0.1:1",
    postgres="postgresql://u:p@127.0.0.1:2/d",
    api_key="k" * 32,
    login_token="once",
    mock_broker=False,
    needs=("postgres", "kafka"),
    logs=Path("/logs"),
)


def test_the_ports_are_the_contracts() -> None:
    assert Product(9100).urls == {
        "console": "http://127.0.0.1:9100",
        "ingest": "http://127.0.0.1:9101",
        "triage": "http://127.0.0.1:9102",
        "recognition": "http://127.0.0.1:9103",
        "crm-sync": "http://127.0.0.1:9104",
    }


def test_each_service_is_told_where_everything_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_TOPIC_PREFIX", "mine")
    monkeypatch.setenv("EARSHOT_TRIAGE_SHUTDOWN_S", "3")
    monkeypatch.setenv("EARSHOT_INGEST_PORT", "1")
    specs = {spec.name: spec for spec in Product(9100, ("earshot",)).services(GROUND)}
    crm_sync = specs["crm-sync"]
    assert crm_sync.argv == ("earshot", "crm-sync", "serve")
    assert crm_sync.needs == ("postgres", "kafka")
    assert crm_sync.niceness > specs["ingest"].niceness == specs["console"].niceness == 0, "the door and the page go first"
    told = {name: value for name, value in crm_sync.env.items() if name.startswith("EARSHOT_")}
    assert told["EARSHOT_KAFKA_BOOTSTRAP"] == GROUND.kafka
    assert told["EARSHOT_POSTGRES_DSN"] == GROUND.postgres
    assert told["EARSHOT_API_KEY"] == GROUND.api_key
    assert (told["EARSHOT_CRM_SYNC_HOST"], told["EARSHOT_CRM_SYNC_PORT"]) == ("127.0.0.1", "9104")
    assert told["EARSHOT_TOPIC_PREFIX"] == "mine"
    assert told["EARSHOT_TRIAGE_SHUTDOWN_S"] == "3", "what the user has set stands"
    assert told["EARSHOT_INGEST_PORT"] == "9101", "addresses are ours"


def test_only_the_console_knows_the_login_token() -> None:
    knowing = [spec.name for spec in Product(9100).services(GROUND) if spec.env.get("EARSHOT_CONSOLE_LOGIN_TOKEN") == "once"]
    assert knowing == ["console"]


def test_the_feed_is_no_service() -> None:
    demo = Product(9100, ("earshot",)).demo(GROUND)
    assert not demo.essential
    assert demo.argv[:3] == ("earshot", "simulate", "--continuous")


def test_a_taken_port_is_named_with_a_way_out() -> None:
    [base] = free_ports(1)
    with socket.socket() as holder:
        holder.bind((LOOPBACK, base + 2))
        holder.listen()
        with pytest.raises(PortTakenError, match=rf"Port {base + 2}, which triage needs, .* --port-base {base + 100}"):
            Product(base).check_ports()
