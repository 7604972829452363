"""The verdicts of regular lines, all of a block at once, in the order in which `parse` judges one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stats_assets.countme.addresses import AddressKeys
from stats_assets.countme.config import Policy
from stats_assets.countme.dictionaries import (
    CODES,
    HIT,
    AgentDictionary,
    ClientDictionary,
    RequestDictionary,
)
from stats_assets.countme.hosts import Hosts, keys_of_hosts
from stats_assets.countme.interning import UNKNOWN
from stats_assets.countme.mirror_requests import NO_COUNTME
from stats_assets.countme.parse import Window
from stats_assets.countme.regular import RegularLines
from stats_assets.countme.words import word, words_at

UNREAD = 255  # in the place of a verdict's code: the dictionaries do not hold this line, `parse` must read it


class Judgement(NamedTuple):
    """The code of every line, and per hit: its row, address key, countme value and client."""

    codes: np.ndarray
    rows: np.ndarray
    address_key: np.ndarray
    sys_age: np.ndarray
    client: np.ndarray


class Judge:
    """Knows what the texts of lines mean; bounded, so there comes a time to begin with a new one."""

    def __init__(self, policy: Policy, keys: AddressKeys) -> None:
        self._policy: Policy = policy
        self._keys = keys
        self._requests = RequestDictionary(policy)
        self._agents = AgentDictionary(policy)
        self.clients = ClientDictionary(self._requests, self._agents)

    @property
    def is_full(self) -> bool:
        return self._requests.interner.is_full or self._agents.interner.is_full or self.clients.is_full

    def judge(self, data: np.ndarray, lines: RegularLines, window: Window) -> Judgement:
        """All lines judged. `data` is the buffer that the positions in `lines` are meant in."""
        codes = np.full(len(lines.start), CODES["not_mirror_request"], dtype=np.uint8)
        rows, requests, agents = self._look_up(data, lines, codes)
        codes[rows] = self._text_codes(requests, agents, lines.is_served[rows])
        codes[(codes == HIT) & _is_outside(window, lines.seconds)] = CODES["outside_window"]
        hits = np.flatnonzero(codes[rows] == HIT)
        rows, requests, agents = rows[hits], requests[hits], agents[hits]
        keys, is_address = keys_of_hosts(data, _hosts(lines, rows), self._policy, self._keys)
        clients = self.clients.indexes(self._requests.repository[requests], self._agents.system[agents])
        codes[rows[clients == UNKNOWN]] = UNREAD
        codes[rows[~is_address]] = CODES["bad_address"]
        judgement = Judgement(codes, rows, keys, self._requests.sys_age[requests], clients)
        return judgement if (codes[rows] == HIT).all() else _only_hits(judgement)

    def _look_up(
        self, data: np.ndarray, lines: RegularLines, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The lines that may ask for the mirror list: their rows, and the numbers of their requests and agents.

        Those that are too long or too many for the dictionaries are marked in `codes`.
        """
        request_bytes, agent_bytes = lines.request_end - lines.request, lines.agent_end - lines.agent
        may_ask = _may_ask(words_at(data, lines.request))
        fits = request_bytes <= self._requests.interner.max_bytes
        fits &= agent_bytes <= self._agents.interner.max_bytes
        codes[may_ask & ~fits] = UNREAD
        rows = np.flatnonzero(may_ask & fits)
        requests = self._requests.interner.numbers_at(data, lines.request[rows], request_bytes[rows])
        agents = self._agents.interner.numbers_at(data, lines.agent[rows], agent_bytes[rows])
        is_found = (requests != UNKNOWN) & (agents != UNKNOWN)
        if is_found.all():
            return rows, requests, agents
        codes[rows[~is_found]] = UNREAD
        return rows[is_found], requests[is_found], agents[is_found]

    def _text_codes(self, requests: np.ndarray, agents: np.ndarray, is_served: np.ndarray) -> np.ndarray:
        """What request, status and agent say together: the first verdict that is not HIT."""
        sends_countme = self._requests.sys_age[requests] != NO_COUNTME
        codes = self._requests.kind_verdict[requests]
        for reason in (
            np.where(is_served, np.uint8(HIT), np.uint8(CODES["not_served"])),
            self._requests.query_verdict[requests],
            np.where(sends_countme & ~self._agents.is_known[agents], np.uint8(CODES["unknown_agent"]), np.uint8(HIT)),
        ):
            codes = np.where(codes == HIT, reason, codes)
        return codes


def _only_hits(judgement: Judgement) -> Judgement:
    hits = np.flatnonzero(judgement.codes[judgement.rows] == HIT)
    return Judgement(judgement.codes, *(column[hits] for column in judgement[1:]))


def _is_outside(window: Window, seconds: np.ndarray) -> np.ndarray:
    return (seconds < window.oldest) | (seconds >= window.end)


def _hosts(lines: RegularLines, rows: np.ndarray) -> Hosts:
    start = lines.start[rows]
    return Hosts(start, lines.host_end[rows] - start, lines.host_block[rows], lines.seconds[rows])


_GET, _HEAD = word("GET "), word("HEAD ")
_FOUR_BYTES, _FIVE_BYTES = np.uint64(0xFFFF_FFFF), np.uint64(0xFF_FFFF_FFFF)
_ASKING = [word(text) for text in ("GET /met", "GET /mir", "HEAD /me", "HEAD /mi")]


def _may_ask(beginning: np.ndarray) -> np.ndarray:
    """False for requests that surely are not for the mirror list, told by their first eight bytes.

    They are GET or HEAD of a path that begins otherwise than /metalink and /mirrorlist do.
    """
    is_other = ((beginning & _FOUR_BYTES) == _GET) | ((beginning & _FIVE_BYTES) == _HEAD)
    for asking in _ASKING:
        is_other &= beginning != asking
    return ~is_other
