"""upkeep: Dagster's own tables and files stay small, and what they say of partitions stays true.

Counted    the size of each of Dagster's tables and of its compute logs, per day.
Source     Dagster's own database (STATS_DAGSTER_DSN) and its folder of compute logs.
Tables     instance_sizes (a row per table and day), prunings (a row per pass that took something away).
Assets     prunings, then instance_sizes; both daily by the schedule `upkeep_daily`.

What is always true
- A run that is under way, or of a backfill that is, is never touched.
- A run that holds the newest materialization of any partition, or of an asset as a whole, stays: Dagster has no other
  record of what is materialized. When it is old its other events go, but for its beginning, its end, and what says
  that a partition of it failed.
- Failed runs stay longer than the others. The newest result of every check stays.
- Each pass works in portions, each a transaction: it may be killed anywhere and holds nothing up.

Rerun at any time: what is gone is gone, and sizes of a day are replaced.

Ticks of schedules and sensors are purged by Dagster itself (dagster.yaml, retention); here go only those of schedules
and sensors that are gone.

Reading order: config, sql, pruning, compute_logs, sizes, assets, automation, defs.
"""
