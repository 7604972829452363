"""The one failure that cannot be written into the database: that it is away. A small file remembers whom we told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stats_assets.notifications.channels import Send
from stats_assets.notifications.config import Channel
from stats_assets.notifications.message import Links
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.runbooks import DATABASE_AWAY, page


@dataclass(frozen=True)
class _Outage:
    since: str
    why: str
    told: list[str] = field(default_factory=list)  # names of channels

    @property
    def since_when(self) -> datetime:
        return datetime.fromisoformat(self.since)


@dataclass(frozen=True)
class DatabaseAway:
    """Tells each channel once that the database is away, and once that it is back. `file` survives restarts."""

    file: Path
    channels: Mapping[str, Channel]
    links: Links
    after: timedelta
    send: Send
    say: Callable[[str], None]

    def seen(self, why: str, now: datetime) -> None:
        """The database did not answer just now."""
        outage = self._read() or _Outage(now.isoformat(), why)
        self._write(outage)
        if now - outage.since_when >= self.after:
            body = (
                f"why:   {outage.why}\nsince: {_time(outage.since_when)}\ndo:    {self.links.page(page(DATABASE_AWAY))}"
            )
            untold = [name for name in self.channels if name not in outage.told]
            told = self._tell(untold, "[stats] PostgreSQL does not answer", body)
            self._write(replace(outage, told=[*outage.told, *told]))

    def is_back(self, now: datetime) -> None:
        """The database answers."""
        outage = self._read()
        if outage is None:
            return
        body = f"was:   {outage.why}\nfrom:  {_time(outage.since_when)} to {_time(now)}"
        still_to_tell = [name for name in outage.told if name in self.channels]
        told = self._tell(still_to_tell, "[stats] PostgreSQL answers again", body)
        left = [name for name in still_to_tell if name not in told]
        if left:
            self._write(replace(outage, told=left))
        else:
            self.file.unlink(missing_ok=True)

    def _tell(self, names: list[str], title: str, body: str) -> list[str]:
        """The names of the channels that have taken it; the others are tried at the next look."""
        told = []
        for name in names:
            try:
                self.send(self.channels[name], title, body)
            except SourceAway as error:
                self.say(f"{name} did not take a message: {error}")
            else:
                told.append(name)
        return told

    def _read(self) -> _Outage | None:
        try:
            return _Outage(**json.loads(self.file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, outage: _Outage) -> None:
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(outage)))
        unfinished.replace(self.file)


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
