"""What `doctor` asks of a Dagster that runs, by the API of its UI: daemons, schedules, sensors; and of the watcher."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from stats_assets.local.findings import Finding, note, ok, wrong
from stats_assets.local.graphql import Graphql, Refused
from stats_assets.notifications import store
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.shared.failures import SourceAway, first_line

_SILENT_SECONDS = 90
_QUESTION = """
{ instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
  workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename
    ... on PythonError { message }
    ... on RepositoryLocation { repositories {
        schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } } } } }
"""


def dagster(ui: Graphql, now: datetime) -> Iterator[Finding]:
    """Daemons that are silent, automation that is off, a code location that does not load."""
    try:
        answer = ui.ask(_QUESTION, timeout_seconds=10)
        yield from _daemons(answer["instance"]["daemonHealth"]["allDaemonStatuses"], now)
        for entry in answer["workspaceOrError"]["locationEntries"]:
            yield from _location(entry["locationOrLoadError"])
    except (SourceAway, Refused, KeyError, TypeError) as error:
        yield wrong(first_line(error), "see the webserver's log; ./stats up --detach starts what is missing")


def _daemons(statuses: list[dict[str, Any]], now: datetime) -> Iterator[Finding]:
    ages = {
        each["daemonType"].lower(): now.timestamp() - (each["lastHeartbeatTime"] or 0)
        for each in statuses
        if each["required"]
    }
    silent = [kind for kind, age in ages.items() if age > _SILENT_SECONDS]
    if silent:
        yield wrong(f"the daemon gives no sign of life: {', '.join(silent)}", "./stats up --detach starts it again")
    else:
        yield ok(f"all {len(ages)} parts of the daemon are alive")


def _location(state: dict[str, Any] | None) -> Iterator[Finding]:
    if state is None or state["__typename"] != "RepositoryLocation":
        why = first_line(state["message"]) if state and "message" in state else "it is still loading"
        yield wrong(f"the code location does not load: {why}", "mend what it names, then restart the code server")
        return
    for kind, how in (("schedules", "scheduleState"), ("sensors", "sensorState")):
        found = {each["name"]: each[how]["status"] for repo in state["repositories"] for each in repo[kind]}
        off = sorted(name for name, status in found.items() if status != "RUNNING")
        if off:
            yield note(f"{len(off)} of {len(found)} {kind} are off: {', '.join(off)}", "turn them on under Automation")
        else:
            yield ok(f"all {len(found)} {kind} are on")


def watcher(cursor: Cursor, config: NotificationsConfig, now: datetime) -> Iterator[Finding]:
    """Whether somebody looks for failures, whether anybody is told, and what is open."""
    looked_at = store.looked_at(cursor)
    late = timedelta(seconds=10 * config.look_seconds)
    if looked_at is None or now - looked_at > late:
        when = f"last looked at {looked_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if looked_at else "has never looked"
        yield note(f"the watcher {when}: nothing is told", "./stats up runs it; else a timer for ./stats watch --once")
    if not config.channels:
        yield note("nobody is told of failures", "name channels under notifications in stats.yaml")
    incidents = store.open_incidents(cursor)
    if incidents:
        yield note(f"{len(incidents)} incidents are open", "./stats status lists them")
    untold = store.count_waiting(cursor)
    if untold:
        yield note(f"{untold} messages wait for their channel", "./stats psql: notifications.messages says why")
