"""The STATS_* variables, read once into one value. Settings of pipelines belong in stats.yaml instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stats_assets.shared.failures import ConfigurationMistake

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 3000
DEFAULT_SANDBOX_LINES = 3000
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Environment:
    """Where this installation keeps its state and finds its configuration.

    `dsn` and `dagster_dsn` are None when the private PostgreSQL is to be used; `sandbox_lines` is the mean number of
    log lines per simulated host and day, `sandbox_at` the moment (UTC) at which the simulated sources stand still, if
    they do.
    """

    home: Path
    config_file: Path
    port: int
    dsn: str | None
    dagster_dsn: str | None
    pg_bin: Path | None
    sandbox_lines: int = DEFAULT_SANDBOX_LINES
    sandbox_at: datetime | None = None

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_port(self) -> int:
        """The simulated sources listen beside the UI."""
        return self.port + 1

    @property
    def collector_port(self) -> int:
        """The collector of events, unless stats.yaml says otherwise."""
        return self.port + 2

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def read_environment(environ: Mapping[str, str], project: Path = PROJECT_FOLDER) -> Environment:
    """The environment as one value; relative paths are taken from the project folder.

    Raises ConfigurationMistake for a STATS_PORT outside 1024 to 32765 (above, the kernel
    hands ports out to outgoing connections, and the stack takes the next two), for
    STATS_SANDBOX_LINES outside 20 to a million, and for a STATS_SANDBOX_AT that is no instant.
    """
    pg_bin = environ.get("STATS_PG_BIN")
    return Environment(
        home=project / environ.get("STATS_HOME", ".local"),
        config_file=project / environ.get("STATS_CONFIG", "stats.yaml"),
        port=_port(environ.get("STATS_PORT", str(DEFAULT_PORT))),
        dsn=environ.get("STATS_DSN") or None,
        dagster_dsn=environ.get("STATS_DAGSTER_DSN") or None,
        pg_bin=Path(pg_bin) if pg_bin else None,
        sandbox_lines=_lines(environ.get("STATS_SANDBOX_LINES", str(DEFAULT_SANDBOX_LINES))),
        sandbox_at=_instant(at) if (at := environ.get("STATS_SANDBOX_AT")) else None,
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1024 <= int(text) <= 32765:
        return int(text)
    raise ConfigurationMistake(
        f"STATS_PORT={text}: not a port we can use; give a number from 1024 to 32765, e.g. STATS_PORT=3000"
    )


def _lines(text: str) -> int:
    if text.isascii() and text.isdigit() and 20 <= int(text) <= 1_000_000:
        return int(text)
    raise ConfigurationMistake(
        f"STATS_SANDBOX_LINES={text}: give a number of log lines from 20 to 1000000, e.g. STATS_SANDBOX_LINES=3000"
    )


def _instant(text: str) -> datetime:
    try:
        return datetime.strptime(text, INSTANT).replace(tzinfo=UTC)
    except ValueError:
        raise ConfigurationMistake(
            f"STATS_SANDBOX_AT={text}: give an instant in UTC, e.g. STATS_SANDBOX_AT=2026-05-04T00:00:00Z"
        ) from None
