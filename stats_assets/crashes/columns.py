"""What the columns of the room's tables mean, as the Dagster UI shows it. The tables are made in the migrations."""

from __future__ import annotations

import dagster as dg

_MEANINGS = {
    "day": ("date", "UTC day of the reports' processing, and of the installs"),
    "product_name": ("text", "product, as the maps name it"),
    "product": ("text", "product"),
    "version_string": ("text", "version; a beta carries its number, a rapid parent sums up the betas of a release"),
    "version": ("text", "version, as sent"),
    "channel": ("text", "release, esr, aurora, beta or nightly"),
    "feed_channel": ("text", "channel as in the feed"),
    "os_platform": ("text", "operating system as in the feed"),
    "os_name": ("text", "operating system by the patterns of the maps, else Unknown"),
    "os_version": ("text", "its version"),
    "build": ("text", "build, as sent"),
    "build_id": ("bigint", "build, when it is a number; 0 where nothing crashed"),
    "build_date": ("date", "first eight digits of the build"),
    "product_guid": ("text", "product id as in the feed"),
    "installs": ("bigint", "active installs of the day"),
    "processed_at": ("timestamptz", "when the crash was processed, UTC"),
    "uuid": ("uuid", "the crash"),
    "is_completed": ("boolean", "whether processing came to its end"),
    "signature": ("text", "where it crashed"),
    "process_type": ("text", "browser, plugin, content or another"),
    "crash_type": ("text", "by process type and hang; other: the maps know none"),
    "attributes": ("uuid", "digest of what reports of one crash have in common"),
    "is_garbage_collecting": ("boolean", "whether it crashed while collecting garbage"),
    "adapter_vendor_id": ("text", "graphics adapter's vendor"),
    "adapter_device_id": ("text", "graphics adapter"),
    "android_model": ("text", "device"),
    "duplicate_of": ("uuid", "the first report of the same crash; a leader names itself"),
    "window_at": ("timestamptz", "start of the first window of an hour that shows it"),
    "first_report_at": ("timestamptz", "the day's first report of the signature"),
    "first_build": ("bigint", "smallest build in the hour of that report"),
    "release_version": ("text", "version without the number of the beta"),
    "sunset_date": ("date", "last day it is counted"),
    "is_rapid_beta": ("boolean", "whether it is the parent of betas"),
    "rapid_beta_parent": ("text", "version_string of the parent"),
    "crashes": ("bigint", "reports, duplicates among them"),
    "windows_crashes": ("bigint", "of them on Windows"),
    "mac_crashes": ("bigint", "of them on Mac OS X"),
    "linux_crashes": ("bigint", "of them on Linux"),
    "hangs": ("bigint", "of them hangs"),
    "startup_crashes": ("bigint", "of them within a minute of the start"),
    "gc_crashes": ("bigint", "of them while collecting garbage"),
    "throttle": ("numeric", "share of crashes the collector accepts"),
    "crashes_per_100_installs": ("numeric", "crashes / throttle per 100 installs; NULL without installs"),
    "attribute": ("text", "which attribute the value is of"),
    "value": ("text[]", "its value; graphics and device have several parts"),
    "installations": ("bigint", "distinct installations, of the attribute installations"),
}
_TABLES = {
    "active_daily_installs": (
        *("day", "product_name", "product", "os_platform", "os_name", "os_version", "version", "build"),
        *("build_date", "product_guid", "feed_channel", "channel", "installs"),
    ),
    "reports": (
        *("processed_at", "uuid", "is_completed", "product", "version", "build", "build_id", "build_date", "channel"),
        *("signature", "os_name", "process_type", "crash_type", "attributes"),
    ),
    "raw_crashes": (
        *("processed_at", "uuid", "is_garbage_collecting", "adapter_vendor_id", "adapter_device_id", "android_model"),
    ),
    "duplicates": ("processed_at", "uuid", "duplicate_of", "window_at"),
    "product_versions": (
        *("product_name", "version_string", "channel", "release_version", "build_date", "sunset_date"),
        *("is_rapid_beta", "rapid_beta_parent"),
    ),
    "signatures": ("day", "signature", "first_report_at", "first_build"),
    "product_adu": ("day", "product_name", "version_string", "channel", "os_name", "installs"),
    "build_adu": ("day", "product_name", "version_string", "channel", "build_date", "os_name", "installs"),
    "signature_counts": (
        *("day", "product_name", "version_string", "channel", "signature", "process_type", "crashes"),
        *("windows_crashes", "mac_crashes", "linux_crashes", "hangs", "startup_crashes", "gc_crashes"),
    ),
    "crashes_by_user": (
        *("day", "product_name", "version_string", "channel", "os_name", "crash_type", "crashes", "installs"),
    ),
    "daily_crash_rates": (
        *("day", "product_name", "version_string", "channel", "crashes", "installs", "throttle"),
        "crashes_per_100_installs",
    ),
    "signature_summary": (
        *("day", "product_name", "version_string", "channel", "signature", "attribute", "value", "crashes"),
        "installations",
    ),
    "crash_adu_by_build_signature": (
        *("day", "product_name", "channel", "version_string", "build_date", "build_id", "os_name", "signature"),
        *("crashes", "installs"),
    ),
}


def described(table: str) -> dict[str, object]:
    """The metadata of the asset that writes this table."""
    columns = [dg.TableColumn(name, *_MEANINGS[name]) for name in _TABLES[table]]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": f"crashes.{table}"}
