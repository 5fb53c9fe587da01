"""The commands that ask a running triage, against a server that answers what triage would."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result

from earshot_triage.cli import commands
from earshot_triage.judgement import Judge

MADE = [
    {
        "action_id": f"a{n}",
        "feedback_id": f"f{n % 12}",
        "text": f"the gate agent at counter {n % 12} was no help",
        "intent": "complaint" if n >= 12 else "praise",
        "conduct": None,
        "routes": None,
        "at": f"2026-03-01T00:00:{n:02d}Z",
    }
    for n in range(24)
]
ROUTED = {**MADE[0], "action_id": "r", "feedback_id": "routed", "intent": None, "routes": ["support"]}
REHEARSED = {
    "tried": 2_000,
    "changed": 1,
    "complete": False,
    "by_field": {"intent": 1, "routes": 1},
    "items": [
        {
            "feedback_id": "f1",
            "excerpt": "all is offline",
            "before": {"intent": "praise", "routes": []},
            "after": {"intent": "bug", "routes": ["support", "product"]},
            "reasons": [],
        }
    ],
}


class Answers(BaseHTTPRequestHandler):
    """Answers as triage does, and keeps what was asked."""

    asked: ClassVar[list[Any]] = []

    def do_GET(self) -> None:  # the library's name
        first = "cursor" not in self.path
        self._answer({"items": [*MADE[12:], ROUTED] if first else MADE[:12], "next_cursor": "more" if first else None})

    def do_POST(self) -> None:  # the library's name
        self.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self._answer(REHEARSED)

    def _answer(self, body: Any) -> None:
        refused = self.headers["authorization"] != "Bearer the-key-of-this-test"
        content = json.dumps({"detail": "This API key is not known here."} if refused else body).encode()
        self.send_response(401 if refused else 200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's signature
        """Say nothing."""


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("EARSHOT_API_KEY", "the-key-of-this-test")
    Answers.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, list(arguments))


@pytest.mark.capability("T33")
def test_a_judge_learns_from_the_corrections_of_a_running_system(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    done = run("train", "--with-corrections", "--url", url, "--model-dir", str(folder))
    assert done.exit_code == 0, done.output
    assert "12 corrections learned" in done.output, "of each item the last word, and none that tells no intent or conduct"
    text = "the gate agent at counter 99 was no help"
    plain, taught = (judge.judge([text])[0].intents["complaint"] for judge in (Judge.load(), Judge.load(folder)))
    assert taught > plain
    file = tmp_path / "corrections.jsonl"
    file.write_text("\n".join(json.dumps({"text": made["text"], "intent": made["intent"]}) for made in MADE[12:]), encoding="utf-8")
    other = tmp_path / "other"
    assert run("train", "--with-corrections", str(file), "--model-dir", str(other)).exit_code == 0
    assert Judge.load(other).version == Judge.load(folder).version, "the same lessons, the same weights"


@pytest.mark.capability("T33")
def test_a_rehearsal_prints_the_difference(url: str, tmp_path: Path) -> None:
    rules = tmp_path / "next.yaml"
    rules.write_text("monitors: [{name: outage, any_of: [offline], intent: bug}]", encoding="utf-8")
    done = run("rehearse", "--rules", str(rules), "--since", "2026-03-01T00:00:00Z", "--url", url)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "f1  all is offline",
        "  - intent: praise",
        "  + intent: bug",
        "  - routes: none",
        "  + routes: support, product",
        "1 of 2,000 items (a sample) would be decided otherwise: intent 1, routes 1.",
    ]
    (asked,) = Answers.asked
    assert asked["since"] == "2026-03-01T00:00:00+00:00"
    assert asked["rules"]["monitors"][0]["name"] == "outage"
    assert json.loads(run("rehearse", "--rules", str(rules), "--json", "--url", url).output)["changed"] == 1


def test_one_text_is_no_texts(tmp_path: Path) -> None:
    texts = tmp_path / "in.jsonl"
    for lines, told in ((1, "1 text judged by"), (2, "2 texts judged by")):
        texts.write_text('{"id": "1", "text": "all is offline"}\n' * lines, encoding="utf-8")
        done = run("classify", "--input", str(texts), "--output", str(tmp_path / "out.jsonl"))
        assert done.output.startswith(told)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("monitors: [{name: outage}]", ":1: monitors.0: rule “outage” has no condition", id="no condition"),
        pytest.param("a: [", "is not YAML", id="no yaml"),
    ],
)
def test_bad_rules_are_refused_by_line_before_anybody_is_asked(url: str, tmp_path: Path, content: str, said: str) -> None:
    rules = tmp_path / "next.yaml"
    rules.write_text(content, encoding="utf-8")
    done = run("rehearse", "--rules", str(rules), "--url", url)
    assert done.exit_code != 0
    assert said in str(done.exception)
    assert Answers.asked == []


def test_a_refusal_is_told_in_the_words_of_the_service(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARSHOT_API_KEY", "another-key-of-this-test")
    done = run("train", "--with-corrections", "--url", url, "--model-dir", str(tmp_path))
    assert "This API key is not known here." in str(done.exception)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run("train", "--with-corrections", str(tmp_path / "none.jsonl"), "--model-dir", str(tmp_path))
    assert done.exit_code == 2
    assert "cannot be read" in done.output
