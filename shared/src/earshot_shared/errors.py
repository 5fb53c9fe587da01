"""The errors of Earshot, and the translation of what our two libraries raise into them.

Owns the taxonomy. Every error has a ``code``, one stable word for metrics, dead letters and HTTP bodies, and one sentence that says
what to do. Foreign exceptions are translated at the border by type or SQLSTATE, never by message text.
"""

import asyncio
from typing import ClassVar

import aiokafka.errors as kafka_errors
import asyncpg


class EarshotError(Exception):
    """The root of all that we raise on purpose; never raised itself."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code  # type: ignore[misc]  # a narrower word for one instance is the point of the argument


class RetryableError(EarshotError):
    """The world was not ready (connection, lock, restart); the same input may succeed. Wait, then try again."""

    code = "retry"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_s = retry_after_s


class PoisonError(EarshotError):
    """This record can never succeed. The loop sets it aside with its coordinates; its neighbours go on."""

    code = "poison"


class FencedError(EarshotError):
    """Another owner moved our positions. Drop the slice, forget what is cached, load the positions again."""

    code = "fenced"


class FatalError(EarshotError):
    """Our code, schema, configuration or ground is wrong. Say it, exit non-zero, be restarted or mended."""

    code = "fatal"


# SQLSTATE classes and states after which the same statement may succeed: connection, transaction rollback (serialisation, deadlock),
# resources, operator intervention, lock not available, idle-in-transaction time-out, and a unique violation: a twin came first.
_RETRYABLE_SQLSTATE_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_RETRYABLE_SQLSTATES = frozenset({"55P03", "25P03", "25P04", "23505", "55006"})
_POISON_SQLSTATE_CLASSES = frozenset({"22"})  # a value that no column can hold: the record's fault, not ours
_POISON_SQLSTATES = frozenset({"54000"})  # or no index
_REFUSED_SQLSTATE_CLASS = "28"  # invalid authorization
_FATAL_INTERFACE = (  # how we are set up, or what the server is, does not change by trying again
    asyncpg.ClientConfigurationError,
    asyncpg.UnsupportedClientFeatureError,
    asyncpg.UnsupportedServerFeatureError,
)


def translate_asyncpg(error: BaseException) -> EarshotError:
    """Return our error for what asyncpg (or its transport) raised; anything not known to pass or to be the data's fault is fatal."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state[:2] in _RETRYABLE_SQLSTATE_CLASSES or state in _RETRYABLE_SQLSTATES:
            return RetryableError(f"Postgres asked us to try again ({state}).", code="postgres-retry")
        if state[:2] in _POISON_SQLSTATE_CLASSES or state in _POISON_SQLSTATES:
            return PoisonError(f"Postgres cannot hold a value of this record ({state}).", code="postgres-data")
        if state[:2] == _REFUSED_SQLSTATE_CLASS:
            return FatalError(
                f"Postgres refused the account or its password ({state}): correct EARSHOT_POSTGRES_DSN.", code="postgres-fatal"
            )
        return FatalError(f"Postgres refused a statement of ours ({state or type(error).__name__}).", code="postgres-fatal")
    if isinstance(error, OverflowError):  # a number or a time beyond what its column is written as, found before anything is sent
        return PoisonError("A number or a time is too large to be kept.", code="postgres-data")
    if isinstance(error, asyncpg.InternalClientError):
        return RetryableError("The Postgres connection lost its place; a new one is opened.", code="postgres-client")
    if isinstance(error, _FATAL_INTERFACE):
        return FatalError(f"Postgres cannot be used as it is set up ({type(error).__name__}).", code="postgres-fatal")
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):  # its own DataError, raised before anything is sent
        return PoisonError("A value does not fit the column it is meant for.", code="postgres-data")
    if isinstance(error, asyncpg.InterfaceError):
        # "connection is closed", "pool is closing", "another operation in progress": states of a connection, not of the data.
        return RetryableError("The Postgres connection is not usable; a new one is opened.", code="postgres-connection")
    if isinstance(error, OSError | asyncio.TimeoutError | EOFError):
        return RetryableError("Postgres could not be reached.", code="postgres-unreachable")
    return FatalError(f"Postgres access failed unexpectedly ({type(error).__name__}).", code="postgres-fatal")


_FATAL_KAFKA = (
    kafka_errors.IllegalStateError,
    kafka_errors.IncompatibleBrokerVersion,
    kafka_errors.UnrecognizedBrokerVersion,
    kafka_errors.UnsupportedVersionError,
    kafka_errors.UnsupportedCodecError,
    kafka_errors.UnsupportedForMessageFormatError,
    kafka_errors.SaslAuthenticationFailed,
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.GroupAuthorizationFailedError,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.TransactionalIdAuthorizationFailed,
    kafka_errors.InvalidTopicError,
    kafka_errors.InvalidConfigurationError,
    kafka_errors.InconsistentGroupProtocolError,
    kafka_errors.OffsetOutOfRangeError,
    # What we ask for, or how we are set up, is wrong: asking again would be refused again.
    kafka_errors.AuthenticationFailedError,
    kafka_errors.AuthenticationMethodNotSupported,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.IllegalSaslStateError,
    kafka_errors.SecurityDisabled,
    kafka_errors.DelegationTokenAuthDisabled,
    kafka_errors.DelegationTokenAuthorizationFailed,
    kafka_errors.DelegationTokenExpired,
    kafka_errors.DelegationTokenNotFound,
    kafka_errors.DelegationTokenOwnerMismatch,
    kafka_errors.DelegationTokenRequestNotAllowed,
    kafka_errors.InvalidPrincipalType,
    kafka_errors.IllegalArgumentError,
    kafka_errors.KafkaConfigurationError,
    kafka_errors.InvalidCommitOffsetSizeError,
    kafka_errors.InvalidFetchRequestError,
    kafka_errors.InvalidGroupIdError,
    kafka_errors.InvalidPartitionsError,
    kafka_errors.InvalidReplicationAssignmentError,
    kafka_errors.InvalidReplicationFactorError,
    kafka_errors.InvalidRequestError,
    kafka_errors.InvalidRequiredAcksError,
    kafka_errors.InvalidSessionTimeoutError,
    kafka_errors.InvalidTransactionTimeout,
    kafka_errors.InvalidTxnState,
    kafka_errors.ListenerNotFound,
    kafka_errors.NonEmptyGroup,
    kafka_errors.OffsetMetadataTooLargeError,
    kafka_errors.PolicyViolationError,
    kafka_errors.TopicAlreadyExistsError,
)
# The library calls these final, yet they pass: a broker that restarts or elects, a producer or group that begins anew with the next try.
_PASSING_KAFKA = (
    kafka_errors.BrokerNotAvailableError,
    kafka_errors.ConcurrentTransactions,
    kafka_errors.DuplicateSequenceNumber,
    kafka_errors.FetchSessionIdNotFound,
    kafka_errors.GroupIdNotFound,
    kafka_errors.InvalidFetchSessionEpoch,
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.InvalidProducerIdMapping,
    kafka_errors.KafkaTimeoutError,
    kafka_errors.KafkaUnavailableError,
    kafka_errors.LogDirNotFound,
    kafka_errors.MemberIdRequired,
    kafka_errors.NoOffsetForPartitionError,
    kafka_errors.OperationNotAttempted,
    kafka_errors.OutOfOrderSequenceNumber,
    kafka_errors.ProducerClosed,
    kafka_errors.QuotaViolationError,
    kafka_errors.ReassignmentInProgress,
    kafka_errors.ReplicaNotAvailableError,
    kafka_errors.StaleControllerEpochError,
    kafka_errors.StaleLeaderEpochCodeError,
    kafka_errors.TransactionCoordinatorFenced,
    kafka_errors.UnknownError,
    kafka_errors.UnknownProducerId,
)
_FENCED_KAFKA = (
    kafka_errors.CommitFailedError,
    kafka_errors.ProducerFenced,
    kafka_errors.IllegalGenerationError,
    kafka_errors.UnknownMemberIdError,
    kafka_errors.RebalanceInProgressError,
)
_POISON_KAFKA = (
    kafka_errors.CorruptRecordException,
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTimestampError,
)


def translate_kafka(error: BaseException) -> EarshotError:
    """Return our error for what aiokafka raised: by type first, then by the library's own ``retriable`` mark."""
    name = type(error).__name__
    if isinstance(error, _FENCED_KAFKA):
        return FencedError(f"Kafka says another owner took over ({name}).", code="kafka-fenced")
    if isinstance(error, _POISON_KAFKA):
        return PoisonError(f"Kafka cannot carry this record ({name}).", code="kafka-data")
    if isinstance(error, _FATAL_KAFKA):
        return FatalError(f"Kafka refused us ({name}).", code="kafka-fatal")
    if isinstance(error, _PASSING_KAFKA) or (isinstance(error, kafka_errors.KafkaError) and error.retriable):
        return RetryableError(f"Kafka was not ready ({name}).", code="kafka-retry")
    if isinstance(error, kafka_errors.KafkaError):
        # Something newer than our lists: staying up and trying again loses nothing, and the word tells whoever looks.
        return RetryableError(f"Kafka said what we do not know ({name}).", code="kafka-unknown")
    if isinstance(error, OSError | asyncio.TimeoutError):
        return RetryableError("Kafka could not be reached.", code="kafka-unreachable")
    return FatalError(f"Kafka access failed unexpectedly ({name}).", code="kafka-fatal")
