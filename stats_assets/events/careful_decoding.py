"""One raw event as the values of its typed row, or why it has none. Pure.

The careful way, for events that are too odd to be read with others (`decoding`): it says what is wrong, and keeps what
no column takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

import msgspec

from stats_assets.events.schema_file import EVENT_ID, Column
from stats_assets.events.values import complaints_of
from stats_assets.events.verdict import TABLE_KEY, Refusal

NUL = b"\\u0000"  # how JSON writes what PostgreSQL's texts cannot hold

_object = msgspec.json.Decoder(dict[str, Any]).decode


class Row(NamedTuple):
    """Values in the order of the columns; all None when the event is refused. `extra` is JSON."""

    values: Sequence[Any]
    extra: str | None = None
    refusal: Refusal | None = None
    has_event_id: bool = False


class CarefulDecoder:
    """Decodes events of one table. `columns` are `event_id` and those declared, in the order of `Row.values`."""

    def __init__(
        self, columns: Sequence[Column], not_null: Set[str], versions: Mapping[str, Mapping[str, bool]]
    ) -> None:
        """`not_null` and `versions` as in `decoding.Decoder`."""
        self._columns = [(column.name, column.header_key, complaints_of(column)) for column in columns]
        self._known = {column.name for column in columns if column.header is None} | {TABLE_KEY}
        free = [column for column in columns if column.name not in not_null]
        self._excused = {c.name: {v for v, then in versions.items() if c.name not in then} for c in free}
        self._may_omit = {c.name: {v for v, then in versions.items() if not then.get(c.name)} for c in free}

    def decode(self, payload: bytes, headers: Mapping[str, str], version: Callable[[], str]) -> Row:
        """`version` is the schema version the event was accepted by; it is asked for seldom."""
        try:
            event = _object(payload)
        except msgspec.DecodeError as error:
            return self._refused(Refusal("JSON syntax", None, str(error)), {})
        extra = {key: value for key, value in event.items() if key not in self._known}
        kept = []
        for name, header, complaint in self._columns:
            value = event.get(name) if header is None else headers.get(header)
            if (found := complaint(value)) is None:
                kept.append(value)
            elif self._is_excused(name, value, version):
                kept.append(None)
                if value is not None:
                    extra[name] = value
            else:
                reason = "required header missing" if value is None and header else found.reason
                return self._refused(Refusal(reason, name, found.detail), event)
        return Row(kept, _as_json(extra) if extra else None, None, kept[0] is not None)

    def _refused(self, refusal: Refusal, event: Mapping[str, Any]) -> Row:
        return Row([None] * len(self._columns), None, refusal, event.get(EVENT_ID) is not None)

    def _is_excused(self, name: str, value: Any, version: Callable[[], str]) -> bool:
        """Whether the event was accepted when the column was not asked for, or anything could have its name."""
        if name == EVENT_ID and value is not None:
            return False
        versions = (self._may_omit if value is None else self._excused).get(name)
        return bool(versions) and version() in versions


def _as_json(extra: Mapping[str, Any]) -> str:
    text = msgspec.json.encode(extra)
    return (msgspec.json.encode(_without_nul(extra)) if NUL in text else text).decode()


def _without_nul(value: Any) -> Any:
    """With U+FFFD in the place of U+0000, which jsonb has no room for."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    return [_without_nul(each) for each in value] if isinstance(value, list) else value
