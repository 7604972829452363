"""The statements that count a day's crashes by signature; each adds the rows of one UTC day to one table.

What counts, and for which version, is as in `aggregate_sql`.
"""

# ruff: noqa: S608 - statements are put together from constants of this module and aggregate_sql only

from stats_assets.crashes.aggregate_sql import COUNTED

_RAW = """
raw AS (
    SELECT uuid, is_garbage_collecting, adapter_vendor_id, adapter_device_id, android_cpu_abi, android_manufacturer,
           android_model, android_version
    FROM crashes.raw_crashes
    WHERE processed_at >= %(start)s AND processed_at < %(end)s
)"""

_MEASURES = """
count(*) AS crashes,
count(*) FILTER (WHERE os_name = 'Windows') AS windows_crashes,
count(*) FILTER (WHERE os_name = 'Mac OS X') AS mac_crashes,
count(*) FILTER (WHERE os_name = 'Linux') AS linux_crashes,
count(hang_id) AS hangs,
count(*) FILTER (WHERE uptime_seconds < 60) AS startup_crashes,
count(*) FILTER (WHERE is_garbage_collecting) AS gc_crashes"""

_MEASURED = "crashes, windows_crashes, mac_crashes, linux_crashes, hangs, startup_crashes, gc_crashes"

ADD_SIGNATURES = """
WITH seen AS (
    SELECT processed_at, signature, build_id FROM crashes.reports
    WHERE processed_at >= %(start)s AND processed_at < %(end)s AND is_completed
), first AS (
    SELECT signature, min(processed_at) AS first_report_at FROM seen GROUP BY signature
)
INSERT INTO crashes.signatures (day, signature, first_report_at, first_build)
SELECT %(day)s, signature, first_report_at, min(build_id)
FROM first JOIN seen USING (signature)
WHERE processed_at < date_trunc('hour', first_report_at, 'UTC') + interval '1 hour'
GROUP BY signature, first_report_at
"""

ADD_SIGNATURE_COUNTS = f"""
WITH {COUNTED}, {_RAW}
INSERT INTO crashes.signature_counts (day, product_name, version_string, channel, signature, process_type, {_MEASURED})
SELECT %(day)s, product_name, version_string, channel, signature, process_type, {_MEASURES}
FROM counted LEFT JOIN raw USING (uuid)
GROUP BY product_name, version_string, channel, signature, process_type
"""

ADD_SIGNATURE_COUNTS_BY_BUILD = f"""
WITH {COUNTED}, {_RAW}
INSERT INTO crashes.signature_counts_by_build (day, product_name, version_string, channel, build_date, signature,
                                               process_type, {_MEASURED})
SELECT %(day)s, product_name, version_string, channel, build_date, signature, process_type, {_MEASURES}
FROM counted LEFT JOIN raw USING (uuid)
WHERE (channel IN ('nightly', 'aurora') OR version_string = rapid_beta_parent) AND build_date IS NOT NULL
GROUP BY product_name, version_string, channel, build_date, signature, process_type
"""

# One pass over the day's crashes, nine groupings of it.
ADD_SIGNATURE_SUMMARY = f"""
WITH {_RAW}, clean AS (
    SELECT uuid, product_name, version_string, channel, signature, process_type, architecture, os_version_string,
           flash_version, uptime_seconds, install_age_seconds, client_crash_at
    FROM crashes.clean_reports
    WHERE processed_at >= %(start)s AND processed_at < %(end)s
), valued AS (
    SELECT product_name, version_string, channel, signature, attribute, value
    FROM clean CROSS JOIN LATERAL (VALUES
        ('products', ARRAY[]::text[]),
        ('process_type', ARRAY[process_type]),
        ('os', ARRAY[os_version_string]),
        ('flash_version', ARRAY[CASE flash_version WHEN '' THEN 'Unknown/No Flash' ELSE flash_version END]),
        ('architecture', ARRAY[architecture])
    ) AS of (attribute, value)
    WHERE attribute <> 'architecture' OR architecture IS NOT NULL
    UNION ALL
    SELECT product_name, version_string, channel, signature, 'uptime', ARRAY[label]
    FROM clean JOIN crashes.uptime_levels ON uptime_seconds >= from_seconds AND uptime_seconds < to_seconds
    UNION ALL
    SELECT product_name, version_string, channel, signature, 'graphics', ARRAY[adapter_vendor_id, adapter_device_id]
    FROM clean JOIN raw USING (uuid)
    WHERE adapter_vendor_id IS NOT NULL AND adapter_device_id IS NOT NULL
    UNION ALL
    SELECT product_name, version_string, channel, signature, 'device',
           ARRAY[android_cpu_abi, android_manufacturer, android_model, android_version]
    FROM clean JOIN raw USING (uuid)
    WHERE num_nulls(android_cpu_abi, android_manufacturer, android_model, android_version) = 0
)
INSERT INTO crashes.signature_summary (day, product_name, version_string, channel, signature, attribute, value,
                                       crashes, installations)
SELECT %(day)s, product_name, version_string, channel, signature, attribute, value, count(*), NULL
FROM valued
GROUP BY product_name, version_string, channel, signature, attribute, value
UNION ALL
SELECT %(day)s, product_name, version_string, channel, signature, 'installations', ARRAY[]::text[], count(*),
       count(DISTINCT client_crash_at - install_age_seconds * interval '1 second')
FROM clean
GROUP BY product_name, version_string, channel, signature
"""

# A build and system without a crash has one row, of no signature.
ADD_CRASH_ADU = f"""
WITH {COUNTED}, crashed AS (
    SELECT product_name, version_string, channel, build_date, build_id, os_name, signature, count(*) AS crashes
    FROM counted
    WHERE build_id >= 10000000
    GROUP BY product_name, version_string, channel, build_date, build_id, os_name, signature
)
INSERT INTO crashes.crash_adu_by_build_signature (day, product_name, channel, version_string, build_date, build_id,
                                                  os_name, signature, crashes, installs)
SELECT %(day)s, a.product_name, a.channel, a.version_string, a.build_date, coalesce(c.build_id, 0), a.os_name,
       coalesce(c.signature, ''), coalesce(c.crashes, 0), a.installs
FROM crashes.build_adu a
LEFT JOIN crashed c USING (product_name, version_string, channel, build_date, os_name)
WHERE a.day = %(day)s
"""
