"""Small files are seen whole or not at all, and secrets stay secret."""

import stat
from pathlib import Path

import pytest

from earshot_shared.local.files import secret_in, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "earshot.json"
    write_atomically(path, "old")
    with open(path) as reader:  # somebody reads while it is replaced
        write_atomically(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_content_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "earshot.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udc00")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    first = secret_in(tmp_path / "key")
    assert len(first) >= 32
    assert secret_in(tmp_path / "key") == first
    assert secret_in(tmp_path / "other") != first
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
