"""Whatever stands in a log file: no crash; lines read = hits + the lines of each other verdict, also in the tables."""

from __future__ import annotations

import io
import random
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stats_assets.countme.config import Policy
from stats_assets.countme.parse import MAX_LINE_BYTES
from tests.countme.test_scan import scanned, scanner
from tests.countme.world import World, hit_line, noon

DAY = date(2024, 3, 5)
POLICIES: tuple[Policy, ...] = ("strict", "compat")
GOOD = hit_line(noon(DAY))
LONG_QUERY = GOOD.replace(b"countme=1", b"countme=1&x=" + b"q" * 10_000)

odd_pieces = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [
            GOOD,
            LONG_QUERY,
            LONG_QUERY.replace(b"qqqq", b"%71q&"),
            GOOD.replace(b"repo=", b"repo=\0"),
            GOOD.replace(b"192", b"\0192"),
            GOOD.replace(b"\n", b"\r"),
            GOOD.replace(b"\n", b"\r\n"),
            GOOD.replace(b" - - ", b" -\r- "),
            GOOD.replace(b"Fedora", b"\xff\xfe" * 20),
            GOOD.replace(b"countme=1", b"countme=99999999999999999999"),
            b"\r",
            b"\n",
            b"\0" * 50,
            b'"' * 1000,
            b"x" * (MAX_LINE_BYTES - 1) + b"\n",
            b"x" * (MAX_LINE_BYTES + 1) + b"\n",
            GOOD[:-1] + b" " * MAX_LINE_BYTES + b"\n",
        ]
    ),
)


def lines_in(data: bytes, policy: Policy) -> int:
    """How many lines there are, by Python's own rules: LF ends a line; compat: CR and CR LF, too."""
    between = data.split(b"\n")
    cut = [piece + b"\n" for piece in between[:-1]] + ([between[-1]] if between[-1] else [])
    if policy == "strict":
        return len(cut)
    return sum(
        1 if len(piece.rstrip(b"\n")) > MAX_LINE_BYTES else len(io.StringIO(piece.decode("latin-1"), None).readlines())
        for piece in cut
    )


@pytest.mark.parametrize("policy", POLICIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pieces=st.lists(odd_pieces, max_size=12))
def test_every_line_is_accounted_for(policy: Policy, pieces: list[bytes]):
    data = b"".join(pieces)
    found = scanned(scanner(policy), data)
    assert found.verdicts.total() == lines_in(data, policy)
    assert found.verdicts["hit"] == len(found.rows)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_tables_account_for_every_line_of_an_odd_file(world: World, policy: Policy):
    odd = random.Random(7)
    pieces = [
        GOOD,
        LONG_QUERY,
        b"x" * (MAX_LINE_BYTES + 1) + b"\n",
        GOOD.replace(b"repo=", b"repo=\0"),
        b"a\rb\n",
        b"\0\n",
    ]
    data = b"".join(odd.choice(pieces) if odd.random() < 0.7 else odd.randbytes(200) for _ in range(400))
    world = world.with_config(policy=policy)
    world.deliver(DAY, [data])
    (report,) = world.load(DAY)
    assert world.rows("SELECT lines FROM countme.sources") == [(lines_in(data, policy),)]
    assert world.rows("SELECT sum(lines) FROM countme.verdicts") == [(lines_in(data, policy),)]
    (hits,) = world.rows("SELECT sum(lines) FROM countme.verdicts WHERE verdict = 'hit'")
    assert world.rows("SELECT count(*) FROM countme.raw_hits") == [hits]
    assert hits[0] > 50
    assert {"line_too_long", "nul_byte", "malformed_line"} <= report.verdicts.keys()
