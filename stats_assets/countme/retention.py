"""What is destroyed in time: the keys of finished weeks' address hashes, and old samples of rejected lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from stats_assets.countme import sql
from stats_assets.countme.config import CountmeConfig
from stats_assets.shared.postgres import StatsDatabase, one_row


@dataclass(frozen=True)
class DestroyedKeys:
    """The weeks whose keys are gone now; how many keys are left, and the oldest week that has one."""

    weeks: list[date]
    left: int
    oldest_left: date | None


def destroy_week_keys(database: StatsDatabase, config: CountmeConfig, now: datetime) -> DestroyedKeys:
    """Destroys the keys of weeks that are final for every site for long enough; none if addresses are kept.

    Nobody can tell any more, then, whether an address is behind an address key of such a week. See `week_keys` for
    what happens when a day of it is loaded again.
    """
    counted_before = now - timedelta(days=config.keep_week_keys_days)
    with database.transaction() as cursor:
        weeks: list[date] = []
        if not config.keep_addresses:
            sites = [site.name for site in config.counted_sites]
            cursor.execute(sql.DESTROY_WEEK_KEYS, {"counted_before": counted_before, "sites": sites})
            weeks = sorted(week for (week,) in cursor.fetchall())
        cursor.execute(sql.WEEK_KEYS_LEFT)
        left, oldest_left = one_row(cursor)
    return DestroyedKeys(weeks, left, oldest_left)


@dataclass(frozen=True)
class DeletedSamples:
    """How many samples were deleted, and how many are left of each verdict."""

    deleted: int
    left: dict[str, int]


def delete_old_samples(database: StatsDatabase, config: CountmeConfig, now: datetime) -> DeletedSamples:
    """Deletes samples of rejected lines that were taken too long ago; the counts by verdict stay."""
    with database.transaction() as cursor:
        cursor.execute(sql.DELETE_OLD_SAMPLES, {"before": now - timedelta(days=config.keep_quarantine_days)})
        deleted = cursor.rowcount
        cursor.execute(sql.SAMPLES_LEFT)
        return DeletedSamples(deleted, dict(cursor.fetchall()))
