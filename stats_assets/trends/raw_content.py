"""Raw bytes as they are kept: one zstd frame per log, with a dictionary of common beginnings where there is one."""

from __future__ import annotations

import zstandard

from stats_assets.shared.postgres import StatsDatabase, one_row
from stats_assets.trends import sql

_LEVEL = 3


class Compressor:
    """Compresses logs one by one; `dictionary_id` goes with each row, because reading needs the same dictionary."""

    def __init__(self, dictionary: bytes | None = None) -> None:
        known = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        if known:
            known.precompute_compress(level=_LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=known)
        self.dictionary_id = known.dict_id() if known else None

    def compress(self, data: bytes) -> bytes:
        return self._compressor.compress(data)


def decompress(content: bytes, dictionary: bytes | None = None) -> bytes:
    """The bytes as they came. Raises zstandard.ZstdError when they are damaged or the dictionary is another."""
    known = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
    return zstandard.ZstdDecompressor(dict_data=known).decompress(content)


class Dictionaries:
    """Dictionaries by id, each read once."""

    def __init__(self, database: StatsDatabase) -> None:
        self._database = database
        self._known: dict[int, bytes] = {}

    def get(self, dictionary_id: int | None) -> bytes | None:
        if dictionary_id is None:
            return None
        if dictionary_id not in self._known:
            with self._database.transaction() as cursor:
                cursor.execute(sql.DICTIONARY, {"dictionary_id": dictionary_id})
                (content,) = one_row(cursor)
            self._known[dictionary_id] = bytes(content)
        return self._known[dictionary_id]
