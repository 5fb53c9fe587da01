"""Every exception of the two libraries is translated on purpose: one that a new version brings fails here until somebody has decided."""

from collections.abc import Iterator

import aiokafka.errors as kafka_errors
import asyncpg
import pytest

from earshot_shared.errors import EarshotError, FatalError, FencedError, PoisonError, RetryableError, translate_asyncpg, translate_kafka

# What each SQLSTATE class means to us (PostgreSQL, appendix A); single states that differ from their class stand below.
BY_CLASS: dict[type[EarshotError], str] = {
    RetryableError: "08 40 53 57 58",
    PoisonError: "22",
    FatalError: "00 01 02 03 09 0A 0B 0F 0L 0P 0Z 10 20 21 23 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 42 44 54 55 72 F0 HV P0 XX",
}
BY_STATE: dict[str, type[EarshotError]] = {
    **dict.fromkeys(("55P03", "25P03", "25P04", "23505", "55006"), RetryableError),
    "54000": PoisonError,  # a value longer than an index takes
}
BY_INTERFACE: dict[str, type[EarshotError]] = {
    "InterfaceError": RetryableError,
    "DataError": PoisonError,
    "ClientConfigurationError": FatalError,
    "UnsupportedClientFeatureError": FatalError,
    "UnsupportedServerFeatureError": FatalError,
    "InternalClientError": RetryableError,
    "ProtocolError": RetryableError,
    "OutdatedSchemaCacheError": RetryableError,
    "TargetServerAttributeNotMatched": RetryableError,
}
NO_STATE = {"FatalPostgresError", "UnknownPostgresError"}  # raised only for what has no class of its own
ABSTRACT = {"BrokerResponseError", "NoError"}  # never raised: a base, and the answer that all went well


def below(root: type[BaseException]) -> Iterator[type[BaseException]]:
    for each in root.__subclasses__():
        yield each
        yield from below(each)


def every(root: type[BaseException], library: str) -> list[type[BaseException]]:
    found = {each for each in below(root) if each.__module__.split(".")[0] == library}
    assert len(found) > 2
    return sorted(found, key=lambda each: each.__qualname__)


@pytest.mark.parametrize("each", [pytest.param(each, id=each.__name__) for each in every(asyncpg.PostgresError, "asyncpg")])
def test_what_postgres_says_is_translated_by_its_state(each: type[asyncpg.PostgresError]) -> None:
    told = translate_asyncpg(each("told"))
    if each.sqlstate is None:
        assert each.__name__ in NO_STATE
        assert isinstance(told, FatalError)
        return
    by_class = [ours for ours, states in BY_CLASS.items() if each.sqlstate[:2] in states.split()]
    assert len(by_class) == 1, f"nobody has decided about SQLSTATE class {each.sqlstate[:2]}"
    assert type(told) is BY_STATE.get(each.sqlstate, by_class[0])


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(each, id=each.__name__)
        for root in (asyncpg.InterfaceError, asyncpg.InternalClientError)
        for each in [root, *every(root, "asyncpg")]
    ],
)
def test_what_the_client_of_postgres_says_is_translated_by_its_type(each: type[Exception]) -> None:
    assert each.__name__ in BY_INTERFACE, "nobody has decided about this class"
    assert type(translate_asyncpg(each("told"))) is BY_INTERFACE[each.__name__]


@pytest.mark.parametrize("each", [pytest.param(each, id=each.__name__) for each in every(kafka_errors.KafkaError, "aiokafka")])
def test_what_kafka_says_is_known(each: type[kafka_errors.KafkaError]) -> None:
    error = Exception.__new__(each)  # some want arguments that do not matter here
    told = translate_kafka(error)
    if each.__name__ in ABSTRACT:
        assert told.code == "kafka-unknown"
        return
    assert told.code != "kafka-unknown", "nobody has decided about this class"
    if error.retriable:
        assert type(told) is RetryableError


@pytest.mark.parametrize(
    ("raised", "ours"),
    [
        pytest.param(kafka_errors.NotLeaderForPartitionError(), RetryableError, id="an election"),
        pytest.param(kafka_errors.OutOfOrderSequenceNumber(), RetryableError, id="a producer that begins anew"),
        pytest.param(kafka_errors.UnknownMemberIdError(), FencedError, id="a group that went on without us"),
        pytest.param(kafka_errors.MessageSizeTooLargeError(), PoisonError, id="a record that is too large"),
        pytest.param(kafka_errors.TopicAuthorizationFailedError(), FatalError, id="a topic closed to us"),
        pytest.param(kafka_errors.UnsupportedSaslMechanismError(), FatalError, id="another way to log in"),
        pytest.param(kafka_errors.KafkaError("?"), RetryableError, id="what we do not know"),
        pytest.param(ConnectionResetError(), RetryableError, id="the network"),
        pytest.param(KeyError("k"), FatalError, id="a slip of ours"),
    ],
)
def test_kafka_by_example(raised: BaseException, ours: type[EarshotError]) -> None:
    assert type(translate_kafka(raised)) is ours
