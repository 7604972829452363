"""One load as a process of its own, so that starting Python and importing count: DSN, file, day, policy."""

from __future__ import annotations

import hashlib
import sys
from datetime import date
from pathlib import Path

from stats_assets.countme.config import CountmeConfig
from stats_assets.countme.load import DayLoader
from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase

SITE = "mirrors.fedoraproject.org"
_REGISTER = """
INSERT INTO log_sync.files (day, host, site, state, source_url, archive_name, sha256, fetched_at, checked_at, attempts)
VALUES (%(day)s, 'proxy01', %(site)s, 'fetched', 'file:', %(name)s, %(sha256)s, now(), now(), 1)
ON CONFLICT (day, host, site) DO NOTHING
"""


def main(dsn: str, file: Path, day: date, policy: str) -> None:
    database, archive = StatsDatabase(dsn=dsn), Archive(url=str(file.parent))
    # The checksum of the name stands for that of the contents: verifying is log_sync's work, measured there.
    row = {"day": day, "site": SITE, "name": file.name, "sha256": hashlib.sha256(file.name.encode()).hexdigest()}
    with database.transaction() as cursor:
        cursor.execute(_REGISTER, row)
    config = CountmeConfig.model_validate({"site": SITE, "policy": policy, "first_day": day})
    DayLoader(database, archive, config).replace_day(day)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), date.fromisoformat(sys.argv[3]), sys.argv[4])
