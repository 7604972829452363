"""The reference world, loaded through its feeds: every exported file is the true one, byte for byte."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from stats_assets.crashes.aggregate import AGGREGATES, replace_aggregate
from stats_assets.crashes.config import CrashesConfig
from stats_assets.crashes.day_state import NotThere
from stats_assets.crashes.duplicates import replace_duplicates
from stats_assets.crashes.export import export
from stats_assets.crashes.feeds import FeedAway
from stats_assets.crashes.load import DayLoader
from stats_assets.crashes.store import read_maps, replace_versions
from stats_assets.shared.postgres import StatsDatabase

FIRST = date(2025, 10, 20)
DAYS = [FIRST + timedelta(days=n) for n in range(14)]
WITHOUT_INSTALLS = date(2025, 10, 31)


@pytest.mark.slow
def test_the_reference_world_gives_its_true_outputs(database: StatsDatabase, reference_data: Path, tmp_path: Path):
    inputs = reference_data / "crashes/inputs"
    config = CrashesConfig(
        adi_feed=f"file://{inputs}/adi/%Y-%m-%d.csv",
        reports_feed=f"file://{inputs}/processed_crashes/%Y-%m-%d.jsonl",
        raw_feed=f"file://{inputs}/raw_crashes/%Y-%m-%d.jsonl",
        releases_feed=f"file://{inputs}/releases.csv",
        maps=f"file://{inputs}/config",
        first_day=FIRST,
        attempts=1,
    )
    maps = read_maps(config)
    replace_versions(database, config, maps)
    loader = DayLoader(database, config, maps)
    for day in DAYS:
        loader.load_reports(day)
        loader.load_raw_crashes(day)
        if day == WITHOUT_INSTALLS:
            with pytest.raises(FeedAway):
                loader.load_installs(day)
        else:
            loader.load_installs(day)
    for day in DAYS:
        replace_duplicates(database, day)
        for aggregate in AGGREGATES:
            if day == WITHOUT_INSTALLS and "active_daily_installs" in aggregate.inputs:
                with pytest.raises(NotThere, match="active_daily_installs of the day is not loaded"):
                    replace_aggregate(database, aggregate, day)
            else:
                replace_aggregate(database, aggregate, day)
    export(database, tmp_path)
    expected = {path.name: path for path in (reference_data / "crashes/expected").iterdir()}
    expected |= {path.name: path for path in (reference_data / "crashes/expected_intended").iterdir()}
    differing = [name for name, path in expected.items() if (tmp_path / name).read_bytes() != path.read_bytes()]
    assert differing == []
    assert {path.name for path in tmp_path.iterdir()} == set(expected)
