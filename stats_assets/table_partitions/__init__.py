"""table_partitions: partitioned tables that look after themselves, without stalling a writer or losing a row.

Kept       every table a policy names: table partitions made ahead, gaps filled, what is beyond its retention
           archived, detached, emptied or dropped.
Source     the policies: each room's `partition_policies`, then `table_partitions.policies` of stats.yaml.
Tables     policies (a mirror of them), events (every step that was tried), attic (what was detached), archives (files
           and their fingerprints), inventory (sizes per day); the schema `attic` holds the detached tables themselves.
Assets     plan (a dry run), created, retired, archive (a Dagster partition per archived range), inventory.

What is always true
- Bounds are half-open and UTC; periods are cut in the policy's zone by its calendar. Table partitions are known by
  their bounds in the catalog, never by name.
- Nobody waits longer than `lock_timeout_milliseconds` behind us, and while an old transaction has a table, nobody waits
  at all. What cannot be done within the budget is deferred, told, and tried by the next run; other tables go on.
- Rows go only when the policy is confirmed: first into the attic, and from there after `attic_days`. An archived table
  is dropped only when it and its file hold the same rows at that moment.
- Making room never waits for taking away. Taking away is capped per run, and stops while the clock looks wrong.
- A run may be killed anywhere: the next plan starts from what the catalog and table_partitions.attic say.
- Removing a policy removes no row.

Rerun at any time: where there is nothing to do, a run does nothing.

Reading order: config, periods, catalog (what is known), plan with creation and retirement (what is to be done),
statements (its SQL), reading, carry_out with step_work and patience, archiving with fingerprint and parquet_copy,
restoring, assets.
"""
