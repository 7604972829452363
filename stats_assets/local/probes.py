"""What a running installation has to answer, asked from outside: each question gives one line of complaint, or None.

The watcher asks them at every look and `doctor` once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import httpx

from stats_assets.local.graphql import Graphql, Refused
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.notifications.watch import Probe
from stats_assets.shared.failures import SourceAway, first_line

# A daemon tells every 30 s that it lives; on a busy machine later.
_HEARTBEAT_SECONDS = 90
_ANSWER_SECONDS = 10

_LOCATION_STATE = """
{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError {
    __typename ... on PythonError { message } } } } } }
"""


def probes_of(config: NotificationsConfig, instance: dg.DagsterInstance, ui_url: str) -> Iterator[Probe]:
    """Dagster's services and those of stats.yaml."""
    yield Probe("dagster-daemon", lambda: silent_daemons(instance, time.time()))
    yield Probe("webserver and code server", lambda: unloaded(Graphql(ui_url)))
    for name, url in config.must_answer.items():
        yield Probe(name, lambda url=url: unanswered(url))


def silent_daemons(instance: dg.DagsterInstance, now: float) -> str | None:
    """The parts of the daemon that have not told for a while that they live; `now` is in Unix seconds."""
    heartbeats = instance.get_daemon_heartbeats()
    ages = {
        kind: now - heartbeats[kind].timestamp if kind in heartbeats else None
        for kind in sorted(instance.get_required_daemon_types())
    }
    silent = {kind: age for kind, age in ages.items() if age is None or age > _HEARTBEAT_SECONDS}
    if not silent:
        return None
    told = ", ".join(f"{kind.lower()} {'never' if age is None else f'{age:.0f} s ago'}" for kind, age in silent.items())
    return f"no sign of life from {len(silent)} of {len(ages)} parts of the daemon; the last: {told}"


def location_states(ui: Graphql) -> list[dict[str, Any] | None]:
    """What became of each code location that is loaded. Raises SourceAway, Refused, KeyError."""
    entries = ui.ask(_LOCATION_STATE, timeout_seconds=_ANSWER_SECONDS)["workspaceOrError"]["locationEntries"]
    return [entry["locationOrLoadError"] for entry in entries if entry["loadStatus"] == "LOADED"]


def unloaded(ui: Graphql) -> str | None:
    """Why the UI shows no assets: it does not answer, or the code location does not load."""
    try:
        states = location_states(ui)
    except (SourceAway, Refused, KeyError) as error:
        return first_line(error)
    if not states:
        return "the code location is not loaded"
    bad = next((state for state in states if state and state["__typename"] == "PythonError"), None)
    return f"the code location does not load: {first_line(bad['message'])}" if bad else None


def unanswered(url: str) -> str | None:
    """How a service failed to answer."""
    try:
        answer = httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        return f"{url} does not answer: {first_line(error)}"
    return None if answer.is_success else f"{url} answers {answer.status_code}"
