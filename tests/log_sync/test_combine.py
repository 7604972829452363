"""One ordered log out of several: the order of every line, whatever order they came in, and no line lost."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_assets.log_sync import combine as combine_module
from stats_assets.log_sync.combine import Combined, HostLog, Names, combine
from stats_assets.log_sync.config import CombinedLogs
from stats_assets.log_sync.lines import UNDATABLE, blocks
from stats_assets.log_sync.merging import Log, OutOfOrder, merged
from stats_assets.log_sync.survey import survey
from stats_assets.shared.archive import Archive
from stats_assets.shared.compression import decompressed
from stats_assets.shared.failures import OurMistake
from tests.log_sync.logs import NOT_DATED, line, log, packed

NAMES = Names("combined/x.log.zst", "combined/y.log.zst")


class Bench:
    """Copies of hosts' logs in an archive, and what is combined of them."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive(str(folder / "archive"))
        self.spool = folder / "spool"
        self.spool.mkdir()

    def keep(self, host: str, content: bytes) -> HostLog:
        stored, name = packed(content), f"{host}.log.gz"
        with self.archive.replacing(name) as file:
            file.write(stored)
        step_back = survey(blocks(io.BytesIO(content))).step_back_seconds
        return HostLog(host, name, hashlib.sha256(stored).hexdigest(), len(content), step_back)

    def combine(self, *logs: HostLog, **options: object) -> Combined:
        return combine(self.archive, logs, NAMES, CombinedLogs.model_validate(options), self.spool)

    def read(self, name: str = NAMES.ordered) -> bytes:
        with self.archive.open_read(name) as file:
            return decompressed(file, name).read()

    def stored(self, name: str = NAMES.ordered) -> bytes:
        with self.archive.open_read(name) as file:
            return file.read()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def in_order(contents: dict[str, bytes]) -> tuple[bytes, bytes]:
    """The lines with and without a time as they should come out, a line at a time."""
    dated: list[tuple[int, bytes, int, bytes]] = []
    undated: list[bytes] = []
    for host in sorted(contents):
        for number, text in enumerate(contents[host].splitlines(keepends=True)):
            (block,) = blocks(io.BytesIO(text))
            if block.seconds[0] == UNDATABLE:
                undated.append(text)
            else:
                dated.append((int(block.seconds[0]), host.encode(), number, text))
    return b"".join(text for *_, text in sorted(dated)), b"".join(undated)


def test_lines_of_all_hosts_come_in_the_order_of_time(bench: Bench):
    a, b = log("a", [1, 3, 5]), log("b", [0, 2, 4, 6])
    found = bench.combine(bench.keep("a", a), bench.keep("b", b))
    assert bench.read() == in_order({"a": a, "b": b})[0]
    assert (found.lines, found.undatable_lines) == (7, 0)
    assert (found.oldest_line_at, found.newest_line_at) == (moment(0), moment(6))
    assert found.content_bytes == len(a) + len(b)
    assert hashlib.sha256(bench.stored()).hexdigest() == found.sha256
    assert found.file_bytes == len(bench.stored())


def moment(seconds: float) -> datetime:
    (block,) = blocks(io.BytesIO(line(seconds, "x")))
    return datetime.fromtimestamp(int(block.seconds[0])).astimezone()


def test_equal_times_are_ordered_by_host_and_then_by_place(bench: Bench):
    logs = {host: log(host, [7, 7, 7]) for host in ("b", "a", "B")}
    bench.combine(*(bench.keep(host, content) for host, content in logs.items()))
    assert bench.read() == logs["B"] + logs["a"] + logs["b"]


def test_the_offset_from_utc_counts(bench: Bench):
    summer = b'h - - [31/Mar/2024:03:30:00 +0200] "GET /2 HTTP/1.1" 200 1 "-" "-"\n'
    winter = b'h - - [31/Mar/2024:01:59:59 +0100] "GET /1 HTTP/1.1" 200 1 "-" "-"\n'
    utc = b'h - - [31/Mar/2024:01:15:00 +0000] "GET /0 HTTP/1.1" 200 1 "-" "-"\n'
    bench.combine(bench.keep("a", winter + summer), bench.keep("b", utc))
    assert bench.read() == winter + utc + summer


def test_disorder_within_a_file_is_mended(bench: Bench):
    a = log("a", [100, 40, 101, 41, 102])
    bench.combine(bench.keep("a", a), bench.keep("b", log("b", [50])))
    assert bench.read() == in_order({"a": a, "b": log("b", [50])})[0]


def test_undatable_lines_are_kept_beside_by_host_and_counted(bench: Bench):
    b, a = NOT_DATED + log("b", [1]) + b"\n", log("a", [2]) + b"of a\n"
    found = bench.combine(bench.keep("b", b), bench.keep("a", a))
    assert bench.read(NAMES.undatable) == b"of a\n" + NOT_DATED + b"\n"
    assert (found.lines, found.undatable_lines) == (2, 3)


def test_without_undatable_lines_there_is_no_side_file_any_more(bench: Bench):
    bench.combine(bench.keep("a", NOT_DATED))
    assert bench.archive.exists(NAMES.undatable)
    bench.combine(bench.keep("a", log("a", [1])))
    assert not bench.archive.exists(NAMES.undatable)


def test_the_same_files_give_the_same_bytes(bench: Bench):
    logs = [bench.keep(host, log(host, range(500)) + NOT_DATED) for host in "abc"]
    bench.combine(*logs)
    first = bench.stored(), bench.stored(NAMES.undatable)
    bench.combine(*reversed(logs), reorder_seconds=0, memory_mb=16)
    assert (bench.stored(), bench.stored(NAMES.undatable)) == first


def test_gzip_is_written_where_it_is_asked_for(bench: Bench):
    a = log("a", [1, 2, 3])
    names = Names("x.log.gz", "y.log.gz")
    settings = CombinedLogs(compression="gz")
    for _ in range(2):
        combine(bench.archive, [bench.keep("a", a)], names, settings, bench.spool)
        assert gzip.decompress(bench.stored("x.log.gz")) == a
    assert b"a.log" not in bench.stored("x.log.gz")[:64]


def test_an_overlong_line_goes_to_the_side_file_as_one(bench: Bench):
    hole = bytes(3 << 20)
    found = bench.combine(bench.keep("a", log("a", [1]) + hole + b"\n" + log("a", [2])), memory_mb=16)
    assert (found.lines, found.undatable_lines) == (2, 1)
    assert bench.read(NAMES.undatable) == hole + b"\n"


def test_a_file_far_out_of_order_is_sorted_on_disk_and_the_disk_is_left_clean(bench: Bench):
    shuffled = random.Random(3).sample(range(86_000), 12_000)
    wide = "a" * 800  # some runs of 4 MB
    wild = bench.keep("a", log(wide, shuffled))
    assert (wild.step_back_seconds or 0) > 70_000
    bench.combine(wild, bench.keep("b", log("b", range(0, 86_000, 40))), memory_mb=16)
    expected = [(second, wide, n) for n, second in enumerate(shuffled)]
    expected += [(second, "b", n) for n, second in enumerate(range(0, 86_000, 40))]
    assert bench.read() == b"".join(line(second, f"{host}/{n}") for second, host, n in sorted(expected))
    assert list(bench.spool.iterdir()) == []


def test_a_line_dated_years_ahead_takes_no_other_line_with_it(bench: Bench):
    a = log("a", [10, 86_400 * 4000, 11, 12])
    bench.combine(bench.keep("a", a), bench.keep("b", log("b", [11])))
    assert bench.read() == in_order({"a": a, "b": log("b", [11])})[0]


def test_a_file_that_was_never_surveyed_is_put_in_order_too(bench: Bench):
    a = log("a", [5, 1, 4, 2])
    kept = bench.keep("a", a)
    bench.combine(HostLog(kept.host, kept.archive_name, kept.sha256, kept.content_bytes, None))
    assert bench.read() == in_order({"a": a})[0]


@pytest.mark.parametrize("damage", ["cut", "another", "gone"])
def test_a_damaged_copy_publishes_nothing_and_says_what_to_do(bench: Bench, damage: str):
    bench.combine(bench.keep("a", log("a", [1])))
    before = bench.stored()
    good, bad = bench.keep("a", log("a", range(300))), bench.keep("b", log("b", range(300)))
    if damage == "cut":
        rewrite(bench, bad, bench.stored(bad.archive_name)[:-20])
    elif damage == "another":
        rewrite(bench, bad, packed(log("b", range(299))))
    else:
        bench.archive.remove(bad.archive_name)
    with pytest.raises(OurMistake, match=r"the copy of b's log is damaged or gone .*rerun log_sync/files"):
        bench.combine(good, bad)
    assert bench.stored() == before
    assert list(bench.spool.iterdir()) == []


def rewrite(bench: Bench, copy: HostLog, content: bytes) -> None:
    with bench.archive.replacing(copy.archive_name) as file:
        file.write(content)


def test_a_log_that_is_not_what_was_surveyed_is_refused_not_misordered():
    source = Log("a", blocks(io.BytesIO(log("a", [100, 50])), 60), step_back_seconds=10)
    with pytest.raises(OutOfOrder, match="the log of a"):
        list(merged([source], [lambda _: None]))


_SECONDS = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 90_000), st.none()), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), _SECONDS, min_size=1),
    st.integers(30, 400),
    st.sampled_from([0, 10, 100_000]),
)
def test_any_lines_come_out_as_if_sorted_one_by_one(
    times: dict[str, list[int | None]], block_bytes: int, reorder_seconds: int
):
    contents = {
        host: b"".join(
            b"%s %d\n" % (host.encode(), n) if at is None else line(at, f"{host}/{n}") for n, at in enumerate(seconds)
        )
        for host, seconds in times.items()
    }
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("BLOCK_BYTES", "_MOST_BLOCK_BYTES", "_LEAST_BLOCK_BYTES"):
            patch.setattr(combine_module, name, block_bytes)
        patch.setattr(combine_module, "_COPIES_OF_A_RUN", 1 << 18)  # runs of a few lines
        bench = Bench(Path(folder))
        kept = [bench.keep(host, content) for host, content in contents.items()]
        found = bench.combine(*kept, reorder_seconds=reorder_seconds, memory_mb=16)
        ordered, undated = in_order(contents)
        assert bench.read() == ordered
        assert (found.lines, found.undatable_lines) == (ordered.count(b"\n"), undated.count(b"\n"))
        assert (bench.read(NAMES.undatable) if undated else b"") == undated
