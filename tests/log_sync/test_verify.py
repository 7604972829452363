"""Files that are whole, and every way of not being so."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma

import pytest
import zstandard

from stats_assets.log_sync.survey import Survey
from stats_assets.log_sync.verify import DamagedFile, Verified, verify

LINES = b"".join(b"%d a line that says little\n" % n for n in range(20_000))
PACKED = {
    "a.log.gz": gzip.compress(LINES, mtime=0),
    "a.log.xz": lzma.compress(LINES, preset=0),
    "a.log.zst": zstandard.compress(LINES),
}


def check(content: bytes, name: str, limit: int = 1 << 30) -> Verified:
    return verify(io.BytesIO(content), name, limit)


def damage(content: bytes, name: str, limit: int = 1 << 30) -> str:
    with pytest.raises(DamagedFile) as caught:
        check(content, name, limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", PACKED)
def test_a_whole_file_gives_sizes_and_the_checksum_of_what_is_stored(name: str):
    packed = PACKED[name]
    assert check(packed, name) == Verified(
        len(packed), len(LINES), hashlib.sha256(packed).hexdigest(), Survey(20_000, 20_000, None, None, 0)
    )


@pytest.mark.parametrize("name", PACKED)
def test_several_compressed_streams_in_a_row_are_one_file(name: str):
    assert check(PACKED[name] * 3, name).content_bytes == 3 * len(LINES)


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("lost", [1, 4, 1000])
def test_a_cut_file_is_damaged_however_little_is_lost(name: str, lost: int):
    assert "is cut" in damage(PACKED[name][:-lost], name)


@pytest.mark.parametrize("name", PACKED)
def test_a_cut_in_the_second_stream_is_found_too(name: str):
    assert "is cut" in damage(PACKED[name] + PACKED[name][:-10], name)


@pytest.mark.parametrize("name", [*PACKED, "a.log"])
def test_an_empty_file_is_damaged(name: str):
    assert damage(b"", name) == "is empty"


@pytest.mark.parametrize("name", PACKED)
def test_an_error_page_in_place_of_the_file_is_damaged(name: str):
    assert "not what its name says" in damage(b"<html>We are sorry</html>" * 100, name)


@pytest.mark.parametrize("name", ["a.log.gz", "a.log.xz"])
def test_flipped_bytes_in_the_middle_are_found_by_the_checksum(name: str):
    packed = bytearray(PACKED[name])
    packed[len(packed) // 2] ^= 0xFF
    assert "garbled" in damage(bytes(packed), name)


def test_a_file_that_unpacks_to_nothing_is_damaged():
    assert "holds no line" in damage(gzip.compress(b""), "a.log.gz")


@pytest.mark.parametrize("name", PACKED)
def test_a_file_that_unpacks_beyond_the_limit_is_refused_before_it_is_read_to_the_end(name: str):
    assert "log_sync.max_content_bytes" in damage(PACKED[name], name, limit=len(LINES) - 1)


def test_plain_text_is_taken_as_it_is():
    assert check(LINES, "a.log").content_bytes == len(LINES)
