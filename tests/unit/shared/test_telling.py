"""Logs, metrics, traces, health: what a process tells about itself, and what it must not."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from earshot_shared.errors import FatalError
from earshot_shared.health import Health
from earshot_shared.logs import configure_logs
from earshot_shared.metrics import REGISTRY, Metric, Metrics
from earshot_shared.testing import FakeClock
from earshot_shared.tracing import current_traceparent, working_in

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    chatty = {
        name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in ("uvicorn.access", "aiokafka", "asyncio")
    }
    stream = io.StringIO()
    configure_logs("triage", "INFO", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, (was, propagated) in chatty.items():
        logging.getLogger(name).setLevel(was)
        logging.getLogger(name).propagate = propagated


def told(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_its_fields(lines: io.StringIO) -> None:
    logging.getLogger("earshot.test").info("slice applied", extra={"action": "slice_applied", "records": 12, "topic": "t", "ids": ("a", 1)})
    (line,) = told(lines)
    assert {name: line[name] for name in ("level", "service", "message", "action", "records", "ids")} == {
        "level": "info", "service": "triage", "message": "slice applied", "action": "slice_applied", "records": 12, "ids": ["a", 1],
    }  # fmt: skip
    assert str(line["time"]).endswith("Z")


def test_a_library_that_repeats_itself_is_written_once_in_a_while(lines: io.StringIO) -> None:
    chatty, ours = logging.getLogger("aiokafka.client"), logging.getLogger("earshot.test")
    for node in range(50):
        chatty.error("Unable connect to node with id %s", node)
        ours.warning("waiting to try again")
    chatty.error("Something else")
    record = logging.LogRecord("aiokafka.client", logging.ERROR, "", 0, "Unable connect to node with id %s", (7,), None)
    record.created += 11
    chatty.handle(record)
    assert [line["message"] for line in told(lines) if line["logger"] == "aiokafka.client"] == [
        "Unable connect to node with id 0", "Something else", "Unable connect to node with id 7",
    ]  # fmt: skip
    assert told(lines)[-1]["unsaid"] == 49
    assert sum(line["logger"] == "earshot.test" for line in told(lines)) == 50


def test_personal_fields_are_taken_off_and_the_slip_is_seen(lines: io.StringIO) -> None:
    extra = {"text": "my secret", "email": "anna@example.org", "nested": {"handle": "anna", "count": 1}, "feedback_id": "f1"}
    logging.getLogger("earshot.test").warning("odd", extra=extra)
    (line,) = told(lines)
    assert line["refused"] == ["email", "text"]
    assert line["nested"] == {"handle": "refused", "count": 1}
    assert line["feedback_id"] == "f1"
    assert "anna" not in lines.getvalue()


def test_exceptions_are_told_by_type_and_place_never_by_message(lines: io.StringIO) -> None:
    def fail() -> None:
        try:
            raise ValueError("Key (email)=(anna@example.org) already exists")
        except ValueError as error:
            raise FatalError("Postgres refused a statement of ours.", code="postgres-fatal") from error

    try:
        fail()
    except FatalError as error:
        logging.getLogger("earshot.test").error("failed", exc_info=error)
    (line,) = told(lines)
    shown = line["error"]
    assert isinstance(shown, dict)
    assert (shown["type"], shown["code"], shown["detail"]) == ("FatalError", "postgres-fatal", "Postgres refused a statement of ours.")
    assert shown["cause"]["type"] == "ValueError"
    assert "fail" in shown["frames"][-1]
    assert "anna" not in lines.getvalue()


def test_exceptions_that_name_each_other_are_told_once_more_at_most(lines: io.StringIO) -> None:
    first, second = ValueError(), ValueError()
    first.__cause__, second.__cause__ = second, first
    logging.getLogger("earshot.test").error("failed", exc_info=first)
    assert len(told(lines)) == 1


def test_access_lines_are_not_written(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info('1.2.3.4 - "GET /v1/customers?q=anna HTTP/1.1" 200')
    logging.getLogger("aiokafka.consumer").info("chatter")
    assert lines.getvalue() == ""


def test_every_metric_has_a_kind_and_a_meaning() -> None:
    names = [metric.name for metric in REGISTRY]
    assert len(names) == len(set(names))
    assert all(metric.meaning.endswith(".") for metric in REGISTRY)
    assert all(metric.name.endswith("_total") == (metric.kind == "counter") for metric in REGISTRY)


def test_metrics_of_two_services_never_meet() -> None:
    open_cases = Metric(name="cases_open", kind="gauge", meaning="Open cases.", labels=("team",))
    one, two = Metrics("one"), Metrics("two", extra=[open_cases])
    one.count("http_refused_total", "busy", amount=3)
    one.count("http_refused_total", "busy")
    two.put("cases_open", 5, "support")
    two.observe("http_request_seconds", 0.2, "/v1/notes")
    assert b'earshot_http_refused_total{code="busy"} 4.0' in one.render()
    assert b"cases_open" not in one.render()
    assert b'earshot_cases_open{team="support"} 5.0' in two.render()
    assert b'earshot_http_request_seconds_bucket{le="0.25",route="/v1/notes"} 1.0' in two.render()
    assert b"process_resident_memory_bytes" in two.render()


def test_values_that_are_read_when_somebody_looks() -> None:
    metrics, applied = Metrics("one"), [3]
    metrics.follow("records_applied_total", lambda: applied[0])
    metrics.follow("relay_holds_lease", lambda: False)
    metrics.follow("relay_holds_lease", lambda: True)
    applied[0] = 7
    shown = metrics.render()
    assert b"# TYPE earshot_records_applied_total counter\nearshot_records_applied_total 7.0" in shown
    assert b"earshot_relay_holds_lease 1.0" in shown


def test_a_metric_nobody_registered_is_a_slip() -> None:
    metrics = Metrics("one")
    with pytest.raises(KeyError):
        metrics.count("recrods_applied_total")
    with pytest.raises(KeyError):
        metrics.follow("recrods_applied_total", lambda: 0)
    with pytest.raises(ValueError, match="label"):
        metrics.count("http_refused_total")


def test_a_trace_goes_on_and_ends() -> None:
    assert current_traceparent() is None
    with working_in(TRACE) as own:
        assert current_traceparent() == own
        assert own.split("-")[:2] == TRACE.split("-")[:2]
        assert own.split("-")[2] != TRACE.split("-")[2]
        assert own.endswith("-01")
        with working_in(None) as other:
            assert other.split("-")[1] != own.split("-")[1]
        assert current_traceparent() == own
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "header", [None, "", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff-" + TRACE[3:], TRACE + "\n", "ü" * 55]
)
def test_a_header_that_names_no_trace_begins_one(header: str | None) -> None:
    with working_in(header) as own:
        assert current_traceparent() == own
        assert len(own) == len(TRACE)


def test_live_is_having_turned_recently() -> None:
    clock = FakeClock()
    health = Health(patience_s=60, clock=clock)
    turned = 0.0
    health.watch("loop", lambda: turned)
    clock.pass_s(1000)
    assert health.live().well  # it has not begun yet
    turned = clock.now
    clock.pass_s(59)
    assert health.live().well
    clock.pass_s(3)
    assert health.live().reasons == {"loop": "has not turned for 62 s"}


async def test_ready_names_every_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earshot_shared.health._CHECK_TIMEOUT_S", 0.05)
    health = Health()

    async def fine() -> None:
        return None

    async def missing() -> str:
        return "positions are not loaded"

    async def stuck() -> None:
        await asyncio.Event().wait()

    async def broken() -> None:
        raise FatalError("The position belongs to another Kafka cluster.")

    for name, check in (("a", fine), ("b", missing), ("c", stuck), ("d", broken)):
        health.require(name, check)
    assert (await health.ready()).reasons == {
        "b": "positions are not loaded",
        "c": "did not answer within 0 s",
        "d": "The position belongs to another Kafka cluster.",
    }
