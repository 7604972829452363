-- backups: which backups were made, and how it went when they were restored. What a restore needs is beside the
-- backups themselves, in their manifests: this database may be what is lost.
CREATE SCHEMA backups;

-- A row per verified backup. Written by backups/base_backup.
CREATE TABLE backups.base_backup (
    backup_name     text        PRIMARY KEY,        -- its folder below backups.url: the UTC second it was begun
    day             date        NOT NULL,
    method          text        NOT NULL CHECK (method IN ('physical', 'dump')),
    began_at        timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,
    server_version  text        NOT NULL,
    recover_to      pg_lsn,                         -- where a recovery stops; NULL for dumps
    database_bytes  bigint      NOT NULL,           -- of all databases of the server
    stored_bytes    bigint      NOT NULL,           -- compressed
    table_count     integer     NOT NULL,
    row_count       bigint      NOT NULL,
    removed_at      timestamptz                     -- when it was first seen that it is gone
);
COMMENT ON TABLE backups.base_backup IS 'Verified backups, also those that retention has removed since.';

-- A row per drill, good or not. Written by backups/restore_drill.
CREATE TABLE backups.restore_drill (
    drill_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    week            date        NOT NULL,           -- its Monday
    backup_name     text        NOT NULL,
    began_at        timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL,
    is_good         boolean     NOT NULL,
    problem         text,                           -- why it is not
    restored_bytes  bigint,                         -- of all databases; NULL when the manifest does not read
    table_count     integer,
    row_count       bigint,
    CHECK (is_good = (problem IS NULL))
);
COMMENT ON TABLE backups.restore_drill IS 'Restores of backups into private servers, to know that they restore.';
