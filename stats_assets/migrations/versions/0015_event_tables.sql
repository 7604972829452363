-- events: the state of the typed tables by day, and what is counted of the days. The typed tables themselves come from
-- the schema file and are made by events/schema.

-- From what a day of a typed table was made. Written by the table's asset, in the transaction that replaces the rows.
CREATE TABLE events.table_days (
    table_name       text COLLATE "C" NOT NULL,
    day              date        NOT NULL,              -- UTC, of received_at
    definition       text COLLATE "C" NOT NULL,         -- digest of the table's columns in the schema file
    replays          bigint      NOT NULL,              -- rows of spool_replays that its events and repeats could be in
    complete_until   timestamptz NOT NULL,              -- what was received before is all in, but for replays
    received         bigint      NOT NULL CHECK (received >= 0),    -- raw events of the table
    stored           bigint      NOT NULL CHECK (stored >= 0),      -- rows of the typed table
    quarantined      bigint      NOT NULL CHECK (quarantined >= 0),
    repeats          bigint      NOT NULL CHECK (repeats >= 0),     -- their event_id had been received before
    identified       bigint      NOT NULL CHECK (identified >= 0),  -- events with an event_id
    replaced_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (table_name, day),
    CHECK (received = stored + quarantined + repeats)
);
COMMENT ON TABLE events.table_days IS 'Days of each typed table that are made, from what, and what became of their events.';

-- What became of the events of a day. Replaced by events/daily_event_counts; days whose raw events are retired stay.
CREATE TABLE events.daily_event_counts (
    day              date        NOT NULL,
    app_id           text COLLATE "C" NOT NULL,
    table_name       text COLLATE "C" NOT NULL,         -- '' for events that name none
    received         bigint      NOT NULL,              -- accepted by the collector
    stored           bigint      NOT NULL,              -- in the typed table
    repeats          bigint      NOT NULL,              -- received again within lateness_days, by event_id
    quarantined      bigint      NOT NULL,              -- accepted, but of no use for the typed table
    refused          bigint      NOT NULL,              -- by the collector, with a reason
    with_unknown_columns bigint  NOT NULL,              -- stored, with something in extra
    PRIMARY KEY (day, app_id, table_name)
);
COMMENT ON TABLE events.daily_event_counts IS 'Events per day, app and table, and what became of them.';

-- Keys that no column takes, by what extra has. Replaced together with daily_event_counts.
CREATE TABLE events.unknown_columns (
    day              date        NOT NULL,
    app_id           text COLLATE "C" NOT NULL,
    table_name       text COLLATE "C" NOT NULL,
    column_name      text COLLATE "C" NOT NULL,
    events           bigint      NOT NULL,              -- stored ones that have it
    PRIMARY KEY (day, app_id, table_name, column_name)
);
COMMENT ON TABLE events.unknown_columns IS 'Keys of stored events that their table has no column for.';
