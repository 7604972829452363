"""Operating systems of reports: name, version for people, numbers. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from stats_assets.crashes.maps import UNKNOWN_OS, Maps

_NUMBERS = re.compile(r"(\d+)?(?:[^.]*?\.(\d+))?", re.ASCII)
_LINUX_ZEROS = re.compile(r"^[0.]+ Linux ")


class System(NamedTuple):
    """An operating system as it is counted."""

    name: str
    version_string: str
    major: int
    minor: int


def operating_system(name: str | None, version: str | None, maps: Maps) -> System:
    """The system a report tells of; Unknown, 0.0 when no pattern of the maps matches its name."""
    told = "Unknown" if name is None else name
    found = maps.os_name_of(told)
    if found == UNKNOWN_OS:
        return System(found, found, 0, 0)
    number = version or ""
    if told.lower().startswith("linux") and "0.0.0" in number:
        number = _LINUX_ZEROS.sub("", number)
    match = _NUMBERS.match(number)
    major, minor = (_below_1000(part) for part in match.groups()) if match else (0, 0)
    return System(found, _version_string(found, major, minor, maps), major, minor)


def _version_string(name: str, major: int, minor: int, maps: Maps) -> str:
    if name == "Windows":
        return maps.windows_versions.get((major, minor), "Windows Unknown")
    if name == "Mac OS X":
        return f"OS X {major}.{minor}" if major in (10, 11) and minor <= 20 else "OS X Unknown"
    return name


def _below_1000(digits: str | None) -> int:
    return int(digits) if digits and len(digits) < 4 else 0
