"""The silver tables: which columns a parsed log gives, of which kind, in which order. Listed here once.

`logid` and `day` stand before the columns of every table; rows of the parser do not repeat them.
What the columns mean is told in `columns.py`, the tables themselves are made in the migrations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, LiteralString

Kind = Literal["int", "bigint", "smallint", "real", "text", "enum", "boolean", "timestamptz"]

CLASSES: tuple[LiteralString, ...] = (
    "scout",
    "soldier",
    "pyro",
    "demoman",
    "heavyweapons",
    "engineer",
    "medic",
    "sniper",
    "spy",
)
EVENTS = {"kill": "classkills", "death": "classdeaths", "assist": "classkillassists"}


@dataclass(frozen=True)
class Column:
    """A column and whether it may be NULL."""

    name: str
    kind: Kind
    is_nullable: bool


@dataclass(frozen=True)
class Table:
    """A silver table of the room: its columns after logid and day, and which of them name a row of a log."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def _table(name: str, key: str, *groups: str) -> Table:
    """Groups are `kind: column column ...`; a column that may be NULL ends in `?`."""
    columns = []
    for group in groups:
        kind, names = group.split(":")
        columns += [Column(word.rstrip("?"), kind, word.endswith("?")) for word in names.split()]  # type: ignore[arg-type]
    return Table(name, tuple(key.split()), tuple(columns))


GAMES = _table(
    "games",
    "",
    "timestamptz: uploaded_at",
    "text: title map",
    "int: duration_seconds red_score blue_score",
    "enum: format?",
    "boolean: is_ad_scoring? is_counted",
    "bigint: uploader_steamid64?",
    "text: uploader_name?",
    "smallint: json_version",
)
ROUNDS = _table(
    "rounds",
    "seq",
    "smallint: seq",
    "int: duration_seconds",
    "timestamptz: started_at",
    "enum: winner? firstcap?",
    "int: red_score blue_score red_kills? blue_kills? red_dmg? blue_dmg? red_ubers? blue_ubers?",
)
PLAYER_STATS = _table(
    "player_stats",
    "steamid64",
    "bigint: steamid64",
    "text: name?",
    "enum: team",
    "int: kills assists deaths dmg dt? wins losses ties",
    "enum: primary_class?",
    "int: shots? hits? hsg? hsr?",
)
PLAYER_STATS_EXTRA = _table(
    "player_stats_extra",
    "steamid64",
    "bigint: steamid64",
    "int: suicides? dmg_real? dt_real? hr? lks airshots? medkits? medkits_hp? backstabs? headshots? headshots_hit?"
    " sentries? healing? cpc? ic? mks?",
)
CLASS_STATS = _table(
    "class_stats",
    "steamid64 class",
    "bigint: steamid64",
    "enum: class",
    "int: kills assists deaths dmg duration_seconds shots? hits?",
)
WEAPON_STATS = _table(
    "weapon_stats",
    "steamid64 class weaponid",
    "bigint: steamid64",
    "enum: class",
    "int: weaponid kills dmg?",  # of the weapon the parser gives the name, the loader its id
    "real: avg_dmg?",
    "int: shots? hits?",
)
HEAL_STATS = _table("heal_stats", "healer healee", "bigint: healer healee", "int: healing")
MEDIC_STATS = _table(
    "medic_stats",
    "steamid64",
    "bigint: steamid64",
    "int: ubers medigun_ubers? kritz_ubers? other_ubers? drops advantages_lost? biggest_advantage_lost?",
    "real: avg_time_before_healing? avg_time_before_using? avg_time_to_build? avg_uber_duration?",
    "int: deaths_after_uber? deaths_before_uber?",
)
EVENT_STATS = _table("event_stats", "steamid64 event", "bigint: steamid64", "enum: event", f"int: {' '.join(CLASSES)}")
KILLSTREAKS = _table("killstreaks", "steamid64 time_seconds", "bigint: steamid64", "int: time_seconds kills")
CHAT = _table("chat", "seq", "smallint: seq", "bigint: steamid64?", "text: msg")

# Every table that holds rows of logs, in the order they are loaded.
SILVER = (
    GAMES,
    ROUNDS,
    PLAYER_STATS,
    PLAYER_STATS_EXTRA,
    CLASS_STATS,
    WEAPON_STATS,
    HEAL_STATS,
    MEDIC_STATS,
    EVENT_STATS,
    KILLSTREAKS,
    CHAT,
)
