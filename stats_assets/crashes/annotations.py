"""What a client sent beside its report, as a row of crashes.raw_crashes. Pure.

A document is the client's own, or wraps it as `raw_crash`: {"uuid", "date_processed", "raw_crash": {...}}.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

from stats_assets.crashes.documents import Unusable
from stats_assets.shared.days import midnight

COLUMNS = (
    "processed_at",
    "uuid",
    "is_garbage_collecting",
    "adapter_vendor_id",
    "adapter_device_id",
    "android_cpu_abi",
    "android_manufacturer",
    "android_model",
    "android_version",
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_LONGEST_TEXT = 255

Row = tuple[str | None, ...]


class _Annotations(msgspec.Struct, gc=False):
    IsGarbageCollecting: str | int | bool | None = None
    AdapterVendorID: str | None = None
    AdapterDeviceID: str | None = None
    Android_CPU_ABI: str | None = None
    Android_Manufacturer: str | None = None
    Android_Model: str | None = None
    Android_Version: str | None = None


class _RawCrash(_Annotations, gc=False):
    uuid: str | None = None
    date_processed: datetime | None = None
    submitted_timestamp: datetime | None = None
    raw_crash: _Annotations | None = None


_decode = msgspec.json.Decoder(_RawCrash).decode


def read_annotations(line: bytes, day: date) -> Row:
    """The document of this day in the order of COLUMNS. Raises Unusable."""
    try:
        crash = _decode(line)
    except msgspec.ValidationError as error:
        raise Unusable(f"wrong type: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"not JSON: {error}") from error
    except RecursionError as error:
        raise Unusable("nested too deeply") from error
    uuid = crash.uuid or ""
    if not _UUID.fullmatch(uuid):
        raise Unusable("uuid is none")
    at = crash.date_processed or crash.submitted_timestamp
    if at is None:
        raise Unusable("date_processed is missing")
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not midnight(day) <= at < midnight(day) + timedelta(days=1):
        raise Unusable("date_processed is of another day")
    sent = crash.raw_crash or crash
    texts = [
        sent.AdapterVendorID,
        sent.AdapterDeviceID,
        sent.Android_CPU_ABI,
        sent.Android_Manufacturer,
        sent.Android_Model,
        sent.Android_Version,
    ]
    if any("\0" in text for text in texts if text):
        raise Unusable("an annotation holds a NUL")
    is_collecting = str(sent.IsGarbageCollecting) in ("1", "True")
    return (str(at), uuid.lower(), "t" if is_collecting else "f", *(text and text[:_LONGEST_TEXT] for text in texts))
