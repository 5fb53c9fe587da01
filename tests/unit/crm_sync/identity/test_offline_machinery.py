"""How the offline resolver keeps its memory flat and uses two processors: none of it changes an answer."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from earshot_crm_sync.identity.offline import blocking, engine, files
from earshot_crm_sync.identity.offline.columns import columns_of
from earshot_crm_sync.identity.offline.parallel import both
from earshot_crm_sync.identity.offline.texts import Interner, coded
from support.identity_crowd import crowd


def test_texts_are_kept_once_in_the_order_they_came() -> None:
    interner = Interner()
    numbers = [interner.add(text) for text in ("b", "a", "", "b", "größe", "+1", "\ud800")]
    texts, codes = interner.settle()
    assert list(texts) == ["b", "a", "größe", "+1", "\ud800"]
    assert [-1 if number < 0 else int(codes[number]) for number in numbers] == [0, 1, -1, 0, 2, 3, 4]
    assert texts.take(np.asarray([2, 0])) == [texts[2], "b"]
    assert list(texts.without_first(texts.begin_with("+")))[3] == "1"


def test_codes_of_texts_are_equal_for_equal_ones() -> None:
    codes = coded(["x", "", "y", "x"]).tolist()
    assert codes[0] == codes[3] != codes[2]
    assert codes[1] == -1


def test_two_pieces_of_work_answer_in_order_whoever_does_them() -> None:
    assert both(lambda: [1], lambda: [2]) == ([1], [2])
    assert both(lambda: 1, lambda: 2, worth_it=False) == (1, 2)


def test_a_child_that_dies_is_stood_in_for() -> None:
    here = os.getpid()
    assert both(lambda: 1, lambda: 2 if os.getpid() == here else os._exit(9)) == (1, 2)


def test_a_file_read_in_halves_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = crowd(400)
    for number, row in enumerate(rows):
        row["accounts"] = {"x": f"user{number % 350}", "forum": f"other{number}"}
        row["name"] = f"{row.pop('given_name', '')} {row.pop('family_name', '')} {('', 'Jr')[number % 2]}"
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps(row) for row in rows) + "\n\nno json", encoding="utf-8")
    monkeypatch.setattr(files, "_LARGE_FILE_BYTES", 0)
    found, wanted = files.read_columns(source), columns_of([*rows, {}])
    assert found.count == wanted.count
    assert list(found.ids) == list(wanted.ids)
    assert found.handles.keys() == wanted.handles.keys()
    for name, codes in [*wanted.codes.items(), *wanted.handles.items()]:
        assert (found.codes | found.handles)[name].tolist() == codes.tolist()
    for name, texts in wanted.vocabularies.items():
        assert list(found.vocabularies[name]) == list(texts)


def test_pairs_counted_in_many_piles_are_the_same_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_of(crowd(2_000)[0])
    whole = blocking.candidate_pairs(columns, blocking.places(columns))
    monkeypatch.setattr(blocking, "PILE_RECORDS", 300)
    assert blocking.candidate_pairs(columns, blocking.places(columns)).tolist() == whole.tolist()


def told(folder: Path, content: bytes) -> list[tuple[object, str]]:
    """Return the id and the customer of each answer to a file."""
    (folder / "in.jsonl").write_bytes(content)
    files.resolve_file(folder / "in.jsonl", folder / "out.jsonl")
    answers = map(json.loads, (folder / "out.jsonl").read_text(encoding="utf-8").splitlines())
    return [(one["id"], one["customer_id"]) for one in answers]


def test_pairs_scored_in_batches_get_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = columns_of(crowd(400)[0])
    wanted = engine.resolve_columns(columns)
    assert 100 < wanted.pair_count <= engine.FEW_PAIRS  # they went at once
    monkeypatch.setattr(engine, "FEW_PAIRS", 0)
    monkeypatch.setattr(engine, "BATCH_PAIRS", 37)
    found = engine.resolve_columns(columns)
    assert found.label.tolist() == wanted.label.tolist()
    assert found.confidence == pytest.approx(wanted.confidence, abs=1e-6)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'\xef\xbb\xbf{"id":"1","email":"anke.v@web.de"}', id="a byte order mark"),
        pytest.param(b'{"id":"1","name":"Anke\xff\xfe Voigt","email":"anke.v@web.de"}', id="bytes that are no UTF-8"),
        pytest.param(b'{"id":"1","name":"Anke\x00","email":"anke.v@web.de"}', id="a control character"),
        pytest.param(b'{"id":"1","name":"\\ud800","email":"anke.v@web.de"}', id="half a surrogate"),
        pytest.param(b'{"id":"1","phone":NaN,"email":"anke.v@web.de"}', id="not a number"),
        pytest.param(b'{"id":"1","phone":' + b"9" * 5_000 + b',"email":"anke.v@web.de"}', id="an endless number"),
        pytest.param(b'{"id":"1","name":"' + b"Ab " * 1_000_000 + b'","email":"anke.v@web.de"}', id="an endless name"),
    ],
)
def test_a_line_that_is_not_quite_right_is_read_as_far_as_it_can_be(tmp_path: Path, line: bytes) -> None:
    began = time.process_time()
    (one, mine), (other, its) = told(tmp_path, line + b'\r\n{"id":"2","email":"anke.v@web.de"}\r\n')
    assert (one, other) == ("1", "2")
    assert mine == its
    assert time.process_time() - began < 5


def test_a_record_without_an_id_is_a_customer_of_its_own(tmp_path: Path) -> None:
    lines = [f'{{{known_as}"email":"anke.v@web.de"}}' for known_as in ("", '"id":null,', '"id":1.5,', '"id":true,', '"id":["1"],')]
    answers = told(tmp_path, "\n".join(lines).encode())
    assert [known_as for known_as, _ in answers] == [None] * 5
    assert len({customer for _, customer in answers}) == 5


def test_half_a_surrogate_in_an_id_comes_back_as_it_came(tmp_path: Path) -> None:
    assert [known_as for known_as, _ in told(tmp_path, b'{"id":"2\\udfff","email":"anke.v@web.de"}')] == ["2\udfff"]


@pytest.mark.parametrize(
    "lines", ["", "\n\n", "[" * 100_000, '{"id": 1, "a": ' + "[" * 5_000 + "]" * 5_000 + "}", '{"id":"a","name":"\\ud800"}']
)
def test_files_of_nothing_and_of_nonsense_are_answered(tmp_path: Path, lines: str) -> None:
    (tmp_path / "in.jsonl").write_text(lines, encoding="utf-8")
    summary = files.resolve_file(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    answers = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert summary.records == len(answers) == (1 if lines.strip() else 0)
    assert all(json.loads(line)["confidence"] == 1.0 for line in answers)
