"""The secrets of the weeks' address hashes, in countme.week_keys: made when first asked for, destroyed in the end.

Once the key of a week is destroyed, nobody can tell any more whether a given address is behind an address key, though
the address keys of the week still compare. What is loaded of such a *sealed* week stays as it is, and reloading an
unchanged file keeps its hits. A changed file cannot be hashed by the lost key: the week gets a next one (its
generation goes up), and until the other files of the week are loaded anew by that too, which countme_changed_days
asks for, the week's hits do not compare and are not counted.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

from stats_assets.countme import sql
from stats_assets.shared.failures import SourceAway
from stats_assets.shared.postgres import StatsDatabase, one_row


@dataclass(frozen=True)
class _Key:
    secret: bytes
    generation: int
    is_stored: bool


class WeekKeys:
    """The keys a load asks for, each read once."""

    def __init__(self, database: StatsDatabase) -> None:
        self._database = database
        self._keys: dict[date, _Key] = {}

    def secret(self, week: date) -> bytes:
        """The week's secret, 32 bytes. For a sealed week: a new one, which nobody has until `generation` keeps it."""
        if week not in self._keys:
            self._keys[week] = self._read(week)
        return self._keys[week].secret

    def generation(self, week: date) -> int:
        """Which of the week's keys its secret is; to be asked before hits that were hashed by it are written.

        Raises SourceAway when another load has begun a sealed week anew at the same time.
        """
        self.secret(week)
        if not self._keys[week].is_stored:
            self._keys[week] = self._renew(week, self._keys[week])
        return self._keys[week].generation

    def _read(self, week: date) -> _Key:
        new = secrets.token_bytes(32)
        with self._database.transaction() as cursor:
            cursor.execute(sql.ADD_WEEK_KEY, {"week": week, "key": new})
            cursor.execute(sql.WEEK_KEY, {"week": week})
            key, generation = one_row(cursor)
        return _Key(new, generation + 1, is_stored=False) if key is None else _Key(bytes(key), generation, True)

    def _renew(self, week: date, key: _Key) -> _Key:
        parameters = {"week": week, "key": key.secret, "generation": key.generation}
        with self._database.transaction() as cursor:
            cursor.execute(sql.RENEW_WEEK_KEY, parameters)
            if cursor.rowcount == 0:
                raise SourceAway(f"countme/raw_hits: another load has just begun week {week} anew; try again")
        return _Key(key.secret, key.generation, is_stored=True)
