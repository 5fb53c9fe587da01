"""The rows of docs/ids.md about customers are true, of the engine and of the store."""

import re
from pathlib import Path

import pytest

from earshot_crm_sync.domain.aliases import alias_of
from earshot_crm_sync.identity import Identifier, identifier_id
from earshot_crm_sync.stage import ID_PURPOSE
from earshot_shared.access import Secret

DOCUMENT = (Path(__file__).resolve().parents[4] / "docs" / "ids.md").read_text(encoding="utf-8")
SECRET = Secret(bytes(range(32)))
ROWS = re.findall(r"^\| `(account|handle|crm_id|email|phone)` \| `([^`]+)` \| `([0-9a-f-]{36})` \|$", DOCUMENT, re.MULTILINE)


def test_the_key() -> None:
    assert f"`{SECRET.key(ID_PURPOSE).hex()}`" in DOCUMENT
    assert len(ROWS) == 5


@pytest.mark.parametrize(("kind", "value", "wanted"), ROWS)
def test_customer_ids(kind: str, value: str, wanted: str) -> None:
    identifier = Identifier(kind, value)
    assert str(identifier_id(identifier, SECRET.key(ID_PURPOSE))) == wanted
    assert alias_of(identifier, SECRET.key(ID_PURPOSE)) == wanted
