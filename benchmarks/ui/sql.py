"""Copies of runs with their tags and events: other ids, and times up to a year back."""

CHOOSE_COPIES = """
CREATE TEMPORARY TABLE copies ON COMMIT DROP AS
SELECT run_id AS old, gen_random_uuid()::text AS new, interval '1 year' * (n::float8 / %(runs)s) AS ago
FROM (SELECT run_id, row_number() OVER (ORDER BY n, id) AS n
      FROM runs, generate_series(1, %(runs)s) n WHERE status IN ('SUCCESS', 'FAILURE')) chosen
WHERE n <= %(runs)s - (SELECT count(*) FROM runs)
"""
COPY_RUNS = """
INSERT INTO runs (run_id, snapshot_id, pipeline_name, status, run_body, partition, partition_set,
                  create_timestamp, update_timestamp, start_time, end_time)
SELECT new, snapshot_id, pipeline_name, status, replace(run_body, old, new), partition, partition_set,
       create_timestamp - ago, update_timestamp - ago,
       start_time - extract(epoch FROM ago), end_time - extract(epoch FROM ago)
FROM runs JOIN copies ON run_id = old
"""
COPY_TAGS = "INSERT INTO run_tags (run_id, key, value) SELECT new, key, value FROM run_tags JOIN copies ON run_id = old"
COPY_EVENTS = """
INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition)
SELECT new, replace(event, old, new), dagster_event_type, timestamp - ago, step_key, asset_key, partition
FROM event_logs JOIN copies ON run_id = old ORDER BY ago DESC, id
"""
COUNT_RUNS = "SELECT count(*) FROM runs"
