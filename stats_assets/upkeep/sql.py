"""The statements of the room: on Dagster's own tables, whose shape is that of the pinned Dagster, and on ours."""

from __future__ import annotations

_FINISHED = "('SUCCESS', 'FAILURE', 'CANCELED')"

# The runs by which Dagster knows what is materialized: of each partition the newest, and of each asset.
# idx_events_by_asset_partition gives them in order. Also those whose backfill still looks at its runs.
KEEPERS = """
CREATE TEMPORARY TABLE keepers ON COMMIT DROP AS
SELECT DISTINCT run_id FROM (
    SELECT DISTINCT ON (asset_key, partition) run_id
    FROM event_logs
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key IS NOT NULL
    ORDER BY asset_key, partition, id DESC
) newest
"""

# By end_time, which is in Unix seconds; a run that never started has none.
OLD_RUNS = f"""
SELECT r.run_id FROM runs r
WHERE r.status IN {_FINISHED}
  AND coalesce(r.end_time, extract(epoch FROM r.update_timestamp))
      < CASE WHEN r.status = 'SUCCESS' THEN %(runs_before)s ELSE %(failed_before)s END
  AND NOT EXISTS (SELECT FROM keepers k WHERE k.run_id = r.run_id)
  AND NOT EXISTS (SELECT FROM bulk_actions b WHERE b.key = r.backfill_id
                  AND b.status IN ('REQUESTED', 'CANCELING', 'FAILING', 'COMPLETING'))
ORDER BY r.id LIMIT %(portion)s
"""  # noqa: S608 - a constant of ours
# Kept runs that still have events that nothing rests on.
OLD_KEEPERS = f"""
SELECT r.run_id FROM runs r JOIN keepers k USING (run_id)
WHERE r.status IN {_FINISHED} AND r.end_time < %(events_before)s
  AND EXISTS (SELECT FROM event_logs e WHERE e.run_id = r.run_id AND e.dagster_event_type = 'STEP_START')
ORDER BY r.id LIMIT %(portion)s
"""  # noqa: S608 - a constant of ours

DELETE_EVENT_TAGS = """
DELETE FROM asset_event_tags t USING event_logs e WHERE t.event_id = e.id AND e.run_id = ANY(%(runs)s)
"""
DELETE_EVENTS = "DELETE FROM event_logs WHERE run_id = ANY(%(runs)s)"
# The newest result of a check stays: the UI shows it by this row alone.
DELETE_CHECKS = """
DELETE FROM asset_check_executions c
WHERE run_id = ANY(%(runs)s)
  AND EXISTS (SELECT FROM asset_check_executions later
              WHERE later.asset_key = c.asset_key AND later.check_name = c.check_name AND later.id > c.id)
"""
DELETE_RUN_TAGS = "DELETE FROM run_tags WHERE run_id = ANY(%(runs)s)"
DELETE_RUNS = "DELETE FROM runs WHERE run_id = ANY(%(runs)s)"

# Of a kept run stay: beginning and end; materializations that are the newest of their partition; observations; and
# the plan to make a partition that was not made since, by which Dagster shows it as failed.
_RESTS_ON_NOTHING = """
    e.run_id = ANY(%(runs)s)
    AND coalesce(e.dagster_event_type, '') NOT IN
        ('PIPELINE_START', 'PIPELINE_SUCCESS', 'PIPELINE_FAILURE', 'PIPELINE_CANCELED', 'ASSET_OBSERVATION',
         'STEP_FAILURE')
    AND (coalesce(e.dagster_event_type, '') NOT IN ('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED')
         OR EXISTS (SELECT FROM event_logs later
                    WHERE later.asset_key = e.asset_key AND later.dagster_event_type = 'ASSET_MATERIALIZATION'
                      AND later.partition IS NOT DISTINCT FROM e.partition AND later.id > e.id))
"""
EMPTY_EVENT_TAGS = f"DELETE FROM asset_event_tags t USING event_logs e WHERE t.event_id = e.id AND {_RESTS_ON_NOTHING}"  # noqa: S608 - constants of ours
EMPTY_EVENTS = f"DELETE FROM event_logs e WHERE {_RESTS_ON_NOTHING}"  # noqa: S608 - a constant of ours

# Freshness states have no run. The newest of each asset says how it is now.
DELETE_FRESHNESS = """
DELETE FROM event_logs e
WHERE e.dagster_event_type = 'FRESHNESS_STATE_CHANGE' AND e.timestamp < %(at_before)s
  AND EXISTS (SELECT FROM event_logs later
              WHERE later.asset_key = e.asset_key AND later.dagster_event_type = 'FRESHNESS_STATE_CHANGE'
                AND later.id > e.id)
"""

REFERENCED_JOBS = "SELECT DISTINCT snapshot_id FROM runs WHERE snapshot_id IS NOT NULL"
# Jobs and execution plans no run refers to; a run names its job in a column, its plan in its body.
DELETE_SNAPSHOTS = """
DELETE FROM snapshots s
WHERE s.snapshot_id <> ALL(%(parents)s)
  AND NOT EXISTS (SELECT FROM runs r WHERE r.snapshot_id = s.snapshot_id)
  AND s.snapshot_id NOT IN (
      SELECT run_body::json ->> 'execution_plan_snapshot_id' FROM runs
      WHERE run_body::json ->> 'execution_plan_snapshot_id' IS NOT NULL)
"""
OLD_BACKFILLS = """
SELECT b.key FROM bulk_actions b
WHERE b.status IN ('COMPLETED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED', 'FAILED', 'CANCELED')
  AND b.timestamp < %(at_before)s AND NOT EXISTS (SELECT FROM runs r WHERE r.backfill_id = b.key)
LIMIT %(portion)s
"""
DELETE_BACKFILL_TAGS = "DELETE FROM backfill_tags WHERE backfill_id = ANY(%(backfills)s)"
DELETE_BACKFILLS = "DELETE FROM bulk_actions WHERE key = ANY(%(backfills)s)"
DELETE_TICKS = "DELETE FROM job_ticks WHERE timestamp < %(at_before)s"

UNFINISHED_RUNS = f"SELECT run_id FROM runs WHERE status NOT IN {_FINISHED}"  # noqa: S608 - a constant of ours

# reltuples is an estimate that autovacuum keeps; -1 before the first time.
SIZES = """
SELECT c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = (
    SELECT schemaname FROM pg_tables WHERE tablename = 'event_logs' AND schemaname = ANY(current_schemas(false)))
ORDER BY c.relname
"""

DELETE_SIZES = "DELETE FROM upkeep.instance_sizes WHERE day = %(day)s"
INSERT_SIZE = """
INSERT INTO upkeep.instance_sizes (day, part, rows, bytes, measured_at)
VALUES (%(day)s, %(part)s, %(rows)s, %(bytes)s, %(measured_at)s)
"""
SIZES_BY_DAY = """
SELECT part, day, bytes FROM upkeep.instance_sizes WHERE day > %(day)s - 366 ORDER BY part, day
"""
INSERT_PRUNING = """
INSERT INTO upkeep.prunings
    (pruned_at, runs, emptied_runs, event_rows, snapshots, backfills, ticks, compute_logs, seconds)
VALUES (%(pruned_at)s, %(runs)s, %(emptied_runs)s, %(event_rows)s, %(snapshots)s, %(backfills)s, %(ticks)s,
        %(compute_logs)s, %(seconds)s)
"""
