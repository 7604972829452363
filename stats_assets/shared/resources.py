"""What assets, checks and sensors are handed by Dagster: made from configuration when a run begins.

The values themselves (`StatsDatabase`, `Archive`) know nothing of Dagster; functions take them as
`dg.ResourceParam[StatsDatabase]`, and tests hand them over as they are.
"""

from __future__ import annotations

import dagster as dg

from stats_assets.shared.archive import Archive
from stats_assets.shared.postgres import StatsDatabase


class DatabaseResource(dg.ConfigurableResource[StatsDatabase]):
    """The data database; `dsn` is a libpq connection string, best given as an EnvVar."""

    dsn: str

    def create_resource(self, context: dg.InitResourceContext) -> StatsDatabase:
        return StatsDatabase(self.dsn)


class ArchiveResource(dg.ConfigurableResource[Archive]):
    """Where files are kept: a folder or an fsspec URL."""

    url: str

    def create_resource(self, context: dg.InitResourceContext) -> Archive:
        return Archive(self.url)
