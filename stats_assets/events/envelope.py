"""A request's body: its envelope, and the verdict on each of its events. Pure.

Format: attolytics, `{"secret_key": text, "events": [{"_t": table, ...}, ...]}` in UTF-8.

Records made for each body are msgspec's: a tuple with names costs five times as much to make.

A body is decoded twice. First into the bytes of each event, because they are kept as they came. Then into typed
values of the app's tables, which forbids everything that is not plainly right; that takes a microsecond an event.
When it fails, or something in the body makes it doubtful, every event is looked at by itself (`verdict`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from stats_assets.events.config import EventLimits
from stats_assets.events.headers import Headers
from stats_assets.events.schema_file import EVENT_ID, EventSchema, Table
from stats_assets.events.values import EVENT_ID_TYPE, column_type
from stats_assets.events.verdict import TABLE_KEY, NeededHeader, Refusal, judge_event, missing_headers, needed_headers

_FIELDS = ("secret_key", "events")
_FIELD_OFTEN = re.compile(rb'"(?:secret_key|events)"\s*:')


class BodyRefused(Exception):
    """The body as a whole is of no use; nothing of it is kept."""

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(f"{status} {reason} {detail}")
        self.status, self.reason, self.detail = status, reason, detail


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """The events that are taken, as columns of equal length: an object for each would cost as much as all the rest."""

    positions: Sequence[int]
    tables: Sequence[str]
    event_ids: Sequence[str | None]
    payloads: Sequence[msgspec.Raw]

    @property
    def number(self) -> int:
        return len(self.positions)


class Refused(NamedTuple):
    position: int
    table: str | None
    event_id: str | None
    refusal: Refusal
    payload: msgspec.Raw


class Judged(msgspec.Struct, frozen=True, gc=False):
    """What becomes of the events of a body. `unknown_columns` are of events that were taken."""

    accepted: Accepted
    refused: Sequence[Refused] = ()
    unknown_columns: frozenset[str] = frozenset()


class Envelope(msgspec.Struct, gc=False):
    """A body of the right shape. `secret_key` is None when the body has none."""

    events: list[msgspec.Raw]
    secret_key: str | msgspec.UnsetType | None = msgspec.UNSET


_LEAST_ENVELOPE = len('{"secret_key":"","events":[]}')
_LEAST_FIELD = len('"events":[],')
_event_id = attrgetter(EVENT_ID)
_envelopes = msgspec.json.Decoder(Envelope)
_anything = msgspec.json.Decoder()


def read_envelope(body: bytes, limits: EventLimits, needs_secret: bool = True) -> Envelope:
    """The envelope of a body. Raises BodyRefused: 400 for what is no JSON, 422 for another shape, 413 for too many."""
    try:
        envelope = _envelopes.decode(body)
    except msgspec.ValidationError as error:
        raise BodyRefused(422, _shape_reason(error), str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(error) from error
    if len(envelope.events) > limits.max_events:
        detail = f"a body has at most {limits.max_events} events, this one {len(envelope.events)}"
        raise BodyRefused(413, "too many events", detail)
    if not _is_plain(body, envelope) and _is_suspicious(body, envelope.events) and (twice := _repeated_field(body)):
        raise BodyRefused(422, "duplicate field", f"{twice} is given twice")
    if envelope.secret_key is None:
        raise BodyRefused(422, "wrong JSON type", "secret_key is null")
    if needs_secret and envelope.secret_key is msgspec.UNSET:
        raise BodyRefused(422, "missing field", "secret_key is missing")
    return envelope


def _shape_reason(error: msgspec.ValidationError) -> str:
    return "missing field" if "missing required field" in str(error) else "wrong JSON type"


def _not_json(error: Exception) -> BodyRefused:
    if isinstance(error, RecursionError):
        return BodyRefused(400, "JSON too deep")
    if isinstance(error, msgspec.ValidationError):  # of any value at all: only numbers can be wrong
        return BodyRefused(400, "number out of range", str(error))
    if isinstance(error, UnicodeDecodeError):
        return BodyRefused(400, "not UTF-8", error.reason)
    return BodyRefused(400, "JSON eof" if "truncated" in str(error) else "JSON syntax", str(error))


def _is_plain(body: bytes, envelope: Envelope) -> bool:
    """Whether there is no room for anything but the two fields: so it is with bodies without needless spaces."""
    secret, events = envelope.secret_key, envelope.events
    if type(secret) is not str:
        return False
    # With a comma behind each event but the last.
    return len(body) - len(secret) - sum(map(len, events)) - len(events) < _LEAST_ENVELOPE + _LEAST_FIELD - 1


def _is_suspicious(body: bytes, events: Sequence[msgspec.Raw]) -> bool:
    """Whether `secret_key` or `events` may be there twice: msgspec takes the last in silence.

    Usually the events are all that there is but for one short text before and one after, and these are looked through.
    """
    outside = body
    if events:
        start, end = body.find(events[0]), body.rfind(events[-1]) + len(events[-1])
        within = sum(map(len, events))
        if end - start - within <= 2 * (len(events) - 1):  # a comma between each two, and a space
            outside = body[:start] + body[end:]
    return b"\\" in outside or len(_FIELD_OFTEN.findall(outside)) > len(_FIELDS)


def _repeated_field(body: bytes) -> str | None:
    """The field of the envelope that is there twice, found by reading all keys."""
    keys: list[str] = []

    def remember(pairs: list[tuple[str, Any]]) -> None:
        keys[:] = [key for key, _ in pairs]  # the outermost object ends last

    try:
        json.loads(body, object_pairs_hook=remember, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from error
    return next((name for name in _FIELDS if keys.count(name) > 1), None)


@dataclass(frozen=True)
class Judge:
    """The judge of one app's bodies, made once per schema."""

    tables: Mapping[str, Table]
    needed_headers: Sequence[NeededHeader]
    limits: EventLimits
    _typed: msgspec.json.Decoder = field(repr=False)
    _names: Mapping[type, str] = field(repr=False)

    @classmethod
    def of(cls, schema: EventSchema, app_id: str, limits: EventLimits) -> Judge:
        tables = {name: schema.tables[name] for name in schema.apps[app_id].tables}
        structs = {_struct(name, table): name for name, table in tables.items()}
        # Without tables nothing fits, and every event is told so by the careful way.
        events = list[_union(structs)] if structs else list[int]
        fields = [("events", events), ("secret_key", str | None, None)]
        envelope = msgspec.defstruct("Typed", fields, forbid_unknown_fields=True, gc=False)
        return cls(tables, needed_headers(tables), limits, msgspec.json.Decoder(envelope), structs)

    def judge(self, body: bytes, envelope: Envelope, headers: Headers) -> Judged:
        """The verdict on each event. Raises BodyRefused (400) when the body turns out to be no JSON in a detail."""
        refusals = missing_headers(self.needed_headers, headers) if self.needed_headers else {}
        if not refusals and not (b"\\" in body and b"\\u0000" in body):
            try:
                typed = self._typed.decode(body).events
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # the careful way tells what it is
            else:
                tables = list(map(self._names.__getitem__, map(type, typed)))
                event_ids = list(map(_event_id, typed))
                return Judged(Accepted(range(len(typed)), tables, event_ids, envelope.events))
        return self._judge_carefully(body, envelope, refusals)

    def _judge_carefully(self, body: bytes, envelope: Envelope, refusals: Mapping[str, Refusal]) -> Judged:
        try:
            decoded = _anything.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _not_json(error) from error
        if is_deeper(decoded, self.limits.max_depth):
            raise BodyRefused(400, "JSON too deep", f"more than {self.limits.max_depth} brackets within brackets")
        columns: tuple[list[Any], ...] = ([], [], [], [])
        refused, unknown = [], set[str]()
        for i, (event, raw) in enumerate(zip(decoded["events"], envelope.events, strict=True)):
            verdict = judge_event(event, self.tables, refusals, self.limits.max_columns)
            if verdict.refusal is not None or verdict.table is None:
                assert verdict.refusal is not None, "an event without a table is refused"
                refused.append(Refused(i, verdict.table, verdict.event_id, verdict.refusal, raw))
            else:
                row = (i, verdict.table, verdict.event_id, raw)
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
                unknown.update(verdict.unknown_columns)
        return Judged(Accepted(*columns), refused, frozenset(unknown))


def _struct(name: str, table: Table) -> type[msgspec.Struct]:
    """Events of the table as typed values. Columns are c0, c1, ...: their names need not be names in Python."""
    fields: list[Any] = []
    rename = {}
    is_id_required = False
    for i, column in enumerate(table.columns):
        if column.name == EVENT_ID:
            is_id_required = column.required
        elif column.header is None:
            rename[f"c{i}"] = column.name
            kind = column_type(column)
            fields.append((f"c{i}", kind) if column.required else (f"c{i}", kind, None))
    fields.append((EVENT_ID, EVENT_ID_TYPE) if is_id_required else (EVENT_ID, EVENT_ID_TYPE | None, None))
    return msgspec.defstruct(
        name,
        fields,
        rename=rename,
        tag=name,
        tag_field=TABLE_KEY,
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )


def _union(structs: Mapping[type, str]) -> Any:
    union: Any = None
    for struct in structs:
        union = struct if union is None else union | struct
    return union


def is_deeper(value: Any, max_depth: int) -> bool:
    """Whether brackets are nested deeper; no recursion of our own, whatever the value."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
