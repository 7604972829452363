"""Whether what is installed is what the lock names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.markers import Marker

from stats_assets.local.findings import Finding, ok, wrong

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?==(?P<version>[^\s;\\]+)\s*(;\s*(?P<marker>[^\\]+))?")


def packages(lock: Path) -> Iterator[Finding]:
    """Every package that is missing or has another version than the lock's."""
    wanted = dict(pinned(lock.read_text()))
    problems = {name: found for name, version in wanted.items() if (found := _installed(name)) != version}
    for name, found in problems.items():
        what = f"{name} {found or 'is not installed'}, {lock.name} has {wanted[name]}"
        yield wrong(what, "remove .venv: the next ./stats makes it anew")
    if not problems:
        yield ok(f"{len(wanted)} packages are those of {lock.name}")


def pinned(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each package that this Python and platform need."""
    for line in text.splitlines():
        found = _PINNED.match(line)
        if found and (not found["marker"] or Marker(found["marker"].strip()).evaluate()):
            yield found["name"], found["version"]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
