"""The spool as bytes and files: what an interrupted write leaves is left out, what was promised is never."""

from __future__ import annotations

from pathlib import Path

import pytest

from stats_assets.events.copy_rows import Rows
from stats_assets.events.segments import MAGIC, Record, packed, unpacked
from stats_assets.events.spool import Spool, SpoolFull, claimed, remove, segment_id
from stats_assets.shared.failures import ConfigurationMistake


def batch(text: bytes) -> Rows:
    return Rows([text], [text, text], 1, 2, 3 * len(text))


ONE, TWO = packed(batch(b"first")), packed(batch(b"second"))
WHOLE = [Record("raw", 1, b"first"), Record("quarantine", 2, b"firstfirst")]


@pytest.mark.parametrize("kept", range(len(TWO)))
def test_a_write_that_was_interrupted_anywhere_leaves_the_batches_before_it(kept: int):
    segment = unpacked(MAGIC + ONE + TWO[:kept])
    assert list(segment.records[:2]) == WHOLE
    assert len(segment.records) in (2, 3), "the first record of a batch may be whole, and nobody was told so"
    assert segment.damaged_bytes == 0


def test_zeros_at_the_end_are_what_a_lost_power_leaves():
    assert unpacked(MAGIC + ONE + b"\0" * 4096) == unpacked(MAGIC + ONE)


@pytest.mark.parametrize("at", range(len(ONE)))
def test_a_byte_that_has_changed_is_told_wherever_it_is(at: int):
    segment = unpacked(MAGIC + ONE[:at] + bytes([ONE[at] ^ 0x55]) + ONE[at + 1 :] + TWO)
    assert segment.damaged_bytes > 0
    assert segment.count < 6


def test_records_behind_damaged_rows_are_still_read():
    assert unpacked(MAGIC + ONE[:-1] + b"?" + TWO).count == 4


def test_an_empty_segment_has_nothing_and_another_file_is_refused():
    assert unpacked(b"").count == unpacked(MAGIC[:5]).count == unpacked(MAGIC).count == 0
    with pytest.raises(ValueError, match="instead of"):
        unpacked(b"stats-assets events spool 9\n")


def test_a_segment_that_is_being_written_is_nobody_elses(tmp_path: Path):
    writing, other = Spool(tmp_path, 10_000), Spool(tmp_path, 10_000)
    writing.append(batch(b"a"))
    assert writing.waiting() == []
    (path,) = other.waiting()
    with claimed(path) as segment:
        assert segment is None
    writing.close_segment()
    with claimed(path) as segment:
        assert segment is not None and segment.count == 3
        with claimed(path) as again:
            assert again is None
    assert str(segment_id(path)) in path.name
    remove(path)
    with claimed(path) as gone:
        assert gone is None


def test_segments_end_at_their_size_and_the_folder_at_its_own(tmp_path: Path):
    spool = Spool(tmp_path, max_bytes=2000, segment_bytes=300)
    with pytest.raises(SpoolFull, match="max_spool_bytes"):
        for _ in range(100):
            spool.append(batch(b"x" * 50))
    spool.close_segment()
    assert len(spool.waiting()) > 3
    assert spool.size_bytes() <= 2000


def test_a_folder_that_cannot_be_written_to_is_a_mistake_of_configuration(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationMistake, match="cannot be written to"):
        Spool(tmp_path / "file" / "spool", 1000)
