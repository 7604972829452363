-- log_sync: the files of the log hosts.
CREATE SCHEMA log_sync;

-- One row per file we expect: day x host x site. Written by the asset log_sync/files.
CREATE TABLE log_sync.files (
    day             date        NOT NULL,   -- the date in the file's name
    host            text        NOT NULL,
    site            text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('fetched', 'missing', 'failed')),
    source_url      text        NOT NULL,   -- without user, password or query
    source_version  text,                   -- what the source says of its version (ETag, time and size)
    archive_name    text,                   -- our verified copy, below the archive
    file_bytes      bigint,                 -- as stored, compressed
    content_bytes   bigint,                 -- after decompression, read to the end of the stream
    sha256          text,                   -- of the file as stored, in hex
    fetched_at      timestamptz,            -- when the present copy was verified
    checked_at      timestamptz NOT NULL,   -- when the source was last asked
    attempts        integer     NOT NULL,   -- tries of the last fetch
    last_error      text,                   -- why the last fetch failed, one line
    PRIMARY KEY (day, host, site),
    CHECK (state <> 'fetched' OR (archive_name IS NOT NULL AND sha256 IS NOT NULL))
);
COMMENT ON TABLE log_sync.files IS 'Log files we expect, one row per day, host and site, and what became of each.';

-- countme: hits on the mirror list, and the weekly counts made from them.
CREATE SCHEMA countme;

-- One row per log file that is loaded: the grain of reloading. Written by countme/raw_hits.
CREATE TABLE countme.sources (
    source_id       integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site            text        NOT NULL,
    day             date        NOT NULL,   -- the date in the file's name
    host            text        NOT NULL,   -- the log host, not the client
    sha256          text        NOT NULL,   -- of the file: equal means nothing to do
    policy          text        NOT NULL CHECK (policy IN ('strict', 'compat')),
    lines           bigint      NOT NULL,
    hits            bigint      NOT NULL,
    loaded_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site, day, host)
);
COMMENT ON TABLE countme.sources IS 'Log files that are loaded, with the checksum they had.';

-- What a source holds of each UTC day. Tells deletes and repeat searches where to look.
CREATE TABLE countme.source_days (
    source_id       integer     NOT NULL REFERENCES countme.sources ON DELETE CASCADE,
    hit_day         date        NOT NULL,
    hits            bigint      NOT NULL,
    oldest_at       timestamptz NOT NULL,
    newest_at       timestamptz NOT NULL,
    PRIMARY KEY (source_id, hit_day)
);
COMMENT ON TABLE countme.source_days IS 'Hits and time span per source and UTC day.';

-- Every line of a source has exactly one verdict; the counts add up to sources.lines.
CREATE TABLE countme.verdicts (
    source_id       integer     NOT NULL REFERENCES countme.sources ON DELETE CASCADE,
    verdict         text        NOT NULL,
    lines           bigint      NOT NULL CHECK (lines > 0),
    PRIMARY KEY (source_id, verdict)
);
COMMENT ON TABLE countme.verdicts IS 'Lines per verdict; "hit" is one of them.';

-- A bounded sample of lines we could not use. Addresses are masked unless countme.keep_addresses is true.
CREATE TABLE countme.quarantine (
    source_id       integer     NOT NULL REFERENCES countme.sources ON DELETE CASCADE,
    byte_offset     bigint      NOT NULL,   -- in the decompressed file
    verdict         text        NOT NULL,
    line            text        NOT NULL,   -- cut, odd bytes escaped as \xHH
    PRIMARY KEY (source_id, byte_offset)
);
COMMENT ON TABLE countme.quarantine IS 'Samples of rejected lines with reason and place.';

-- The distinct (system, repository) tuples; a few thousand. Rows are only ever added.
CREATE TABLE countme.clients (
    client_id       integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    os_name         text COLLATE "C" NOT NULL,
    os_version      text COLLATE "C" NOT NULL,
    os_variant      text COLLATE "C" NOT NULL,
    os_arch         text COLLATE "C" NOT NULL,
    repo_tag        text COLLATE "C" NOT NULL,
    repo_arch       text COLLATE "C" NOT NULL,
    identity_hash   bytea       NOT NULL UNIQUE  -- sha256 of the six texts: they may be longer than an index row
);
COMMENT ON TABLE countme.clients IS 'Dimension: what a hit says of the system that asked and of the repository.';

-- The key of the address hash, per week. Whoever destroys a key makes its addresses unknowable.
CREATE TABLE countme.week_keys (
    week            date        PRIMARY KEY CHECK (extract(isodow FROM week) = 1),
    key             bytea       NOT NULL CHECK (octet_length(key) = 32)
);
REVOKE ALL ON countme.week_keys FROM PUBLIC;
COMMENT ON TABLE countme.week_keys IS 'Secret: keys of raw_hits.address_key. Nobody but the loader reads this.';

-- One row per counted line. Partitioned by week of hit_at (UTC, Monday); children are made before a load.
-- The key is (source_id, byte_offset); it needs no index, because a source is loaded and deleted as a whole.
CREATE TABLE countme.raw_hits (
    hit_at          timestamptz NOT NULL,
    address_key     bigint      NOT NULL,   -- keyed hash of the client's address, comparable within a week
    byte_offset     bigint      NOT NULL,   -- of the line in the decompressed source
    sys_age         bigint      NOT NULL,   -- countme value; -1: none was sent
    client_id       integer     NOT NULL,   -- countme.clients, unenforced: a foreign key costs more than the load
    source_id       integer     NOT NULL    -- countme.sources, unenforced likewise
) PARTITION BY RANGE (hit_at);
CREATE INDEX raw_hits_hit_at ON countme.raw_hits USING brin (hit_at);
COMMENT ON TABLE countme.raw_hits IS 'Mirror list and metalink requests that count, one row per log line.';

-- Policy compat counts equal requests of one second once. These are the rows it does not count.
CREATE TABLE countme.repeats (
    source_id       integer     NOT NULL REFERENCES countme.sources ON DELETE CASCADE,
    byte_offset     bigint      NOT NULL,
    hit_at          timestamptz NOT NULL,
    PRIMARY KEY (source_id, byte_offset)
);
CREATE INDEX repeats_hit_at ON countme.repeats (hit_at);
COMMENT ON TABLE countme.repeats IS 'Rows of raw_hits equal to an earlier one; filled under policy compat only.';

-- Addresses in clear, only with countme.keep_addresses.
CREATE TABLE countme.addresses (
    source_id       integer     NOT NULL REFERENCES countme.sources ON DELETE CASCADE,
    address_key     bigint      NOT NULL,
    address         text        NOT NULL,
    PRIMARY KEY (source_id, address_key)
);
COMMENT ON TABLE countme.addresses IS 'Clear text of address keys per source; empty unless keep_addresses.';

-- The wide shape for analysts: what counts, with names.
CREATE VIEW countme.hits AS
SELECT r.hit_at, coalesce(a.address, to_hex(r.address_key)) AS host,
       c.os_name, c.os_version, c.os_variant, c.os_arch, r.sys_age, c.repo_tag, c.repo_arch,
       s.site, s.day, s.host AS log_host, r.byte_offset
FROM countme.raw_hits r
JOIN countme.clients c USING (client_id)
JOIN countme.sources s USING (source_id)
LEFT JOIN countme.addresses a USING (source_id, address_key)
WHERE NOT EXISTS (SELECT FROM countme.repeats p
                  WHERE p.source_id = r.source_id AND p.byte_offset = r.byte_offset);
COMMENT ON VIEW countme.hits IS 'raw_hits with names instead of ids, without what the policy does not count.';

-- The published counts. sys_age -1 holds the sum over the week's days of distinct addresses.
CREATE TABLE countme.weekly_totals (
    week            date        NOT NULL CHECK (extract(isodow FROM week) = 1),
    hits            bigint      NOT NULL CHECK (hits > 0),
    os_name         text COLLATE "C" NOT NULL,
    os_version      text COLLATE "C" NOT NULL,
    os_variant      text COLLATE "C" NOT NULL,
    os_arch         text COLLATE "C" NOT NULL,
    sys_age         bigint      NOT NULL,
    repo_tag        text COLLATE "C" NOT NULL,
    repo_arch       text COLLATE "C" NOT NULL
);
CREATE INDEX weekly_totals_week ON countme.weekly_totals (week);
COMMENT ON TABLE countme.weekly_totals IS 'Hits per week and system; grain: all columns but hits.';

-- What a week's totals were made from. Differs from the present inputs: the week is recounted.
CREATE TABLE countme.weeks (
    week            date        PRIMARY KEY CHECK (extract(isodow FROM week) = 1),
    policy          text        NOT NULL CHECK (policy IN ('strict', 'compat')),
    is_complete     boolean     NOT NULL,   -- only complete weeks are published
    missing         text        NOT NULL,   -- what is missing, for people; empty when complete
    inputs          text        NOT NULL,   -- digest of the sources counted
    hits            bigint      NOT NULL,
    counted_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE countme.weeks IS 'State of each counted week.';
