"""The verdict on one decoded event: taken, or refused with reason and column. Pure.

This is the careful way, which can say what is wrong. Most bodies never come here: see `envelope`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stats_assets.events.headers import Headers
from stats_assets.events.schema_file import EVENT_ID, Table
from stats_assets.events.values import complaint, event_id_complaint

TABLE_KEY = "_t"


class Refusal(NamedTuple):
    """Why an event is refused. `column` is None when it is about the event as a whole."""

    reason: str
    column: str | None
    detail: str


class Verdict(NamedTuple):
    """`refusal` is None for an event that is taken. `table` and `event_id` are None where the event has none of use."""

    table: str | None
    event_id: str | None
    refusal: Refusal | None
    unknown_columns: tuple[str, ...] = ()


def judge_event(
    event: Any, tables: Mapping[str, Table], missing_headers: Mapping[str, Refusal], max_columns: int
) -> Verdict:
    """The verdict on an event for an app that may fill `tables`; `missing_headers` are the refusals of whole tables."""
    name, refusal = _table_of(event, tables)
    if refusal is not None or name is None:
        return Verdict(None, None, refusal)
    wrong_id = event_id_complaint(event.get(EVENT_ID))
    event_id = None if wrong_id else event.get(EVENT_ID)
    if len(event) > max_columns:
        detail = f"an event has at most {max_columns} keys, this one {len(event)}"
        return Verdict(name, event_id, Refusal("too many columns", None, detail))
    if wrong_id:
        return Verdict(name, None, Refusal(wrong_id.reason, EVENT_ID, wrong_id.detail))
    refusal = missing_headers.get(name) or _refusal_by_columns(event, tables[name])
    return Verdict(name, event_id, refusal, () if refusal else _unknown_columns(event, tables[name]))


def _table_of(event: Any, tables: Mapping[str, Table]) -> tuple[str | None, Refusal | None]:
    if not isinstance(event, dict):
        return None, Refusal("event not an object", None, "an event is a JSON object")
    if TABLE_KEY not in event:
        return None, Refusal("_t missing", TABLE_KEY, "_t names the table of the event")
    name = event[TABLE_KEY]
    if not isinstance(name, str):
        return None, Refusal("_t not a string", TABLE_KEY, "_t names the table of the event")
    if name not in tables:
        return None, Refusal("unknown table", TABLE_KEY, f"the app has no table {name[:64]!a}")
    return name, None


def _refusal_by_columns(event: Mapping[str, Any], table: Table) -> Refusal | None:
    for column in table.columns:
        if column.header is None and (found := complaint(column, event.get(column.name))):
            return Refusal(found.reason, column.name, found.detail)
    return None


def _unknown_columns(event: Mapping[str, Any], table: Table) -> tuple[str, ...]:
    """Keys that no column takes, which the typed table keeps in `extra`; a header column takes none."""
    known = {column.name for column in table.columns if column.header is None} | {TABLE_KEY, EVENT_ID}
    return tuple(key for key in event if key not in known)


class NeededHeader(NamedTuple):
    """A header that events of the table do not go without; `key` in lower case."""

    table: str
    key: bytes
    refusal: Refusal


def needed_headers(tables: Mapping[str, Table]) -> tuple[NeededHeader, ...]:
    return tuple(
        NeededHeader(
            name, column.header_key.encode(), Refusal("required header missing", column.name, f"no {column.header}")
        )
        for name, table in tables.items()
        for column in reversed(table.columns)  # of several the first one is told
        if column.required and column.header_key
    )


def missing_headers(needed: Sequence[NeededHeader], headers: Headers) -> dict[str, Refusal]:
    """The tables whose events are refused because the request lacks a header."""
    return {each.table: each.refusal for each in needed if each.key not in headers}
