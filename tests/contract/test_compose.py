"""docker-compose.yml keeps what is promised about containers: names, ports, limits, no secrets, variables that the services know."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from earshot_shared.local.product import MALLOC, NICENESS
from earshot_shared.settings import SERVICES, refuse_unknown_variables

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
PARTS: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(TEXT)["services"]
SERVERS = {"kafka", "postgres"}
JOBS = {"migrate", "topics"}
_INTERPOLATED = re.compile(r"\$\{([A-Z_]+)(:[-?][^}]*)?\}")


def test_the_parts_are_the_services_the_servers_and_two_jobs() -> None:
    assert PARTS.keys() == {*SERVICES, *SERVERS, *JOBS}


def test_only_the_three_doors_are_published_and_on_this_machine_alone_unless_told() -> None:
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert published.keys() == {"ingest", "crm-sync", "console"}
    assert all(port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("name", sorted({*SERVICES, *SERVERS}))
def test_what_runs_is_looked_at_limited_and_started_again(name: str) -> None:
    part = PARTS[name]
    assert part["healthcheck"]["test"]
    assert part["deploy"]["resources"]["limits"]["memory"]
    assert part["restart"] == "unless-stopped"
    assert part["cap_drop"] == ["ALL"]
    assert part["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", [*SERVICES, *sorted(JOBS)])
def test_services_wait_for_their_ground_write_nowhere_and_get_variables_they_know(name: str) -> None:
    part = PARTS[name]
    assert part["read_only"] is True
    assert part["depends_on"].keys() == {"migrate": {"postgres"}, "topics": {"kafka"}}.get(name, JOBS)
    refuse_unknown_variables(part["environment"])


@pytest.mark.parametrize("name", sorted(JOBS))
def test_a_job_that_fails_ends_the_start(name: str) -> None:
    """Started again for ever, it would keep `up --wait` waiting for ever."""
    assert PARTS[name]["restart"] == "no"


def test_one_part_builds_the_image_that_all_run() -> None:
    """Each further build would be another image under the same name, and every `up` would make all containers anew."""
    assert [name for name, part in PARTS.items() if "build" in part] == ["migrate"]
    assert {PARTS[name]["image"] for name in {*SERVICES, *JOBS}} == {"earshot:local"}


def test_memory_is_handed_out_in_containers_as_it_is_by_earshot_up() -> None:
    assert dict(re.findall(r"(MALLOC_\w+)=(\d+)", DOCKERFILE)) == MALLOC


def test_the_processors_are_shared_in_containers_as_they_are_by_earshot_up() -> None:
    """One step of niceness is a fifth less (`sched(7)`)."""
    assert {name: part["cpu_shares"] for name, part in PARTS.items() if "cpu_shares" in part} == {
        name: round(1024 / 1.25**niceness) for name, niceness in NICENESS.items()
    }


def test_images_of_others_are_pinned() -> None:
    images = [PARTS[name]["image"] for name in SERVERS] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(re.search(r":\d", image) for image in images)


def test_secrets_come_from_the_environment_which_the_example_lists() -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    named = dict(_INTERPOLATED.findall(TEXT))
    assert named.keys() == example.keys()
    for secret in ("EARSHOT_API_KEY", "POSTGRES_PASSWORD"):
        assert named[secret].startswith(":?")
    for variable, default in named.items():
        if default.startswith(":-"):
            assert example[variable] == default[2:]
