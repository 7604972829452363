"""Folders and HTTP as sources: versions, what is missing, what is away, and going on after a break."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stats_assets.log_sync.expected import SourceFile
from stats_assets.log_sync.plan import Absent, Present
from stats_assets.log_sync.transports import Transport, open_transports
from stats_assets.log_sync.transports.limits import Limits, SourceRefused
from stats_assets.shared.failures import SourceAway
from tests.log_sync.sources import DAY, LIMITS, SITE, Answer, Folder, HttpSource, log_bytes

NAME = f"{DAY:%Y/%m/%d}/{SITE}-access.log.gz"
CONTENT = log_bytes()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "x.part"


@pytest.fixture
def http(source: HttpSource) -> Iterator[Transport]:
    with open_transports(LIMITS) as transports:
        yield transports.of(file_of(source))


@pytest.fixture
def copying() -> Iterator[Transport]:
    with open_transports(LIMITS) as transports:
        yield transports.by_scheme["file"]


def file_of(host: HttpSource | Folder) -> SourceFile:
    return SourceFile(host.host.url, NAME)


def version_of(transport: Transport, host: HttpSource | Folder) -> Present:
    probe = transport.probe(file_of(host))
    assert isinstance(probe, Present)
    return probe


def with_limits(source: HttpSource, limits: Limits, part: Path) -> None:
    """Probes with patience, fetches within `limits`."""
    with open_transports(LIMITS) as patient, open_transports(limits) as transports:
        file = file_of(source)
        transports.of(file).fetch(file, version_of(patient.of(file), source), part)


def test_a_file_over_http_is_fetched_as_it_is_stored(source: HttpSource, http: Transport, part: Path):
    source.answer(Answer(CONTENT))
    http.fetch(file_of(source), version_of(http, source), part)
    assert part.read_bytes() == CONTENT


def test_404_is_missing_and_names_the_place(source: HttpSource, http: Transport):
    assert http.probe(file_of(source)) == Absent(f"404 at {source.url}/{NAME}")


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_away(source: HttpSource, http: Transport, status: int):
    source.answer(Answer(status=status))
    with pytest.raises(SourceAway, match=f"answers {status}"):
        http.probe(file_of(source))


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_no_reason_to_try_again(source: HttpSource, http: Transport, status: int):
    source.answer(Answer(status=status))
    with pytest.raises(SourceRefused, match="check the credentials"):
        http.probe(file_of(source))


def test_a_server_that_knows_no_head_is_asked_otherwise(source: HttpSource, http: Transport):
    source.refuses_head = True
    source.answer(Answer(CONTENT, etag='"v7"'))
    assert version_of(http, source) == Present('etag="v7"', len(CONTENT))


def test_a_broken_transfer_goes_on_where_it_stopped(source: HttpSource, http: Transport, part: Path):
    source.answer(Answer(CONTENT, cut_at=40), Answer(CONTENT))
    version = version_of(http, source)
    with pytest.raises(SourceAway):
        http.fetch(file_of(source), version, part)
    assert part.read_bytes() == CONTENT[:40]
    http.fetch(file_of(source), version, part)
    assert part.read_bytes() == CONTENT
    assert source.requests[-1] == ("GET", f"/{NAME}", "bytes=40-")


def test_what_was_begun_of_another_version_is_not_continued(source: HttpSource, http: Transport, part: Path):
    source.answer(Answer(CONTENT, etag='"1"'))
    version = version_of(http, source)
    source.answer(Answer(log_bytes("other"), etag='"2"'))
    with pytest.raises(SourceAway, match="changed between two requests"):
        http.fetch(file_of(source), version, part)
    assert not part.exists()


def test_a_silent_server_is_away_after_the_time_it_is_given(source: HttpSource, part: Path):
    test_is_over = threading.Event()
    source.answer(Answer(CONTENT, wait=test_is_over.wait))
    with pytest.raises(SourceAway, match=r"was silent for 0.2 s"):
        with_limits(source, replace(LIMITS, answer_seconds=0.2), part)
    test_is_over.set()


def test_a_transfer_that_drags_on_is_broken_off_and_kept(source: HttpSource, part: Path):
    source.answer(Answer(CONTENT))
    clock = itertools.count(0, 100).__next__
    with pytest.raises(SourceAway, match="try_timeout_seconds"):
        with_limits(source, replace(LIMITS, seconds=clock), part)
    assert part.stat().st_size > 0


def test_a_file_above_the_limit_is_refused_before_it_is_fetched(source: HttpSource, part: Path):
    source.answer(Answer(CONTENT))
    with pytest.raises(SourceRefused, match="max_file_bytes"):
        with_limits(source, replace(LIMITS, max_file_bytes=50), part)
    assert source.count("GET") == 0


def test_nobody_listening_is_away(http: Transport, unused_port: int):
    with pytest.raises(SourceAway, match="does not answer"):
        http.probe(SourceFile(f"http://127.0.0.1:{unused_port}", NAME))


def test_a_password_is_in_no_message(source: HttpSource, http: Transport):
    source.answer(Answer(status=500))
    secret = SourceFile(source.url.replace("//", "//me:s3cret@"), NAME)
    with pytest.raises(SourceAway) as caught:
        http.probe(secret)
    assert "s3cret" not in str(caught.value)


def test_a_file_in_a_folder_is_copied(folder: Folder, copying: Transport, part: Path):
    folder.deliver(CONTENT)
    copying.fetch(file_of(folder), version_of(copying, folder), part)
    assert part.read_bytes() == CONTENT


def test_a_broken_copy_goes_on_where_it_stopped(folder: Folder, copying: Transport, part: Path):
    folder.deliver(CONTENT)
    part.write_bytes(CONTENT[:30])
    copying.fetch(file_of(folder), version_of(copying, folder), part)
    assert part.read_bytes() == CONTENT


def test_a_file_that_is_not_in_its_folder_is_missing(folder: Folder, copying: Transport):
    assert copying.probe(file_of(folder)) == Absent(f"no such file: {folder.file()}")


def test_a_missing_folder_is_no_missing_file(folder: Folder, copying: Transport):
    folder.root.rmdir()
    with pytest.raises(SourceRefused, match=f"its folder {folder.root} does not exist or is not mounted"):
        copying.probe(file_of(folder))


def test_a_rewritten_file_of_equal_size_is_another_version(folder: Folder, copying: Transport):
    folder.deliver(CONTENT)
    before = version_of(copying, folder)
    os.utime(folder.file(), ns=(1, 1))
    assert version_of(copying, folder) != before


def test_a_file_that_is_still_being_written_is_away(folder: Folder, copying: Transport, part: Path):
    folder.deliver(CONTENT[:50])
    version = version_of(copying, folder)
    folder.deliver(CONTENT)
    with pytest.raises(SourceAway, match="still being written"):
        copying.fetch(file_of(folder), version, part)
    assert not part.exists()
