"""Lines and their times: which instant each text means, what has none, and blocks of any size."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats_assets.log_sync.lines import LONGEST_LINE_BYTES, UNDATABLE, Block, blocks
from stats_assets.log_sync.survey import Survey, survey


def line(time: str, request: str = "GET / HTTP/1.1") -> bytes:
    return f'192.0.2.1 - - [{time}] "{request}" 200 17 "-" "curl"\n'.encode()


def read(content: bytes, block_bytes: int = 1 << 16) -> list[Block]:
    return list(blocks(io.BytesIO(content), block_bytes))


def time_of(content: bytes) -> datetime | None:
    (block,) = read(content)
    (seconds,) = block.seconds.tolist()
    return None if seconds == UNDATABLE else datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("05/Mar/2024:13:14:15 +0000", datetime(2024, 3, 5, 13, 14, 15, tzinfo=UTC)),
        ("05/Mar/2024:00:30:00 +0200", datetime(2024, 3, 4, 22, 30, tzinfo=UTC)),
        ("05/Mar/2024:23:30:00 -0930", datetime(2024, 3, 6, 9, 0, tzinfo=UTC)),
        ("29/Feb/2024:00:00:00 +0000", datetime(2024, 2, 29, tzinfo=UTC)),
        ("31/Dec/2016:23:59:60 +0000", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("01/Jan/2025:00:00:00 +0000", datetime(2025, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_instant_it_means(text: str, instant: datetime):
    assert time_of(line(text)) == instant


@pytest.mark.parametrize(
    "text",
    [
        "31/Feb/2024:10:00:00 +0000",
        "29/Feb/2023:10:00:00 +0000",
        "00/Mar/2024:10:00:00 +0000",
        "05/mar/2024:10:00:00 +0000",
        "05/Mai/2024:10:00:00 +0000",
        "05/Mar/2024:24:00:00 +0000",
        "05/Mar/2024:10:60:00 +0000",
        "05/Mar/2024:10:00:61 +0000",
        "05/Mar/2024:1x:00:00 +0000",
        "05/Mar/2024:10:00:00 00000",
        "05/Mar/2024:10:00:00 +0060",
        "05/Mar/0001:10:00:00 +0000",
        "5/Mar/2024:10:00:00 +0000",
        "2024-03-05 10:00:00",
        "",
    ],
)
def test_what_is_no_time_is_undatable(text: str):
    assert time_of(line(text)) is None


def test_a_bracket_that_is_no_time_does_not_hide_the_time_behind_it():
    assert time_of(b'[::1] - [me] [05/Mar/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n') is not None


def test_the_first_time_of_a_line_is_its_own():
    content = line("05/Mar/2024:10:00:00 +0000", "GET /?[01/Jan/2020:00:00:00 +0000] HTTP/1.1")
    assert time_of(content) == datetime(2024, 3, 5, 10, tzinfo=UTC)


def test_a_last_line_without_lf_is_given_one():
    (block,) = read(line("05/Mar/2024:10:00:00 +0000")[:-1])
    assert (block.lines, block.data[-1:]) == (1, b"\n")


def test_a_time_does_not_reach_over_the_end_of_a_line():
    assert time_of(b"x [05/Mar/2024:10:00:0\n") is None
    (block,) = read(b"x [05/Mar/2024:10:\n0:00 +0000] y\n")
    assert block.seconds.tolist() == [UNDATABLE, UNDATABLE]


@pytest.mark.parametrize("size", [LONGEST_LINE_BYTES + 1, 5 * LONGEST_LINE_BYTES])
@pytest.mark.parametrize("block_bytes", [1 << 16, 1 << 20, 1 << 24])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_an_overlong_line_is_one_undatable_line_whatever_the_blocks_are(size: int, block_bytes: int, end: bytes):
    good = line("05/Mar/2024:10:00:00 +0000")
    content = good + b"[05/Mar/2024:10:00:00 +0000]" + bytes(size) + end
    found = read(content, block_bytes)
    assert sum(block.lines for block in found) == 2
    assert sum((block.seconds > UNDATABLE).sum() for block in found) == 1
    assert joined(found) == content.removesuffix(b"\n") + b"\n"


def joined(found: list[Block]) -> bytes:
    return b"".join(block.data[: block.offsets[-1]] for block in found)


_MARK = re.compile(rb"\[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]", re.ASCII)
_MONTHS = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"]


def plainly(text: bytes) -> int:
    """The same rules, a line at a time."""
    for match in _MARK.finditer(text):
        day, month, year, hour, minute, second, sign, hours, minutes = match.groups()
        try:
            assert int(minutes) < 60 and int(hours) < 24 and 1900 <= int(year) < 2200 and int(second) <= 60
            zone = timezone((-1 if sign == b"-" else 1) * timedelta(hours=int(hours), minutes=int(minutes)))
            clock = (int(hour), int(minute), min(int(second), 59))
            return int(datetime(int(year), _MONTHS.index(month) + 1, int(day), *clock, tzinfo=zone).timestamp())
        except (AssertionError, ValueError):
            continue
    return UNDATABLE


_TIME = st.builds(
    b"[%02d/%s/%04d:%02d:%02d:%02d %s%02d%02d]".__mod__,
    st.tuples(
        st.integers(0, 32),
        st.sampled_from([*_MONTHS, b"Foo"]),
        st.sampled_from([1899, 1970, 2024, 2199, 2200]),
        st.integers(0, 25),
        st.integers(0, 61),
        st.integers(0, 61),
        st.sampled_from([b"+", b"-", b"x"]),
        st.integers(0, 25),
        st.integers(0, 61),
    ),
)


@given(
    st.lists(st.one_of(st.binary(max_size=40), _TIME, st.sampled_from([b"\n", b"[", b"\r\n"])), max_size=30),
    st.integers(1, 200),
)
def test_any_bytes_in_blocks_of_any_size_are_the_lines_read_one_by_one(parts: list[bytes], block_bytes: int):
    content = b"".join(parts)
    found = read(content, block_bytes)
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    assert [seconds for block in found for seconds in block.seconds.tolist()] == [plainly(text) for text in lines]
    assert joined(found) == (content.removesuffix(b"\n") + b"\n" if content else b"")


def test_a_survey_tells_the_span_of_all_lines_and_how_far_they_step_back():
    times = ["05/Mar/2024:10:00:00 +0000", "05/Mar/2024:10:05:00 +0000", "05/Mar/2024:10:03:00 +0000", "no time"]
    content = b"".join(map(line, [*times, "05/Mar/2024:09:59:00 +0000", "05/Mar/2024:10:04:00 +0000"]))
    expected = Survey(6, 1, datetime(2024, 3, 5, 9, 59, tzinfo=UTC), datetime(2024, 3, 5, 10, 5, tzinfo=UTC), 360)
    for block_bytes in (50, 1 << 20):
        assert survey(read(content, block_bytes)) == expected
