"""What a room declares of each of its partitioned tables: how finely it is cut, how far ahead, how long rows stay.

Policies of the rooms and those of stats.yaml have this one shape; the room table_partitions carries them out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from stats_assets.shared.config import Section

Unit = Literal["hour", "day", "week", "month"]
Action = Literal["keep", "detach", "truncate", "archive", "drop"]

DESTRUCTIVE = frozenset({"truncate", "archive", "drop"})

_SPAN = re.compile(r"(?P<count>[0-9]{1,9}) +(?P<unit>hour|day|week|month|year)s?")
_NAME = re.compile(r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^".]+))')
_PLAIN = re.compile(r'[^".]+')
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24, "month": 28 * 24, "year": 365 * 24}


@dataclass(frozen=True)
class Span:
    """A length of calendar time, such as 26 weeks; years are counted in months."""

    count: int
    unit: Unit

    @property
    def at_least_hours(self) -> int:
        """The shortest it can be: months have 28 days at least."""
        return self.count * _HOURS[self.unit]


def span_of(text: str) -> Span:
    """'26 weeks', '1 year', '90 days' as a Span. Raises ValueError."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no span of time; write a number and hours, days, weeks, months or years")
    count, unit = int(match["count"]), match["unit"]
    return Span(count * 12, "month") if unit == "year" else Span(count, unit)  # type: ignore[arg-type]  # the pattern


def split_name(table: str) -> tuple[str, str]:
    """Schema and table as the catalog has them: nothing is folded, names with a dot or a quote are written "quoted".

    Raises ValueError unless there are two names of 1 to 63 bytes.
    """
    names: list[str] = []
    rest = table
    while match := _NAME.match(rest):
        names.append(match["quoted"].replace('""', '"') if match["quoted"] else match["plain"])
        rest = rest[match.end() :]
        if not rest.startswith("."):
            break
        rest = rest[1:]
    if rest or len(names) != 2 or any(len(name.encode()) > 63 for name in names):
        raise ValueError(f"{table!r} is not schema.table with names of at most 63 bytes")
    return names[0], names[1]


def _in_quotes(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class PartitionPolicy(Section):
    """How one range-partitioned table is kept."""

    table: str = Field(min_length=1, description="schema.table")
    key: str = Field(min_length=1, description="the column it is partitioned by")
    kind: Literal["timestamptz", "date", "int"] = "timestamptz"
    step: Unit | int = Field(description="size of one table partition: a unit of time, or a number of ids for kind int")
    zone: str = Field(default="UTC", description="time zone the bounds of days, weeks and months are cut in")
    ahead: int = Field(default=4, ge=0, le=400, description="table partitions kept ready after the one in use")
    retention: str | int | None = Field(
        default=None, description="such as '26 weeks', or a number of ids; none keeps everything"
    )
    action: Action = Field(default="keep", description="what happens to a table partition beyond its retention")
    confirm: bool = Field(default=False, description="must be true for truncate, archive and drop")

    @property
    def names(self) -> tuple[str, str]:
        """Schema and table, as the catalog has them."""
        return split_name(self.table)

    @property
    def retention_span(self) -> Span | None:
        """The retention of a policy over time."""
        return span_of(self.retention) if isinstance(self.retention, str) else None

    @property
    def is_confirmed(self) -> bool:
        """Whether rows may go: what only moves table partitions away needs no confirmation."""
        return self.confirm or self.action not in DESTRUCTIVE

    @field_validator("table")
    @classmethod
    def _two_names(cls, table: str) -> str:
        """One spelling for each table: quotes only where a name needs them."""
        return ".".join(name if _PLAIN.fullmatch(name) else _in_quotes(name) for name in split_name(table))

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is no time zone; write one such as UTC or Europe/Berlin") from error
        return zone

    @model_validator(mode="after")
    def _step_fits(self) -> Self:
        if isinstance(self.step, int) != (self.kind == "int"):
            raise ValueError(f"step {self.step} does not fit kind {self.kind}: a number for int, a unit for the others")
        if isinstance(self.step, int) and self.step < 1:
            raise ValueError(f"step {self.step}: a table partition holds at least one id")
        if self.step == "hour" and (self.kind == "date" or self.zone != "UTC"):
            raise ValueError("step hour is for kind timestamptz in zone UTC")
        return self

    @model_validator(mode="after")
    def _retention_fits(self) -> Self:
        if self.retention is None:
            if self.action != "keep":
                raise ValueError(f"action {self.action} needs a retention")
        elif isinstance(self.retention, int) != (self.kind == "int"):
            raise ValueError(f"retention {self.retention!r} does not fit kind {self.kind}")
        elif isinstance(self.step, int):
            if int(self.retention) < self.step:
                raise ValueError(f"retention {self.retention} is shorter than step {self.step}")
        elif span_of(str(self.retention)).at_least_hours < _HOURS[self.step]:
            raise ValueError(f"retention {self.retention!r} is shorter than a {self.step}")
        return self
