"""Weapons' names for people and their slots: from the game's items_game.txt, and ours for what is no item there.

Logs name a weapon as the game server does when it kills: by the item's `item_logname`, else by its class without
`tf_weapon_`; projectiles, buildings, taunts and the world by names of the engine, which `weapon_names.csv` lists.
The file is Valve's KeyValues text: https://developer.valvesoftware.com/wiki/KeyValues
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from stats_assets.shared.failures import ConfigurationMistake

_PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}])|//[^\n]*|(\[[^\]\n]*\])|([^\s{}"]+)')
_MAX_DEPTH = 50
_CLASS = "tf_weapon_"
# Of one weapon in other clothes: the plain one has named it.
_VARIANT = re.compile(r"^(Upgradeable|Festive|Promo|.* Botkiller|Deflector|Concealed)\b", re.IGNORECASE)

KeyValues = dict[str, Any]


@dataclass(frozen=True)
class WeaponName:
    """What people call a weapon, and where it is carried; None where the game does not tell."""

    name: str
    slot: str | None


def listed_names() -> dict[str, WeaponName]:
    """By the name in the logs: what comes with this package."""
    text = (files("stats_assets.trends") / "weapon_names.csv").read_text(encoding="utf-8")
    return {row["weapon"]: WeaponName(row["name"], row["slot"]) for row in csv.DictReader(text.splitlines())}


def names_of_items(text: str) -> dict[str, WeaponName]:
    """By the name in the logs: the weapons of an items_game.txt; of several under one log name the oldest.

    Raises ConfigurationMistake when the text is none.
    """
    game = _key_values(text).get("items_game")
    if not isinstance(game, dict) or not isinstance(game.get("items"), dict):
        raise _not_it("it has no section items_game with items")
    prefabs = game.get("prefabs", {})
    found: dict[str, WeaponName] = {}
    for number, item in sorted(game["items"].items(), key=lambda pair: (len(pair[0]), pair[0])):
        if number.isdigit() and isinstance(item, dict):
            whole = _with_prefabs(item, prefabs)
            weapon = _log_name(whole)
            name = whole.get("name", "")
            if weapon and name and not _VARIANT.match(name):
                found.setdefault(weapon, WeaponName(_for_people(name), whole.get("item_slot")))
    return found


def _log_name(item: Mapping[str, str]) -> str | None:
    item_class = item.get("item_class", "")
    if not item_class.startswith(_CLASS) and "item_logname" not in item:
        return None
    return item.get("item_logname") or item_class.removeprefix(_CLASS)


def _for_people(name: str) -> str:
    """`The Sandman` without its article; of stock weapons, which have only a class there, the class in words."""
    if name.upper().startswith(_CLASS.upper()):
        return name[len(_CLASS) :].replace("_", " ").title()
    return name.removeprefix("The ")


def _with_prefabs(item: KeyValues, prefabs: Mapping[str, Any], depth: int = 0) -> dict[str, str]:
    """The texts of an item; what it does not say itself its prefabs say, the first before the second."""
    own = {key: value for key, value in item.items() if isinstance(value, str)}
    if depth < _MAX_DEPTH:  # a prefab that names itself has no end
        for name in own.get("prefab", "").split():
            prefab = prefabs.get(name)
            if isinstance(prefab, dict):
                own = {**_with_prefabs(prefab, prefabs, depth + 1), **own}
    return own


def _key_values(text: str) -> KeyValues:
    pieces = _pieces(text)
    found = _block(pieces, 0)
    if next(pieces, None) is not None:
        raise _not_it("a brace closes that was not open")
    return found


def _pieces(text: str) -> Iterator[str]:
    r"""Braces as they are, texts with a `"` before them; without comments and conditions such as [$X360]."""
    for match in _PIECE.finditer(text):
        quoted, brace, _, bare = match.groups()
        if brace:
            yield brace
        elif quoted is not None or bare is not None:
            yield '"' + (quoted if quoted is not None else bare)


def _block(pieces: Iterator[str], depth: int) -> KeyValues:
    """Pairs up to the closing brace, or at depth 0 to the end; of a section that comes twice both parts."""
    found: KeyValues = {}
    if depth > _MAX_DEPTH:
        raise _not_it(f"braces are nested more than {_MAX_DEPTH} deep")
    for piece in pieces:
        if piece == "}" and depth:
            return found
        value = next(pieces, "}")
        if piece in "{}" or value == "}":
            raise _not_it(f"a key and its value are wanted, not {piece:.80}")
        key = piece[1:]
        if value == "{":
            inner, before = _block(pieces, depth + 1), found.get(key)
            found[key] = {**before, **inner} if isinstance(before, dict) else inner
        else:
            found[key] = value[1:]
    if depth:
        raise _not_it("it is cut off: a brace is not closed")
    return found


def _not_it(why: str) -> ConfigurationMistake:
    return ConfigurationMistake(f"this is no items_game.txt: {why}")
