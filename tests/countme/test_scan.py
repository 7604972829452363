"""The fast way against the exact one: same rows, same verdicts, whatever the bytes."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.countme.generate import log_lines
from stats_assets.countme import dictionaries
from stats_assets.countme.addresses import AddressKeys
from stats_assets.countme.config import Policy
from stats_assets.countme.parse import MAX_LINE_BYTES, Hit, Window, parse_line
from stats_assets.countme.scan import Client, LogScanner, Sample
from stats_assets.countme.weeks import monday_of
from tests.countme.test_parse_compat import reference_rows

_WINDOW = Window(1_709_100_000, 1_710_500_000)  # 2024-02-28 to 2024-03-15
_BLOCK_BYTES = 1  # the smallest the scanner makes, some 256 KiB
_POLICIES: tuple[Policy, ...] = ("strict", "compat")

_NEXT_WEEK = b"[11/Mar/2024:00:00:00 +0000]"
_GOOD = (
    b'192.0.2.1 - - [04/Mar/2024:10:00:00 +0000] "GET /metalink?repo=fedora-39&arch=x86_64&countme=2 HTTP/2.0"'
    b' 200 4044 "-" "libdnf (Fedora Linux 39; workstation; Linux.x86_64)"\n'
)
_LINES = [
    _GOOD,
    _GOOD.replace(b"192.0.2.1", b"2001:db8:77:1234::5"),
    _GOOD.replace(b"192.0.2.1", b"2001:DB8::1"),
    _GOOD.replace(b"192.0.2.1", b"255.255.255.255"),
    _GOOD.replace(b"[04/Mar/2024:10:00:00 +0000]", _NEXT_WEEK),
    _GOOD.replace(b"+0000", b"-0330"),
    _GOOD.replace(b"04/Mar", b"14/Apr"),
    _GOOD.replace(b"libdnf", b"curl"),
    _GOOD.replace(b"libdnf (Fedora Linux 39; workstation; Linux.x86_64)", b""),
    _GOOD.replace(b"&countme=2", b""),
    _GOOD.replace(b"countme=2", b"countme=7"),
    _GOOD.replace(b"repo=fedora-39", b"repo=a%00b"),
    _GOOD.replace(b"repo=fedora-39", b"repo=%C3%A9"),
    _GOOD.replace(b"repo=fedora-39", b"repo=" + b"long" * 40),
    _GOOD.replace(b"workstation", b"wide-" * 30),
    _GOOD.replace(b" 200 4044 ", b" 404 - "),
    _GOOD.replace(b"metalink", b"mirrorlist"),
    _GOOD.replace(b"GET ", b"HEAD "),
    _GOOD.replace(b"GET ", b"POST "),
    _GOOD.replace(b"/metalink?", b"/metal?"),
    _GOOD.replace(b'"-"', b'"http://a/b c"'),
    _GOOD.replace(b'"-"', b'"a\\\\"'),
    _GOOD.replace(b'x86_64)"', b'x86_64)\\"'),
    _GOOD.replace(b'"libdnf', b'"odd \\"libdnf\\"'),
    _GOOD.replace(b"Fedora", b"F\xc3\xa9dora"),
    b'192.0.2.1 - - [04/Mar/2024:10:00:01 +0000] "-" 408 - "-" "-"\n',
    b'192.0.2.1 - - [04/Mar/2024:10:00:01 +0000] "\\x16\\x03\\x01" 400 226 "-" "-"\n',
    b'192.0.2.1 - - [04/Mar/2024:23:59:60 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n',
    b"\n",
    b"\r\n",
    b"garbage without an end",
]
_PIECES = [
    *(bytes([byte]) for byte in b'"\\ \n\r\0\t\xff\x7f[]/:09.-?&~'),
    *(b"", b"\xc3\xa9", b'" "', b'"] "', b" - - [", b"HTTP/2.0", b"GET /metalink?"),
]


class Row(NamedTuple):
    byte_offset: int
    seconds: int
    address_key: int
    sys_age: int
    client: Client


class Scanned(NamedTuple):
    rows: list[Row]
    verdicts: Counter[str]
    samples: list[Sample]
    addresses: dict[int, str]


def key_of_week(week: date) -> bytes:
    return f"secret of {week}".encode().ljust(32, b".")


def scanner(policy: Policy, keep_addresses: bool = False, block_bytes: int = _BLOCK_BYTES) -> LogScanner:
    return LogScanner(policy, _WINDOW, key_of_week, keep_addresses, block_bytes)


def scanned(log: LogScanner, data: bytes) -> Scanned:
    result = Scanned([], Counter(), [], {})
    for block in log.scan(io.BytesIO(data)):
        columns = (block.byte_offset, block.hit_seconds, block.address_key, block.sys_age)
        clients = [log.clients[index] for index in block.client.tolist()]
        result.rows.extend(Row(*row) for row in zip(*(c.tolist() for c in columns), clients, strict=True))
        result.verdicts.update(block.verdicts)
        result.samples.extend(block.samples)
        assert not result.addresses.keys() & block.addresses.keys()
        result.addresses.update(block.addresses)
    return result


def exactly(policy: Policy, data: bytes) -> tuple[list[Row], Counter[str]]:
    rows, verdicts, offset = [], Counter[str](), 0
    keys = AddressKeys(key_of_week)
    for line in io.BytesIO(data):
        for parsed in parse_line(line, policy, _WINDOW):
            verdicts["hit" if isinstance(parsed.outcome, Hit) else parsed.outcome] += 1
            if isinstance(hit := parsed.outcome, Hit):
                key = keys.of_text(hit.address, monday_of(hit.seconds))
                client = Client(hit.os_name, hit.os_version, hit.os_variant, hit.os_arch, hit.repo_tag, hit.repo_arch)
                rows.append(Row(offset + parsed.start, hit.seconds, key, hit.sys_age, client))
        offset += len(line)
    return rows, verdicts


def assert_equal_ways(log: LogScanner, policy: Policy, data: bytes) -> None:
    fast = scanned(log, data)
    rows, verdicts = exactly(policy, data)
    assert fast.rows == rows
    assert fast.verdicts == verdicts


@st.composite
def mutated_logs(draw: st.DrawFn) -> bytes:
    """A few lines, then some bytes of them changed, put in, taken out, and stretches moved elsewhere."""
    data = b"".join(draw(st.lists(st.sampled_from(_LINES), min_size=1, max_size=12)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.sampled_from([0, 0, 1, 1, 2, 9, 60, 200]))
        piece = draw(st.sampled_from(_PIECES) | st.binary(max_size=3) | st.just(data[at : at + 40]))
        data = data[:at] + piece + data[until:]
    return data


# One scanner for all examples: what it remembers of one log must not change what it sees in the next.
_SHARED = {policy: scanner(policy) for policy in _POLICIES}


@pytest.mark.parametrize("policy", _POLICIES)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=mutated_logs())
def test_the_fast_way_and_the_exact_way_agree_on_mutated_lines(policy: Policy, data: bytes):
    assert_equal_ways(_SHARED[policy], policy, data)


@pytest.mark.parametrize("policy", _POLICIES)
@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=400))
def test_no_bytes_are_too_odd(policy: Policy, data: bytes):
    assert_equal_ways(_SHARED[policy], policy, data)


@pytest.mark.parametrize("policy", _POLICIES)
def test_every_byte_of_a_line_matters_to_both_ways_alike(policy: Policy):
    others = [bytes([byte]) for byte in range(256)]
    for at in range(len(_GOOD)):
        changed = [_GOOD[:at] + other + _GOOD[at + 1 :] for other in others]
        changed += [_GOOD[:at] + piece + _GOOD[at + cut :] for piece in _PIECES for cut in (0, 1)]
        assert_equal_ways(_SHARED[policy], policy, b"".join(changed))


@pytest.mark.parametrize("policy", _POLICIES)
@pytest.mark.parametrize("shift", [0, 1, 2, 33, 34, 35, 160])
def test_it_does_not_matter_where_blocks_end(policy: Policy, shift: int):
    data = b"x" * shift + b"\n" + b"".join(_LINES[i % len(_LINES)] for i in range(6000))
    log = scanner(policy)
    assert len(list(log.scan(io.BytesIO(data)))) > 2
    assert_equal_ways(log, policy, data)


@pytest.mark.parametrize("policy", _POLICIES)
@pytest.mark.parametrize("length", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 10 * MAX_LINE_BYTES])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_long_line_costs_neither_memory_nor_its_neighbours(policy: Policy, length: int, end: bytes):
    start, tail = _GOOD[:-1].split(b"libdnf")
    long = start + b"x" * (length - len(start) - len(tail)) + tail
    assert len(long) == length
    assert_equal_ways(scanner(policy), policy, _GOOD + long + end + _GOOD)


@pytest.mark.parametrize("policy", _POLICIES)
def test_an_empty_file_holds_nothing(policy: Policy):
    assert list(scanner(policy).scan(io.BytesIO(b""))) == []


@pytest.mark.parametrize("policy", _POLICIES)
def test_a_last_line_without_lf_is_a_line(policy: Policy):
    found = scanned(scanner(policy), _GOOD + _GOOD[:-1])
    assert [row.byte_offset for row in found.rows] == [0, len(_GOOD)]


@pytest.mark.parametrize("policy", _POLICIES)
def test_reading_in_small_pieces_changes_nothing(policy: Policy):
    class Trickle(io.BytesIO):
        def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
            return super().readinto(buffer[:7])

    blocks = list(scanner(policy).scan(Trickle(_GOOD * 50)))
    assert sum(len(block.hit_seconds) for block in blocks) == 50


@pytest.mark.parametrize("policy", _POLICIES)
def test_full_dictionaries_are_begun_anew(policy: Policy, monkeypatch: pytest.MonkeyPatch):
    for name in ("_REQUESTS", "_AGENTS", "_CLIENTS"):
        monkeypatch.setattr(dictionaries, name, 8)
    lines = [
        _GOOD.replace(b"repo=fedora-39", b"repo=%d" % (i % 90))
        .replace(b"Linux 39", b"Linux %d" % (i % 70))
        .replace(b"192.0.2.1", b"2001:db8:1234:5678::%x" % (i % 50))
        for i in range(4000)
    ]
    log = scanner(policy)
    assert_equal_ways(log, policy, b"".join(lines))
    assert log.generation > 0


def test_clients_keep_their_numbers_from_file_to_file():
    log = scanner("strict")
    first = scanned(log, b"".join(_LINES))
    clients = list(log.clients)
    again = scanned(log, b"".join(reversed(_LINES)))
    assert log.clients == clients
    assert log.generation == 0
    assert {row.client for row in again.rows} == {row.client for row in first.rows}


def test_a_window_may_be_set_for_each_file():
    log = scanner("strict")
    log.window = Window(0, 1)
    assert scanned(log, _GOOD).verdicts == {"outside_window": 1}
    log.window = _WINDOW
    assert scanned(log, _GOOD).verdicts == {"hit": 1}


def test_an_address_has_one_key_within_a_week_and_another_in_the_next():
    spellings = [b"2001:db8::1", b"2001:DB8::1", b"2001:db8:0:0:0:0:0:1"]
    lines = [_GOOD.replace(b"192.0.2.1", host) for host in spellings]
    next_week = [line.replace(b"[04/Mar/2024:10:00:00 +0000]", _NEXT_WEEK) for line in lines]
    keys = [row.address_key for row in scanned(scanner("strict"), b"".join(lines + next_week)).rows]
    assert len(set(keys[:3])) == 1
    assert len(set(keys[3:])) == 1
    assert keys[0] != keys[3]


@pytest.mark.parametrize("policy", _POLICIES)
def test_addresses_are_told_once_per_file_when_they_are_kept(policy: Policy):
    log, data = scanner(policy, keep_addresses=True), b"".join(_LINES) * 700
    first, second = scanned(log, data), scanned(log, data)
    assert first.addresses == second.addresses
    assert first.addresses.keys() == {row.address_key for row in first.rows}
    spelling = "2001:db8::1" if policy == "strict" else "2001:DB8::1"
    assert spelling in first.addresses.values()


def test_addresses_are_not_told_unless_they_are_kept():
    assert scanned(scanner("strict"), b"".join(_LINES)).addresses == {}


def test_samples_are_few_and_tell_place_and_reason():
    bad = _GOOD.replace(b"countme=2", b"countme=7")
    odd = b"12.34.56.78 \xff\x01 said 1.2.3.4 and 2001:db8::7\n"
    found = scanned(scanner("strict"), (bad + odd + _GOOD) * 3000)
    of_bad = [sample for sample in found.samples if sample.verdict == "countme_out_of_range"]
    of_odd = [sample for sample in found.samples if sample.verdict == "malformed_line"]
    assert 0 < len(of_bad) == len(of_odd) == len(found.samples) / 2 < 100
    assert of_bad[1].byte_offset == len(bad + odd + _GOOD)
    assert of_bad[0].text == "[address]" + bad.decode()[len("192.0.2.1") : -1]
    assert of_odd[0].byte_offset == len(bad)
    assert of_odd[0].text == "[address] \\xff\\x01 said [address] and [address]"


def test_samples_show_addresses_only_when_they_are_kept():
    bad = _GOOD.replace(b"countme=2", b"countme=7")
    (sample,) = scanned(scanner("strict", keep_addresses=True), bad).samples
    assert sample.text == bad.decode().rstrip()


def test_a_sample_is_cut():
    (sample,) = scanned(scanner("strict"), b"a" * 100_000).samples
    assert len(sample.text) < 10_000


def test_the_reference_logs_give_the_reference_rows(reference_data: Path):
    log = LogScanner("compat", Window(-(2**40), 2**40), key_of_week, keep_addresses=True)
    rows: list[tuple[str, ...]] = []
    for file in sorted((reference_data / "countme" / "logs").glob("*.log.gz")):
        found = scanned(log, gzip.decompress(file.read_bytes()))
        rows.extend(
            tuple(map(str, (r.seconds, found.addresses[r.address_key], *r.client[:4], r.sys_age, *r.client[4:])))
            for r in found.rows
        )
    assert len(rows) == 66_332
    assert sorted(set(rows)) == reference_rows(reference_data)


@pytest.mark.parametrize("policy", _POLICIES)
def test_a_made_up_log_of_the_benchmark_is_read_alike(policy: Policy):
    data = b"".join(log_lines(20_000, date(2024, 3, 9), days=4))
    log = scanner(policy)
    assert_equal_ways(log, policy, data)
    found = scanned(log, data)
    assert 15_000 < len(found.rows) < 17_000
    weeks = {monday_of(row.seconds) for row in found.rows}
    assert weeks == {date(2024, 3, 4), date(2024, 3, 11)}
