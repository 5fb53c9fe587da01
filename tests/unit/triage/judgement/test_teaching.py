"""Own labels and corrections: taught by examples, repeatable, refused when they cannot teach."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from earshot_triage.judgement import Judge
from earshot_triage.judgement.commands import classify, train
from earshot_triage.judgement.senses import shipped
from earshot_triage.judgement.tables import ModelError

DEPARTMENTS = {
    "billing": ["I was charged twice", "refund my money please", "the invoice is wrong", "my card was charged", "wrong amount billed"],
    "delivery": ["where is my parcel", "the parcel arrived broken", "delivery is late", "courier lost my box", "package not arrived"],
    "account": ["cannot log in", "reset my password", "my account is locked", "change my email address", "login code missing"],
}
LINES = [json.dumps({"text": text, "label": label}) for label, texts in DEPARTMENTS.items() for text in texts]


def teach(tmp_path: Path, lines: list[str], folder: str = "model", name: str = "department") -> tuple[int, str]:
    source = tmp_path / "lessons.jsonl"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = ["--labels", name, "--input", str(source), "--model-dir", str(tmp_path / folder)]
    done = CliRunner().invoke(train, arguments)
    return done.exit_code, done.output


@pytest.mark.capability("T4")
def test_taught_labels_are_given_by_classify(tmp_path: Path) -> None:
    code, said = teach(tmp_path, LINES)
    assert code == 0, said
    asked = tmp_path / "in.jsonl"
    texts = {"1": "my parcel did not arrive", "2": "please reset the password", "3": "charged the wrong amount", "4": ""}
    asked.write_text("\n".join(json.dumps({"id": key, "text": text}) for key, text in texts.items()), encoding="utf-8")
    target = tmp_path / "out.jsonl"
    done = CliRunner().invoke(classify, ["--input", str(asked), "--output", str(target), "--model-dir", str(tmp_path / "model")])
    assert done.exit_code == 0, done.output
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [answer["id"] for answer in answers] == list(texts)
    found = [answer["labels"]["department"]["label"] for answer in answers[:3]]
    assert found == ["delivery", "account", "billing"]
    assert all(0 <= answer["labels"]["department"]["probability"] <= 1 for answer in answers[:3])


@pytest.mark.capability("T33")
def test_the_mark_that_some_editors_put_first_is_no_part_of_the_line(tmp_path: Path) -> None:
    asked, target = tmp_path / "asked.jsonl", tmp_path / "answers.jsonl"
    asked.write_text('{"id": 1, "text": "where is my parcel"}\n', encoding="utf-8-sig")
    done = CliRunner().invoke(classify, ["--input", str(asked), "--output", str(target)])
    assert done.exit_code == 0, done.output
    assert json.loads(target.read_text())["id"] == 1


def test_labels_are_renamed_and_removed_by_teaching_again(tmp_path: Path) -> None:
    assert teach(tmp_path, LINES)[0] == 0
    renamed = [line.replace('"account"', '"access"') for line in LINES if '"billing"' not in line]
    assert teach(tmp_path, renamed)[0] == 0
    judge = Judge.load(tmp_path / "model")
    labels = {said.labels["department"].label for said in judge.judge(["refund my money", "reset my password"])}
    assert labels <= {"access", "delivery"}


def test_labels_are_the_same_alone_and_in_company(tmp_path: Path) -> None:
    assert teach(tmp_path, LINES)[0] == 0
    judge = Judge.load(tmp_path / "model")
    texts = [text for texts in DEPARTMENTS.values() for text in texts] + ["", "😀", "naïve café", "money money money"]
    together = judge.judge(texts)
    assert [said.labels for said in together] == [judge.judge([text])[0].labels for text in texts]


def test_lessons_reach_texts_in_other_words(tmp_path: Path) -> None:
    assert teach(tmp_path, LINES)[0] == 0
    judge = Judge.load(tmp_path / "model")
    other = {"they took too much cash": "billing", "shipment still absent": "delivery", "forgotten credentials": "account"}
    assert {text: said.labels["department"].label for text, said in zip(other, judge.judge(list(other)), strict=True)} == other


def test_labels_of_a_folder_that_knows_words_only_still_speak(tmp_path: Path) -> None:
    assert teach(tmp_path, LINES)[0] == 0
    folder = tmp_path / "model/labels/department"
    for name in ("sense_weights", "sense_step", "odds", "lean"):
        (folder / f"{name}.npy").unlink()
    assert Judge.load(tmp_path / "model").judge(["refund my money"])[0].labels["department"].label == "billing"


def test_labels_taught_with_other_vectors_are_refused_in_words(tmp_path: Path) -> None:
    assert teach(tmp_path, LINES)[0] == 0
    told = tmp_path / "model/labels/department/model.json"
    told.write_text(told.read_text(encoding="utf-8").replace(shipped().fingerprint, "0" * 12), encoding="utf-8")
    with pytest.raises(ModelError, match="teach them again"):
        Judge.load(tmp_path / "model")


def test_taught_twice_the_same_bytes(tmp_path: Path) -> None:
    teach(tmp_path, LINES, "one")
    teach(tmp_path, LINES[::-1], "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert files
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param([], "no example", id="nothing"),
        pytest.param(LINES[:5], "two labels or more", id="one label"),
        pytest.param([*LINES, "{broken"], "line 16 is not JSON", id="broken line"),
        pytest.param([*LINES, '{"text": "", "label": "billing"}'], "line 16 has a text without words", id="empty text"),
        pytest.param([*LINES, '{"text": "x"}'], "line 16 needs a text and a label", id="no label"),
        pytest.param([*LINES, '{"text": "x y", "label": " "}'], "empty label", id="blank label"),
        pytest.param([*LINES, '["x"]'], "line 16 needs", id="a list"),
        pytest.param([*LINES, '{"text": "solo", "label": "solo"}'], "single example", id="lonely label"),
    ],
)
def test_bad_lessons_are_refused_in_words_and_leave_the_old_model(tmp_path: Path, lines: list[str], words: str) -> None:
    teach(tmp_path, LINES)
    before = (tmp_path / "model/labels/department/model.json").read_bytes()
    code, said = teach(tmp_path, lines)
    assert code == 1
    assert words in said
    assert (tmp_path / "model/labels/department/model.json").read_bytes() == before


def test_a_bad_name_or_folder_is_refused_in_words(tmp_path: Path) -> None:
    assert "cannot name labels" in teach(tmp_path, LINES, name="../evil")[1]
    asked = tmp_path / "in.jsonl"
    asked.write_text('{"id": "1", "text": "x"}\n', encoding="utf-8")
    done = CliRunner().invoke(classify, ["--input", str(asked), "--output", str(tmp_path / "o"), "--model-dir", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "does not exist" in done.output


def test_classify_names_the_bad_line_and_leaves_no_half_file(tmp_path: Path) -> None:
    asked = tmp_path / "in.jsonl"
    asked.write_text('{"id": "1", "text": "fine"}\n{"id": "2"}\n', encoding="utf-8")
    done = CliRunner().invoke(classify, ["--input", str(asked), "--output", str(tmp_path / "out.jsonl")])
    assert done.exit_code == 1
    assert "line 2" in done.output
    assert list(tmp_path.iterdir()) == [asked]


def test_train_wants_one_thing(tmp_path: Path) -> None:
    assert CliRunner().invoke(train, ["--model-dir", str(tmp_path)]).exit_code == 2


def corrections(tmp_path: Path, lines: list[dict[str, str]]) -> tuple[int, str]:
    source = tmp_path / "corrections.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = CliRunner().invoke(train, ["--with-corrections", str(source), "--model-dir", str(tmp_path / "model")])
    return done.exit_code, done.output


def test_corrections_lift_a_new_domain_and_leave_others_alone(tmp_path: Path, judge: Judge) -> None:
    parts = ["sprocket", "flange", "gasket", "bearing", "valve", "piston", "rotor", "nozzle", "clutch", "manifold"]
    wobbly = [f"the {part} wobbles at {speed} rpm after the {job}" for part in parts for speed in (100, 900) for job in ("swap", "tune")]
    taught, asked = wobbly[::2], wobbly[1::2]
    assert corrections(tmp_path, [{"text": text, "intent": "bug"} for text in taught])[0] == 0
    corrected = Judge.load(tmp_path / "model")
    before = sum(said.intent == "bug" for said in judge.judge(asked))
    after = sum(said.intent == "bug" for said in corrected.judge(asked))
    assert after >= max(before, 0.9 * len(asked))
    others = ["I love this app", "how do I change my password?", "please add dark mode", "happy birthday my friend", "worst airline ever"]
    assert [said.intent for said in corrected.judge(others)] == [said.intent for said in judge.judge(others)]
    assert corrected.version != judge.version


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{"text": "a", "intent": "rage"}], "is no intent"),
        ([{"text": "a", "conduct": "rude"}], "is no conduct"),
        ([{"text": "a"}], "corrects nothing"),
        ([{"text": "a", "intent": "bug"}], "too few"),
    ],
)
def test_bad_corrections_are_refused_in_words(tmp_path: Path, lines: list[dict[str, str]], words: str) -> None:
    code, said = corrections(tmp_path, lines)
    assert code == 1
    assert words in said
