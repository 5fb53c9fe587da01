"""The second look: MiniLM reads as published, alone or in company, and unsure labels are looked at again."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from earshot_triage.judgement import Judge, semantic
from earshot_triage.judgement.commands import classify, distil, train
from earshot_triage.judgement.features import read_all
from earshot_triage.judgement.second import meanings_of, titled
from earshot_triage.judgement.semantic import PACKAGE, UNIT, Encoder
from earshot_triage.judgement.senses import Senses
from earshot_triage.judgement.tables import ModelError
from earshot_triage.judgement.taught import Taught
from earshot_triage.judgement.training import distil as teaching
from earshot_triage.judgement.training import own

needs_weights = pytest.mark.skipif(find_spec(PACKAGE) is None, reason="the extra `semantic` is not installed, so its tests are left out")

LESSONS = {
    "billing": ["I was charged twice", "refund my money please", "the invoice is wrong", "my card was charged", "wrong amount billed"],
    "delivery": ["where is my parcel", "the parcel arrived broken", "delivery is late", "courier lost my box", "package not arrived"],
    "account": ["cannot log in", "reset my password", "my account is locked", "change my email address", "login code missing"],
}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("semantic")
    lines = [json.dumps({"text": text, "label": label}) for label, texts in LESSONS.items() for text in texts]
    (folder / "lessons.jsonl").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["--labels", "team", "--input", str(folder / "lessons.jsonl"), "--model-dir", str(folder / "model"), "--semantic"]
    done = CliRunner().invoke(train, arguments)
    assert done.exit_code == 0, done.output
    return folder / "model"


@needs_weights
def test_pieces_are_those_of_the_published_vocabulary(encoder: Encoder) -> None:
    assert encoder.pieces_of("Hello, Wörld! unaffable") == [101, 7592, 1010, 2088, 999, 14477, 20961, 3468, 102]
    assert encoder.pieces_of("中文") == [101, 1746, 1861, 102]
    assert encoder.pieces_of("") == [101, 102]
    assert len(encoder.pieces_of("word " * 500)) == semantic.MOST_PIECES
    assert encoder.pieces_of("x" * 200) == [101, 100, 102]


@needs_weights
def test_meanings_are_alike_where_sentences_are(encoder: Encoder) -> None:
    texts = ["How do I reset my password?", "I forgot my password and can't log in", "The weather is lovely"]
    found = encoder.meanings(texts) / UNIT
    likeness = found @ found.T
    assert likeness[0, 1] == pytest.approx(0.802, abs=0.01), "as the published model has it"
    assert abs(likeness[0, 2]) < 0.1
    assert np.abs(np.diag(likeness) - 1).max() < 0.01


@needs_weights
def test_a_meaning_does_not_hang_on_its_company(encoder: Encoder) -> None:
    texts = ["refund please", "a much longer text about a parcel that did not arrive, and nobody answers", "", "😀"]
    together = encoder.meanings(texts)
    assert all((encoder.meanings([text])[0] == row).all() for text, row in zip(texts, together, strict=True))
    assert np.abs(encoder.meanings(texts, together=3) - together).max() <= 1, "lessons are read together, nearly the same"
    assert encoder.meanings([]).shape == (0, semantic.WIDTH)


@needs_weights
@pytest.mark.capability("T4")
def test_unsure_labels_are_looked_at_again_and_sure_ones_stay(taught: Path) -> None:
    once = Judge.load(taught)
    twice = once.looking_twice()
    texts = ["they took too much cash from me", "forgotten credentials", "shipment still absent", "refund my money please", "banana", ""]
    first, second = ([said.labels["team"] for said in judge.judge(texts)] for judge in (once, twice))
    assert [label.label for label in second[:4]] == ["billing", "account", "delivery", "billing"]
    assert all(after == before for before, after in zip(first, second, strict=True) if before.probability >= 0.8)
    assert first != second
    assert [judge_alone.labels["team"] for text in texts for judge_alone in twice.judge([text])] == second
    assert twice.label_versions != once.label_versions
    assert twice.taught_by(taught).judge(texts[:1])[0].labels["team"] == second[0], "taught anew, it still looks twice"


@needs_weights
def test_classify_looks_again_when_asked(taught: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": "1", "text": "forgotten credentials"}\n', encoding="utf-8")
    arguments = ["--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl"), "--semantic"]
    done = CliRunner().invoke(classify, [*arguments, "--model-dir", str(taught)])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8"))["labels"]["team"]["label"] == "account"
    refused = CliRunner().invoke(classify, arguments)
    assert refused.exit_code == 1
    assert "train --semantic" in refused.output


@needs_weights
def test_a_label_that_goes_goes_from_the_second_look_too(taught: Path) -> None:
    whole = Taught.load(taught / "labels/team")
    left = whole.without(1, {**whole.tables.meta, "labels": ["account", "delivery"]})
    assert left.second is not None
    assert whole.second is not None
    assert left.second.weights.shape == (semantic.WIDTH, 2)
    assert (left.second.bias == whole.second.bias[[0, 2]]).all()


@needs_weights
def test_directions_of_words_are_made_from_a_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data/complaints"
    folder.mkdir(parents=True)
    texts = [text for texts in LESSONS.values() for text in texts] * 3
    rows = [json.dumps({"text": f"{text} {number}", "label": "complaint"}) for number, text in enumerate(texts)]
    (folder / "dev.jsonl").write_text("\n".join(rows), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "known_words", lambda _: ["money", "parcel"])
        done = CliRunner().invoke(distil, ["--data", str(tmp_path / "data"), "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    made = Senses.load(tmp_path / "out")
    refund, parcel, courier = made.of(read_all(["refund", "parcel", "courier"]))
    assert parcel @ courier > parcel @ refund
    assert CliRunner().invoke(distil, ["--data", str(folder), "--output", str(tmp_path / "none")]).exit_code == 1


@needs_weights
def test_known_words_are_whole_words(encoder: Encoder) -> None:
    known = set(teaching.known_words(encoder))
    assert {"money", "app", "2"} <= known
    assert not {"##ing", "[CLS]", "@", "n't"} & known


def test_a_missing_extra_is_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(semantic, "PACKAGE", "earshot_no_such_package")
    with pytest.raises(ModelError, match="extra `semantic` is not installed"):
        Encoder.load()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "other_weights/model").mkdir(parents=True)
    (tmp_path / "other_weights/__init__.py").touch()
    (tmp_path / "other_weights/model/vocab.txt").write_text("[CLS]", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(semantic, "PACKAGE", "other_weights")
    with pytest.raises(ModelError, match="not whole"):
        Encoder.load()
    (tmp_path / "other_weights/model/model.safetensors").write_bytes(b"\x00" * 16)
    with pytest.raises(ModelError, match="not those of all-MiniLM"):
        Encoder.load()


def test_titles_are_looked_at_apart_where_most_texts_have_one() -> None:
    assert titled(["crash\n\nit crashes", "freeze\n\nit freezes", "no title"])
    assert not titled(["crash\n\nit crashes", "no title", "none"])


@needs_weights
def test_what_the_title_means_stands_beside_the_whole(encoder: Encoder) -> None:
    text = "Crash on start\n\nIt closes as soon as I open it."
    beside = meanings_of([text], encoder, titles=True)
    assert beside.shape == (1, 2 * semantic.WIDTH)
    assert (beside[0, : semantic.WIDTH] == encoder.meanings([text])[0]).all()
    assert (beside[0, semantic.WIDTH :] == encoder.meanings(["Crash on start"])[0]).all()


@needs_weights
def test_lessons_with_titles_are_taught_saved_and_asked(encoder: Encoder, tmp_path: Path) -> None:
    examples = [
        own.TaughtExample(text=f"{text}\n\nplease see to it, number {number}", label=label)
        for label, texts in LESSONS.items()
        for number, text in enumerate(texts)
    ]
    taught = own.teach("team", examples, Judge.load(), encoder)
    assert taught.second is not None
    assert taught.second.weights.shape == (2 * semantic.WIDTH, 3)
    taught.save(tmp_path)
    loaded = Taught.load(tmp_path).second
    assert loaded is not None
    asked = ["forgotten credentials\n\nhelp"]
    assert (loaded.scores(asked, encoder) == taught.second.scores(asked, encoder)).all()
