"""Whether the clock can be trusted with taking rows away. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

_APART = timedelta(minutes=5)
_BACK = timedelta(hours=1)
_AHEAD = timedelta(days=45)


def clock_trouble(now: datetime, database_now: datetime, last_event: datetime | None) -> str | None:
    """Why nothing must be taken away by this clock; None when it looks right.

    A machine that wakes up in the year 2100 would find everything expired. So its clock has to agree with the
    database's, must not have gone back behind our last step, and after a silence of more than 45 days a person has to
    say that the time is right.
    """
    if abs(now - database_now) > _APART:
        return f"this machine says {now:%Y-%m-%d %H:%M}, the database {database_now:%Y-%m-%d %H:%M} (UTC)"
    if last_event is None:
        return None
    if now < last_event - _BACK:
        return f"the clock is behind the last step, which was at {last_event:%Y-%m-%d %H:%M} (UTC)"
    if now > last_event + _AHEAD:
        told = f"the last step was {(now - last_event).days} days ago, at {last_event:%Y-%m-%d}"
        return f"{told}; if the time is right, ./stats partitions apply --trust-clock"
    return None
