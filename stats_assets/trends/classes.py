"""What players did as each class: class_stats, weapon_stats and medic_stats."""

from __future__ import annotations

from typing import Any

from msgspec.structs import astuple

from stats_assets.trends import rules
from stats_assets.trends.limits import MAX_NAME, short
from stats_assets.trends.reasons import BadLog
from stats_assets.trends.shape import ClassStats, Info, Map, MedicStats, Player, UberTypes, Weapon, items_of

Values = list[Any]  # of rows, one after the other
Played = tuple[str | None, int | None, int | None]  # main class, shots, hits

_NO_CLASS = frozenset(("unknown", "undefined", ""))
_NO_WEAPON = "undefined"
_NO_UBERS = UberTypes()
_NO_MEDIC = MedicStats()


class Classes:
    """Collects the values of one log, player by player."""

    def __init__(self, info: Info, duration_seconds: int) -> None:
        self._has_damage, self._has_accuracy = info.hasWeaponDamage, info.hasAccuracy
        self._duration_seconds = duration_seconds
        self.values: Values = []
        self.weapons: Values = []
        self.medics: Values = []
        self.played_seconds = 0  # of all players together
        self.is_bogus = False  # negative damage
        self.is_doubled = False  # ubers are counted twice

    def add(self, id64: int, player: Player) -> Played:
        """Adds the player's rows; shots and hits are None where no class has them."""
        seconds: dict[str, int] = {}
        shots = hits = None
        for stats in player.class_stats or ():
            name = stats.type
            if name in _NO_CLASS:
                continue
            if name in seconds:
                raise BadLog("class_twice", f"{id64} has class {name} twice")
            own = self._add_weapons(id64, name, stats.weapon)
            if own:
                shots, hits = (shots or 0) + own[0], (hits or 0) + own[1]
            seconds[name] = self._add_class(id64, stats, own or (None, None))
            if name == "medic":
                self._add_medic(id64, player)
        self.played_seconds += sum(seconds.values())
        return rules.primary_class(seconds), shots, hits

    def _add_class(self, id64: int, stats: ClassStats, shooting: tuple[int | None, int | None]) -> int:
        """Gives the seconds: none is less than 0 or longer than the game."""
        seconds, most = stats.total_time, self._duration_seconds
        seconds = 0 if seconds < 0 else most if seconds > most else seconds
        self.values += (id64, stats.type, stats.kills, stats.assists, stats.deaths, stats.dmg, seconds, *shooting)
        return seconds

    def _add_weapons(self, id64: int, class_: str, weapons: Map[Weapon | int]) -> tuple[int, int] | None:
        """Damage counts where its average is told, shots where hits are; gives shots and hits of all weapons."""
        all_shots = all_hits = None
        values, has_damage, has_accuracy = self.weapons, self._has_damage, self._has_accuracy
        for name, weapon in items_of(weapons):
            if name == _NO_WEAPON:
                continue
            if len(name) > MAX_NAME:
                short("a weapon", name)
            if isinstance(weapon, int):
                values += (id64, class_, name, weapon, None, None, None, None)
                continue
            kills, dmg, avg_dmg, shots, hits = astuple(weapon)  # all at once: most of a log's numbers are here
            if not has_damage or dmg is None or avg_dmg is None:
                dmg = avg_dmg = None
            elif dmg < 0:
                self.is_bogus = True
            if not has_accuracy or shots is None or hits is None:
                shots = hits = None
            else:
                all_shots, all_hits = (all_shots or 0) + shots, (all_hits or 0) + hits
            values += (id64, class_, name, kills, dmg, avg_dmg, shots, hits)
        return None if all_shots is None or all_hits is None else (all_shots, all_hits)

    def _add_medic(self, id64: int, player: Player) -> None:
        """Ubers are counted twice when as many are of unknown kind as of all known ones: those count once."""
        ubers, types = player.ubers, player.ubertypes
        medigun = kritz = other = None
        if types is not None:
            types = types if isinstance(types, UberTypes) else _NO_UBERS
            known = types.medigun + types.kritzkrieg + types.quickfix + types.vaccinator
            if known == types.unknown and known > 0:
                ubers -= known
                self.is_doubled = True
            medigun, kritz = types.medigun, types.kritzkrieg
            other = ubers - medigun - kritz
        stats = player.medicstats if isinstance(player.medicstats, MedicStats) else _NO_MEDIC
        self.medics += (id64, ubers, medigun, kritz, other, player.drops, *_circumstances(id64, stats))


def _circumstances(id64: int, stats: MedicStats) -> tuple[Any, ...]:
    """Advantages lost, averages and deaths, in the order of medic_stats."""
    lost, biggest = stats.advantages_lost, stats.biggest_advantage_lost
    if (lost is None) != (biggest is None):
        raise BadLog("half_an_advantage", f"medicstats of {id64}: {lost} and {biggest}")
    averages = (
        rules.average(stats.avg_time_before_healing),
        rules.average(stats.avg_time_before_using),
        rules.average(stats.avg_time_to_build),
        rules.uber_average(stats.avg_uber_length),
    )
    return (lost, biggest, *averages, stats.deaths_within_20s_after_uber, stats.deaths_with_95_99_uber)
