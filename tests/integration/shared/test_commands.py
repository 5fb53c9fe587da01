"""`earshot migrate` and `earshot keys` on a real Postgres."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from earshot_shared.access import PostgresKeys, open_access_pool, spend_token
from earshot_shared.cli.main import run
from earshot_shared.errors import EarshotError
from earshot_shared.http.auth import Keyring
from earshot_shared.local import findings
from earshot_shared.local.findings import Grade
from support.ground import FreshDatabase


@pytest.fixture
def dsn(fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    made = fresh_database()
    monkeypatch.setenv("EARSHOT_POSTGRES_DSN", made)
    monkeypatch.delenv("EARSHOT_TOPIC_PREFIX", raising=False)
    monkeypatch.chdir(tmp_path)
    return made


def test_migrate_then_again(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate"]) == 0
    assert "earshot_access: access/0001_pre_access" in capsys.readouterr().out
    assert run(["migrate"]) == 0
    assert capsys.readouterr().out == "Nothing to do: Postgres is as it should be.\n"


def test_the_doctor_tells_what_is_set_aside(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["migrate"])
    assert [each.grade for each in findings._schemas(dsn)] == [Grade.GOOD]
    asyncio.run(set_aside(dsn))
    told = list(findings._schemas(dsn))[-1]
    assert (told.grade, told.what, "earshot dead-letters list" in told.mend) == (Grade.DOUBTFUL, "1 record is set aside", True)


def test_a_one_time_token_is_spent_once_by_whoever_asks(dsn: str) -> None:
    run(["migrate"])

    async def spend() -> list[bool]:
        async with open_access_pool(dsn, "earshot", application="test") as pool:
            return await asyncio.gather(*(spend_token(pool, bytes([number]) * 32) for number in (1, 1, 2)))

    assert sorted(asyncio.run(spend())) == [False, True, True]
    assert asyncio.run(spend()) == [False, False, False]


@pytest.mark.capability("G9")
def test_a_key_from_making_to_its_end(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["migrate"])
    capsys.readouterr()
    assert (
        run(["keys", "create", "--scope", "ingest:write,triage:read", "--scope", "triage:read", "--name", "forum", "--source", "forum"])
        == 0
    )
    out, err = capsys.readouterr()
    token = out.splitlines()[-1]
    assert token.startswith("esk_")
    assert token not in err
    assert asyncio.run(who(dsn, token)) == {"ingest:write", "triage:read"}

    assert run(["keys", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["id"], listed["sources"], listed["brands"], listed["revoked_at"]) == (token.split("_")[1], ["forum"], None, None)
    assert token.split("_")[2] not in json.dumps(listed)

    assert run(["keys", "revoke", token.split("_")[1]]) == 0
    with pytest.raises(EarshotError, match="revoked"):
        asyncio.run(who(dsn, token))
    assert run(["keys", "list"]) == 0
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["keys", "create"], 2, id="no scope"),
        pytest.param(["keys", "create", "--scope", "nope"], 2, id="unknown scope"),
        pytest.param(["keys", "create", "--scope", "admin", "--name", ""], 1, id="no name"),
        pytest.param(["keys", "create", "--scope", "ingest:write", "--source", " "], 2, id="bound to no name"),
        pytest.param(["keys", "revoke", "aaaaaaaaaaaa"], 1, id="unknown key"),
    ],
)
def test_keys_that_cannot_be(dsn: str, arguments: list[str], code: int) -> None:
    run(["migrate"])
    assert run(arguments) == code


def test_keys_before_the_migration(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list"]) == 1
    assert capsys.readouterr().err == "This database has no installation's secret: run `earshot migrate` first.\n"


async def set_aside(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        'insert into earshot_triage.dead_letters (id, topic, partition, "offset", code, detail, headers)'
        " values (gen_random_uuid(), 't', 0, 1, 'undecodable', '', '')"
    )
    await connection.close()


async def who(dsn: str, token: str) -> set[str]:
    async with open_access_pool(dsn, "earshot", application="tests") as pool:
        principal = await Keyring(PostgresKeys(pool))([(b"authorization", f"Bearer {token}".encode())])
    return set(principal.scopes)
