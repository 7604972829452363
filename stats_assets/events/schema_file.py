"""The schema file of the room: which tables and columns events have, and which app may fill which table.

Grammar: that of attolytics (`schema.conf.yaml`), and for apps lists of secrets, `secret_hash`, `require_signature`,
`events_per_second` and lists of origins. Stricter than attolytics: unknown keys, names given twice, names PostgreSQL
or Dagster cannot take and headers no request can have are refused. Every name goes into SQL quoted, so reserved words
and capitals are as good as others. Pure apart from `read_schema_file`; what the database has is compared elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictBool, field_validator

from stats_assets.shared.config import Problem, Section, parse_config, read_text

ColumnType = Literal["bool", "i32", "i64", "f32", "f64", "string", "timestamp"]

EVENT_ID = "event_id"
# What every typed table has beside the declared columns. `event_id` may be declared, it is the same then.
HOUSE_COLUMNS = ("received_at", "request_id", "request_position", "app_id", EVENT_ID, "extra")
# Tables and assets of the room itself.
_HOUSE_TABLES = (
    *("raw_events", "quarantine", "spool_replays", "schema_versions", "schema"),
    *("table_days", "daily_event_counts", "unknown_columns"),
)

# 63 bytes are PostgreSQL's; 16 of them are for what table partitions and indexes append.
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,46}")
_LEAF_NAME = re.compile(r".*_[0-9]{8}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, token
_APP_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")  # RFC 3986, unreserved: nothing that a path would have to escape
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@?#]+")  # RFC 6454, scheme and host and port
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def _column_name(name: str) -> str:
    if not 1 <= len(name.encode()) <= 63 or not name.isprintable():
        raise ValueError("a column's name has 1 to 63 bytes, all of them printable")
    if name == "_t":
        raise ValueError("_t names the table of an event and can be no column")
    if name in HOUSE_COLUMNS and name != EVENT_ID:
        raise ValueError(f"every table has a column {name} of its own; choose another name")
    return name


def _secret_hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ValueError("write sha256: and 64 lower-case hexadecimal digits")
    return text


def _origin(text: str) -> str:
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise ValueError("write an origin such as https://example.org, without a path, or *")
    return text


Secret = Annotated[str, Field(min_length=1)]
SecretHash = Annotated[str, AfterValidator(_secret_hash)]
Origin = Annotated[str, AfterValidator(_origin)]


class Column(Section):
    """A column of a typed table. With `header` its value comes from the request, otherwise from the event."""

    name: Annotated[str, AfterValidator(_column_name)]
    type: ColumnType = "string"
    header: str | None = None
    indexed: StrictBool = False
    required: StrictBool = False

    @field_validator("header")
    @classmethod
    def _is_a_header(cls, header: str | None) -> str | None:
        if header is not None and not _HEADER_NAME.fullmatch(header):
            raise ValueError("is no name of a header")
        return header

    @property
    def header_key(self) -> str | None:
        """The header as requests are asked for it: names of headers have no case."""
        return None if self.header is None else self.header.lower()


class Table(Section):
    """A typed table. `columns` may be empty: then everything an event has is kept in `extra`."""

    columns: tuple[Column, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def header_keys(self) -> tuple[str, ...]:
        """The headers, in lower case, that a request for this table is asked for."""
        return tuple(sorted({column.header_key for column in self.columns if column.header_key}))


class App(Section):
    """A sender. Texts that may be single or lists are tuples here."""

    secret_key: tuple[Secret, ...] = Field(default=(), repr=False)
    secret_hash: tuple[SecretHash, ...] = Field(default=(), repr=False)
    tables: tuple[str, ...]
    access_control_allow_origin: tuple[Origin, ...] = ("*",)
    require_signature: StrictBool = False
    events_per_second: float | None = Field(default=None, gt=0)

    @field_validator("secret_key", "secret_hash", "access_control_allow_origin", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @cached_property
    def secret_digests(self) -> tuple[bytes, ...]:
        """SHA-256 of every secret that opens this app."""
        hashed = [bytes.fromhex(text.removeprefix("sha256:")) for text in self.secret_hash]
        return (*(sha256(secret.encode()).digest() for secret in self.secret_key), *hashed)


class EventSchema(Section):
    """The schema file as a whole."""

    tables: dict[str, Table]
    apps: dict[str, App]

    @cached_property
    def document(self) -> str:
        """The schema as JSON without secrets and in a fixed order: equal for files that mean the same."""
        tables = {name: [c.model_dump() for c in table.columns] for name, table in self.tables.items()}
        return json.dumps(
            {"tables": tables, "apps": {name: sorted(app.tables) for name, app in self.apps.items()}}, sort_keys=True
        )

    @cached_property
    def version(self) -> str:
        """12 hexadecimal digits, a digest of `document`: stays when only secrets, origins or limits change."""
        return sha256(self.document.encode()).hexdigest()[:12]


def read_schema_file(path: Path, environ: Mapping[str, str]) -> EventSchema:
    """The file as a value. Raises ConfigurationMistake, a line per problem with file and line."""
    return parse_schema(read_text(path, "events.schema_file"), environ, str(path))


def parse_schema(text: str, environ: Mapping[str, str], source: str) -> EventSchema:
    """As `read_schema_file`, from a text."""
    return parse_config(text, EventSchema, environ, source, also=_problems)


def _problems(schema: EventSchema) -> Iterator[Problem]:
    """What is wrong between the parts, though every part is right."""
    for name, table in schema.tables.items():
        yield from _table_problems(name, table)
    for app_id, app in schema.apps.items():
        yield from _app_problems(app_id, app, schema.tables)


def _table_problems(name: str, table: Table) -> Iterator[Problem]:
    where = ("tables", name)
    if not _TABLE_NAME.fullmatch(name):
        yield Problem(where, "a table's name has 1 to 47 letters, digits and _, and no digit first")
    elif name in _HOUSE_TABLES or name.startswith(("raw_events_", "quarantine_")):
        yield Problem(where, "is a table of the house; choose another name")
    elif _LEAF_NAME.fullmatch(name):
        yield Problem(where, "ends like a table partition (_ and eight digits); choose another name")
    seen: set[str] = set()
    for i, column in enumerate(table.columns):
        at = (*where, "columns", i)
        if column.name in seen:
            yield Problem(at, f"a second column {column.name!r}")
        seen.add(column.name)
        if column.header is not None and column.type != "string":
            yield Problem(at, f"a column from a header is a string, not {column.type}")
        if column.name == EVENT_ID and (column.type != "string" or column.header is not None):
            yield Problem(at, "event_id is the client's name for an event: a string, and not from a header")


def _app_problems(app_id: str, app: App, tables: Mapping[str, Table]) -> Iterator[Problem]:
    where = ("apps", app_id)
    if not _APP_ID.fullmatch(app_id):
        yield Problem(where, "an app's name has 1 to 100 letters, digits and . _ ~ -")
    if not app.secret_digests:
        yield Problem(where, "needs a secret_key or a secret_hash")
    if app.require_signature and not app.secret_key:
        yield Problem(where, "require_signature needs a secret_key: a hash cannot verify a signature")
    if len(app.access_control_allow_origin) > 1 and "*" in app.access_control_allow_origin:
        yield Problem((*where, "access_control_allow_origin"), "* goes with no other origin")
    seen: set[str] = set()
    for i, table in enumerate(app.tables):
        at = (*where, "tables", i)
        if table not in tables:
            yield Problem(at, f"no table {table!r} above; there are: {', '.join(sorted(tables)) or 'none'}")
        if table in seen:
            yield Problem(at, f"{table!r} is given twice")
        seen.add(table)
