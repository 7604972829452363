"""One host's log lines of one day, in the combined format of web servers.

The file of day D runs from 00:04 UTC of D to 00:04 of D+1, because log rotation comes a few minutes after
midnight: its last lines carry the next date and are not repeated in the next file. Mondays are heavier
(systems count themselves once a week), nights quieter. A few addresses stand for many systems, now and then
with equal requests in one second; a few lines are damaged. Compression and storage are `day_files.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TypeVar

import numpy as np

from stats_assets.sandbox.systems import VISITORS, Asker, installed_systems, shares_of_systems, shares_of_visitors
from stats_assets.sandbox.world import World

_Word = TypeVar("_Word")

ROTATION_SECONDS = 240
_DAY_SECONDS = 86_400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAY_LOAD = (1.4, 1.05, 1.0, 0.95, 0.95, 0.85, 0.8)  # Monday first; the mean is 1
_COUNTING_SHARE = (0.5, 0.3, 0.25, 0.2, 0.18, 0.15, 0.12)
_HOUR_LOAD = np.array([5, 4, 4, 4, 4, 5, 6, 8, 9, 10, 10, 10, 10, 10, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6], dtype=float)
_PROTOCOLS = ("HTTP/2.0", "HTTP/1.1")

_VISITOR_SHARE = 0.18
_SHARED_ADDRESS_SHARE = 0.12
_REPEATED_SHARE = 0.005
_DAMAGED_SHARE = 0.006
_STEPPING_BACK_SHARE = 0.02  # a line is written when its request ends, but dated when it began


def day_log(world: World, host: str, day: date) -> bytes:
    """The lines of one host and day, about `world.lines` of them, each ending in LF."""
    random = world.random(host, day)
    count = max(20, round(world.lines * _WEEKDAY_LOAD[day.weekday()]))
    people = _population(world, host)
    system = random.integers(len(people.addresses), size=count)
    asker = _askers_of(random, people, system, day)
    book = _phrase_book()
    request = book.pick_requests(random, asker, _countme(random, people, system, asker, day))
    lines = [
        f'{a} - - [{t} +0000] "{r}" {s} {b} "-" "{u}"'
        for a, t, r, s, b, u in zip(
            _looked_up(people.addresses, system),
            _stamps(random, day, count),
            _looked_up(book.requests, request),
            book.pick_statuses(random, asker),
            random.integers(300, 40_000, size=count).tolist(),
            _looked_up(book.agents, asker),
            strict=True,
        )
    ]
    _repeat_some(random, lines)
    _damage_some(random, lines)
    return ("\n".join(lines) + "\n").encode("latin-1")


@dataclass(frozen=True)
class _Population:
    """The systems that use one host: each keeps its address, its taste and its age from day to day."""

    addresses: list[str]
    taste: np.ndarray  # 0..1: its place among the installed systems, which drift with the years
    countme: np.ndarray  # 1..4: how long it has been installed


@cache
def _population(world: World, host: str) -> _Population:
    random = world.random("population", host)
    size = max(50, world.lines * 2 // 3)
    addresses = [_ipv6(random) if six else _ipv4(n) for six, n in _address_draws(random, size)]
    shared = random.random(size) < _SHARED_ADDRESS_SHARE
    gateways = random.integers(max(2, size // 100), size=size)
    addresses = [addresses[g] if s else a for a, s, g in zip(addresses, shared, gateways, strict=True)]
    ages = random.choice([1, 2, 3, 4], size=size, p=[0.1, 0.15, 0.3, 0.45])
    return _Population(addresses, random.random(size), ages)


def _address_draws(random: np.random.Generator, size: int) -> zip[tuple[bool, int]]:
    is_six = (random.random(size) < 0.22).tolist()
    return zip(is_six, random.integers(1 << 24, 223 << 24, size=size).tolist(), strict=True)


def _ipv4(number: int) -> str:
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _ipv6(random: np.random.Generator) -> str:
    a, b, c, d = random.integers(1, 0xFFFF, size=4).tolist()
    return f"2a{a & 255:02x}:{b:x}:{c:x}::{d:x}"


def _askers_of(random: np.random.Generator, people: _Population, system: np.ndarray, day: date) -> np.ndarray:
    """Which asker each line comes from: the one its system has on `day`, or a visitor."""
    installed = np.searchsorted(_up_to_one(shares_of_systems(day)), people.taste)[system]
    visitor = np.searchsorted(_up_to_one(shares_of_visitors()), random.random(len(system)))
    is_visit = random.random(len(system)) < _VISITOR_SHARE
    return np.where(is_visit, len(installed_systems()) + visitor, installed)


def _up_to_one(parts: np.ndarray) -> np.ndarray:
    limits = parts.cumsum()
    limits[-1] = 1.0
    return limits


def _countme(
    random: np.random.Generator, people: _Population, system: np.ndarray, asker: np.ndarray, day: date
) -> np.ndarray:
    """The countme value of each line, 0 for none."""
    says = random.random(len(system)) < _COUNTING_SHARE[day.weekday()]
    return np.where(says & _phrase_book().counts[asker], people.countme[system], 0)


def _stamps(random: np.random.Generator, day: date, count: int) -> list[str]:
    """Nearly ordered times from one rotation to the next, as they stand between the brackets."""
    hour = random.choice(24, size=count, p=_HOUR_LOAD / _HOUR_LOAD.sum())
    second = np.sort(hour * 3600 + random.integers(3600, size=count)) + ROTATION_SECONDS
    steps_back = random.random(count) < _STEPPING_BACK_SHARE
    second = np.where(steps_back, np.maximum(second - random.integers(1, 40, size=count), ROTATION_SECONDS), second)
    dates = (_clf_date(day), _clf_date(day + timedelta(days=1)))
    clock = _clock()
    return [f"{dates[s >= _DAY_SECONDS]}:{clock[s % _DAY_SECONDS]}" for s in second.tolist()]


def _clf_date(day: date) -> str:
    return f"{day.day:02d}/{_MONTHS[day.month - 1]}/{day.year:04d}"


@cache
def _clock() -> list[str]:
    return [f"{h:02d}:{m:02d}:{s:02d}" for h in range(24) for m in range(60) for s in range(60)]


@dataclass(frozen=True)
class _PhraseBook:
    """All requests and agents there are, spelled out once; lines are made by looking them up."""

    requests: list[str]
    agents: list[str]
    statuses: list[tuple[int, ...]]
    counts: np.ndarray  # per asker
    first_request: np.ndarray  # per asker, where its requests begin
    choices: np.ndarray  # per asker, how many paths it has

    def pick_requests(self, random: np.random.Generator, asker: np.ndarray, countme: np.ndarray) -> np.ndarray:
        path = (random.random(len(asker)) * self.choices[asker]).astype(np.int64)
        protocol = random.integers(len(_PROTOCOLS), size=len(asker))
        return self.first_request[asker] + (path * 5 + countme) * len(_PROTOCOLS) + protocol

    def pick_statuses(self, random: np.random.Generator, asker: np.ndarray) -> list[int]:
        draw = random.integers(1 << 30, size=len(asker)).tolist()
        return [answers[d % len(answers)] for answers, d in zip(_looked_up(self.statuses, asker), draw, strict=True)]


@cache
def _phrase_book() -> _PhraseBook:
    askers = (*installed_systems(), *VISITORS)
    spelled = [_spelled(asker) for asker in askers]
    lengths = np.array([len(requests) for requests in spelled])
    return _PhraseBook(
        requests=[request for requests in spelled for request in requests],
        agents=[asker.agent for asker in askers],
        statuses=[asker.statuses for asker in askers],
        counts=np.array([asker.counts for asker in askers]),
        first_request=np.concatenate([[0], lengths.cumsum()[:-1]]),
        choices=np.array([len(asker.requests) for asker in askers]),
    )


def _spelled(asker: Asker) -> list[str]:
    """Every request line of an asker, in the order `pick_requests` reckons with: path, countme, protocol."""
    return [
        f"GET {path}{f'&countme={countme}' if countme else ''} {protocol}"
        for path in asker.requests
        for countme in range(5)
        for protocol in _PROTOCOLS
    ]


def _looked_up(words: Sequence[_Word], indices: np.ndarray) -> list[_Word]:
    return [words[i] for i in indices.tolist()]


def _repeat_some(random: np.random.Generator, lines: list[str]) -> None:
    """Two systems behind one address may ask the same within a second: equal lines, both true."""
    for at in random.integers(1, len(lines), size=max(1, int(len(lines) * _REPEATED_SHARE))).tolist():
        lines[at] = lines[at - 1]


def _damage_some(random: np.random.Generator, lines: list[str]) -> None:
    damages = (_garbage, _cut_short, _impossible_time, _tls_handshake, _wild_countme, _nonsense_countme)
    for n, at in enumerate(random.integers(len(lines), size=max(6, int(len(lines) * _DAMAGED_SHARE))).tolist()):
        lines[at] = damages[n % len(damages)](random, lines[at])


def _garbage(random: np.random.Generator, line: str) -> str:
    return bytes(random.integers(128, 256, size=40).tolist()).decode("latin-1")


def _cut_short(random: np.random.Generator, line: str) -> str:
    return line[: int(random.integers(5, max(6, len(line) - 20)))]


def _impossible_time(random: np.random.Generator, line: str) -> str:
    before, _, rest = line.partition("[")
    return f"{before}[31/Feb{rest[6:]}"


def _tls_handshake(random: np.random.Generator, line: str) -> str:
    """A client that speaks TLS to a plain port; web servers log its first bytes escaped."""
    before, _, _ = line.partition('"')
    return before + r'"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" 400 226 "-" "-"'


def _wild_countme(random: np.random.Generator, line: str) -> str:
    return line.replace(" HTTP/", f"&countme={random.integers(5, 100)} HTTP/", 1)


def _nonsense_countme(random: np.random.Generator, line: str) -> str:
    return line.replace(" HTTP/", "&countme=always HTTP/", 1)
