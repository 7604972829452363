"""Makes an access log like that of a busy mirror list: the same bytes for the same arguments.

    python -m benchmarks.countme.generate access.log --lines 1000000 --first-day 2024-03-04 --days 1

About 82 % of the lines ask for the mirror list and count, 17 % of the clients speak IPv6, some addresses hide a
crowd, some three hundred systems ask, each for its own repositories, and 0.5 % of the lines are odd in one way or
another.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

_System = tuple[str, list[str]]  # agent, and the requests it makes
_Value = TypeVar("_Value")

_CHUNK_LINES = 50_000
_AGES = ("", "", "", "&countme=1", "&countme=2", "&countme=3", "&countme=4")
_SECONDS_PER_DAY = 86_400

_ARCHES = ("x86_64", "x86_64", "x86_64", "x86_64", "x86_64", "aarch64", "aarch64", "ppc64le", "s390x")
_FEDORA_VARIANTS = ("workstation", "server", "container", "kde", "coreos", "iot", "silverblue", "generic")
_REBUILDS = ("AlmaLinux", "Rocky Linux", "CentOS Stream", "Red Hat Enterprise Linux", "Oracle Linux Server")
_OTHER_AGENTS = ("curl/8.5.0", "python-requests/2.31.0", "libdnf", "dnf/2.7.5", "urlgrabber/3.10 yum/3.4.3", "-")
_OTHER_REQUESTS = (
    "GET / HTTP/1.1",
    "GET /favicon.ico HTTP/2.0",
    "GET /robots.txt HTTP/1.1",
    "GET /static/fedora/style.css HTTP/2.0",
    "GET /publiclist/Fedora/39/x86_64/ HTTP/1.1",
    "GET /mirrormanager/mirrors HTTP/2.0",
    "GET //metalink?repo=fedora-39&arch=x86_64 HTTP/2.0",
    "POST /xmlrpc.php HTTP/1.1",
    "GET /wp-login.php HTTP/1.1",
)
_ODD_LINES = (
    '{host} - - [{time}] "\\x16\\x03\\x01" 400 226 "-" "-"',
    '{host} - - [{time}] "-" 408 - "-" "-"',
    '{host} - - [{time}] "GET /metalink?repo=caf\u00e9-39&arch=x86_64 HTTP/2.0" 200 4044 "-" "libdnf"',
    '{host} - - [{time}] "GET /metalink?repo=fedora-39&countme=x HTTP/2.0" 200 4044 "-" "libdnf"',
    '{host} - - [{time}] "GET /metalink?repo=fedora-39 HTTP/2.0" 200 4044 "-" "odd \\"agent\\""',
    '{host} - bob [{time}] "GET /metalink?repo=fedora-39&arch=x86_64 HTTP/2.0" 200 4044 "-" "libdnf"',
    '{host} - - [{time}] "GET /metal',
    "",
)


def log_lines(lines: int, first_day: date, days: int = 1, seed: int = 1) -> Iterator[bytes]:
    """The log in pieces of many lines, ordered by time, spread evenly over the days (UTC)."""
    rng = np.random.default_rng(seed)
    systems, hosts = _systems(), _hosts(rng, max(1000, lines // 3))
    start = int(datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC).timestamp())
    span = days * _SECONDS_PER_DAY
    for done in range(0, lines, _CHUNK_LINES):
        count = min(_CHUNK_LINES, lines - done)
        seconds = start + (np.arange(done, done + count) * span) // lines
        yield _chunk(rng, _times(seconds), systems, hosts)


def _chunk(
    rng: np.random.Generator,
    times: Sequence[str],
    systems: Sequence[_System],
    hosts: Sequence[str],
) -> bytes:
    count = len(times)
    kind = rng.random(count)
    rows = zip(
        kind.tolist(),
        times,
        _skewed(rng, hosts, count, power=2),
        _skewed(rng, systems, count, power=3),
        rng.integers(300, 40_000, count).tolist(),
        strict=True,
    )
    return "".join(_line(*row) for row in rows).encode()


def _line(kind: float, time: str, host: str, system: _System, size: int) -> str:
    agent, requests = system
    request = requests[size % len(requests)]
    if kind < 0.82:
        return f'{host} - - [{time}] "{request}" {302 if kind < 0.01 else 200} {size} "-" "{agent}"\n'
    if kind < 0.835:
        return f'{host} - - [{time}] "{request}" {404 if kind < 0.83 else 503} {size} "-" "{agent}"\n'
    if kind < 0.995:
        return f'{host} - - [{time}] "{_OTHER_REQUESTS[size % len(_OTHER_REQUESTS)]}" 404 {size} "-" "{agent}"\n'
    return _ODD_LINES[size % len(_ODD_LINES)].format(host=host, time=time) + "\n"


def _skewed(rng: np.random.Generator, values: Sequence[_Value], count: int, power: int) -> list[_Value]:
    """Some values much more often than others."""
    indexes: list[int] = (rng.random(count) ** power * len(values)).astype(np.int64).tolist()
    return [values[index] for index in indexes]


def _times(seconds: np.ndarray) -> list[str]:
    texts = {s: f"{datetime.fromtimestamp(s, UTC):%d/%b/%Y:%H:%M:%S} +0000" for s in np.unique(seconds).tolist()}
    return [texts[s] for s in seconds.tolist()]


def _hosts(rng: np.random.Generator, count: int) -> list[str]:
    octets = rng.integers(1, 255, (count, 4)).tolist()
    groups = rng.integers(0, 65_536, (count, 4)).tolist()
    is_v6 = (rng.random(count) < 0.17).tolist()
    return [
        f"2a{g[0] & 255:02x}:{g[1]:x}:{g[2]:x}::{g[3]:x}" if six else "{}.{}.{}.{}".format(*o)
        for six, g, o in zip(is_v6, groups, octets, strict=True)
    ]


def _systems() -> list[_System]:
    """What asks, and for what: a system asks for repositories of its own release and architecture."""
    fedoras = [
        (f"Fedora Linux {release}; {variant}; Linux.{arch}", _fedora_repositories(release), arch)
        for release in (37, 38, 39, 40)
        for variant in _FEDORA_VARIANTS
        for arch in dict.fromkeys(_ARCHES)
    ]
    rebuilds = [
        (f"{name} {version}; generic; Linux.{arch}", _epel_repositories(version[0]), arch)
        for name in _REBUILDS
        for version in ("8.8", "8.9", "9.2", "9.3")
        for arch in dict.fromkeys(_ARCHES)
    ]
    systems = [
        (f"{'libdnf' if number % 3 else 'libdnf/0.73.1'} ({system})", _requests(repositories, arch, _AGES))
        for number, (system, repositories, arch) in enumerate(fedoras + rebuilds)
    ]
    systems += [(agent, _requests(_fedora_repositories(39), "x86_64", ("",))) for agent in _OTHER_AGENTS] * 3
    order = np.random.default_rng(0).permutation(len(systems)).tolist()
    return [systems[place] for place in order]


def _fedora_repositories(release: int) -> tuple[str, ...]:
    return (f"metalink?repo=fedora-{release}", f"metalink?repo=updates-released-f{release}")


def _epel_repositories(major: str) -> tuple[str, ...]:
    return (f"mirrorlist?repo=epel-{major}", f"mirrorlist?repo=epel-next-{major}")


def _requests(repositories: Sequence[str], arch: str, ages: Sequence[str]) -> list[str]:
    return [
        f"GET /{repository}&arch={arch}{age} HTTP/{version}"
        for repository in repositories
        for age in ages
        for version in ("2.0", "1.1")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes an access log to measure with.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--first-day", type=date.fromisoformat, default=date(2024, 3, 4))
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with options.file.open("wb") as file:
        for piece in log_lines(options.lines, options.first_day, options.days, options.seed):
            file.write(piece)


if __name__ == "__main__":
    main()
