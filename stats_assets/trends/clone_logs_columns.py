"""Columns of the SQLite batches of clone_logs, and the names that JSON has for what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stats_assets.trends.tables import CLASSES

FLAGS = {
    "has_real_damage": "hasRealDamage",
    "has_weapon_damage": "hasWeaponDamage",
    "has_accuracy": "hasAccuracy",
    "has_medkit_pickups": "hasHP",
    "has_medkit_health": "hasHP_real",
    "has_headshot_kills": "hasHS",
    "has_headshot_hits": "hasHS_hit",
    "has_backstabs": "hasBS",
    "has_point_captures": "hasCP",
    "has_sentries_built": "hasSB",
    "has_damage_taken": "hasDT",
    "has_airshots": "hasAS",
    "has_heals_received": "hasHR",
    "has_intel_captures": "hasIntel",
}
_NUMBERS = {
    "kills": "kills",
    "assists": "assists",
    "deaths": "deaths",
    "suicides": "suicides",
    "damage": "dmg",
    "damage_real": "dmg_real",
    "damage_taken": "dt",
    "damage_taken_real": "dt_real",
    "heals_received": "hr",
    "longest_killstreak": "lks",
    "airshots": "as",
    "medkit_pickup": "medkits",
    "medkit_health": "medkits_hp",
    "backstabs": "backstabs",
    "headshot_kills": "headshots",
    "headshots": "headshots_hit",
    "sentries": "sentries",
    "point_captures": "cpc",
    "intel_captures": "ic",
    "charges": "ubers",
    "drops": "drops",
}
_UBERTYPES = {
    "charges_uber": "medigun",
    "charges_kritzkrieg": "kritzkrieg",
    "charges_vaccinator": "vaccinator",
    "charges_quickfix": "quickfix",
}
_MEDICSTATS = {
    "advantages_lost": "advantages_lost",
    "biggest_advantage_lost": "biggest_advantage_lost",
    "deaths_with_95_uber": "deaths_with_95_99_uber",
    "deaths_within_20s_after_uber": "deaths_within_20s_after_uber",
    "average_time_before_healing": "avg_time_before_healing",
    "average_time_to_build": "avg_time_to_build",
    "average_time_before_using": "avg_time_before_using",
    "average_charge_length": "avg_uber_length",
}
_CLASS_NUMBERS = {"time": "total_time", "kills": "kills", "assists": "assists", "deaths": "deaths", "damage": "dmg"}
_WEAPON_NUMBERS = {"kills": "kills", "damage": "dmg", "average_damage": "avg_dmg", "shots": "shots", "hits": "hits"}
_BY_CLASS = {"kills": "classkills", "assists": "classkillassists", "deaths": "classdeaths"}
_ROUND_NUMBERS = {"score": "score", "kills": "kills", "damage": "dmg", "charges": "ubers"}
TEAMS = {"red": "Red", "blu": "Blue"}
# Heavy's columns never hold anything: the tool looked for another name than the logs have.
_CLASS_COLUMNS = {"heavy" if name == "heavyweapons" else name: name for name in CLASSES}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Group:
    """Values that stand side by side in a row, and the names JSON has for them.

    Rows are taken apart by place: looking 130 columns of a player up by name took most of the reading.
    """

    names: tuple[str, ...]
    place: slice

    def of(self, row: Row) -> dict[str, Any]:
        return dict(zip(self.names, row[self.place], strict=True))

    def has_any(self, row: Row) -> bool:
        return any(row[self.place])


class _Query:
    """The columns a table is asked for: some by themselves, then groups."""

    def __init__(self, names: str) -> None:
        self.columns = names.split()

    def group(self, names: Mapping[str, str]) -> Group:
        """Asks for these columns, too; `names` are JSON's by column."""
        first = len(self.columns)
        self.columns += names
        return Group(tuple(names.values()), slice(first, len(self.columns)))


_player = _Query("log_id steam_id name team")
PLAYER_NUMBERS, CHARGES, MEDIC = map(_player.group, (_NUMBERS, _UBERTYPES, _MEDICSTATS))
OF_CLASS = {
    name: _player.group({f"{what}_as_{column}": key for what, key in _CLASS_NUMBERS.items()})
    for column, name in _CLASS_COLUMNS.items()
}
AGAINST = {
    section: _player.group({f"{column}_{kind}": name for column, name in _CLASS_COLUMNS.items()})
    for kind, section in _BY_CLASS.items()
}
_weapon = _Query("log_id steam_id class weapon")
WEAPON = _weapon.group(_WEAPON_NUMBERS)
_round = _Query("log_id start duration first_cap winner")
OF_TEAM = {
    team: _round.group({f"{side}_{column}": key for column, key in _ROUND_NUMBERS.items()})
    for side, team in TEAMS.items()
}

# Tables that hold several rows of a log: the columns to read, and what puts the rows of a log in order.
PARTS = {
    "player": (_player.columns, "rowid"),
    "player_weapon": (_weapon.columns, "rowid"),
    "killstreak": (_Query("log_id steam_id streak time").columns, "rowid"),
    "heal_spread": (_Query("log_id healer_steam_id target_steam_id heal_amount").columns, "rowid"),
    "chat": (_Query("log_id idx steam_id message").columns, "idx"),
    "round": (_round.columns, "idx"),
}
