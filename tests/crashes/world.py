"""A small world for the room: feeds in a folder, and the room's steps over their days.

One product, Owl. Release 10.0 is built on 2026-03-01, the rapid beta 11.0b1 on 2026-03-08, nightly 12.0a1 on
2026-03-09. The collector accepts half of the release's crashes and a quarter of the beta's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from stats_assets.crashes.aggregate import AGGREGATES, replace_aggregate
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.day_state import NotThere
from stats_assets.crashes.duplicates import replace_duplicates
from stats_assets.crashes.feeds import FeedAway
from stats_assets.crashes.input_days import InputReport
from stats_assets.crashes.load import DayLoader
from stats_assets.crashes.map_files import FILES
from stats_assets.crashes.store import read_maps, replace_versions
from stats_assets.shared.postgres import StatsDatabase

TUESDAY = date(2026, 3, 10)
RELEASE, BETA, NIGHTLY = "20260301080000", "20260308140000", "20260309030000"

MAPS = {
    "products.csv": "product_name,sort,rapid_release_version,release_name,rapid_beta_version\nOwl,1,5.0,owl,5.0\n",
    "product_productid_map.csv": "product_name,productid,rewrite,version_began\nOwl,{owl@example.org},f,1.0\n",
    "special_product_platforms.csv": "platform,repository,release_channel,release_name,product_name,min_version\n",
    "product_build_types.csv": "product_name,build_type,throttle\nOwl,release,0.5\nOwl,beta,0.25\nOwl,nightly,1.0\n",
    "release_repositories.csv": "repository\nrelease\nbeta\ndev\n",
    "os_names.csv": "os_name,os_short_name\nWindows,win\nMac OS X,mac\nLinux,lin\nUnknown,unknown\n",
    "os_name_matches.csv": "os_name,match_string\nWindows,Windows%\nMac OS X,Mac%\nLinux,Linux%\nLinux,Lin%\n",
    "windows_versions.csv": "windows_version_name,major_version,minor_version\nWindows 7,6,1\n",
    "uptime_levels.csv": (
        "uptime_level,uptime_string,min_uptime,max_uptime\n1,< 1 min,00:00:00,00:01:00\n2,> 1 min,00:01:00,1 year\n"
    ),
    "crash_types.csv": (
        "crash_type_id,crash_type,crash_type_short,process_type,has_hang_id,old_code,include_agg\n"
        "1,Browser,crash,browser,False,C,True\n2,Plugin,oop,plugin,False,P,True\n"
        "3,Hang,hang-b,plugin,True,c,False\n5,Content,content,content,False,T,True\n"
    ),
}
RELEASES = f"""product_name,version,platform,build_id,update_channel,beta_number,repository,version_build,load_day
owl,10.0,win32,{RELEASE},release,,release,build1,20260301
owl,11.0,win32,{BETA},beta,1,beta,build1,20260308
owl,12.0a1,win32,{NIGHTLY},nightly,,dev,build1,20260309
"""


def report(number: int, at: datetime, **changed: object) -> dict[str, Any]:
    """A completed crash of the release on Windows; its attributes are its own unless given."""
    return {
        "uuid": f"{number:08x}-0000-0000-0000-{number:05d}0{at:%y%m%d}",
        "date_processed": str(at),
        "client_crash_date": str(at - timedelta(minutes=5)),
        "completeddatetime": str(at + timedelta(seconds=1)),
        "product": "Owl",
        "version": "10.0",
        "build": RELEASE,
        "release_channel": "release",
        "signature": "A",
        "os_name": "Windows NT",
        "os_version": "6.1.7601",
        "cpu_name": "amd64",
        "cpu_info": "family 6 | 4",
        "topmost_filenames": f"file{number}.cpp",
        "uptime": 100,
        "install_age": 1000,
        "flash_version": "",
    } | changed


def noon(day: date, seconds: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(seconds=seconds)


@dataclass
class World:
    """Writes feeds, loads and counts days, and shows the tables without what a rerun may change."""

    database: StatsDatabase
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in FILES:
            self.write(f"maps/{name}", MAPS[name])
        self.write("releases.csv", RELEASES)

    @property
    def config(self) -> CrashesConfig:
        feeds = {
            "adi_feed": f"file://{self.folder}/adi/%Y-%m-%d.csv",
            "reports_feed": f"file://{self.folder}/reports/%Y-%m-%d.jsonl",
            "raw_feed": f"file://{self.folder}/raw/%Y-%m-%d.jsonl",
            "releases_feed": f"file://{self.folder}/releases.csv",
            "maps": f"file://{self.folder}/maps",
            "first_day": TUESDAY - timedelta(days=1),
            "attempts": 1,
        }
        return CrashesConfig.model_validate(feeds | dict(self.settings))

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def deliver_reports(self, day: date, documents: Iterable[Mapping[str, Any]], more: bytes = b"") -> None:
        lines = [json.dumps(document).encode() for document in documents]
        self.write(f"reports/{day}.jsonl", b"\n".join(lines) + b"\n" + more)

    def deliver_raw(self, day: date, annotations: Mapping[str, Mapping[str, str]]) -> None:
        lines = [
            json.dumps({"uuid": uuid, "date_processed": str(noon(day)), "raw_crash": sent})
            for uuid, sent in annotations.items()
        ]
        self.write(f"raw/{day}.jsonl", "\n".join(lines))

    def deliver_installs(self, day: date, counts: Mapping[tuple[str, str, str, str], int]) -> None:
        """Counts by platform, version, build and channel."""
        names = "report_date,product_name,product_os_platform,product_os_version,product_version,build,build_channel,"
        lines = [f"{names}product_guid,count"]
        for (platform, version, build, channel), count in counts.items():
            lines.append(f"{day},Owl,{platform},1.0,{version},{build},{channel},{{owl@example.org}},{count}")
        self.write(f"adi/{day}.csv", "\n".join(lines) + "\n")

    def deliver(self, day: date, number: int = 1) -> None:
        """A whole day of one crash, as simple as it gets; `number` makes it another one."""
        crash = report(number, noon(day))
        self.deliver_reports(day, [crash])
        self.deliver_raw(day, {crash["uuid"]: {}})
        self.deliver_installs(day, {("Windows", "10.0", RELEASE, "release"): 100})

    def make_versions(self) -> None:
        replace_versions(self.database, self.config, read_maps(self.config))

    def loader(self) -> DayLoader:
        return DayLoader(self.database, self.config, read_maps(self.config))

    def load(self, *days: date) -> list[InputReport]:
        loader = self.loader()
        reports = [loader.load_reports(day) for day in days]
        for day in days:
            loader.load_raw_crashes(day)
            loader.load_installs(day)
        return reports

    def count(self, *days: date) -> None:
        for day in days:
            replace_duplicates(self.database, day)
            for aggregate in AGGREGATES:
                replace_aggregate(self.database, aggregate, day)

    def load_and_count_what_can_be(self, day: date) -> None:
        """As `load` and `count`, going on where a feed or an input is not there."""
        loader = self.loader()
        for step in (loader.load_reports, loader.load_raw_crashes, loader.load_installs):
            with suppress(FeedAway):
                step(day)
        replace_duplicates(self.database, day)
        for aggregate in AGGREGATES:
            with suppress(NotThere):
                replace_aggregate(self.database, aggregate, day)

    def execute(self, statement: str) -> None:
        with self.database.transaction() as cursor:
            cursor.execute(statement)

    def rows(self, statement: str) -> list[tuple]:
        with self.database.transaction() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def everything(self) -> dict[str, list[tuple]]:
        """The room's tables, without the times of loading and counting."""
        tables = {
            *("active_daily_installs", "reports", "reports_private", "raw_crashes", "duplicates", "quarantine"),
            *(table for aggregate in AGGREGATES for table, _ in aggregate.statements),
        }
        shown = {table: self.rows(f"SELECT t::text FROM crashes.{table} t ORDER BY 1") for table in sorted(tables)}
        shown["input_days"] = self.rows(
            "SELECT input, day, read_count, row_count, quarantined FROM crashes.input_days ORDER BY input, day"
        )
        shown["aggregate_days"] = self.rows(
            "SELECT aggregate, day, row_count FROM crashes.aggregate_days ORDER BY aggregate, day"
        )
        return shown
