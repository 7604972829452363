"""A zstd dictionary trained on the logs we have, kept only where it pays."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg2
import zstandard

from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import sql
from stats_assets.trends.raw_content import Compressor
from stats_assets.trends.redrive import stored_logs

_SAMPLE_LOGS = 2000
_FEWEST_LOGS = 20
_TEST_EVERY = 4  # a quarter of the sample says whether it pays: of what it was trained on a dictionary knows too much
# Larger ones gain nothing on real logs and cost time at every log (24 real logs: 32 KiB 12 %, 107 KiB 6 %).
_DICTIONARY_BYTES = 32 * 1024
_SMALLEST_GAIN = 0.05  # for less it is not worth that reading the logs needs one more thing


@dataclass(frozen=True)
class Training:
    """What came of it: `gain` is the share of the compressed bytes that the dictionary saves on logs it never saw."""

    sample_logs: int
    gain: float
    dictionary_id: int | None  # None: it does not pay and was not kept

    def __str__(self) -> str:
        kept = f"kept as {self.dictionary_id}" if self.dictionary_id else f"not kept, under {_SMALLEST_GAIN:.0%}"
        return f"a dictionary of {self.sample_logs} logs saves {self.gain:.1%} of the compressed bytes: {kept}"


def train_dictionary(database: StatsDatabase) -> Training:
    """Trains on the newest whole logs and keeps the dictionary when it pays; imports that begin later use it.

    Logs that are there stay as they are: each names the dictionary it needs. Raises ConfigurationMistake when there
    are too few logs.
    """
    with database.transaction() as cursor:
        cursor.execute(sql.NEWEST_WHOLE_LOGS, {"logs": _SAMPLE_LOGS})
        logids = [logid for (logid,) in cursor.fetchall()]
    if len(logids) < _FEWEST_LOGS:
        raise ConfigurationMistake(f"{len(logids)} logs are too few to train on; import {_FEWEST_LOGS} first")
    sample = [raw.data for raw in stored_logs(database, logids)]
    unseen = sample[::_TEST_EVERY]
    seen = [data for place, data in enumerate(sample) if place % _TEST_EVERY]
    dictionary = zstandard.train_dictionary(_DICTIONARY_BYTES, [*seen])
    plain, trained = Compressor(), Compressor(dictionary.as_bytes())
    gain = 1 - _size(trained, unseen) / _size(plain, unseen)
    if gain < _SMALLEST_GAIN:
        return Training(len(sample), gain, None)
    with database.transaction() as cursor:
        values = {"dictionary_id": trained.dictionary_id, "content": psycopg2.Binary(dictionary.as_bytes())}
        cursor.execute(sql.ADD_DICTIONARY, {**values, "trained_logs": len(seen)})
    return Training(len(sample), gain, trained.dictionary_id)


def _size(compressor: Compressor, logs: list[bytes]) -> int:
    return sum(len(compressor.compress(data)) for data in logs)
