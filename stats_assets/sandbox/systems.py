"""What asks the mirror list: operating systems as they spread and fade, other programs, and plain curiosity.

Shares follow the calendar (a Fedora release every half year, taken up within weeks, left within a year), so
that charts over months show something to look at. How requests become log lines is `access_log.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache

import numpy as np

_FIRST_FEDORA, _FIRST_FEDORA_DAY = 32, date(2020, 4, 28)
_RELEASE_EVERY = timedelta(days=182)
_FEDORAS = range(_FIRST_FEDORA, 60)
_ARCHES = {"x86_64": 0.89, "aarch64": 0.09, "ppc64le": 0.01, "s390x": 0.01}
_VARIANTS = {
    "workstation": 0.46,
    "kde": 0.14,
    "server": 0.2,
    "generic": 0.13,
    "silverblue": 0.04,
    "coreos": 0.03,
}

# name, version, variant, repository, content tag, first day, last day of support, weight
_ENTERPRISE = (
    ("CentOS Stream", "8", "generic", "epel-8", "centos", date(2020, 1, 1), date(2024, 5, 31), 0.6),
    ("CentOS Stream", "9", "generic", "epel-9", "centos", date(2021, 12, 1), date(2027, 5, 31), 0.8),
    ("CentOS Stream", "10", "generic", "epel-10", "centos", date(2024, 12, 12), date(2030, 5, 31), 0.5),
    ("AlmaLinux", "8.10", "generic", "epel-8", "almalinux", date(2021, 3, 30), date(2029, 3, 1), 0.9),
    ("AlmaLinux", "9.6", "generic", "epel-9", "almalinux", date(2022, 5, 26), date(2032, 5, 31), 1.5),
    ("AlmaLinux", "10.0", "generic", "epel-10", "almalinux", date(2025, 5, 27), date(2035, 5, 31), 1.3),
    ("Rocky Linux", "8.10", "generic", "epel-8", "rocky", date(2021, 6, 21), date(2029, 5, 31), 0.9),
    ("Rocky Linux", "9.6", "generic", "epel-9", "rocky", date(2022, 7, 14), date(2032, 5, 31), 1.4),
    ("Red Hat Enterprise Linux", "8.10", "generic", "epel-8", "red", date(2020, 1, 1), date(2029, 5, 31), 1.0),
    ("Red Hat Enterprise Linux", "9.6", "generic", "epel-9", "red", date(2022, 5, 17), date(2032, 5, 31), 1.5),
    ("Oracle Linux Server", "9.6", "server", "epel-9", "oracle", date(2022, 6, 30), date(2032, 6, 30), 0.4),
    ("Amazon Linux", "2023", "generic", "epel-9", "amazon", date(2023, 3, 15), date(2028, 3, 15), 0.3),
)


@dataclass(frozen=True)
class Asker:
    """A program that sends requests: its user agent and what it asks for.

    `counts`: it may add countme=1..4 to a request; `statuses` are what the server answers, equally often.
    """

    agent: str
    requests: tuple[str, ...]
    counts: bool = False
    statuses: tuple[int, ...] = (200,)
    weight: float = 1.0
    since: date = date.min
    until: date = date.max
    tail: float = 0.0  # share that never leaves


_MIRROR_ANSWERS = (200,) * 48 + (302, 503)

# The rest of the traffic, as every public web server sees it.
VISITORS: Sequence[Asker] = (
    Asker("urlgrabber/3.10 yum/3.4.3", ("/mirrorlist?repo=epel-7&arch=x86_64",), weight=5),
    Asker("librepo/1.18.1", ("/metalink?repo=epel-9&arch=x86_64", "/metalink?repo=fedora-43&arch=x86_64"), weight=3),
    Asker("curl/8.11.1", ("/mirrorlist?repo=fedora-43&arch=x86_64", "/metalink?repo=rawhide&arch=x86_64"), weight=2),
    Asker("Go-http-client/1.1", ("/metalink?repo=updates-released-f43&arch=x86_64",), weight=1),
    Asker("PackageKit-hawkey", ("/metalink?repo=updates-released-f42&arch=x86_64",), weight=1),
    Asker(
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ("/", "/favicon.ico", "/mm/static/fedora/style.css", "/mirrors", "/mirrors/Fedora/43/x86_64"),
        weight=6,
    ),
    Asker(
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        ("/robots.txt", "/mirrors/EPEL", "/mirrors/Fedora"),
        weight=2,
    ),
    Asker(
        "Mozilla/5.0 zgrab/0.x",
        ("/wp-login.php", "/.env", "/xmlrpc.php", "/cgi-bin/luci"),
        statuses=(404, 404, 403),
        weight=3,
    ),
    Asker(
        "libdnf (Fedora Linux 43; server; Linux.x86_64)",
        ("/pub/fedora/linux/releases/43/Everything/x86_64/os/repodata/repomd.xml",),
        statuses=(404,),
        weight=1,
    ),
)


@cache
def installed_systems() -> tuple[Asker, ...]:
    """Everything that counts itself, older releases first: a system that upgrades moves along this order."""
    return (*_enterprise(), *_fedora())


@lru_cache(maxsize=64)
def shares_of_systems(day: date) -> np.ndarray:
    """How `day` finds the systems divided among `installed_systems`; adds up to 1."""
    weights = np.array([asker.weight * _presence(asker, day) for asker in installed_systems()])
    return weights / weights.sum()


@cache
def shares_of_visitors() -> np.ndarray:
    """How visits divide among VISITORS; adds up to 1."""
    weights = np.array([asker.weight for asker in VISITORS])
    return weights / weights.sum()


def _fedora() -> Iterator[Asker]:
    for release in _FEDORAS:
        born = _FIRST_FEDORA_DAY + (release - _FIRST_FEDORA) * _RELEASE_EVERY
        for variant, variant_share in _VARIANTS.items():
            product = "rpm-ostree" if variant in ("silverblue", "coreos") else "libdnf"
            for arch, arch_share in _ARCHES.items():
                yield Asker(
                    agent=f"{product} (Fedora Linux {release}; {variant}; Linux.{arch})",
                    requests=(
                        f"/metalink?repo=fedora-{release}&arch={arch}",
                        f"/metalink?repo=updates-released-f{release}&arch={arch}",
                        f"/metalink?repo=fedora-cisco-openh264-{release}&arch={arch}",
                    ),
                    counts=True,
                    statuses=_MIRROR_ANSWERS,
                    weight=10 * variant_share * arch_share,
                    since=born,
                    until=born + timedelta(days=300),
                    tail=0.02,
                )


def _enterprise() -> Iterator[Asker]:
    for name, version, variant, repo, content, since, until, weight in _ENTERPRISE:
        for arch, arch_share in _ARCHES.items():
            yield Asker(
                agent=f"libdnf ({name} {version}; {variant}; Linux.{arch})",
                requests=(f"/metalink?repo={repo}&arch={arch}&infra=stock&content={content}",),
                counts=True,
                statuses=_MIRROR_ANSWERS,
                weight=2 * weight * arch_share,
                since=since,
                until=until,
                tail=0.1,
            )


def _presence(asker: Asker, day: date) -> float:
    """0 before the first release, near 1 some weeks later, down to its tail after the last day."""
    risen = _sigmoid(((day - asker.since).days - 20) / 12) if day >= asker.since else 0.0
    fallen = _sigmoid((day - asker.until).days / 40)
    return risen * max(1 - fallen, asker.tail)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, x))))
