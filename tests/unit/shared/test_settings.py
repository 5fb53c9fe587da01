"""Settings: what the environment says, and what nobody knows."""

import os
from pathlib import Path

import pytest

from earshot_shared import settings as module
from earshot_shared.settings import Port, ServiceSettings, SettingsError, check_settings, known_variables, read_settings


class TriageSettings(ServiceSettings):
    """A service's settings, for tests."""

    service = "triage"
    port: Port = 8002
    batch_records: int = 500
    """How many records."""


REQUIRED = {"EARSHOT_KAFKA_BOOTSTRAP": "broker:9092", "EARSHOT_POSTGRES_DSN": "postgresql://earshot:pass-word@db/earshot"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("EARSHOT_"):
            monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(module, "_settings_classes", lambda: {"triage": TriageSettings})
    monkeypatch.chdir(tmp_path)


def test_common_and_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_TOPIC_PREFIX", "acme.test.")
    monkeypatch.setenv("EARSHOT_TRIAGE_PORT", "9102")
    monkeypatch.setenv("EARSHOT_TRIAGE_BATCH_RECORDS", "7")
    monkeypatch.setenv("EARSHOT_CRM_SYNC_ANYTHING", "a service that is not installed here")
    read = read_settings(TriageSettings)
    assert (read.kafka_bootstrap, read.topic_prefix, read.port, read.batch_records) == ("broker:9092", "acme.test", 9102, 7)
    assert read.postgres_schema == "acme_test_triage"
    assert read.dsn == REQUIRED["EARSHOT_POSTGRES_DSN"]
    assert "pass-word" not in repr(read)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        pytest.param("EARSHOT_KAFKA_BOOTSTRAP", "", "Set EARSHOT_KAFKA_BOOTSTRAP: Kafka's address", id="empty is absent"),
        pytest.param("EARSHOT_POSTGRS_DSN", "x", "EARSHOT_POSTGRS_DSN: did you mean EARSHOT_POSTGRES_DSN?", id="misspelt"),
        pytest.param("EARSHOT_TRIAGE_BATCH_RECORD", "5", "did you mean EARSHOT_TRIAGE_BATCH_RECORDS?", id="misspelt own"),
        pytest.param("EARSHOT_QQQQQQQQQQQ", "x", "docs/settings.md", id="like nothing"),
        pytest.param("EARSHOT_TRIAGE_KAFKA_BOOTSTRAP", "x", "Nobody knows", id="common, spelt as own"),
        pytest.param("EARSHOT_POSTGRES_DSN", "mysql://root:geheim@db", "EARSHOT_POSTGRES_DSN is not usable: write it as", id="no DSN"),
        pytest.param("EARSHOT_TRIAGE_PORT", "geheim", "EARSHOT_TRIAGE_PORT is not usable", id="no number"),
        pytest.param("EARSHOT_TRIAGE_PORT", "70000", "EARSHOT_TRIAGE_PORT is not usable", id="no port"),
        pytest.param("EARSHOT_TOPIC_PREFIX", "Acme", "EARSHOT_TOPIC_PREFIX is not usable", id="capitals"),
        pytest.param("EARSHOT_TOPIC_PREFIX", "a_b", "EARSHOT_TOPIC_PREFIX is not usable", id="underscore"),
        pytest.param("EARSHOT_TOPIC_PREFIX", "a..b", "EARSHOT_TOPIC_PREFIX is not usable", id="two dots"),
        pytest.param("EARSHOT_TOPIC_PREFIX", "a" * 41, "EARSHOT_TOPIC_PREFIX is not usable", id="long"),
        pytest.param("EARSHOT_API_KEY", "geheim", "EARSHOT_API_KEY is not usable: use at least 16", id="short key"),
        pytest.param("EARSHOT_LOG_LEVEL", "geheim", "EARSHOT_LOG_LEVEL is not usable", id="no level"),
        pytest.param("EARSHOT_CONFIG_DIR", "/geheim", "EARSHOT_CONFIG_DIR is not usable", id="no folder"),
    ],
)
def test_faults_are_one_sentence_without_the_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        read_settings(TriageSettings)
    told = str(refused.value)
    assert sentence in told
    assert "geheim" not in told
    assert "\n" not in told
    assert refused.value.__cause__ is None


def test_all_services_are_checked_before_their_addresses_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in REQUIRED:
        monkeypatch.delenv(name)
    check_settings()
    for name, value in (("EARSHOT_API_KEY", "geheim"), ("EARSHOT_TRIAGE_BATCH_RECORDS", "many"), ("EARSHOT_POSTGRES_DSN", "mysql://db")):
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match=f"{name} is not usable"):
            check_settings()
        monkeypatch.delenv(name)


def test_settings_cannot_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_settings(TriageSettings).port = 1  # type: ignore[misc]  # that is the point


def test_a_config_folder_here_stands_above_the_shipped_one(tmp_path: Path) -> None:
    shipped = read_settings(TriageSettings).config_dir
    assert shipped.name == "config"
    (tmp_path / "config").mkdir()
    assert read_settings(TriageSettings).config_dir == tmp_path / "config"


def test_every_variable_has_a_meaning() -> None:
    known = known_variables()
    assert {"EARSHOT_KAFKA_BOOTSTRAP", "EARSHOT_TRIAGE_PORT", "EARSHOT_TEST_KAFKA"} <= known.keys()
    assert [name for name, variable in known.items() if not variable.meaning] == []
    assert known["EARSHOT_TRIAGE_BATCH_RECORDS"].default == "500"
    assert known["EARSHOT_POSTGRES_DSN"].required
