"""Which failed runs are made good: what had failed is materialized since, or its job has succeeded since.

Checks and freshness tell themselves when they pass (`dagster_events`), and so do services.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from stats_assets.notifications.incidents import Incident, Passed


def made_good(instance: dg.DagsterInstance, open_incidents: Sequence[Incident], now: datetime) -> list[Passed]:
    """The things of open incidents of kind run that are right again."""
    by_asset: defaultdict[str, list[Incident]] = defaultdict(list)
    passed = []
    for incident in open_incidents:
        if incident.thing.kind != "run":
            continue
        if incident.thing.asset is not None:
            by_asset[incident.thing.asset].append(incident)
        elif (event_id := _success_after(instance, incident)) is not None:
            passed.append(Passed(incident.thing, now, event_id))
    for asset, incidents in by_asset.items():
        made = _latest_materializations(instance, dg.AssetKey(asset.split("/")), incidents)
        passed += [
            Passed(incident.thing, now, made[incident.thing.partition])
            for incident in incidents
            if made.get(incident.thing.partition, 0) > incident.event_id
        ]
    return passed


def _latest_materializations(
    instance: dg.DagsterInstance, key: dg.AssetKey, incidents: Sequence[Incident]
) -> dict[str, int]:
    """The storage id of the newest materialization by Dagster partition, "" for the asset as a whole."""
    made: dict[str, int] = {}
    partitions = {incident.thing.partition for incident in incidents} - {""}
    if partitions:
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        made.update(instance.get_latest_storage_id_by_partition(key, kind, partitions=partitions))
    for record in instance.get_asset_records([key]):
        latest = record.asset_entry.last_materialization_record
        made[""] = latest.storage_id if latest else 0
        if latest and latest.partition_key is None:
            # It has no partitions: its run was of some because others of the run have them.
            made.update(dict.fromkeys(partitions, latest.storage_id))
    return made


def _success_after(instance: dg.DagsterInstance, incident: Incident) -> int | None:
    """The place at which the job's newest success ended, if after the failure; whatever its Dagster partition."""
    wanted = dg.RunsFilter(job_name=incident.thing.subject, statuses=[dg.DagsterRunStatus.SUCCESS])
    for run in instance.get_run_records(wanted, limit=1):
        ends = instance.get_records_for_run(run.dagster_run.run_id, of_type=dg.DagsterEventType.RUN_SUCCESS).records
        if ends and ends[-1].storage_id > incident.event_id:
            return ends[-1].storage_id
    return None
