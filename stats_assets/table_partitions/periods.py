"""The pieces a partition key is cut into: hours, days, weeks, months of a zone, or ranges of ids. Pure.

Bounds are half-open, [lower, upper). For timestamptz they are UTC instants of local midnights: a local day has 23 to
25 hours, so periods are counted in the calendar of the zone and only then turned into instants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from stats_assets.shared.partition_policy import PartitionPolicy, Span

Value = datetime | date | int
_HOUR = timedelta(hours=1)
_ENDLESS = "without end"


@dataclass(frozen=True)
class Period:
    """One piece: keys from `lower` to before `upper`."""

    lower: Value
    upper: Value

    def __str__(self) -> str:
        return f"{shown(self.lower)} to {shown(self.upper)}"


def period_of(policy: PartitionPolicy, value: Value) -> Period:
    """The period that holds the value. Raises OverflowError beyond the year 9999."""
    if isinstance(policy.step, int):
        assert isinstance(value, int)
        lower = value // policy.step * policy.step
        return Period(lower, lower + policy.step)
    if policy.step == "hour":
        assert isinstance(value, datetime)
        start = value.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return Period(start, start + _HOUR)
    zone = ZoneInfo(policy.zone)
    first = _first_day(policy.step, value.astimezone(zone).date() if isinstance(value, datetime) else _day(value))
    last = _next_day(policy.step, first)
    if policy.kind == "date":
        return Period(first, last)
    return Period(_midnight(first, zone), _midnight(last, zone))


def following(policy: PartitionPolicy, period: Period) -> Period:
    """The next period."""
    return period_of(policy, period.upper)


def periods_between(policy: PartitionPolicy, first: Period, last: Period) -> Iterator[Period]:
    """From the first to the last, both included."""
    while _order(first.lower) <= _order(last.lower):
        yield first
        first = following(policy, first)


def current_value(policy: PartitionPolicy, now: datetime, newest_id: int | None) -> Value:
    """Where the table is: now, today in the policy's zone, or the highest id there is."""
    if policy.kind == "int":
        return newest_id or 0
    return now.astimezone(ZoneInfo(policy.zone)).date() if policy.kind == "date" else now.astimezone(UTC)


def cutoff(policy: PartitionPolicy, current: Value) -> Value | None:
    """What lies wholly before this has expired; None: nothing ever does. Calendar days of the zone, not 24 hours."""
    if policy.retention is None:
        return None
    if isinstance(current, int):
        return current - int(policy.retention)
    span = policy.retention_span
    assert span is not None, "the policy is validated: only ids have a number"
    if not isinstance(current, datetime):
        return _earlier(datetime.combine(current, time()), span).date()
    if span.unit == "hour":
        return current - span.count * _HOUR
    return _earlier(current.astimezone(ZoneInfo(policy.zone)), span).astimezone(UTC)


def suffix(policy: PartitionPolicy, period: Period) -> str:
    """What is put behind the table's name: the local first day, for hours the UTC time, for ids the first."""
    if isinstance(period.lower, int):
        return f"_{period.lower}"
    if policy.step == "hour":
        return f"_{period.lower:%Y%m%d_%H}"
    local = period.lower.astimezone(ZoneInfo(policy.zone)) if isinstance(period.lower, datetime) else period.lower
    return f"_{local:%Y%m%d}"


def shown(value: Value | None) -> str:
    """A bound for people, and for SQL: explicit UTC offset, no zone left to guess."""
    if value is None:
        return _ENDLESS
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+00") if isinstance(value, datetime) else str(value)


def value_of(text: str, kind: str) -> Value | None:
    """A bound as `shown` gave it."""
    if text == _ENDLESS:
        return None
    if kind == "int":
        return int(text)
    return date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(text).astimezone(UTC)


def _day(value: Value) -> date:
    assert isinstance(value, date)
    return value


def _order(value: Value) -> float:
    if isinstance(value, int):
        return value
    return value.timestamp() if isinstance(value, datetime) else value.toordinal()


def _first_day(step: str, day: date) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def _next_day(step: str, first: date) -> date:
    if step == "month":
        return _months_later(first, 1)
    return first + timedelta(days=7 if step == "week" else 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the local day; where clocks skip midnight, the instant they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _earlier(moment: datetime, span: Span) -> datetime:
    if span.unit == "month":
        day = _months_later(moment.date(), -span.count)
        return datetime.combine(day, moment.timetz())
    return moment - timedelta(**{f"{span.unit}s": span.count})


def _months_later(day: date, months: int) -> date:
    """The same day of another month; the last one where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    ends = date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return ends.replace(day=min(day.day, ends.day))
