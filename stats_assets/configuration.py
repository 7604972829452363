"""stats.yaml as a whole: one section per room, each described in the room's `config.py`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from stats_assets.backups.config import BackupsConfig
from stats_assets.countme.config import CountmeConfig
from stats_assets.crashes.config import CrashesConfig
from stats_assets.events.config import EventsConfig
from stats_assets.forum.config import ForumConfig
from stats_assets.log_sync.config import LogSyncConfig
from stats_assets.notifications.config import NotificationsConfig
from stats_assets.shared.config import Section
from stats_assets.shared.environment import PROJECT_FOLDER
from stats_assets.table_partitions.config import TablePartitionsConfig
from stats_assets.trends.config import TrendsConfig
from stats_assets.upkeep.config import UpkeepConfig


def _absolute(url: str) -> str:
    """A relative folder is meant from the project, wherever a process happens to run."""
    return url if "://" in url else str((PROJECT_FOLDER / Path(url)).resolve())


class StatsConfig(Section):
    """The whole of stats.yaml."""

    archive: Annotated[str, AfterValidator(_absolute)] = Field(
        default=".local/archive", min_length=1, description="folder or fsspec URL where files are kept"
    )
    docs_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="where the files of this repository can be read, e.g. https://git.example.org/stats/blob/main;"
        " links of the UI and of messages lead there",
    )
    backups: BackupsConfig = Field(default_factory=BackupsConfig)
    log_sync: LogSyncConfig = Field(default_factory=LogSyncConfig)
    countme: CountmeConfig = Field(default_factory=CountmeConfig)
    crashes: CrashesConfig = Field(default_factory=CrashesConfig)
    events: EventsConfig | None = None
    forum: ForumConfig = Field(default_factory=ForumConfig)
    notifications: NotificationsConfig = Field(default_factory=NotificationsConfig)
    table_partitions: TablePartitionsConfig = Field(default_factory=TablePartitionsConfig)
    trends: TrendsConfig = Field(default_factory=TrendsConfig)
    upkeep: UpkeepConfig = Field(default_factory=UpkeepConfig)

    @property
    def backups_url(self) -> str:
        """Where backups are kept."""
        return _absolute(self.backups.url) if self.backups.url else f"{self.archive}/backups"

    @property
    def backups_config(self) -> BackupsConfig:
        """The section with its local folder as an absolute path."""
        return self.backups.model_copy(update={"staging": _absolute(self.backups.staging)})

    @property
    def first_day(self) -> date:
        """The first daily partition of the logs."""
        return self.log_sync.first_day or self.countme.first_day

    def model_post_init(self, _context: Any) -> None:
        unknown = [site.name for site in self.countme.counted_sites if site.name not in self.log_sync.sites]
        if self.log_sync.hosts and unknown:
            raise ValueError(
                f"countme counts {', '.join(map(repr, unknown))}, which is not one of log_sync.sites"
                f" ({', '.join(self.log_sync.sites)})"
            )
