"""A crawl as a process that can be killed: python crawl_process.py DSN BASE_URL."""

import sys

from stats_assets.forum.config import ForumConfig
from stats_assets.forum.crawl import Order, crawl
from stats_assets.shared.postgres import StatsDatabase

if __name__ == "__main__":
    config = ForumConfig(base_url=sys.argv[2], requests_per_second=None, retry_seconds=0.02)
    crawl(StatsDatabase(sys.argv[1]), config, Order(look_now=False))
