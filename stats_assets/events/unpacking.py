"""Compressed bodies, unpacked as far as the limit and no byte further. Pure."""

from __future__ import annotations

import io
import zlib

import zstandard

from stats_assets.events.envelope import BodyRefused

ENCODINGS = ("gzip", "zstd")
# A frame may ask for a window of gigabytes; every encoder's usual levels need at most this.
_MAX_WINDOW_BYTES = 8 * 2**20


def unpack(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body without its `Content-Encoding`. Raises BodyRefused: 415, 413 when it is longer than `max_bytes`, 400."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ENCODINGS:
        raise BodyRefused(415, "unsupported content encoding", f"send it plain or as {' or '.join(ENCODINGS)}")
    unpacked = (_gunzip if encoding == "gzip" else _unzstd)(body, max_bytes + 1)
    if len(unpacked) > max_bytes:
        raise BodyRefused(413, "body too large", f"unpacked it is longer than {max_bytes} bytes")
    return unpacked


def _gunzip(body: bytes, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(body, max_bytes)
    except zlib.error as error:
        raise BodyRefused(400, "not gzip", str(error)) from error
    if len(unpacked) < max_bytes and (not unpacker.eof or unpacker.unused_data):
        raise BodyRefused(400, "not gzip", "it ends too early, or goes on after its end")
    return unpacked


def _unzstd(body: bytes, max_bytes: int) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    try:
        with decompressor.stream_reader(io.BytesIO(body), read_across_frames=False) as reader:
            unpacked = reader.read(max_bytes)
    except zstandard.ZstdError as error:
        raise BodyRefused(400, "not zstd", str(error)) from error
    return unpacked
