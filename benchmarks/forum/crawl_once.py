"""One crawl in a process of its own, as a run of the job makes it; writes its numbers as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stats_assets.forum.config import ForumConfig
from stats_assets.forum.crawl import Order, crawl
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, base_url: str, full_refresh: str, told: str) -> None:
    config = ForumConfig(base_url=base_url, requests_per_second=None)
    report = crawl(StatsDatabase(dsn), config, Order(look_now=True, full_refresh=full_refresh == "full"))
    Path(told).write_text(json.dumps(report.metadata))


if __name__ == "__main__":
    main(*sys.argv[1:])
