"""Measures the offline commands: how many texts a second are classified, how many records a second resolved.

The time of a command on one line is taken off, so that loading a model does not count as work.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from earshot_shared.bench.load import Load
from earshot_shared.cli.main import CommandFailedError

TEXTS = 60_000
RECORDS = 50_000
_NAMES = "anna ben carla david ella finn greta hugo ida jonas klara leo mia noah olga paul rosa sven tara uwe vera willi yara zoe".split()
_FAMILIES = "adler berger conrad dietz ebert fuchs gross haas iversen jung keller lang maier neumann otto peters quandt roth sommer".split()


def measure_classify(folder: Path) -> float:
    """Return texts a second of ``earshot triage classify``."""
    load = Load(seed=7)
    lines = [msgspec.json.encode({"id": str(number), "text": str(load.item()["text"])[:140]}) for number in range(TEXTS)]
    return _rate(["triage", "classify"], lines, folder / "texts.jsonl")


def measure_resolve(folder: Path) -> float:
    """Return records a second of ``earshot crm-sync resolve``; three in ten are misspelt copies."""
    draw = random.Random(11)  # noqa: S311  # made-up people, not secrets
    records = [_person(draw, number) for number in range(int(RECORDS * 0.7))]
    records += [_misspell(draw, draw.choice(records), number) for number in range(RECORDS - len(records))]
    draw.shuffle(records)
    return _rate(["crm-sync", "resolve"], [msgspec.json.encode(record) for record in records], folder / "records.jsonl")


def _rate(command: list[str], lines: list[bytes], file: Path) -> float:
    alone = _time(command, lines[:1], file)
    return len(lines) / max(_time(command, lines, file) - alone, 1e-6)


def _time(command: list[str], lines: list[bytes], file: Path) -> float:
    file.write_bytes(b"\n".join(lines) + b"\n")
    full = [sys.executable, "-m", "earshot_shared", *command, "--input", str(file), "--output", str(file.with_suffix(".out"))]
    began = time.perf_counter()
    done = subprocess.run(full, capture_output=True, check=False)  # noqa: S603  # our own program
    if done.returncode:
        raise CommandFailedError(f"`earshot {' '.join(command)}` failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return time.perf_counter() - began


def _person(draw: random.Random, number: int) -> dict[str, str]:
    given, family = draw.choice(_NAMES), f"{draw.choice(_FAMILIES)}{draw.choice(_FAMILIES)}"
    return {
        "id": f"p{number}",
        "given_name": given,
        "family_name": family,
        "email": f"{given}.{family}{draw.randrange(10_000)}@example.com",
        "phone": f"+4930{draw.randrange(10**7):07d}",
        "birth_date": f"{draw.randrange(1940, 2005)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
        "postcode": f"{draw.randrange(10_000, 99_999)}",
        "city": draw.choice(("Berlin", "Hamburg", "Köln", "Leipzig", "Bremen")),
    }


def _misspell(draw: random.Random, person: dict[str, str], number: int) -> dict[str, str]:
    copy = {**person, "id": f"c{number}"}
    field = draw.choice(("given_name", "family_name", "email"))
    at = draw.randrange(len(copy[field]) - 1)
    copy[field] = copy[field][:at] + copy[field][at + 1] + copy[field][at] + copy[field][at + 2 :]
    return copy
