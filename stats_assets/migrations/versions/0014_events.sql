-- events: analytics events as they were received. The typed tables come from the schema file, not from migrations.
CREATE SCHEMA events;

-- Every accepted event, once. A table partition per UTC day of received_at. Written by the collector alone: by COPY when
-- the event is received, or later from its spool, with ON CONFLICT DO NOTHING. The key is therefore what makes a replay
-- safe; it costs little, because keys come nearly in their order. Rows appear in the order of received_at but for
-- commit_timeout_seconds of the collector; what comes later than that is told in spool_replays.
CREATE TABLE events.raw_events (
    received_at      timestamptz NOT NULL,              -- when the whole request was there; the same for its events
    request_id       uuid        NOT NULL,              -- given by the collector, told in the answer
    request_position integer     NOT NULL CHECK (request_position >= 0),   -- place in the request's list, from 0
    app_id           text COLLATE "C" NOT NULL,
    table_name       text COLLATE "C" NOT NULL,         -- the event's _t
    event_id         text COLLATE "C",                  -- the client's own name for the event; may repeat
    schema_version   text COLLATE "C" NOT NULL,         -- it was accepted by this one
    headers          bytea,                             -- JSON: header in lower case -> value, those its table names
    payload          bytea       NOT NULL,              -- the event as it was sent: JSON, UTF-8, valid
    PRIMARY KEY (received_at, request_id, request_position)
) PARTITION BY RANGE (received_at);
-- Payloads are short and of a kind: trying to compress each costs more than it saves.
ALTER TABLE events.raw_events ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE events.raw_events IS 'Accepted events as they were sent, one row each.';

-- Refused events of clients that know their secret. stage received: refused by the collector, and not in raw_events;
-- typed: accepted, but of no use for its typed table as that is now. A table partition per UTC day of received_at.
CREATE TABLE events.quarantine (
    received_at      timestamptz NOT NULL,
    request_id       uuid        NOT NULL,
    request_position integer     NOT NULL CHECK (request_position >= 0),
    stage            text COLLATE "C" NOT NULL CHECK (stage IN ('received', 'typed')),
    app_id           text COLLATE "C" NOT NULL,
    table_name       text COLLATE "C",                  -- NULL: the event names none
    event_id         text COLLATE "C",
    reason           text COLLATE "C" NOT NULL,         -- one of a few, such as wrong type
    column_name      text COLLATE "C",                  -- NULL: it is not about a column
    detail           text        NOT NULL,              -- what was found and what was wanted
    schema_version   text COLLATE "C" NOT NULL,         -- it was refused by this one
    headers          bytea,
    payload          bytea       NOT NULL,
    PRIMARY KEY (received_at, request_id, request_position)
) PARTITION BY RANGE (received_at);
ALTER TABLE events.quarantine ALTER COLUMN payload SET STORAGE EXTERNAL;
COMMENT ON TABLE events.quarantine IS 'Events that were refused, with the reason and the column.';

-- Segments of the collector's spool that were brought into raw_events, and the days they added to: the typed tables of
-- these days were made without them. Written in the transaction that brings the segment in.
CREATE TABLE events.spool_replays (
    segment          uuid        NOT NULL,              -- of the collector's spool
    day              date        NOT NULL,              -- UTC, of received_at
    events           bigint      NOT NULL CHECK (events >= 0),      -- in the segment, of this day
    added            bigint      NOT NULL CHECK (added BETWEEN 0 AND events),   -- fewer: a part was there already
    replayed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (segment, day)
);
CREATE INDEX spool_replays_day ON events.spool_replays (day, replayed_at);
COMMENT ON TABLE events.spool_replays IS 'Days that received events afterwards, from the spool of the collector.';

-- Every schema that was in use. Written by the collector when it reads a new one, and by events/schema when the typed
-- tables follow it.
CREATE TABLE events.schema_versions (
    version          text COLLATE "C" PRIMARY KEY CHECK (version ~ '^[0-9a-f]{12}$'),   -- digest of document
    document         jsonb       NOT NULL,              -- tables with columns, apps with tables; no secrets
    first_seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_at       timestamptz,                       -- the typed tables have followed it; NULL: not yet
    statements       text[]      NOT NULL DEFAULT '{}'  -- that it took
);
COMMENT ON TABLE events.schema_versions IS 'Versions of the schema file that were in use, without secrets.';
