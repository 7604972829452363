"""How far a materialization has come: a bar before a terminal, a line per run otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from stats_assets.local.console import errors, is_watched, say
from stats_assets.local.run_plan import Run
from stats_assets.local.verdicts import Verdict


class ProgressDisplay:
    """Shows partitions done of partitions begun, per step. A context manager: the bar ends with it."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        # A step in this process has its output redirected meanwhile: nothing may be painted by a timer then.
        self._bars = Progress(*columns, console=errors, auto_refresh=False, disable=not is_watched())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> ProgressDisplay:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begins(self, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.name not in self._tasks:
                self._tasks[run.name] = self._bars.add_task(run.name, total=0)
            task = self._tasks[run.name]
            total = self._bars.tasks[task].total or 0
            self._bars.update(task, total=total + len(run.partitions))
        self._bars.refresh()

    def ended(self, run: Run, verdict: Verdict) -> None:
        self._bars.advance(self._tasks[run.name], len(run.partitions))
        self._bars.refresh()
        if not is_watched() or verdict.reason:
            say(f"  {_name(run)}: {_went(run, verdict)}")


def _name(run: Run) -> str:
    if run.first is None:
        return run.name
    return f"{run.name} {run.first}" + (f" to {run.last}" if run.last != run.first else "")


def _went(run: Run, verdict: Verdict) -> str:
    if verdict.reason is None:
        return "done" if len(run.partitions) == 1 else f"{len(run.partitions)} partitions done"
    return f"{len(run.partitions) - len(verdict.done)} of {len(run.partitions)} failed"
