-- notifications: what is wrong since when, and who was told.
CREATE SCHEMA notifications;

-- One row per thing that went wrong, until it is right again; when it goes wrong once more, another row.
-- Written by the watcher. Closing one by hand: state recovered, recovered_at now().
CREATE TABLE notifications.incidents (
    incident_id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('run', 'check', 'freshness', 'silence')),
    subject         text COLLATE "C" NOT NULL,  -- room/table, room/table:check, a job, a service
    dagster_partition text COLLATE "C" NOT NULL DEFAULT '',
    state           text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'recovered')),
    why             text        NOT NULL,       -- one line, of the newest failure
    page            text        NOT NULL,       -- in docs/runbooks: what to do
    run_id          text        NOT NULL DEFAULT '',
    event_id        bigint      NOT NULL DEFAULT 0,  -- of the newest failure in Dagster's event log
    is_warning      boolean     NOT NULL DEFAULT false,
    first_at        timestamptz NOT NULL,
    last_at         timestamptz NOT NULL,       -- of the newest failure
    times           integer     NOT NULL DEFAULT 1,
    recovered_at    timestamptz,
    due_at          timestamptz NOT NULL,       -- not told before: others may join it, or it may pass
    notified_at     timestamptz,                -- when its message went into the outbox
    recovery_notified_at timestamptz,
    CHECK ((state = 'recovered') = (recovered_at IS NOT NULL))
);
CREATE UNIQUE INDEX incidents_open ON notifications.incidents (kind, subject, dagster_partition) WHERE state = 'open';
CREATE INDEX incidents_untold ON notifications.incidents (due_at)
    WHERE notified_at IS NULL OR (state = 'recovered' AND recovery_notified_at IS NULL);
COMMENT ON TABLE notifications.incidents IS 'What is or was wrong, one row from the first failure to the recovery.';

-- The outbox: one row per message and channel. A channel is a name in stats.yaml; its address is kept nowhere else.
CREATE TABLE notifications.messages (
    message_id      uuid        PRIMARY KEY,
    channel         text        NOT NULL,
    title           text        NOT NULL,
    body            text        NOT NULL,
    state           text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dropped')),
    made_at         timestamptz NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    next_try_at     timestamptz NOT NULL,
    delivered_at    timestamptz,
    problem         text                        -- why the last attempt failed
);
CREATE INDEX messages_waiting ON notifications.messages (next_try_at) WHERE state = 'waiting';
COMMENT ON TABLE notifications.messages IS 'Messages to people, one row per channel; dropped: its channel is gone from stats.yaml.';

-- One row: how far Dagster's event log was read, for people and for the bus, and when the watcher last looked.
CREATE TABLE notifications.watcher (
    is_the_only_row boolean     PRIMARY KEY DEFAULT true CHECK (is_the_only_row),
    event_id        bigint      NOT NULL,
    bus_event_id    bigint      NOT NULL,
    looked_at       timestamptz NOT NULL
);
COMMENT ON TABLE notifications.watcher IS 'How far the watcher has read, and when it last looked.';

-- upkeep: Dagster's own tables and files, kept small.
CREATE SCHEMA upkeep;

-- Sizes as they were on a day. Written by upkeep/instance_sizes, which replaces the day.
CREATE TABLE upkeep.instance_sizes (
    day             date        NOT NULL,
    part            text COLLATE "C" NOT NULL,  -- a table of Dagster's database, or compute_logs
    rows            bigint      NOT NULL,       -- of tables an estimate; of compute_logs files
    bytes           bigint      NOT NULL,       -- with indexes and TOAST
    measured_at     timestamptz NOT NULL,
    PRIMARY KEY (day, part)
);
COMMENT ON TABLE upkeep.instance_sizes IS 'Size of each of Dagster''s own tables and of its compute logs, per day.';

-- One row per pass that took something away. Written by upkeep/prunings; rows are only added.
CREATE TABLE upkeep.prunings (
    pruned_at       timestamptz PRIMARY KEY,
    runs            integer     NOT NULL,       -- removed with all their rows
    emptied_runs    integer     NOT NULL,       -- kept, as they hold a newest materialization; their other rows went
    event_rows      bigint      NOT NULL,
    snapshots       integer     NOT NULL,       -- of jobs and plans that no run refers to any more
    backfills       integer     NOT NULL,
    ticks           bigint      NOT NULL,
    compute_logs    integer     NOT NULL,       -- folders of runs
    seconds         real        NOT NULL
);
COMMENT ON TABLE upkeep.prunings IS 'What was taken out of Dagster''s own tables and files, per pass.';
