"""The statements behind the published files: the top crashers of each product and the crash rates over time."""

# The last seven days that are counted, and the seven before; of a product's versions all that are active, a rapid
# beta under its parent only.
TOP_CRASHERS = """
WITH last AS (SELECT max(day) AS day FROM crashes.aggregate_days WHERE aggregate = 'signature_counts'),
summed AS (
    SELECT c.product_name, c.channel, c.signature,
           sum(c.crashes) FILTER (WHERE c.day > last.day - 7) AS crashes,
           sum(c.crashes) FILTER (WHERE c.day <= last.day - 7) AS crashes_before,
           sum(c.startup_crashes) FILTER (WHERE c.day > last.day - 7) AS startup_crashes,
           sum(c.hangs) FILTER (WHERE c.day > last.day - 7) AS hangs
    FROM crashes.signature_counts c CROSS JOIN last
    JOIN crashes.product_versions v USING (product_name, version_string, channel)
    WHERE c.day > last.day - 14 AND c.day <= last.day AND NOT v.is_rapid_beta
    GROUP BY c.product_name, c.channel, c.signature
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY product_name, channel ORDER BY crashes DESC, signature) AS rank,
           round(crashes * 100.0 / sum(crashes) OVER (PARTITION BY product_name, channel), 2) AS percent
    FROM summed WHERE crashes > 0
)
SELECT product_name, channel, rank, signature, crashes, percent, coalesce(crashes_before, 0) AS crashes_before,
       startup_crashes, hangs
FROM ranked WHERE rank <= %(at_most)s
ORDER BY product_name, channel, rank
"""

TOP_CRASHERS_SPAN = "SELECT max(day) - 6, max(day) FROM crashes.aggregate_days WHERE aggregate = 'signature_counts'"

# Rates of the versions with most installs on the last day, featured ones before; a rapid beta under its parent only.
CRASH_RATES = """
WITH last AS (SELECT max(day) AS day FROM crashes.daily_crash_rates),
shown AS (
    SELECT r.product_name, r.version_string, r.channel,
           row_number() OVER (PARTITION BY r.product_name
                              ORDER BY bool_or(v.is_featured) DESC, sum(r.installs) DESC, r.version_string) AS place
    FROM crashes.daily_crash_rates r JOIN last ON r.day > last.day - 14
    JOIN crashes.product_versions v USING (product_name, version_string, channel)
    WHERE v.rapid_beta_parent IS NULL
    GROUP BY r.product_name, r.version_string, r.channel
)
SELECT r.product_name, r.version_string || ' ' || r.channel AS version, r.day, r.crashes_per_100_installs::float
FROM crashes.daily_crash_rates r JOIN last ON r.day > last.day - %(days)s
JOIN shown USING (product_name, version_string, channel)
WHERE place <= %(at_most)s
ORDER BY r.product_name, place, r.day
"""
