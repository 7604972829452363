"""The statements of the checks: days of a run beside what is usual for their weekday, and shares of a day."""

# ruff: noqa: S608 - statements are put together from constants of this module only

_BESIDE_WEEKDAY = """
WITH days AS (SELECT unnest(%(days)s::date[]) AS day), {totals}, beside AS (
    SELECT t.day, t.product, t.total,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(b.total, 0)) AS usual, count(b.total) AS weeks
    FROM totals t JOIN days USING (day)
    JOIN generate_series(1, 8) AS back ON true
    JOIN totals b ON b.product = t.product AND b.day = t.day - 7 * back
    GROUP BY t.day, t.product, t.total
)
SELECT day, product, total, usual FROM beside
WHERE weeks >= %(least_weeks)s AND abs(total - usual) > usual * %(change)s::float
ORDER BY day, product
"""

INSTALLS_BESIDE_WEEKDAY = _BESIDE_WEEKDAY.format(
    totals="""totals AS (
    SELECT day, product, sum(installs) AS total FROM crashes.active_daily_installs
    WHERE day >= (SELECT min(day) - 56 FROM days) AND day <= (SELECT max(day) FROM days)
    GROUP BY day, product)"""
)

CRASHES_BESIDE_WEEKDAY = _BESIDE_WEEKDAY.format(
    totals="""totals AS (
    SELECT day, 'the day'::text AS product, row_count AS total FROM crashes.input_days WHERE input = 'reports')"""
)

INPUT_SHARES = {
    column: f"""
SELECT day, {column}, read_count FROM crashes.input_days
WHERE input = %(input)s AND day = ANY(%(days)s::date[]) ORDER BY day"""
    for column in ("quarantined", "unknown_product")
}

# By the watermark of the day: the reports themselves may be retired.
DUPLICATES_OF_DAYS = """
SELECT i.day, (SELECT count(*) FROM crashes.duplicates d
               WHERE d.processed_at >= i.day::timestamp AT TIME ZONE 'UTC'
                 AND d.processed_at < (i.day + 1)::timestamp AT TIME ZONE 'UTC' AND d.uuid <> d.duplicate_of),
       i.row_count
FROM crashes.input_days i
WHERE i.input = 'reports' AND i.day = ANY(%(days)s::date[])
ORDER BY i.day
"""
