"""Gives weapons that logs named their names for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import fsspec

from stats_assets.shared.failures import ConfigurationMistake, SourceAway, first_line
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import sql
from stats_assets.trends.weapon_names import WeaponName, listed_names, names_of_items

_MAX_ITEMS_BYTES = 64 * 1024 * 1024  # the game's own has 7 MB


@dataclass(frozen=True)
class Named:
    """What a naming did."""

    named: int  # names or slots that are new or changed
    unnamed: list[str]  # weapons of logs that nobody has a name for


def name_weapons(database: StatsDatabase, items: str | None) -> Named:
    """Names the weapons by `items`, the path or URL of an items_game.txt, and by the list of this package.

    What the package lists goes first: it was written by people. Weapons nobody has a name for stay as they are.
    """
    names = {**(names_of_items(_read(items)) if items else {}), **listed_names()}
    with database.transaction() as cursor:
        cursor.execute(sql.NAME_WEAPONS, _columns(names))
        named = cursor.rowcount
        cursor.execute(sql.UNNAMED_WEAPONS)
        unnamed = [weapon for (weapon,) in cursor.fetchall()]
    return Named(named, unnamed)


def _columns(names: Mapping[str, WeaponName]) -> dict[str, list[str | None]]:
    return {
        "weapons": list(names),
        "names": [each.name for each in names.values()],
        "slots": [each.slot for each in names.values()],
    }


def _read(items: str) -> str:
    try:
        with fsspec.open(items, "rb") as file:
            data = file.read(_MAX_ITEMS_BYTES + 1)  # type: ignore[union-attr]
    except FileNotFoundError as error:
        raise ConfigurationMistake(f"trends.items_game: {items} is not there") from error
    except OSError as error:
        raise SourceAway(f"trends.items_game: {items}: {first_line(error)}") from error
    if len(data) > _MAX_ITEMS_BYTES:
        raise ConfigurationMistake(f"trends.items_game: {items} has more than {_MAX_ITEMS_BYTES >> 20} MiB")
    return data.decode("utf-8", "replace").replace("\0", "")
