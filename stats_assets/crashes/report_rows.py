"""A processed crash document as a row of crashes.reports and one of crashes.reports_private, ready for COPY. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from stats_assets.crashes.copy_rows import DELIMITER, QUOTE, plain, quoted
from stats_assets.crashes.documents import Document, Unusable, instant, processed_at, read_document, refuse_nul
from stats_assets.crashes.maps import Maps
from stats_assets.crashes.systems import operating_system
from stats_assets.shared.days import midnight

_BUILD = re.compile(r"\d{1,18}", re.ASCII)
_PROCESS_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,29}")
# Scheme and the words of the host up to the first hyphen or other sign: the rule the published domains have.
_DOMAIN = re.compile(r"[A-Za-z]+://[\w.]*", re.ASCII)
_CORES = re.compile(r".*\| (\d{1,4})$", re.ASCII | re.DOTALL)
_REMEMBERED = 20_000  # distinct values whose translation is kept

_Encode = Callable[[str | None], str]

REPORT_COLUMNS = (
    "processed_at",
    "uuid",
    "client_crash_at",
    "is_completed",
    "product",
    "version",
    "build",
    "build_id",
    "build_date",
    "release_channel",
    "channel",
    "signature",
    "install_age_seconds",
    "uptime_seconds",
    "reason",
    "address",
    "os_name",
    "os_version_string",
    "os_major",
    "os_minor",
    "hang_id",
    "flash_version",
    "process_type",
    "crash_type",
    "architecture",
    "cores",
    "attributes",
    "has_email",
    "has_comments",
    "has_url",
    "has_app_notes",
)
PRIVATE_COLUMNS = (
    "processed_at",
    "uuid",
    "domain",
    "exploitability",
    "email",
    "url",
    "user_comments",
    "app_notes",
)


class Row(NamedTuple):
    """A report: its lines for COPY in the order of REPORT_COLUMNS and PRIVATE_COLUMNS; `uuid` in lower case."""

    uuid: str
    report: str
    private: str
    is_known_product: bool


class DocumentReader:
    """Makes rows of the documents of one day; remembers what it has translated, within bounds."""

    def __init__(self, maps: Maps, keeps_private: bool) -> None:
        self._maps = maps
        self._keeps_private = keeps_private
        self._systems: dict[tuple[str | None, str | None], str] = {}
        self._builds: dict[str, str] = {}
        self._channels: dict[str | None, str] = {}
        self._process_types: dict[tuple[str | None, bool], str] = {}
        self._cores: dict[str | None, str] = {}
        self.day(date.min)

    def day(self, day: date) -> None:
        """The day that documents must be of from now on."""
        self._start = midnight(day)
        self._end = self._start + timedelta(days=1) if day < date.max else self._start

    def read(self, line: bytes) -> Row:
        """Raises Unusable."""
        document = read_document(line)
        if b"\\" not in line:  # then no text of it holds a control character
            return self._row(document, plain)
        refuse_nul(document)
        return self._row(document, quoted)

    def _row(self, d: Document, text: _Encode) -> Row:
        at = processed_at(d.uuid, d.date_processed or d.submitted_timestamp, self._start, self._end)
        is_hang = bool(d.hangid)
        product = d.product or ""
        version, build = d.version or "", d.build or ""
        key = f"{at}{DELIMITER}{d.uuid}"
        report = DELIMITER.join(
            (
                key,
                _client_crash(d),
                "f" if d.completeddatetime is None else "t",
                text(product),
                text(version),
                self._builds.get(build) or self._build(build, text),
                text(d.release_channel),
                self._channels.get(d.release_channel) or self._channel(d.release_channel),
                text(d.signature or ""),
                "" if d.install_age is None else str(d.install_age),
                "" if d.uptime is None else str(d.uptime),
                text("Unknown" if d.reason is None else d.reason),
                text("Unknown" if d.address is None else d.address),
                self._systems.get((d.os_name, d.os_version)) or self._system(d.os_name, d.os_version),
                text(d.hangid) if is_hang else "",
                text("Unknown" if d.flash_version is None else d.flash_version),
                self._process_types.get((d.process_type, is_hang)) or self._process_type(d.process_type, is_hang),
                text(d.cpu_name),
                self._cores.get(d.cpu_info) or self._count_cores(d.cpu_info),
                _attributes(d),
                "t" if d.email else "f",
                "t" if d.user_comments else "f",
                "t" if d.url else "f",
                "t" if d.app_notes else "f",
            )
        )
        return Row(d.uuid.lower(), report, self._private(key, d, text), product.lower() in self._maps.product_names)

    def _private(self, key: str, d: Document, text: _Encode) -> str:
        own = f"{key}{DELIMITER}{text(_domain(d.url))}{DELIMITER}{text(d.exploitability)}{DELIMITER}"
        if not self._keeps_private:
            return own + DELIMITER * 3
        return own + DELIMITER.join((text(d.email), text(d.url), text(d.user_comments), text(d.app_notes)))

    def _build(self, build: str, text: _Encode) -> str:
        build_id = build if _BUILD.fullmatch(build) else ""
        day = _date_of(build) if build_id else None
        return _remember(self._builds, build, DELIMITER.join((text(build), build_id, str(day or ""))))

    def _channel(self, channel: str | None) -> str:
        return _remember(self._channels, channel, known_channel(channel) or "")

    def _system(self, name: str | None, version: str | None) -> str:
        system = operating_system(name, version, self._maps)
        return _remember(self._systems, (name, version), DELIMITER.join(plain(str(part)) for part in system))

    def _process_type(self, process_type: str | None, is_hang: bool) -> str:
        name = "browser" if process_type is None else process_type.lower()
        if not _PROCESS_TYPE.fullmatch(name):
            raise Unusable("process_type is no such name")
        row = f"{name}{DELIMITER}{self._maps.crash_type_of(name, is_hang)}"
        return _remember(self._process_types, (process_type, is_hang), row)

    def _count_cores(self, cpu_info: str | None) -> str:
        match = _CORES.fullmatch(cpu_info or "")
        return _remember(self._cores, cpu_info, match[1] if match else "")


def known_channel(channel: str | None) -> str | None:
    """The channel that is counted; None for one that no version has."""
    name = (channel or "").lower()
    if name.startswith("nightly"):
        return "nightly"
    return name if name in ("release", "esr", "aurora", "beta") else None


def _domain(url: str | None) -> str:
    match = _DOMAIN.match(url) if url else None
    return match[0] if match else ""


def _date_of(build: str) -> date | None:
    try:
        return date(int(build[:4]), int(build[4:6]), int(build[6:8])) if len(build) >= 8 else None
    except ValueError:
        return None


def _client_crash(d: Document) -> str:
    at = instant(d.client_crash_date)
    if at is None and d.crash_time is not None:
        at = datetime.fromtimestamp(d.crash_time, UTC)
    return "" if at is None else str(at)


def _attributes(d: Document) -> str:
    """A digest of what reports of the same crash have in common; the URL in it cannot be read back."""
    values = (
        d.product or "",
        d.version or "",
        d.build or "",
        d.signature,
        d.cpu_name,
        d.cpu_info,
        d.os_name,
        d.os_version,
        d.address,
        d.topmost_filenames,
        d.reason,
        d.app_notes,
        d.url,
    )
    text = DELIMITER.join([QUOTE if value is None else value for value in values])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _remember(known: dict, key: object, value: str) -> str:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
    return value
