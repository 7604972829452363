-- table_partitions: what is to be done with partitioned tables, and what was done.
CREATE SCHEMA table_partitions;
-- Detached tables wait here until they are dropped.
CREATE SCHEMA IF NOT EXISTS attic;
COMMENT ON SCHEMA attic IS 'Table partitions that were detached; table_partitions.attic tells until when they stay.';

-- The policies as the code and stats.yaml have them, for reading in SQL. Written by table_partitions/plan.
CREATE TABLE table_partitions.policies (
    table_name      text COLLATE "C" PRIMARY KEY,
    policy          jsonb       NOT NULL,
    policy_hash     text        NOT NULL,   -- sha256 of the policy, in hex
    problem         text,                   -- why it cannot be carried out; null: it can
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    removed_at      timestamptz             -- since when no configuration has it; its table is left alone
);
COMMENT ON TABLE table_partitions.policies IS 'A policy per table, mirrored from the configuration; a change here has no effect.';

-- One row per step that was tried. Written by whoever carries a plan out; rows are only added.
CREATE TABLE table_partitions.events (
    event_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id          text        NOT NULL,   -- of the Dagster run, or of the command
    table_name      text COLLATE "C" NOT NULL,
    partition_name  text        NOT NULL,
    step            text        NOT NULL,
    lower_bound     text        NOT NULL,
    upper_bound     text        NOT NULL,
    result          text        NOT NULL CHECK (result IN ('done', 'deferred', 'failed', 'skipped')),
    statements      text        NOT NULL,
    tries           integer     NOT NULL,   -- each but the last ended because a lock was not to be had
    waited_ms       integer     NOT NULL,
    rows            bigint,
    bytes           bigint,
    message         text                    -- why it did not end as planned
);
CREATE INDEX events_table ON table_partitions.events (table_name, event_id);
COMMENT ON TABLE table_partitions.events IS 'Steps of partition maintenance, one row each time a step was tried.';

-- A partition from the moment its detach is intended. Its oid is what it is known by: names may come again.
CREATE TABLE table_partitions.attic (
    partition_oid   bigint      PRIMARY KEY,
    table_name      text COLLATE "C" NOT NULL,
    partition_name  text        NOT NULL,   -- as it was called below its parent
    attic_name      text        NOT NULL,
    lower_bound     text        NOT NULL,
    upper_bound     text        NOT NULL,
    action          text        NOT NULL CHECK (action IN ('detach', 'archive', 'drop')),
    state           text        NOT NULL CHECK (state IN ('detaching', 'kept', 'dropped', 'restored')),
    archive_name    text,                   -- archives.archive_name that holds the same rows
    intended_at     timestamptz NOT NULL DEFAULT now(),
    shelved_at      timestamptz,
    drop_after      timestamptz,            -- null: stays for good
    ended_at        timestamptz             -- dropped or restored
);
COMMENT ON TABLE table_partitions.attic IS 'Table partitions on their way out, in the attic, or gone.';

-- One row per archived range: a Parquet file with its manifest beside it.
CREATE TABLE table_partitions.archives (
    archive_name    text COLLATE "C" PRIMARY KEY,   -- also the key of the Dagster partition
    table_name      text COLLATE "C" NOT NULL,
    partition_name  text        NOT NULL,
    partition_oid   bigint      NOT NULL,
    lower_bound     text        NOT NULL,
    upper_bound     text        NOT NULL,
    rows            bigint      NOT NULL,
    fingerprint     text        NOT NULL,   -- of the rows, whatever their order; equal in PostgreSQL and in the file
    sha256          text        NOT NULL,   -- of the file, in hex
    file_bytes      bigint      NOT NULL,
    table_bytes     bigint      NOT NULL,   -- of the table with its indexes when it was archived
    file_name       text        NOT NULL,   -- below the archive, as is the manifest's
    manifest_name   text        NOT NULL,
    archived_at     timestamptz NOT NULL DEFAULT now(),
    verified_at     timestamptz NOT NULL,   -- when file and table, or file and manifest, last agreed
    problem         text,                   -- what the last verification found wrong
    keep_until      timestamptz             -- restored: retention leaves the rows alone until then
);
CREATE INDEX archives_table ON table_partitions.archives (table_name, lower_bound);
COMMENT ON TABLE table_partitions.archives IS 'Archived ranges of tables: where, how many rows, which fingerprint.';

-- Sizes as they were on a day, one row per place of rows. Written by table_partitions/inventory.
CREATE TABLE table_partitions.inventory (
    day             date        NOT NULL,
    table_name      text COLLATE "C" NOT NULL,
    place           text        NOT NULL CHECK (place IN ('attached', 'pending', 'default', 'attic', 'archive')),
    partition_name  text COLLATE "C" NOT NULL,
    lower_bound     text        NOT NULL,
    upper_bound     text        NOT NULL,
    rows            bigint      NOT NULL,   -- an estimate, exact for archives
    bytes           bigint      NOT NULL,   -- with indexes and TOAST; of the file for archives
    measured_at     timestamptz NOT NULL,
    PRIMARY KEY (day, table_name, place, partition_name)
);
COMMENT ON TABLE table_partitions.inventory IS 'Size of every table partition, attic table and archive, per day.';
