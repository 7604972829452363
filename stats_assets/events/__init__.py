"""events: what apps and games tell us about their use: received over HTTP, kept as sent, typed into tables.

Received. A client posts `{"secret_key": ..., "events": [{"_t": table, column: value, ...}, ...]}` to
`/apps/<app_id>/events` of the collector (`./stats collector`; `./stats up` runs one). The schema file says which
tables and columns there are, and which app may fill which. Every event gets a verdict, and the answer tells it.

Source. The schema file (`events.schema_file`, the grammar of attolytics and a few keys more), and the clients.

Tables:
    events.raw_events       every accepted event as it was sent, by table partitions of the UTC day it was received
    events.quarantine       refused events of clients that know the secret, with reason and column; by day as well
    events.spool_replays    which days were added to afterwards, from a spool of a time without PostgreSQL
    events.schema_versions  every schema the collector or the tables have known
    events.<table>          one typed table per table of the schema file, by day; with table_days, from what it was made
    events.daily_event_counts, unknown_columns    what became of the events of each app and table, by day

Always true:
    an event is acknowledged after it was committed, or is on disk (fsync) in the spool; never before
    an acknowledged event is in raw_events once, whatever dies when, and nothing else is
    events that were not acknowledged may be there all the same: their answer was lost on its way. A client that
        sends again gives its events an event_id, by which the typed tables take each once
    an event is named by (received_at, request_id, request_position): in raw_events, the quarantine and the typed tables
    raw_events holds the bytes that were sent; nothing is lost by a type, a typo or a column that is not declared
    of the events of a table and day: received = stored + quarantined + repeats
    a typed day depends on raw events and the schema file alone; again, in a range, in any order: the same rows
    the tables follow the schema file while events come, or say what an operator would have to do

Rerun. Nothing is needed for what is received. The typed tables of a day are made again from raw_events.

Reading order: config, schema_file (what is allowed), values and verdict (one event), envelope (one body),
batches, store, spool (how they are kept), collector and connections (HTTP). Then catalog, evolution with ddl, evolve
(how tables follow the file), decoding with raw_blocks and timestamps (how many events become rows), typed (a day),
counts, stale (which days), assets, automation, export.
"""
