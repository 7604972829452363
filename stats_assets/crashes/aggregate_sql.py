"""The statements that count a day's installs and crash rates; those by signature are `signature_sql`.

Each adds the rows of one UTC day, [start, end), to one table.

Counted are crashes.clean_reports: completed, of a known version. A version is active from its build date to its
sunset date, both included, everywhere but in the summaries. Crashes and installs of a rapid beta count for the beta
and for its parent. The windows are found by the primary keys, which begin with the time or the day.
"""

# ruff: noqa: S608 - statements are put together from constants of this module only

# Crashes of active versions, each for its version and the rapid parent of that.
COUNTED = """
counted AS (
    SELECT uuid, product_name, channel, signature, process_type, crash_type, os_name, hang_id, uptime_seconds,
           build_id, build_date, version_string AS own_version, rapid_beta_parent,
           unnest(array_remove(ARRAY[version_string, rapid_beta_parent], NULL)) AS version_string
    FROM crashes.clean_reports
    WHERE processed_at >= %(start)s AND processed_at < %(end)s
      AND %(day)s BETWEEN version_build_date AND sunset_date
)"""

# Versions whose builds are counted one by one: nightly, aurora, and the rapid parents for their betas.
_COUNTED_BUILDS = """
counted_builds AS (
    SELECT DISTINCT v.product_name, coalesce(v.rapid_beta_parent, v.version_string) AS version_string, v.channel,
           v.version_string AS own_version, b.build_id
    FROM crashes.product_versions v JOIN crashes.product_version_builds b USING (product_name, version_string, channel)
    WHERE (v.channel IN ('nightly', 'aurora') OR v.rapid_beta_parent IS NOT NULL)
      AND %(day)s BETWEEN v.build_date AND v.sunset_date
)"""

# --- installs ------------------------------------------------------------------------------------------------

# A long-lived version is told from the feed's plain number by its channel; a beta by its build.
ADD_PRODUCT_ADU = """
WITH active AS (
    SELECT product_name, version_string, channel, release_version
    FROM crashes.product_versions
    WHERE %(day)s BETWEEN build_date AND sunset_date AND NOT is_rapid_beta
), beta_builds AS (
    SELECT DISTINCT product_name, version_string, build_id::text AS build
    FROM crashes.product_version_builds WHERE channel = 'beta'
), matched AS (
    SELECT a.product_name, a.version_string, a.channel, i.os_name, i.installs
    FROM active a JOIN crashes.active_daily_installs i
      ON i.day = %(day)s AND i.product = a.product_name AND i.channel = a.channel
     AND a.version_string = i.version || CASE WHEN a.channel = 'esr' THEN 'esr' ELSE '' END
    WHERE a.channel <> 'beta'
    UNION ALL
    SELECT a.product_name, a.version_string, a.channel, i.os_name, i.installs
    FROM active a
    JOIN beta_builds b USING (product_name, version_string)
    JOIN crashes.active_daily_installs i
      ON i.day = %(day)s AND i.product = a.product_name AND i.channel = 'beta'
     AND i.version = a.release_version AND i.build = b.build
    WHERE a.channel = 'beta'
)
INSERT INTO crashes.product_adu (day, product_name, version_string, channel, os_name, installs)
SELECT %(day)s, product_name, version_string, channel, os_name, sum(installs)
FROM matched
GROUP BY product_name, version_string, channel, os_name
"""

ADD_BUILD_ADU = f"""
WITH {_COUNTED_BUILDS}, young AS (
    SELECT product, version, build, build_date, channel, os_name, installs
    FROM crashes.active_daily_installs
    WHERE day = %(day)s AND build_date IS NOT NULL AND %(day)s <= build_date + 6
), matched AS (
    SELECT v.product_name, v.version_string, v.channel, y.build_date, y.os_name, y.installs
    FROM young y JOIN crashes.product_versions v
      ON v.product_name = y.product AND v.version_string = y.version AND v.channel = y.channel
    WHERE v.channel IN ('nightly', 'aurora') AND %(day)s BETWEEN v.build_date AND v.sunset_date
    UNION ALL
    SELECT b.product_name, b.version_string, b.channel, y.build_date, y.os_name, y.installs
    FROM young y JOIN counted_builds b
      ON b.product_name = y.product AND b.channel = y.channel AND b.build_id::text = y.build
    JOIN crashes.product_versions v
      ON v.product_name = b.product_name AND v.version_string = b.own_version AND v.channel = b.channel
     AND v.release_version = y.version
    WHERE b.channel = 'beta'
)
INSERT INTO crashes.build_adu (day, product_name, version_string, channel, build_date, os_name, installs)
SELECT %(day)s, product_name, version_string, channel, build_date, os_name, sum(installs)
FROM matched
GROUP BY product_name, version_string, channel, build_date, os_name
"""

# --- crashes -------------------------------------------------------------------------------------------------

# Every crash type of the maps beside every system with installs, and whatever else crashed.
ADD_CRASHES_BY_USER = f"""
WITH {COUNTED}, crashed AS (
    SELECT product_name, version_string, channel, os_name, crash_type, count(*) AS crashes
    FROM counted GROUP BY product_name, version_string, channel, os_name, crash_type
), installed AS (
    SELECT a.product_name, target.version_string, a.channel, a.os_name, sum(a.installs) AS installs
    FROM crashes.product_adu a JOIN crashes.product_versions v USING (product_name, version_string, channel)
    CROSS JOIN unnest(array_remove(ARRAY[v.version_string, v.rapid_beta_parent], NULL)) AS target(version_string)
    WHERE a.day = %(day)s
    GROUP BY a.product_name, target.version_string, a.channel, a.os_name
), expected AS (
    SELECT product_name, version_string, channel, os_name, crash_type
    FROM installed CROSS JOIN crashes.crash_types
    WHERE installs > 0
    UNION
    SELECT product_name, version_string, channel, os_name, crash_type FROM crashed
)
INSERT INTO crashes.crashes_by_user (day, product_name, version_string, channel, os_name, crash_type, crashes, installs)
SELECT %(day)s, product_name, version_string, channel, os_name, crash_type, coalesce(crashes, 0), coalesce(installs, 0)
FROM expected
LEFT JOIN crashed USING (product_name, version_string, channel, os_name, crash_type)
LEFT JOIN installed USING (product_name, version_string, channel, os_name)
"""

# Crashes of known builds; builds are those that have installs on the day.
_BY_BUILD = f"""
{COUNTED}, {_COUNTED_BUILDS}, crashed AS (
    SELECT c.product_name, c.version_string, c.channel, c.build_date, c.os_name, c.crash_type, count(*) AS crashes
    FROM counted c JOIN counted_builds b
      ON b.product_name = c.product_name AND b.version_string = c.version_string AND b.channel = c.channel
     AND b.own_version = c.own_version AND b.build_id = c.build_id
    GROUP BY c.product_name, c.version_string, c.channel, c.build_date, c.os_name, c.crash_type
)"""

ADD_CRASHES_BY_USER_BY_BUILD = f"""
WITH {_BY_BUILD}, installed AS (
    SELECT product_name, version_string, channel, build_date, os_name, installs
    FROM crashes.build_adu WHERE day = %(day)s
), expected AS (
    SELECT product_name, version_string, channel, build_date, os_name, crash_type
    FROM installed CROSS JOIN crashes.crash_types
    UNION
    SELECT c.product_name, c.version_string, c.channel, c.build_date, c.os_name, c.crash_type
    FROM crashed c
    WHERE EXISTS (SELECT FROM installed i
                  WHERE (i.product_name, i.version_string, i.channel, i.build_date)
                        = (c.product_name, c.version_string, c.channel, c.build_date))
)
INSERT INTO crashes.crashes_by_user_by_build (day, product_name, version_string, channel, build_date, os_name,
                                              crash_type, crashes, installs)
SELECT %(day)s, product_name, version_string, channel, build_date, os_name, crash_type, coalesce(crashes, 0),
       coalesce(installs, 0)
FROM expected
LEFT JOIN crashed USING (product_name, version_string, channel, build_date, os_name, crash_type)
LEFT JOIN installed USING (product_name, version_string, channel, build_date, os_name)
"""

# Every active version has a row. Without installs there is no rate: nobody knows how many crashed of how many.
# A version whose product and channel have no throttle counts every crash.
ADD_DAILY_CRASH_RATES = f"""
WITH {COUNTED}, crashed AS (
    SELECT product_name, version_string, channel, count(*) AS crashes
    FROM counted JOIN crashes.crash_types USING (crash_type)
    WHERE is_in_rates
    GROUP BY product_name, version_string, channel
), installed AS (
    SELECT a.product_name, target.version_string, a.channel, sum(a.installs) AS installs
    FROM crashes.product_adu a JOIN crashes.product_versions v USING (product_name, version_string, channel)
    CROSS JOIN unnest(array_remove(ARRAY[v.version_string, v.rapid_beta_parent], NULL)) AS target(version_string)
    WHERE a.day = %(day)s
    GROUP BY a.product_name, target.version_string, a.channel
), counts AS (
    SELECT v.product_name, v.version_string, v.channel, coalesce(c.crashes, 0) AS crashes,
           coalesce(i.installs, 0) AS installs, coalesce(t.throttle, 1) AS throttle
    FROM crashes.product_versions v
    LEFT JOIN crashed c USING (product_name, version_string, channel)
    LEFT JOIN installed i USING (product_name, version_string, channel)
    LEFT JOIN crashes.throttles t USING (product_name, channel)
    WHERE %(day)s BETWEEN v.build_date AND v.sunset_date
)
INSERT INTO crashes.daily_crash_rates (day, product_name, version_string, channel, crashes, installs, throttle,
                                       crashes_per_100_installs)
SELECT %(day)s, product_name, version_string, channel, crashes, installs, throttle,
       round(crashes * 100::numeric / nullif(installs, 0) / throttle, 3)
FROM counts
"""

ADD_DAILY_CRASH_RATES_BY_BUILD = f"""
WITH {_BY_BUILD}, rated AS (
    SELECT product_name, version_string, channel, build_date, sum(crashes) AS crashes
    FROM crashed JOIN crashes.crash_types USING (crash_type)
    WHERE is_in_rates
    GROUP BY product_name, version_string, channel, build_date
), installed AS (
    SELECT product_name, version_string, channel, build_date, sum(installs) AS installs
    FROM crashes.build_adu WHERE day = %(day)s
    GROUP BY product_name, version_string, channel, build_date
)
INSERT INTO crashes.daily_crash_rates_by_build (day, product_name, version_string, channel, build_date, crashes,
                                                installs)
SELECT %(day)s, product_name, version_string, channel, build_date, coalesce(crashes, 0), installs
FROM installed LEFT JOIN rated USING (product_name, version_string, channel, build_date)
"""
