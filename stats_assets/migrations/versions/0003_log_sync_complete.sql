-- The manifest: what is expected and what is excused, which version a copy is, what its lines span.
ALTER TABLE log_sync.files
    DROP CONSTRAINT files_state_check,
    ADD CONSTRAINT files_state_check CHECK (state IN ('fetched', 'missing', 'failed', 'waived')),
    ADD COLUMN is_expected boolean NOT NULL DEFAULT true,   -- false: a former host's file, kept and counted
    ADD COLUMN version integer NOT NULL DEFAULT 0 CHECK (version >= 0),   -- of our copy; 0: there never was one
    ADD COLUMN lines bigint,
    ADD COLUMN undatable_lines bigint,        -- lines without a time we can read
    ADD COLUMN oldest_line_at timestamptz,    -- the earliest time of all lines, not that of the first line
    ADD COLUMN newest_line_at timestamptz,
    ADD COLUMN step_back_seconds bigint;      -- how much earlier than a line before it any line is
COMMENT ON COLUMN log_sync.files.state IS
    'fetched: a verified copy; missing: the host has none; failed: it could not be had; waived: excused in stats.yaml';
COMMENT ON COLUMN log_sync.files.version IS 'Goes up with every other content; all of them are in file_versions.';
COMMENT ON COLUMN log_sync.files.step_back_seconds IS
    'Most that a line is dated before an earlier line of the file; NULL where it was fetched before this was measured.';
UPDATE log_sync.files SET version = 1 WHERE state = 'fetched';

-- Every content a host has delivered for a file. Written with the manifest, never changed.
CREATE TABLE log_sync.file_versions (
    day             date        NOT NULL,
    host            text        NOT NULL,
    site            text        NOT NULL,
    version         integer     NOT NULL CHECK (version > 0),
    sha256          text        NOT NULL,
    file_bytes      bigint      NOT NULL,
    source_version  text        NOT NULL,   -- what the source said of it
    fetched_at      timestamptz NOT NULL,
    PRIMARY KEY (day, host, site, version)
);
COMMENT ON TABLE log_sync.file_versions IS 'Versions of log files we have had, the present one included.';
INSERT INTO log_sync.file_versions (day, host, site, version, sha256, file_bytes, source_version, fetched_at)
SELECT day, host, site, 1, sha256, file_bytes, source_version, fetched_at FROM log_sync.files WHERE state = 'fetched';

-- One row per combined file: site x day. Written by the asset log_sync/combined_logs.
CREATE TABLE log_sync.combined_logs (
    site            text        NOT NULL,
    day             date        NOT NULL,   -- the date in the names of the files it was made of
    hosts           text[]      NOT NULL CHECK (cardinality(hosts) > 0),   -- whose lines are in it, sorted
    missing_hosts   text[]      NOT NULL,   -- expected, not waived, and not there when it was made
    archive_name    text        NOT NULL,   -- the lines in order, below the archive
    undatable_name  text,                   -- the lines without a time; NULL: there are none
    lines           bigint      NOT NULL CHECK (lines >= 0),             -- in order; undatable ones not counted
    undatable_lines bigint      NOT NULL CHECK (undatable_lines >= 0),
    content_bytes   bigint      NOT NULL,   -- of the lines in order, uncompressed
    file_bytes      bigint      NOT NULL,   -- of the file in order, as stored
    sha256          text        NOT NULL,   -- of the file in order as stored, in hex
    oldest_line_at  timestamptz,
    newest_line_at  timestamptz,
    inputs          text        NOT NULL,   -- digest of the files it was made of
    seconds         real        NOT NULL,   -- it took
    combined_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (site, day),
    CHECK ((undatable_name IS NULL) = (undatable_lines = 0))
);
COMMENT ON TABLE log_sync.combined_logs IS 'Time-ordered logs over all hosts, one row per site and day.';

-- What a day's combination would be made of now; differs from combined_logs.inputs: it is to be made again.
CREATE VIEW log_sync.combinable AS
SELECT site, day, max(fetched_at) AS fetched_at, md5(string_agg(
    host || ' ' || CASE state WHEN 'fetched' THEN sha256 WHEN 'waived' THEN 'waived' ELSE 'not here' END,
    ',' ORDER BY host COLLATE "C")) AS inputs
FROM log_sync.files
GROUP BY site, day
HAVING bool_or(state = 'fetched');
COMMENT ON VIEW log_sync.combinable IS 'Digest of the files of each site and day that has any.';

-- What each host owed and gave of each day; a day nobody has asked for has no row.
CREATE VIEW log_sync.coverage AS
SELECT day, host, count(*) AS expected_files,
       count(*) FILTER (WHERE state = 'fetched') AS fetched_files,
       count(*) FILTER (WHERE state = 'waived') AS waived_files,
       count(*) FILTER (WHERE state IN ('missing', 'failed')) AS lacking_files,
       bool_and(state IN ('fetched', 'waived')) AS is_complete,
       sum(lines) AS lines, min(oldest_line_at) AS oldest_line_at, max(newest_line_at) AS newest_line_at
FROM log_sync.files
WHERE is_expected
GROUP BY day, host;
COMMENT ON VIEW log_sync.coverage IS 'Files per day and host: expected, here, excused, lacking.';
