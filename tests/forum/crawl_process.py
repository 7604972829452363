"""A crawl as a process that can be killed."""

from __future__ import annotations

from stats_assets.forum.config import ForumConfig
from stats_assets.forum.crawl import Order, crawl
from stats_assets.shared.postgres import StatsDatabase


def main(dsn: str, base_url: str) -> None:
    config = ForumConfig(base_url=base_url, requests_per_second=None, retry_seconds=0.02)
    crawl(StatsDatabase(dsn), config, Order(look_now=False))
