"""Which page of docs/runbooks tells what to do: a page per kind of failure, and one per room for its checks.

Pages are named as in the repository, e.g. `docs/runbooks/log_sync.md#every_expected_host_delivered`.
"""

from __future__ import annotations

from collections.abc import Iterable

FOLDER = "docs/runbooks"

WORKER_DIED = "worker-died"
UNEXPECTED = "unexpected-error"
FAILED_DAYS = "failed-days"
STALE = "stale-asset"
SILENT = "silent-service"
DATABASE_AWAY = "database-away"

# The page by the class of an error. A step that fails for several of its days raises Dagster's own Failure.
BY_ERROR = {
    "SourceAway": "source-away",
    "FeedAway": "source-away",
    "Interrupted": "source-away",
    "ProgramFailed": "backups",
    "ConfigurationMistake": "configuration-mistake",
    "SourceRefused": "configuration-mistake",
    "OurDiskTrouble": "disk-full",
    "DamagedCopy": "damaged-copy",
    "BackupDamaged": "backups",
    "OurMistake": "our-mistake",
    "UncountableWeek": "our-mistake",
    "IncomparableDay": "our-mistake",
    "SealedWeekDiffers": "our-mistake",
    "OutOfOrder": "our-mistake",
    "NotThere": "our-mistake",
    "Retired": "our-mistake",
    "Failure": FAILED_DAYS,
}
ALL_PAGES = {*BY_ERROR.values(), WORKER_DIED, UNEXPECTED, STALE, SILENT, DATABASE_AWAY}


def page_of_errors(names: Iterable[str]) -> str:
    """The page for the errors of a failed run, their classes in the order of `run_reasons.error_names`."""
    known = list(names)
    if not known:
        return page(WORKER_DIED)
    return page(next((BY_ERROR[name] for name in known if name in BY_ERROR), UNEXPECTED))


def page_of_check(asset: str, check: str) -> str:
    """The place where a check is explained: the page of its room. Checks per table share the part before the `__`."""
    return f"{page(asset.partition('/')[0])}#{check.partition('__')[0]}"


def page(name: str) -> str:
    return f"{FOLDER}/{name}.md"
