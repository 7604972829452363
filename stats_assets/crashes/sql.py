"""The room's statements for inputs, versions and state. Windows are half-open and UTC; tables are in the migrations.

What is counted is in `aggregate_sql`, what is exported in `export_sql`.
"""

# --- inputs --------------------------------------------------------------------------------------------------

DELETE_INSTALLS = "DELETE FROM crashes.active_daily_installs WHERE day = %(day)s"
DELETE_REPORTS = "DELETE FROM crashes.reports WHERE processed_at >= %(start)s AND processed_at < %(end)s"
DELETE_PRIVATE = "DELETE FROM crashes.reports_private WHERE processed_at >= %(start)s AND processed_at < %(end)s"
DELETE_RAW_CRASHES = "DELETE FROM crashes.raw_crashes WHERE processed_at >= %(start)s AND processed_at < %(end)s"
DELETE_QUARANTINE = "DELETE FROM crashes.quarantine WHERE input = %(input)s AND day = %(day)s"

KEEP_INPUT_DAY = """
INSERT INTO crashes.input_days (input, day, read_count, row_count, quarantined, unknown_product, oldest_at, newest_at,
                                feed_bytes, feed_version, loaded_at)
VALUES (%(input)s, %(day)s, %(read_count)s, %(row_count)s, %(quarantined)s, %(unknown_product)s, %(oldest_at)s,
        %(newest_at)s, %(feed_bytes)s, %(feed_version)s, clock_timestamp())
ON CONFLICT (input, day) DO UPDATE
SET read_count = excluded.read_count, row_count = excluded.row_count, quarantined = excluded.quarantined,
    unknown_product = excluded.unknown_product, oldest_at = excluded.oldest_at, newest_at = excluded.newest_at,
    feed_bytes = excluded.feed_bytes, feed_version = excluded.feed_version, loaded_at = excluded.loaded_at
"""

SPANS = {
    "active_daily_installs": "SELECT NULL::timestamptz, NULL::timestamptz",
    "reports": """
        SELECT min(processed_at), max(processed_at) FROM crashes.reports
        WHERE processed_at >= %(start)s AND processed_at < %(end)s""",
    "raw_crashes": """
        SELECT min(processed_at), max(processed_at) FROM crashes.raw_crashes
        WHERE processed_at >= %(start)s AND processed_at < %(end)s""",
}

# How many rows a day was loaded with, and how many are there: fewer, once they were retired.
INPUT_DAY = "SELECT row_count FROM crashes.input_days WHERE input = %(input)s AND day = %(day)s"
COUNT_ROWS = {
    "active_daily_installs": "SELECT count(*) FROM crashes.active_daily_installs WHERE day = %(day)s",
    "reports": """
        SELECT count(*) FROM crashes.reports WHERE processed_at >= %(start)s AND processed_at < %(end)s""",
    "raw_crashes": """
        SELECT count(*) FROM crashes.raw_crashes WHERE processed_at >= %(start)s AND processed_at < %(end)s""",
}

LOADED_FEEDS = """
SELECT input, day, feed_version FROM crashes.input_days WHERE day >= %(first_day)s AND day <= %(last_day)s
"""

# --- versions and maps ---------------------------------------------------------------------------------------

DELETE_VERSIONS = "DELETE FROM crashes.product_versions"
DELETE_MAPS = """
DELETE FROM crashes.crash_types;
DELETE FROM crashes.operating_systems;
DELETE FROM crashes.throttles;
DELETE FROM crashes.uptime_levels;
"""
KEEP_RELEASE_FEED = """
INSERT INTO crashes.release_feed (maps_version, loaded_at) VALUES (%(maps_version)s, clock_timestamp())
ON CONFLICT (is_only) DO UPDATE SET maps_version = excluded.maps_version, loaded_at = excluded.loaded_at
"""
VERSIONS_ARE_KNOWN = "SELECT EXISTS (SELECT FROM crashes.release_feed)"

# --- duplicates ----------------------------------------------------------------------------------------------

DELETE_DUPLICATES = """
DELETE FROM crashes.duplicates WHERE processed_at >= %(verdicts_from)s AND processed_at < %(verdicts_to)s
"""

# Windows of an hour, both ends included, begin every half hour. In each, the reports with the same attributes have
# a leader, the first by the client's clock; another is its duplicate when the process and the installation began
# at the same time as the leader's, to 60 s. The first window that shows a report as leader or duplicate decides.
# What is read reaches an hour beyond what is written, so that every window is whole.
ADD_DUPLICATES = """
WITH near AS (
    SELECT processed_at, uuid, client_crash_at, uptime_seconds, install_age_seconds, attributes
    FROM crashes.reports
    WHERE processed_at >= %(read_from)s AND processed_at < %(read_to)s
), repeated AS (
    SELECT attributes FROM near GROUP BY attributes HAVING count(*) > 1
), placed AS (
    SELECT n.processed_at, n.uuid, n.client_crash_at, n.uptime_seconds, n.install_age_seconds, n.attributes, w.window_at
    FROM near n JOIN repeated USING (attributes)
    CROSS JOIN LATERAL (
        SELECT date_bin('30 minutes', n.processed_at, timestamptz '2000-01-01 00:00:00+00')
               - back * interval '30 minutes' AS window_at
        FROM generate_series(0, 2) AS back
    ) AS w
    WHERE n.processed_at <= w.window_at + interval '1 hour'
), led AS (
    SELECT p.*,
           first_value(uuid) OVER of_window AS leader,
           client_crash_at - first_value(client_crash_at) OVER of_window AS later,
           first_value(uptime_seconds) OVER of_window AS leader_uptime,
           first_value(install_age_seconds) OVER of_window AS leader_age
    FROM placed p
    WINDOW of_window AS (PARTITION BY window_at, attributes ORDER BY client_crash_at, uuid)
), found AS (
    SELECT processed_at, uuid, leader, window_at
    FROM led
    WHERE uuid <> leader
      AND (uptime_seconds < 60 OR uptime_seconds IS NULL OR leader_uptime IS NULL
           OR (uptime_seconds >= 0 AND leader_uptime >= 0
               AND later - (uptime_seconds - leader_uptime) * interval '1 second'
                   BETWEEN interval '-60 seconds' AND interval '60 seconds'))
      AND (install_age_seconds IS NULL OR leader_age IS NULL
           OR (install_age_seconds >= 0 AND leader_age >= 0
               AND later - (install_age_seconds - leader_age) * interval '1 second'
                   BETWEEN interval '-60 seconds' AND interval '60 seconds'))
), shown AS (
    SELECT processed_at, uuid, leader AS duplicate_of, window_at FROM found
    UNION
    SELECT l.processed_at, l.uuid, l.uuid, l.window_at
    FROM led l JOIN found f ON f.leader = l.uuid AND f.window_at = l.window_at
)
INSERT INTO crashes.duplicates (processed_at, uuid, duplicate_of, window_at)
SELECT DISTINCT ON (processed_at, uuid) processed_at, uuid, duplicate_of, window_at
FROM shown
WHERE processed_at >= %(verdicts_from)s AND processed_at < %(verdicts_to)s
ORDER BY processed_at, uuid, window_at
"""

COUNT_DUPLICATES = """
SELECT (SELECT count(*) FROM crashes.reports WHERE processed_at >= %(start)s AND processed_at < %(end)s),
       count(*) FILTER (WHERE uuid <> duplicate_of), count(*) FILTER (WHERE uuid = duplicate_of)
FROM crashes.duplicates WHERE processed_at >= %(start)s AND processed_at < %(end)s
"""

# --- state of the aggregates ---------------------------------------------------------------------------------

KEEP_AGGREGATE_DAY = """
INSERT INTO crashes.aggregate_days (aggregate, day, inputs, row_count, computed_at)
VALUES (%(aggregate)s, %(day)s, %(inputs)s, %(row_count)s, clock_timestamp())
ON CONFLICT (aggregate, day) DO UPDATE
SET inputs = excluded.inputs, row_count = excluded.row_count, computed_at = excluded.computed_at
"""

# From what a day is made: when its inputs were loaded, by which maps, and the versions and builds there were by then.
# Later ones, which every day brings, change nothing of the day.
DAY_INPUTS = """
SELECT md5(concat_ws(';',
    (SELECT string_agg(input || ' ' || feed_version || ' ' || loaded_at, ',' ORDER BY input)
     FROM crashes.input_days WHERE day = %(day)s AND input = ANY(%(inputs)s)),
    (SELECT maps_version FROM crashes.release_feed),
    (SELECT md5(string_agg(v::text, ',' ORDER BY v.product_name, v.version_string, v.channel))
     FROM crashes.product_versions v WHERE build_date <= %(day)s),
    (SELECT md5(string_agg(b::text, ',' ORDER BY b.product_name, b.version_string, b.channel, b.build_id, b.platform,
                           b.repository))
     FROM crashes.product_version_builds b WHERE left(build_id::text, 8) <= to_char(%(day)s::date, 'YYYYMMDD'))
))
"""

AGGREGATE_DAY = "SELECT inputs FROM crashes.aggregate_days WHERE aggregate = %(aggregate)s AND day = %(day)s"
AGGREGATES_OF_DAY = "SELECT aggregate, inputs FROM crashes.aggregate_days WHERE day = %(day)s"
