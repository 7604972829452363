"""A processed crash document as a row of crashes.reports, ready for COPY. Pure.

Names and limits of the fields are those of the crash processor's documents. What cannot be read raises `Unusable`
with a reason; a text over its limit is cut, as it always was.

Rows are in the CSV format of COPY with control characters as delimiter and quote, which texts do not hold but for
odd ones: a JSON text without a backslash holds no control character, so that one look at the line tells.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from stats_assets.crashes.maps import UNKNOWN_OS, Maps
from stats_assets.shared.days import midnight

DELIMITER, QUOTE = "\x02", "\x01"
_EMPTY = QUOTE * 2  # an empty text; nothing at all is NULL
_NEEDS_QUOTES = re.compile("[\x01\x02\r\n]")

_BUILD = re.compile(r"\d{1,18}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_PROCESS_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,29}")
_NUMBERS = re.compile(r"(\d+)?(?:[^.]*?\.(\d+))?", re.ASCII)
_LINUX_ZEROS = re.compile(r"^[0.]+ Linux ")
# Scheme and the words of the host up to the first hyphen or other sign: the rule the published domains have.
_DOMAIN = re.compile(r"[A-Za-z]+://[\w.]*", re.ASCII)
_CORES = re.compile(r".*\| (\d{1,4})$", re.ASCII | re.DOTALL)
_REMEMBERED = 20_000  # distinct values whose translation is kept

_Encode = Callable[[str | None], str]

_Integer = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]

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


class Unusable(Exception):
    """A document or line that cannot become a row; its text is the reason, in a few words."""


class Document(msgspec.Struct, gc=False):
    """The fields statistics use; whatever else a document holds is skipped unread."""

    uuid: str
    date_processed: datetime | None = None
    submitted_timestamp: datetime | None = None
    client_crash_date: datetime | None = None
    completeddatetime: datetime | None = None
    crash_time: _Integer | None = None
    product: str | None = None
    version: str | None = None
    build: str | None = None
    release_channel: str | None = None
    signature: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    cpu_name: str | None = None
    cpu_info: str | None = None
    reason: str | None = None
    address: str | None = None
    topmost_filenames: str | None = None
    app_notes: str | None = None
    uptime: _Integer | None = None
    install_age: _Integer | None = None
    hangid: str | None = None
    hang_type: Literal[-1, 0, 1] | None = None
    process_type: str | None = None
    flash_version: str | None = None
    exploitability: str | None = None
    url: str | None = None
    email: str | None = None
    user_comments: str | None = None


_TEXTS = {
    "product": 30,
    "version": 16,
    "build": 30,
    "signature": 255,
    "os_name": 100,
    "os_version": 100,
    "cpu_name": 100,
    "cpu_info": 100,
    "reason": 255,
    "address": 20,
    "app_notes": 1024,
    "url": 255,
    "email": 100,
    "user_comments": 1024,
    "release_channel": 50,
    "topmost_filenames": 1024,
    "hangid": 50,
    "flash_version": 50,
    "exploitability": 50,
}


@dataclass(frozen=True)
class Row:
    """The lines for COPY; `private` is empty when there is nothing to keep."""

    uuid: str
    report: str
    private: str
    is_known_product: bool


class DocumentReader:
    """Makes rows of the documents of one day; remembers what it has translated, within bounds."""

    def __init__(self, maps: Maps, keeps_private: bool) -> None:
        self._maps = maps
        self._keeps_private = keeps_private
        self._decode = msgspec.json.Decoder(Document).decode
        self._systems: dict[tuple[str | None, str | None], str] = {}
        self._builds: dict[str, str] = {}
        self._channels: dict[str | None, str] = {}
        self._process_types: dict[tuple[str | None, bool], str] = {}
        self._cores: dict[str | None, str] = {}
        self._domains: dict[str | None, str] = {}
        self.day(date.min)

    def day(self, day: date) -> None:
        """The day that documents must be of from now on."""
        self._start = midnight(day)
        self._end = self._start + timedelta(days=1) if day < date.max else self._start

    def read(self, line: bytes) -> Row:
        """Raises Unusable."""
        try:
            document = self._decode(line)
        except msgspec.ValidationError as error:
            raise Unusable(f"wrong type: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unusable(f"not JSON: {error}") from error
        except RecursionError as error:
            raise Unusable("nested too deeply") from error
        _cut(document)
        if b"\\" in line:
            return self._careful(document)
        return self._row(document, _plain)

    def _careful(self, document: Document) -> Row:
        """A row whose texts may hold anything JSON can express."""
        for name in _TEXTS:
            if (value := getattr(document, name)) is not None and "\0" in value:
                raise Unusable(f"{name} holds a NUL")
        row = self._row(document, _quoted)
        try:
            (row.report + row.private).encode()
        except UnicodeEncodeError as error:
            raise Unusable("holds half of a surrogate pair") from error
        return row

    def _row(self, d: Document, text: _Encode) -> Row:
        uuid = d.uuid
        if not _UUID.fullmatch(uuid):
            raise Unusable("uuid is none")
        processed_at = _instant(d.date_processed or d.submitted_timestamp)
        if processed_at is None:
            raise Unusable("date_processed is missing")
        if not self._start <= processed_at < self._end:
            raise Unusable("date_processed is of another day")
        is_hang = bool(d.hangid)
        product = d.product or ""
        version, build = d.version or "", d.build or ""
        key = f"{processed_at}{DELIMITER}{uuid}"
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
        return Row(uuid.lower(), report, self._private(key, d, text), product.lower() in self._maps.product_names)

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
        return _remember(self._systems, (name, version), DELIMITER.join(_plain(str(part)) for part in system))

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


def operating_system(name: str | None, version: str | None, maps: Maps) -> tuple[str, str, int, int]:
    """Name, version for people, major and minor number."""
    told = "Unknown" if name is None else name
    number = version or ""
    if told.lower().startswith("linux") and "0.0.0" in number:
        number = _LINUX_ZEROS.sub("", number)
    found = maps.os_name_of(told)
    if found == UNKNOWN_OS:
        return found, found, 0, 0
    match = _NUMBERS.match(number)
    major, minor = (_below_1000(part) for part in match.groups()) if match else (0, 0)
    return found, _os_version_string(found, major, minor, maps), major, minor


def _os_version_string(name: str, major: int, minor: int, maps: Maps) -> str:
    if name == "Windows":
        return maps.windows_versions.get((major, minor), "Windows Unknown")
    if name == "Mac OS X":
        return f"OS X {major}.{minor}" if major in (10, 11) and minor <= 20 else "OS X Unknown"
    return name


def _below_1000(digits: str | None) -> int:
    return int(digits) if digits and len(digits) < 4 else 0


def _domain(url: str | None) -> str:
    match = _DOMAIN.match(url) if url else None
    return match[0] if match else ""


def _date_of(build: str) -> date | None:
    try:
        return date(int(build[:4]), int(build[4:6]), int(build[6:8])) if len(build) >= 8 else None
    except ValueError:
        return None


def _client_crash(d: Document) -> str:
    at = _instant(d.client_crash_date)
    if at is None and d.crash_time is not None:
        at = datetime.fromtimestamp(d.crash_time, UTC)
    return "" if at is None else str(at)


def _instant(at: datetime | None) -> datetime | None:
    """Times without a zone are UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


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
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _cut(d: Document) -> None:
    for name, limit in _TEXTS.items():
        value = getattr(d, name)
        if value is not None and len(value) > limit:
            setattr(d, name, value[:limit])


def _plain(value: str | None) -> str:
    return value or ("" if value is None else _EMPTY)


def _quoted(value: str | None) -> str:
    if value and _NEEDS_QUOTES.search(value):
        return QUOTE + value.replace(QUOTE, _EMPTY) + QUOTE
    return _plain(value)


def _remember(known: dict, key: object, value: str) -> str:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
    return value
