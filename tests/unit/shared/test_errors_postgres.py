"""What an operator reads when Postgres refuses."""

import asyncpg

from earshot_shared.errors import FatalError, translate_asyncpg


def test_a_wrong_password_is_called_that_and_not_a_statement() -> None:
    told = translate_asyncpg(asyncpg.InvalidPasswordError("password authentication failed for user earshot"))
    assert isinstance(told, FatalError)
    assert told.detail == "Postgres refused the account or its password (28P01): correct EARSHOT_POSTGRES_DSN."


def test_a_refused_statement_names_its_state() -> None:
    told = translate_asyncpg(asyncpg.UndefinedTableError("relation items does not exist"))
    assert isinstance(told, FatalError)
    assert "42P01" in told.detail
