"""Bans: what a banned player uploads is kept, but not counted."""

from __future__ import annotations

from stats_assets.shared.failures import ConfigurationMistake
from stats_assets.shared.postgres import StatsDatabase
from stats_assets.trends import sql
from stats_assets.trends.load import Importer, ImportReport
from stats_assets.trends.redrive import stored_logs
from stats_assets.trends.steamids import steamid64


def ban(database: StatsDatabase, player: str, reason: str) -> ImportReport:
    """Bans a player, given by a Steam id in any spelling; the logs they uploaded leave every count.

    Raises ConfigurationMistake when it is nobody's id. Running it again is safe.
    """
    return _judge(database, player, reason)


def unban(database: StatsDatabase, player: str) -> ImportReport:
    """Lifts a ban; the logs count again."""
    return _judge(database, player, None)


def _judge(database: StatsDatabase, player: str, reason: str | None) -> ImportReport:
    found = steamid64(player)
    if found is None:
        raise ConfigurationMistake(f"{player!r} is no player's Steam id; write [U:1:N], STEAM_0:Y:Z or the long number")
    with database.transaction() as cursor:
        cursor.execute(sql.SET_BAN, {"steamid64": found, "reason": reason})
        cursor.execute(sql.LOGIDS_OF_UPLOADER, {"steamid64": found})
        logids = [logid for (logid,) in cursor.fetchall()]
    return Importer(database).import_logs(stored_logs(database, logids), force=True)
