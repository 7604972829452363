from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.shared.archive import Archive


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path):
    archive = Archive(url=str(tmp_path))
    with archive.replacing("a/b.csv") as file:
        file.write(b"rows")
        assert not archive.exists("a/b.csv")
    assert (tmp_path / "a/b.csv").read_bytes() == b"rows"


def test_a_failed_writer_leaves_the_old_file_and_no_part(tmp_path: Path):
    archive = Archive(url=str(tmp_path))
    with archive.replacing("b.csv") as file:
        file.write(b"old")
    with pytest.raises(RuntimeError), archive.replacing("b.csv") as file:
        file.write(b"half of the n")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]
    assert archive.open_read("b.csv").read() == b"old"


def test_any_file_system_of_fsspec_will_do():
    archive = Archive(url="memory://stats-archive")
    with archive.replacing("a/b.csv") as file:
        file.write(b"rows")
    assert archive.open_read("a/b.csv").read() == b"rows"
    assert archive.location("a/b.csv") == "memory:///stats-archive/a/b.csv"


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x"])
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, name: str):
    with pytest.raises(ValueError, match="inside the archive"):
        Archive(url=str(tmp_path)).exists(name)


def test_a_file_is_removed_whether_it_is_there_or_not(tmp_path: Path):
    archive = Archive(url=str(tmp_path))
    with archive.replacing("a/b.csv") as file:
        file.write(b"rows")
    assert archive.size_bytes("a/b.csv") == 4
    for _ in range(2):
        archive.remove("a/b.csv")
        assert archive.size_bytes("a/b.csv") is None
