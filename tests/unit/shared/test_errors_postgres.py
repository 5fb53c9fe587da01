"""What an operator reads when Postgres refuses."""

import asyncpg
import pytest

from earshot_shared.errors import FatalError, PoisonError, translate_asyncpg
from earshot_shared.postgres import translated


def test_a_wrong_password_is_called_that_and_not_a_statement() -> None:
    told = translate_asyncpg(asyncpg.InvalidPasswordError("password authentication failed for user earshot"))
    assert isinstance(told, FatalError)
    assert told.detail == "Postgres refused the account or its password (28P01): correct EARSHOT_POSTGRES_DSN."


def test_a_refused_statement_names_its_state() -> None:
    told = translate_asyncpg(asyncpg.UndefinedTableError("relation items does not exist"))
    assert isinstance(told, FatalError)
    assert "42P01" in told.detail


def test_a_value_that_no_index_holds_is_the_records_fault() -> None:
    assert isinstance(
        translate_asyncpg(asyncpg.ProgramLimitExceededError("index row size 2976 exceeds btree version 4 maximum")), PoisonError
    )


def test_a_number_or_a_time_beyond_every_column_is_the_records_fault() -> None:
    with pytest.raises(PoisonError, match="too large"), translated():
        raise OverflowError("int too big to convert")
