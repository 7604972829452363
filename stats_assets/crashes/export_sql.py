"""The statements of `./stats export crashes`: names and order of columns are those the files have always had.

Rows are sorted by all columns from the left, texts by bytes. An empty field is NULL, an empty text is quoted.
"""

# ruff: noqa: S608 - statements are put together from constants of this module only

_AT = "'YYYY-MM-DD HH24:MI:SS.US'"

RAW_ADI = """
SELECT day AS date, product_name, os_platform AS product_os_platform, os_version AS product_os_version,
       version AS product_version, build, product_guid, channel AS update_channel, installs AS adi_count
FROM crashes.active_daily_installs
"""

PRODUCT_VERSIONS = """
SELECT product_name, version_string, release_version, major_version, beta_number, version_sort, build_date,
       sunset_date, channel AS build_type, is_rapid_beta, has_builds, rapid_beta_parent,
       is_featured AS featured_version
FROM crashes.product_versions
"""

PRODUCT_VERSION_BUILDS = """
SELECT product_name, version_string, build_id, platform, repository FROM crashes.product_version_builds
"""

SIGNATURES = f"""
SELECT signature, to_char(first_report_at, {_AT}) AS first_report, first_build
FROM (SELECT DISTINCT ON (signature) signature, first_report_at, first_build
      FROM crashes.signatures ORDER BY signature, day) AS first
"""

REPORTS_DUPLICATES = f"""
SELECT uuid, duplicate_of, to_char(processed_at, {_AT}) AS date_processed FROM crashes.duplicates
"""

# duplicate_of is what was known while the hour was fresh: verdicts of windows that began before its first half hour
# was over. The complete verdicts are in reports_clean_duplicate_of.csv and in crashes.duplicates.
REPORTS_CLEAN = f"""
SELECT c.uuid, to_char(c.processed_at, {_AT}) AS date_processed,
       to_char(c.client_crash_at, {_AT}) AS client_crash_date, c.product_name, c.version_string, c.build_id AS build,
       c.signature, c.install_age_seconds AS install_age_s, c.uptime_seconds AS uptime_s, c.reason, c.address,
       c.os_name, c.os_version_string, c.os_major, c.os_minor, c.hang_id, c.flash_version, c.process_type, c.channel,
       d.duplicate_of, p.domain, c.architecture, c.cores, p.exploitability
FROM crashes.clean_reports c
LEFT JOIN crashes.reports_private p ON p.processed_at = c.processed_at AND p.uuid = c.uuid
LEFT JOIN crashes.duplicates d
  ON d.processed_at = c.processed_at AND d.uuid = c.uuid
 AND d.window_at <= date_trunc('hour', c.processed_at, 'UTC') - interval '30 minutes'
"""

REPORTS_CLEAN_DUPLICATE_OF = """
SELECT c.uuid, d.duplicate_of
FROM crashes.clean_reports c JOIN crashes.duplicates d ON d.processed_at = c.processed_at AND d.uuid = c.uuid
"""

REPORTS_USER_INFO = """
SELECT uuid, has_email, has_comments, has_url, has_app_notes
FROM crashes.clean_reports WHERE has_email OR has_comments OR has_url OR has_app_notes
"""

REPORTS_REJECTED = "SELECT uuid, product, version, build, release_channel FROM crashes.rejected_reports"

REPORTS_NOT_COMPLETED = "SELECT uuid FROM crashes.reports WHERE NOT is_completed"

PRODUCT_ADU = """
SELECT day AS adu_date, product_name, version_string, os_name, installs AS adu_count FROM crashes.product_adu
"""

BUILD_ADU = """
SELECT day AS adu_date, product_name, version_string, build_date, os_name, installs AS adu_count
FROM crashes.build_adu
"""

_TCBS_MEASURES = """crashes AS report_count, windows_crashes AS win_count, mac_crashes AS mac_count,
       linux_crashes AS lin_count, hangs AS hang_count, startup_crashes AS startup_count, gc_crashes AS is_gc_count"""

TCBS = f"""
SELECT day AS report_date, product_name, version_string, signature, process_type, channel, {_TCBS_MEASURES}
FROM crashes.signature_counts
"""

TCBS_BUILD = f"""
SELECT day AS report_date, product_name, version_string, build_date, signature, process_type, channel, {_TCBS_MEASURES}
FROM crashes.signature_counts_by_build
"""

# Crash types outside the maps are counted in the tables as 'other' and are not published.
CRASHES_BY_USER = """
SELECT day AS report_date, product_name, version_string, short_name AS os_short_name, crash_type AS crash_type_short,
       crashes AS report_count, installs AS adu
FROM crashes.crashes_by_user JOIN crashes.operating_systems USING (os_name) JOIN crashes.crash_types USING (crash_type)
"""

# Only systems that have installs of the build.
CRASHES_BY_USER_BUILD = """
SELECT day AS report_date, product_name, version_string, build_date, short_name AS os_short_name,
       crash_type AS crash_type_short, crashes AS report_count, c.installs AS adu
FROM crashes.crashes_by_user_by_build c
JOIN crashes.build_adu USING (day, product_name, version_string, channel, build_date, os_name)
JOIN crashes.operating_systems USING (os_name) JOIN crashes.crash_types USING (crash_type)
"""

HOME_PAGE_GRAPH = """
SELECT day AS report_date, product_name, version_string, crashes AS report_count, installs AS adu,
       crashes_per_100_installs AS crash_hadu
FROM crashes.daily_crash_rates
"""

HOME_PAGE_GRAPH_BUILD = """
SELECT day AS report_date, product_name, version_string, build_date, crashes AS report_count, installs AS adu
FROM crashes.daily_crash_rates_by_build
"""

# As home_page_graph, counting of reports of one crash only the leader; of days whose reports are still there.
HOME_PAGE_GRAPH_WITHOUT_DUPLICATES = """
WITH repeated AS (
    SELECT c.processed_at, c.product_name, c.channel,
           unnest(array_remove(ARRAY[c.version_string, c.rapid_beta_parent], NULL)) AS version_string
    FROM crashes.clean_reports c
    JOIN crashes.duplicates d ON d.processed_at = c.processed_at AND d.uuid = c.uuid AND d.uuid <> d.duplicate_of
    JOIN crashes.crash_types t ON t.crash_type = c.crash_type AND t.is_in_rates
    WHERE (c.processed_at AT TIME ZONE 'UTC')::date BETWEEN c.version_build_date AND c.sunset_date
), counted AS (
    SELECT (processed_at AT TIME ZONE 'UTC')::date AS day, product_name, version_string, channel, count(*) AS duplicates
    FROM repeated GROUP BY 1, 2, 3, 4
), single AS (
    SELECT day, product_name, version_string, crashes - coalesce(duplicates, 0) AS crashes, installs, throttle
    FROM crashes.daily_crash_rates LEFT JOIN counted USING (day, product_name, version_string, channel)
    JOIN crashes.input_days i USING (day)
    WHERE i.input = 'reports'
      AND EXISTS (SELECT FROM crashes.reports r
                  WHERE r.processed_at >= i.oldest_at AND r.processed_at <= i.newest_at)
)
SELECT day AS report_date, product_name, version_string, crashes AS report_count, installs AS adu,
       round(crashes * 100::numeric / nullif(installs, 0) / throttle, 3) AS crash_hadu
FROM single
"""

PRODUCT_CRASH_RATIO = """
SELECT day AS adu_date, product_name, version_string, crashes, installs AS adu_count, round(throttle, 2) AS throttle,
       round(crashes / throttle) AS adjusted_crashes, crashes_per_100_installs AS crash_ratio
FROM crashes.daily_crash_rates
"""

# Unlike all others, this file keeps the rules its readers compare with: only systems that have installs, or
# 'unknown' for a version that has none; a rate of 0 without installs; no day whose last hour, both ends included,
# has no report. The true counts per system are in crashes.crashes_by_user.
PRODUCT_OS_CRASH_RATIO = """
WITH quiet AS (
    SELECT i.day FROM crashes.input_days i LEFT JOIN crashes.input_days n ON n.input = i.input AND n.day = i.day + 1
    WHERE i.input = 'reports' AND i.newest_at < (i.day + time '23:00') AT TIME ZONE 'UTC'
      AND n.oldest_at IS DISTINCT FROM (n.day::timestamp AT TIME ZONE 'UTC')
), installed AS (
    SELECT a.day, a.product_name, target.version_string, a.channel, a.os_name, sum(a.installs) AS installs
    FROM crashes.product_adu a JOIN crashes.product_versions v USING (product_name, version_string, channel)
    CROSS JOIN unnest(array_remove(ARRAY[v.version_string, v.rapid_beta_parent], NULL)) AS target(version_string)
    GROUP BY a.day, a.product_name, target.version_string, a.channel, a.os_name
    UNION ALL
    SELECT day, product_name, version_string, channel, 'Unknown', 0
    FROM crashes.daily_crash_rates r
    WHERE channel <> 'beta' AND NOT EXISTS (
        SELECT FROM crashes.product_adu a
        WHERE (a.day, a.product_name, a.version_string, a.channel)
              = (r.day, r.product_name, r.version_string, r.channel))
), counted AS (
    SELECT day, product_name, version_string, channel, os_name, sum(crashes) AS crashes
    FROM crashes.crashes_by_user JOIN crashes.crash_types USING (crash_type)
    WHERE is_in_rates
    GROUP BY day, product_name, version_string, channel, os_name
)
SELECT day AS adu_date, product_name, version_string, short_name AS os_short_name, coalesce(c.crashes, 0) AS crashes,
       installs AS adu_count, round(throttle, 2) AS throttle,
       round(coalesce(c.crashes, 0) / throttle) AS adjusted_crashes,
       coalesce(round(coalesce(c.crashes, 0) * 100 / nullif(i.installs, 0) / throttle, 3), 0) AS crash_ratio
FROM installed i
LEFT JOIN counted c USING (day, product_name, version_string, channel, os_name)
JOIN (SELECT day, product_name, version_string, channel, throttle FROM crashes.daily_crash_rates) AS rates
     USING (day, product_name, version_string, channel)
JOIN crashes.operating_systems USING (os_name)
WHERE day NOT IN (SELECT day FROM quiet)
"""

CRASH_ADU_BY_BUILD_SIGNATURE = """
SELECT day AS adu_date, product_name, channel, build_date, build_id AS buildid, os_name, signature,
       crashes AS crash_count, installs AS adu_count
FROM crashes.crash_adu_by_build_signature
"""


def _summary(attribute: str, columns: str, count: str = "crashes AS report_count") -> str:
    values = f"{columns}, " if columns else ""
    return (
        f"SELECT day AS report_date, product_name, version_string, signature, {values}{count}"
        f" FROM crashes.signature_summary WHERE attribute = '{attribute}'"
    )


_DEVICE = """value[1] AS android_cpu_abi, value[2] AS android_manufacturer, value[3] AS android_model,
value[4] AS android_version"""

FILES = {
    "raw_adi.csv": RAW_ADI,
    "product_versions.csv": PRODUCT_VERSIONS,
    "product_version_builds.csv": PRODUCT_VERSION_BUILDS,
    "signatures.csv": SIGNATURES,
    "reports_clean.csv": REPORTS_CLEAN,
    "reports_clean_duplicate_of.csv": REPORTS_CLEAN_DUPLICATE_OF,
    "reports_duplicates.csv": REPORTS_DUPLICATES,
    "reports_user_info.csv": REPORTS_USER_INFO,
    "reports_rejected.csv": REPORTS_REJECTED,
    "reports_not_completed.csv": REPORTS_NOT_COMPLETED,
    "product_adu.csv": PRODUCT_ADU,
    "build_adu.csv": BUILD_ADU,
    "tcbs.csv": TCBS,
    "tcbs_build.csv": TCBS_BUILD,
    "crashes_by_user.csv": CRASHES_BY_USER,
    "crashes_by_user_build.csv": CRASHES_BY_USER_BUILD,
    "home_page_graph.csv": HOME_PAGE_GRAPH,
    "home_page_graph_build.csv": HOME_PAGE_GRAPH_BUILD,
    "optional_home_page_graph_without_duplicates.csv": HOME_PAGE_GRAPH_WITHOUT_DUPLICATES,
    "product_crash_ratio.csv": PRODUCT_CRASH_RATIO,
    "product_os_crash_ratio.csv": PRODUCT_OS_CRASH_RATIO,
    "crash_adu_by_build_signature.csv": CRASH_ADU_BY_BUILD_SIGNATURE,
    "signature_summary_architecture.csv": _summary("architecture", "value[1] AS architecture"),
    "signature_summary_device.csv": _summary("device", _DEVICE),
    "signature_summary_flash_version.csv": _summary("flash_version", "value[1] AS flash_version"),
    "signature_summary_graphics.csv": _summary("graphics", "value[1] AS vendor_hex, value[2] AS adapter_hex"),
    "signature_summary_installations.csv": _summary(
        "installations", "", "crashes AS crash_count, installations AS install_count"
    ),
    "signature_summary_os.csv": _summary("os", "value[1] AS os_version_string"),
    "signature_summary_process_type.csv": _summary("process_type", "value[1] AS process_type"),
    "signature_summary_products.csv": _summary("products", ""),
    "signature_summary_uptime.csv": _summary("uptime", "value[1] AS uptime_string"),
}
