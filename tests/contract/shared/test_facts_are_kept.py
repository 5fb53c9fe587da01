"""What no view holds whole is told by `tell_facts`, so that it can be told again when the log is lost."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from earshot_shared.migrations import services_with_schema

# The makers of messages on topics of facts, by the names they have in every service.
_SENT = re.compile(
    r"\bsend\((?:[^()]|\([^()]*\))*?(?:\bACTIONS\b|_ACTIONS\b|_actions\b|tell_contact|tell_erasure|tell_erased|_tell_forgotten)"
)


@pytest.mark.parametrize(("service", "package"), services_with_schema().items())
def test_facts_are_never_merely_sent(service: str, package: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    slips = [file.name for file in Path(spec.origin).parent.rglob("*.py") if _SENT.search(file.read_text(encoding="utf-8"))]
    assert slips == [], f"{service}: these are facts: tell them by `tx.tell_facts`"
