"""Ids of weapons and the list of maps: learned once per importer, added in transactions of their own.

Names that were added for logs that never came do no harm.
"""

from __future__ import annotations

from collections.abc import Collection

from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import sql

_MAX_KNOWN_MAPS = 100_000  # names are free text: forget rather than grow without end


class Dimensions:
    """Weapon ids by name. `learn` before they are needed."""

    def __init__(self, database: StatsDatabase) -> None:
        self._database = database
        self.weaponids: dict[str, int] = {}
        self._maps: set[str] = set()

    def learn(self, weapons: Collection[str], maps: Collection[str]) -> None:
        """Adds the names the database lacks, and remembers all."""
        new_weapons = sorted(name for name in weapons if name not in self.weaponids)
        new_maps = sorted(name for name in maps if name not in self._maps)
        if not new_weapons and not new_maps:
            return
        with self._database.transaction() as cursor:
            cursor.execute(sql.ADD_WEAPONS, {"names": new_weapons})
            cursor.execute(sql.WEAPON_IDS, {"names": new_weapons})
            ids = dict(cursor.fetchall())
            cursor.execute(sql.ADD_MAPS, {"names": new_maps})
        self.weaponids |= ids
        if len(self._maps) > _MAX_KNOWN_MAPS:
            self._maps.clear()
        self._maps |= set(new_maps)
