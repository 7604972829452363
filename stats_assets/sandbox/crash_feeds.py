"""The simulated crash collector: feeds of installs, reports and raw crashes by day, and of releases.

A product, Lantern, with a release every four weeks, a beta every week and a nightly every day; Pocket Lantern is its
release on phones, another product by the maps. Reports repeat now and then, some are of products nobody knows, one a
day is no JSON. Everything is a function of the world and the day; which feeds are there yet is `crash_site`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import orjson

from stats_assets.sandbox.crash_maps import GUID, POCKET_GUID
from stats_assets.sandbox.world import World

OLDEST_DAY = date(2025, 9, 1)  # a Monday: the first release
REPORTS_PER_DAY = 150

_CYCLE = timedelta(weeks=4)
_FIRST_MAJOR = 100

_SYSTEMS = (
    ("Windows NT", "10.0.19045", "amd64", "AuthenticAMD family 21 model 2 | 8", 60),
    ("Windows NT", "6.1.7601 Service Pack 1", "x86", "GenuineIntel family 6 model 58 stepping 9 | 4", 15),
    ("Mac OS X", "10.11.3 15D21", "amd64", "family 6 model 70 | 8", 12),
    ("Linux", "0.0.0 Linux 5.15.0 #1 SMP x86_64", "amd64", "family 6 model 13 | 2", 10),
    ("SunOS", "5.11", "sparc", "", 3),
)
_SIGNATURES = (
    *(
        f"{module}::{name}"
        for module in ("lantern", "wick", "js::gc", "layout", "net", "audio", "dom", "mozalloc")
        for name in ("Flush", "Draw", "Close", "Cell::tenuredZone", "Resolve", "operator()", "abort")
    ),
    *("OOM | small", "EMPTY: no crashing thread identified", "hang | NtUserMessageCall", "shutdownhang | wait"),
)
_REASONS = ("SIGSEGV", "SIGABRT", "EXCEPTION_ACCESS_VIOLATION_READ", "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS", None)
_ADDRESSES = ("0x0", "0xdeadbeef", "0x5a5a5a5a", "0xffffffffe5e5e5e5", None)
_FLASH = ("[blank]", "20.0.0.306", "", None)
_PROCESS_TYPES = (None, None, None, "content", "content", "plugin", "gpu")
_URLS = ("", None, "about:blank", "https://news.example.org/today", "http://shop-7.example.com/cart?id=4")
_VENDORS = (("0x8086", "0x0116"), ("0x10de", "0x0dcd"), ("0x1002", "0x6758"), None)
_MODULES = [{"filename": f"module{n}.dll", "base_addr": f"0x7ff{n:05x}", "version": "1.2.3"} for n in range(6)]


@dataclass(frozen=True)
class Active:
    """A version that is used on a day: its share of installs, and of crashes, and its build."""

    product: str
    version: str
    feed_version: str
    channel: str
    build: str
    install_share: float
    crash_share: float


def active_versions(day: date) -> list[Active]:
    """The versions people use: the release and the one before, its phones, the newest betas, three nightlies."""
    cycle = (day - OLDEST_DAY) // _CYCLE
    start = OLDEST_DAY + cycle * _CYCLE
    major = _FIRST_MAJOR + cycle
    build = _build(start, 8)
    found = [Active("Lantern", f"{major}.0", f"{major}.0", "release", build, 0.7, 0.45)]
    if cycle:
        before = _build(start - _CYCLE, 8)
        found.append(Active("Lantern", f"{major - 1}.0", f"{major - 1}.0", "release", before, 0.15, 0.15))
    found.append(Active("Pocket Lantern", f"{major}.0", f"{major}.0", "release", build, 0.1, 0.1))
    for number in range(1, (day - start).days // 7 + 2):
        beta_build = _build(start + timedelta(weeks=number - 1), 14)
        newest = number == (day - start).days // 7 + 1
        shares = (0.03, 0.12) if newest else (0.005, 0.02)
        found.append(Active("Lantern", f"{major + 1}.0b{number}", f"{major + 1}.0", "beta", beta_build, *shares))
    nightly = f"{major + 2}.0a1"
    for age in range(min(3, (day - start).days + 1)):
        found.append(Active("Lantern", nightly, nightly, "nightly", _build(day - timedelta(days=age), 3), 0.004, 0.04))
    return found


def releases(today: date) -> str:
    """The feed of all releases up to `today`, by the day each was seen."""
    rows = []
    day = OLDEST_DAY
    while day <= today:
        cycle, into = divmod((day - OLDEST_DAY).days, _CYCLE.days)
        major = _FIRST_MAJOR + cycle
        if into == 0:
            for platform in ("win32", "mac", "linux", "android-arm"):
                rows.append(("lantern", f"{major}.0", platform, _build(day, 8), "release", "", "release"))
        if into % 7 == 0:
            for platform in ("win32", "mac", "linux"):
                rows.append(
                    ("lantern", f"{major + 1}.0", platform, _build(day, 14), "beta", str(into // 7 + 1), "beta")
                )
        for platform in ("win32", "linux"):
            rows.append(("lantern", f"{major + 2}.0a1", platform, _build(day, 3), "nightly", "", "dev"))
        day += timedelta(days=1)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("product_name", "version", "platform", "build_id", "update_channel", "beta_number", "repository", "load_day")
    )
    writer.writerows((*row, row[3][:8]) for row in rows)
    return text.getvalue()


def installs(world: World, day: date) -> str:
    """The feed of the day's active installs, fewer at weekends; one product is nobody's."""
    random = world.random("crash installs", day)
    total = 200_000 * (0.8 if day.weekday() >= 5 else 1.0) * random.uniform(0.97, 1.03)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        (
            *("report_date", "product_name", "product_os_platform", "product_os_version", "product_version", "build"),
            *("build_channel", "product_guid", "count"),
        )
    )
    for each in active_versions(day):
        guid = POCKET_GUID if each.product != "Lantern" else GUID
        for platform, version, share in (
            ("Windows_NT", "10.0", 0.8),
            ("Darwin", "15.3.0", 0.12),
            ("Linux", "5.15", 0.08),
        ):
            count = int(total * each.install_share * share)
            row = (day, each.product, platform, version, each.feed_version, each.build, each.channel, guid, count)
            writer.writerow(row)
    writer.writerow((day, "Torch", "Windows_NT", "10.0", "1.0", _build(day, 1), "release", "{torch@example.org}", 12))
    return text.getvalue()


def reports(world: World, day: date, count: int = REPORTS_PER_DAY, odd: bool = True) -> Iterator[bytes]:
    """The day's processed crashes, JSON lines in order of time; `odd`: with a line that is none."""
    if odd:
        yield b'{"uuid": "cut off in the middle'
    for document, _ in _crashes(world, day, count):
        yield orjson.dumps(document)


def raw_crashes(world: World, day: date, count: int = REPORTS_PER_DAY) -> Iterator[bytes]:
    """What the clients of the day's crashes sent beside."""
    for document, raw in _crashes(world, day, count):
        if raw:
            yield orjson.dumps(
                {"uuid": document["uuid"], "date_processed": document["date_processed"], "raw_crash": raw}
            )


def _crashes(world: World, day: date, count: int) -> Iterator[tuple[dict[str, object], dict[str, str]]]:
    random = world.random("crashes", day)
    active = active_versions(day)
    weights = np.array([each.crash_share for each in active])
    versions = random.choice(len(active), count, p=weights / weights.sum()).tolist()
    system_weights = np.array([system[4] for system in _SYSTEMS])
    systems = random.choice(len(_SYSTEMS), count, p=system_weights / system_weights.sum()).tolist()
    seconds = np.sort(random.integers(0, 86_400 * 1_000_000, count)).tolist()
    signatures = (random.random(count) ** 2 * len(_SIGNATURES)).astype(int).tolist()
    numbers = random.integers(0, 2**31, (count, 4)).tolist()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    before: tuple[dict[str, object], dict[str, str]] | None = None
    for index in range(count):
        a, b, c, d = numbers[index]
        uuid = f"{a:08x}-{b & 0xFFFF:04x}-{c & 0xFFFF:04x}-{d & 0xFFFF:04x}-{index:05x}0{day:%y%m%d}"
        at = midnight + timedelta(microseconds=seconds[index])
        if before and a % 25 == 0:  # the same crash, sent again a few seconds later
            yield _again(before, uuid, at, 1 + b % 40)
            continue
        before = _crash(active[versions[index]], _SYSTEMS[systems[index]], signatures[index], uuid, at, (a, b, c, d))
        yield before


def _crash(
    version: Active, system: tuple, signature: int, uuid: str, at: datetime, numbers: tuple[int, int, int, int]
) -> tuple[dict[str, object], dict[str, str]]:
    a, b, c, d = numbers
    crashed_at = at - timedelta(seconds=30 + c % 4000, microseconds=at.microsecond)
    os_name, os_version, cpu_name, cpu_info, _ = system
    is_hang = b % 20 == 0
    process_type = _PROCESS_TYPES[b % len(_PROCESS_TYPES)]
    document: dict[str, object] = {
        "uuid": uuid,
        "date_processed": str(at),
        "submitted_timestamp": str(at),
        "client_crash_date": str(crashed_at),
        "crash_time": int(crashed_at.timestamp()),
        "startedDateTime": str(at),
        "completeddatetime": None if d % 200 == 0 else str(at + timedelta(seconds=2)),
        "product": "Torch" if d % 97 == 0 else version.product,
        "version": version.version,
        "build": version.build,
        "release_channel": version.channel,
        "ReleaseChannel": version.channel,
        "productid": GUID,
        "signature": _SIGNATURES[signature],
        "os_name": "Android" if version.product == "Pocket Lantern" else os_name,
        "os_version": os_version,
        "cpu_name": cpu_name,
        "cpu_info": cpu_info,
        "reason": _REASONS[a % 5],
        "address": _ADDRESSES[b % 5],
        "topmost_filenames": f"file{c % 40}.cpp",
        "app_notes": "" if a % 3 else "AdapterVendorID: 0x8086, AdapterDeviceID: 0x0116",
        "uptime": None if a % 50 == 0 else c % 9000,
        "install_age": d % 3_000_000,
        "last_crash": None,
        "hangid": f"{b:032x}" if is_hang else None,
        "hang_type": -1 if is_hang else 0,
        "process_type": process_type,
        "flash_version": _FLASH[c % 4],
        "exploitability": ("none", "low", "high", None)[d % 4],
        "url": _URLS[c % 5],
        "email": f"user{a % 40}@example.net" if b % 13 == 0 else None,
        "user_comments": "it went dark" if b % 13 == 0 else None,
        "user_id": "",
        "addons": [["light@example.org", "1.4.2"]],
        "addons_checked": False,
        "success": True,
        "truncated": False,
        "json_dump": {"crashing_thread": 0, "modules": _MODULES},
    }
    raw: dict[str, str] = {}
    if vendor := _VENDORS[a % 4]:
        raw = {"AdapterVendorID": vendor[0], "AdapterDeviceID": vendor[1]}
    if b % 9 == 0:
        raw["IsGarbageCollecting"] = "1"
    if version.product == "Pocket Lantern":
        raw |= {"Android_CPU_ABI": "arm64-v8a", "Android_Manufacturer": "acme", "Android_Model": f"A{c % 3}"}
        raw["Android_Version"] = "33 (REL)"
    return document, raw


def _again(
    before: tuple[dict[str, object], dict[str, str]], uuid: str, at: datetime, seconds: int
) -> tuple[dict[str, object], dict[str, str]]:
    """The crash before, once more: later on the client's clock, process and installation being as old as that."""
    document = dict(before[0])
    crashed_at = datetime.fromisoformat(str(document["client_crash_date"])) + timedelta(seconds=seconds)
    document |= {"uuid": uuid, "date_processed": str(at), "submitted_timestamp": str(at)}
    document |= {"client_crash_date": str(crashed_at), "install_age": int(str(document["install_age"])) + seconds}
    if document["uptime"] is not None:
        document["uptime"] = int(str(document["uptime"])) + seconds
    return document, before[1]


def _build(day: date, hour: int) -> str:
    return f"{day:%Y%m%d}{hour:02d}0000"
