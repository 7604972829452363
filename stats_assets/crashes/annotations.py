"""What a client sent beside its report, as a row of crashes.raw_crashes. Pure.

A document is the client's own, or wraps it as `raw_crash`: {"uuid", "date_processed", "raw_crash": {...}}.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

import msgspec

from stats_assets.crashes.copy_rows import DELIMITER, quoted
from stats_assets.crashes.documents import Unusable, decoded, processed_at
from stats_assets.shared.days import midnight

# Four of them are part of a key with a signature, which must fit into a page of an index.
_LONGEST_TEXT = 80


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


class AnnotationRow(NamedTuple):
    """A crash's annotations: the line for COPY in the order of COLUMNS; `uuid` in lower case."""

    uuid: str
    line: str


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


def read_annotations(line: bytes, day: date) -> AnnotationRow:
    """The document of this day as a row, its texts cut. Raises Unusable."""
    crash = decoded(_decode, line)
    reported_at = crash.date_processed or crash.submitted_timestamp
    at = processed_at(crash.uuid, reported_at, midnight(day), midnight(day) + timedelta(days=1))
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
    uuid = str(crash.uuid).lower()
    fields = (str(at), uuid, "t" if is_collecting else "f", *(quoted(text and text[:_LONGEST_TEXT]) for text in texts))
    return AnnotationRow(uuid, DELIMITER.join(fields))
