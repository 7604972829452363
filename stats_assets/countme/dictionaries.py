"""What distinct requests and agents mean, as numpy columns that are looked up by their numbers.

Each distinct text is read once, by the same functions that `parse` uses; a million lines then look its meaning up.
The dictionaries are bounded: when one is full, the scanner begins new ones.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple, TypeVar

import numpy as np

from stats_assets.countme.agents import UNTOLD, System, read_agent
from stats_assets.countme.config import Policy
from stats_assets.countme.interning import UNKNOWN, Interner
from stats_assets.countme.mirror_requests import NO_COUNTME, MirrorRequest, RepositoryQuery, read_query, read_request
from stats_assets.countme.verdicts import MEANINGS, Verdict

# Texts beyond these lengths are rare enough for `parse`, line by line.
_REQUEST_WORDS, _AGENT_WORDS = 16, 16

_REQUESTS, _AGENTS, _CLIENTS = 1 << 15, 1 << 13, 1 << 16

VERDICTS: list[Verdict] = list(MEANINGS)
CODES: dict[Verdict, int] = {verdict: code for code, verdict in enumerate(VERDICTS)}
HIT = CODES["hit"]


class Client(NamedTuple):
    """Who asks for what: the system and the repository, as far as they were told."""

    os_name: str
    os_version: str
    os_variant: str
    os_arch: str
    repo_tag: str
    repo_arch: str


class RequestDictionary:
    """Columns by request number. A verdict of HIT means: nothing stands against counting it so far."""

    def __init__(self, policy: Policy) -> None:
        self._policy: Policy = policy
        self.interner = Interner(_REQUEST_WORDS, _REQUESTS, self._learn)
        self.kind_verdict = np.zeros(_REQUESTS, dtype=np.uint8)  # judged before the status
        self.query_verdict = np.zeros(_REQUESTS, dtype=np.uint8)  # judged after it
        self.sys_age = np.full(_REQUESTS, NO_COUNTME, dtype=np.int64)
        self.repository = np.zeros(_REQUESTS, dtype=np.uint32)
        self.repositories: list[tuple[str, str]] = []
        self._repository_numbers: dict[tuple[str, str], int] = {}

    def _learn(self, number: int, text: bytes) -> None:
        request = read_request(text.decode("ascii"), self._policy)
        if not isinstance(request, MirrorRequest):
            self.kind_verdict[number] = CODES[request]
            return
        query = read_query(request.query, self._policy)
        if not isinstance(query, RepositoryQuery):
            self.query_verdict[number] = CODES[query]
            return
        self.sys_age[number] = query.sys_age
        repository = (query.repo_tag, query.repo_arch)
        self.repository[number] = _number_of(repository, self.repositories, self._repository_numbers)


class AgentDictionary:
    """Columns by agent number."""

    def __init__(self, policy: Policy) -> None:
        self._policy: Policy = policy
        self.interner = Interner(_AGENT_WORDS, _AGENTS, self._learn)
        self.is_known = np.zeros(_AGENTS, dtype=bool)
        self.system = np.zeros(_AGENTS, dtype=np.uint32)
        self.systems: list[System] = []
        self._system_numbers: dict[System, int] = {}

    def _learn(self, number: int, text: bytes) -> None:
        system = read_agent(text.decode("ascii"), self._policy)
        self.is_known[number] = system is not None
        self.system[number] = _number_of(system or UNTOLD, self.systems, self._system_numbers)


class ClientDictionary:
    """The distinct clients in the order of their appearance, found by their names or by the numbers of their parts."""

    def __init__(self, requests: RequestDictionary, agents: AgentDictionary) -> None:
        self.clients: list[Client] = []
        self._indexes: dict[Client, int] = {}
        self._requests = requests
        self._agents = agents
        self._pairs = Interner(1, _CLIENTS, self._learn)
        self._pair_index = np.zeros(_CLIENTS, dtype=np.int32)

    @property
    def is_full(self) -> bool:
        return self._pairs.is_full or len(self.clients) >= _CLIENTS

    def index(self, client: Client) -> int:
        """Where in `clients` this one is; added if need be."""
        return _number_of(client, self.clients, self._indexes)

    def indexes(self, repository: np.ndarray, system: np.ndarray) -> np.ndarray:
        """int32[n]: where in `clients` they are, added if need be; UNKNOWN for new ones when full."""
        pairs = np.column_stack((repository, system)).astype("<u4").view("<u8")
        numbers = self._pairs.numbers_of(pairs)
        return np.where(numbers == UNKNOWN, np.int32(UNKNOWN), self._pair_index[numbers])

    def _learn(self, number: int, pair: bytes) -> None:
        repository, system = np.frombuffer(pair.ljust(8, b"\0"), dtype="<u4")
        client = Client(*self._agents.systems[system], *self._requests.repositories[repository])
        self._pair_index[number] = self.index(client)


T = TypeVar("T", bound=Hashable)


def _number_of(value: T, values: list[T], numbers: dict[T, int]) -> int:
    """The value's place in `values`; it is put at the end if it is new."""
    if value not in numbers:
        numbers[value] = len(values)
        values.append(value)
    return numbers[value]
