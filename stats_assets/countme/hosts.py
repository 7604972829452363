"""The hosts of many lines as address keys: nearly all by array, the others one by one.

What a key is, is told in `addresses`, and which hosts are addresses in `addresses` and `spelling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from stats_assets.countme.addresses import BLOCK_BYTES, LONG_BYTES, AddressKeys, read_address
from stats_assets.countme.config import Policy
from stats_assets.countme.spelling import is_canonical_ipv6, is_ipv4
from stats_assets.countme.weeks import FIRST_MONDAY_SECONDS, SECONDS_PER_WEEK, week_of_number
from stats_assets.countme.words import texts_at


class Hosts(NamedTuple):
    """Hosts of lines, a row each, and when they were seen; `block` is the first 16 bytes, filled with NUL."""

    start: np.ndarray
    length: np.ndarray
    block: np.ndarray
    seconds: np.ndarray

    def take(self, rows: slice | np.ndarray) -> Hosts:
        return Hosts(*(column[rows] for column in self))


def keys_of_hosts(data: np.ndarray, hosts: Hosts, policy: Policy, keys: AddressKeys) -> tuple[np.ndarray, np.ndarray]:
    """int64[n] keys, and whether each host is an address; other keys mean nothing. `data` is what holds the texts."""
    result, is_address = np.zeros(len(hosts.start), dtype=np.int64), np.ones(len(hosts.start), dtype=bool)
    for week, rows in _by_week(hosts.seconds):
        result[rows], is_address[rows] = _keys_of_week(data, hosts.take(rows), policy, keys, week)
    return result, is_address


def _keys_of_week(
    data: np.ndarray, hosts: Hosts, policy: Policy, keys: AddressKeys, week: date
) -> tuple[np.ndarray, np.ndarray]:
    # Where the spelling says that a host is an address as it stands, its bytes are all that is needed.
    is_compat = policy == "compat"
    is_short = hosts.length <= BLOCK_BYTES if is_compat else is_ipv4(hosts.block, hosts.length)
    result = keys.of_short(hosts.block, week)
    is_address = np.ones(len(result), dtype=bool)
    long = np.flatnonzero(~is_short)
    texts = texts_at(data, hosts.start[long], hosts.length[long], words=8)
    is_known = hosts.length[long] <= LONG_BYTES
    if not is_compat:
        is_known &= (hosts.length[long] > BLOCK_BYTES) & is_canonical_ipv6(texts, hosts.length[long])
    result[long] = keys.of_long(np.ascontiguousarray(texts[:, : LONG_BYTES // 8]), week)
    for row in long[~is_known].tolist():
        host = data[hosts.start[row] : hosts.start[row] + hosts.length[row]].tobytes().decode("ascii")
        address = read_address(host, policy)
        is_address[row] = address is not None
        result[row] = 0 if address is None else keys.of_text(address, week)
    return result, is_address


def _by_week(seconds: np.ndarray) -> Iterator[tuple[date, slice | np.ndarray]]:
    """The weeks these instants lie in, each with its rows."""
    weeks = (seconds - FIRST_MONDAY_SECONDS) // SECONDS_PER_WEEK
    if len(weeks) and weeks.min() == weeks.max():
        yield week_of_number(int(weeks[0])), slice(None)  # by far the usual case
        return
    for number in np.unique(weeks):
        yield week_of_number(int(number)), np.flatnonzero(weeks == number)
