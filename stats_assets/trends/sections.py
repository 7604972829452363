"""Sections of a decoded log, whichever way their absence is written.

The server is PHP: an empty map may come as `[]`, as null, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stats_assets.trends.reasons import BadLog


def object_in(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The section as a dict, empty when there is none. Raises BadLog when it is something else."""
    found = parent.get(key)
    if isinstance(found, dict):
        return found
    if found is None or found == []:
        return {}
    raise BadLog("bad_type", f"{key} is {found!r:.80} where an object is expected")


def list_in(parent: Mapping[str, Any], key: str) -> list[Any]:
    """The section as a list, empty when there is none. Raises BadLog when it is something else."""
    found = parent.get(key)
    if isinstance(found, list):
        return found
    if found is None or found == {}:
        return []
    raise BadLog("bad_type", f"{key} is {found!r:.80} where a list is expected")


def want(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A section no log is without."""
    found = object_in(parent, key)
    if not found:
        raise BadLog("not_a_log", f"there is no section {key}")
    return found


def text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise BadLog("bad_type", f"{value!r:.80} where a text is expected")


def number(value: Any, default: int) -> int:
    if value is None:
        return default
    if type(value) is int:
        return value
    raise BadLog("bad_number", f"{value!r:.80} where a whole number is expected")
