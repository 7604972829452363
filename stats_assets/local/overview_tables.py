"""The overview of `./stats status` as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from stats_assets.local.overview import PARKED_WORDS, Overview, Room, age
from stats_assets.notifications.incidents import Incident

_INCIDENTS = 12
_LITTLE_FREE_BYTES = 5 << 30


def rendered(overview: Overview, now: datetime) -> Iterator[RenderableType]:
    """Tables and lines, in the order in which they are read."""
    yield _rooms(overview, now)
    if overview.incidents:
        yield _incidents(overview.incidents, now)
    yield from _lines(overview, now)


def _rooms(overview: Overview, now: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("room", "made", "newest", "furthest behind"):
        table.add_column(name, no_wrap=True)
    for name in ("wrong", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("waits for a person", no_wrap=True)
    for name, room in overview.rooms.items():
        table.add_row(
            name,
            f"{age(room.made_at, now)} ago" if room.made_at else "never",
            str(room.newest or ""),
            _behind(room, now),
            f"[red]{room.wrong}[/]" if room.wrong else "",
            f"{room.size_bytes / 1e6:,.1f} MB",
            f"{room.parked:,} {PARKED_WORDS.get(name, 'parked')}" if room.parked else "",
        )
    return table


def _behind(room: Room, now: datetime) -> str:
    if room.behind is None:
        return ""
    asset, day = room.behind
    return f"{(now.astimezone(UTC).date() - day).days} d: {asset}"


def _incidents(incidents: list[Incident], now: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("wrong", overflow="fold", max_width=40)
    table.add_column("since", no_wrap=True)
    table.add_column("why", overflow="fold")
    table.add_column("what to do", overflow="fold", max_width=40)
    for incident in incidents[:_INCIDENTS]:
        what = " ".join(filter(None, (incident.thing.subject, incident.thing.partition)))
        colour = "yellow" if incident.is_warning else "red"
        since = f"{age(incident.first_at, now)}"
        table.add_row(f"[{colour}]{escape(what)}[/]", since, escape(f"{incident.why:.160}"), escape(incident.page))
    if len(incidents) > _INCIDENTS:
        table.add_row(f"and {len(incidents) - _INCIDENTS} more", "", "", "notifications.incidents has all")
    return table


def _lines(overview: Overview, now: datetime) -> Iterator[str]:
    if not overview.incidents:
        yield "[green]nothing is wrong[/]"
    runs = ", ".join(f"{count} {status.lower()}" for status, count in sorted(overview.runs.items()))
    yield f"runs: {runs or 'none under way'}"
    looked = f"looked {age(overview.looked_at, now)} ago" if overview.looked_at else "has never looked"
    yield f"watcher: {looked}" + (
        f"; [red]{overview.untold} messages wait for their channel[/]" if overview.untold else ""
    )
    for place, free in overview.free_bytes.items():
        told = f"{free / (1 << 30):,.1f} GB free"
        yield f"disk of {escape(place)}: " + (f"[red]{told}[/]" if free < _LITTLE_FREE_BYTES else told)
