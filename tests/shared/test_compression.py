"""What is written compressed can be read, and is the same every time. Damage is tested where files are verified."""

from __future__ import annotations

import io
import time

import pytest

from stats_assets.shared.compression import compressed, decompressed
from stats_assets.shared.failures import ConfigurationMistake

CONTENT = b"a line that says little\n" * 10_000


def written(name: str) -> bytes:
    file = io.BytesIO()
    with compressed(file, name, level=3) as writer:
        writer.write(CONTENT[:1000])
        writer.write(CONTENT[1000:])
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.log.zst", "a.log.gz"])
def test_what_is_written_reads_as_it_was(name: str):
    assert decompressed(io.BytesIO(written(name)), name).read() == CONTENT
    assert len(written(name)) < len(CONTENT) // 10


@pytest.mark.parametrize("name", ["a.log.zst", "a.log.gz"])
def test_equal_contents_give_equal_bytes_whatever_the_clock_says(name: str, monkeypatch: pytest.MonkeyPatch):
    first = written(name)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert written(name) == first


def test_what_we_do_not_write_is_refused():
    with (
        pytest.raises(ConfigurationMistake, match=r"we write \.zst and \.gz, not \.xz"),
        compressed(io.BytesIO(), "a.log.xz", level=3),
    ):
        pass
