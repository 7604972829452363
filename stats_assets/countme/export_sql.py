"""What `./stats export countme` writes of the counts."""

# Whose counts there are.
SITES = """
SELECT site FROM countme.sources UNION SELECT site FROM countme.weeks ORDER BY site
"""

# Empty texts become NULL, because COPY would write an empty text as "" and we want nothing between the commas.
# The order is the column order, texts by code point: the same file whatever the order rows were loaded in.
EXPORT_HITS = """
COPY (
    SELECT extract(epoch FROM hit_at)::bigint AS "timestamp", host, nullif(os_name, '') AS os_name,
           nullif(os_version, '') AS os_version, nullif(os_variant, '') AS os_variant,
           nullif(os_arch, '') AS os_arch, sys_age, nullif(repo_tag, '') AS repo_tag,
           nullif(repo_arch, '') AS repo_arch
    FROM countme.hits h
    WHERE h.site = %(site)s
    ORDER BY h.hit_at, h.host COLLATE "C", h.os_name, h.os_version, h.os_variant, h.os_arch, h.sys_age,
             h.repo_tag, h.repo_arch
) TO STDOUT (FORMAT csv, HEADER)
"""

_TOTALS = """
    SELECT t.week AS week_start, t.week + 6 AS week_end, t.hits, nullif(t.os_name, '') AS os_name,
           nullif(t.os_version, '') AS os_version, nullif(t.os_variant, '') AS os_variant,
           nullif(t.os_arch, '') AS os_arch, t.sys_age, nullif(t.repo_tag, '') AS repo_tag,
           nullif(t.repo_arch, '') AS repo_arch
    FROM countme.weekly_totals t JOIN countme.published_weeks w USING (site, week)
"""

# Numbers are sorted as texts here, as sorting the lines of the file by their fields would.
EXPORT_WEEKLY_TOTALS = f"""
COPY ({_TOTALS}
    WHERE t.site = %(site)s
    ORDER BY t.week, t.hits::text COLLATE "C", t.os_name, t.os_version, t.os_variant, t.os_arch,
             t.sys_age::text COLLATE "C", t.repo_tag, t.repo_arch
) TO STDOUT (FORMAT csv, HEADER)
"""

EXPORT_DAILY_UNIQUE_HOSTS = """
COPY (
    SELECT day, repository, architecture, hosts
    FROM countme.daily_unique_hosts
    WHERE site = %(site)s
    ORDER BY day, repository, architecture
) TO STDOUT (FORMAT csv, HEADER)
"""
