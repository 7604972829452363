"""Weekly totals and totals.csv as a process of its own, starting Python and importing included: DSN, day, policy."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from tempfile import TemporaryDirectory

from benchmarks.countme.load_day import SITE
from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.publications import Publisher
from stats_assets.countme.publish_totals import PublishedRows, publish_csv
from stats_assets.countme.totals import replace_week
from stats_assets.countme.weeks import monday_of_day
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, day: date, policy: str) -> None:
    database = StatsDatabase(dsn=dsn)
    config = CountmeConfig.model_validate({"site": SITE, "policy": policy, "first_day": day})
    (site,) = config.counted_sites
    report = replace_week(database, config, site, monday_of_day(day), datetime.now(UTC))
    assert report.rows, "nothing was counted: the week is not closed"
    with TemporaryDirectory(prefix="stats-bench-") as folder:
        publisher = Publisher(database, Archive(url=folder), site.name, inputs="")
        publish_csv(publisher, PublishedRows(site.name, site.policy))


if __name__ == "__main__":
    main(sys.argv[1], date.fromisoformat(sys.argv[2]), sys.argv[3])
