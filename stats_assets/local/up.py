"""`./stats up` as a story: bring the stack up, say where, fill the last weeks, then keep it or leave it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from stats_assets.local.console import complain, results, say
from stats_assets.local.stack import Stack
from stats_assets.shared.environment import Environment
from stats_assets.shared.failures import OurMistake, SourceAway, first_line

_FILLINGS, _PAUSE_SECONDS = 20, 15


class _Ending(Exception):
    """The user or the system wants us to end."""


def up(environment: Environment, detach: bool, with_sandbox: bool) -> int:
    """The exit code. Raises ConfigurationMistake or SourceAway when the stack does not come up."""
    stack = Stack(environment, say)
    if (url := stack.running_at()) and stack.needs_nobody():
        results.print(f"already running at {url}", markup=False)
        return 0
    try:
        with _ending_by_signal():
            began = time.monotonic()
            url = stack.bring_up(with_sandbox, is_kept=not detach).url
            results.print(f"Dagster UI: {url}", markup=False)
            say(f"ready after {time.monotonic() - began:.0f} s")
            if detach:
                return _detached(environment, url)
            _kept(stack, environment, url)
    except _Ending:
        say("stopping ...")
    with _uninterrupted():
        stack.take_down()
    say("stopped")
    return 0


def _detached(environment: Environment, url: str) -> int:
    try:
        code = _fill(environment, url)
    except _Ending:
        say(f"the stack goes on at {url}; ./stats down stops it")
        return 130
    say(f"running at {url}; ./stats down stops it")
    return code


def _kept(stack: Stack, environment: Environment, url: str) -> None:
    """Fills while it keeps: what dies meanwhile is started again. Ends by a signal or when the stack was taken down."""
    ending = threading.Event()
    threading.Thread(target=_fill_quietly, args=(environment, url, ending), daemon=True).start()
    say("Ctrl-C stops everything")
    try:
        stack.keep()
    finally:
        ending.set()


def _fill_quietly(environment: Environment, url: str, ending: threading.Event) -> None:
    """Whatever goes wrong here, the stack goes on; that the database is away when we end is no news.

    A service that died under it costs a pause: what is there by then is not made again.
    """
    for _ in range(_FILLINGS):
        try:
            _fill(environment, url)
            return
        except OurMistake as error:
            complain(str(error))
            return
        except Exception as error:
            if ending.is_set():
                return
            told = str(error) if isinstance(error, SourceAway) else f"{type(error).__name__}: {error}"
            complain(f"{first_line(told)}; filling again in {_PAUSE_SECONDS} s")
        if ending.wait(_PAUSE_SECONDS):
            return


def _fill(environment: Environment, url: str) -> int:
    """Makes what is missing of the last weeks; 1 when something failed that was not planned to."""
    from stats_assets.local.materialize import as_planned, left_out, unplanned
    from stats_assets.local.workshop import materialize_first, planned_failures

    say("filling the last weeks; the runs can be watched in the UI")
    outcome = materialize_first(environment, url, datetime.now(UTC))
    planned = planned_failures(environment)
    for line in as_planned(outcome, planned):
        say(f"  as planned: {line}")
    surprises = unplanned(outcome, planned)
    for line in surprises:
        complain(f"  {line}")
    for line in left_out(outcome):
        say(f"  {line}")
    say(f"{outcome.count_done()} made of what was missing")
    return 1 if surprises else 0


@contextmanager
def _ending_by_signal() -> Iterator[None]:
    """Ctrl-C, `kill` and a closed terminal all end the block the same way, once."""

    def end(number: int, frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise _Ending

    before = {each: signal.signal(each, end) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the processes behind."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in _SIGNALS}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
