"""What is running, written down in `run.json`: so that the next command finds it, even after kill -9 of this one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from stats_assets.local.processes import Process, is_alive


@dataclass(frozen=True)
class RunRecord:
    """The services of one stack by name, and who keeps them: a foreground `up`, or nobody when detached."""

    url: str
    services: dict[str, Process] = field(default_factory=dict)
    keeper: Process | None = None

    def with_service(self, name: str, process: Process) -> RunRecord:
        return replace(self, services={**self.services, name: process})

    def living(self) -> dict[str, Process]:
        return {name: process for name, process in self.services.items() if is_alive(process)}

    def is_kept(self) -> bool:
        return self.keeper is not None and is_alive(self.keeper)


def read_record(home: Path) -> RunRecord | None:
    """What was written last; None when nothing runs or the file is not ours to understand."""
    try:
        content = json.loads(_file(home).read_text())
        services = {name: Process(**process) for name, process in content["services"].items()}
        keeper = Process(**content["keeper"]) if content["keeper"] else None
        return RunRecord(content["url"], services, keeper)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(home: Path, record: RunRecord) -> None:
    unfinished = _file(home).with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(record), indent=2) + "\n")
    unfinished.replace(_file(home))


def forget_record(home: Path) -> None:
    _file(home).unlink(missing_ok=True)


def _file(home: Path) -> Path:
    return home / "run.json"
