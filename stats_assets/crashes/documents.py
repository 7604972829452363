"""Documents of crashes as they are decoded: the fields that statistics use, within their limits. Pure.

Names and limits of the fields are those of the crash processor's documents. What cannot be used raises `Unusable`
with a reason. The row a document becomes is `report_rows`; what a client sent beside it is `annotations`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Literal, TypeVar

import msgspec

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")

_Decoded = TypeVar("_Decoded")
_Integer = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


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


# In characters. Longer ones are cut, as they always were.
_LIMITS = {
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
_texts = attrgetter(*_LIMITS)

_decode = msgspec.json.Decoder(Document).decode


def read_document(line: bytes) -> Document:
    """The document, its texts cut to their limits. Raises Unusable."""
    document = decoded(_decode, line)
    for (name, limit), text in zip(_LIMITS.items(), _texts(document), strict=True):
        if text is not None and len(text) > limit:
            setattr(document, name, text[:limit])
    return document


def refuse_nul(document: Document) -> None:
    """PostgreSQL has no place for NUL in a text. Raises Unusable naming the field."""
    for name, text in zip(_LIMITS, _texts(document), strict=True):
        if text is not None and "\0" in text:
            raise Unusable(f"{name} holds a NUL")


def decoded(decode: Callable[[bytes], _Decoded], line: bytes) -> _Decoded:
    """What a decoder makes of the line. Raises Unusable."""
    try:
        return decode(line)
    except msgspec.ValidationError as error:
        raise Unusable(f"wrong type: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"not JSON: {error}") from error
    except RecursionError as error:
        raise Unusable("nested too deeply") from error


def processed_at(uuid: str | None, at: datetime | None, start: datetime, end: datetime) -> datetime:
    """When the crash was processed. Raises Unusable when it has no id, or no such time from `start` to before `end`."""
    if uuid is None or not _UUID.fullmatch(uuid):
        raise Unusable("uuid is none")
    at = instant(at)
    if at is None:
        raise Unusable("date_processed is missing")
    if not start <= at < end:
        raise Unusable("date_processed is of another day")
    return at


def instant(at: datetime | None) -> datetime | None:
    """Times without a zone are UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
