"""The keys of the room's assets: [crashes, table]."""

from __future__ import annotations

import dagster as dg

GROUP = "crashes"


def key_of(table: str) -> dg.AssetKey:
    return dg.AssetKey([GROUP, table])


ACTIVE_DAILY_INSTALLS = key_of("active_daily_installs")
REPORTS = key_of("reports")
RAW_CRASHES = key_of("raw_crashes")
PRODUCT_VERSIONS = key_of("product_versions")
DUPLICATES = key_of("duplicates")
SIGNATURE_COUNTS = key_of("signature_counts")
DAILY_CRASH_RATES = key_of("daily_crash_rates")
TOP_CRASHERS = key_of("top_crashers")
CHARTS = key_of("charts")
