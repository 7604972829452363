-- trends: game logs. Raw bytes first, then a pure parse of them into typed rows.
CREATE SCHEMA trends;

-- In the order every list of the game uses.
CREATE TYPE trends.class AS ENUM
    ('scout', 'soldier', 'pyro', 'demoman', 'heavyweapons', 'engineer', 'medic', 'sniper', 'spy');
CREATE TYPE trends.team AS ENUM ('Red', 'Blue');
CREATE TYPE trends.event AS ENUM ('kill', 'death', 'assist');
CREATE TYPE trends.format AS ENUM ('ultiduo', 'fours', 'sixes', 'prolander', 'highlander', 'other');
CREATE TYPE trends.league AS ENUM ('etf2l', 'rgl');

-- Dictionaries the raw bytes are compressed with. Rows are only ever added: a lost one takes its logs with it.
CREATE TABLE trends.dictionaries (
    dictionary_id   integer     PRIMARY KEY,    -- as zstd writes it into every frame
    content         bytea       NOT NULL,
    trained_logs    integer     NOT NULL,
    made_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trends.dictionaries IS 'zstd dictionaries of raw_logs.content.';

-- Every log exactly as it came, the newest version of each. Partitioned by blocks of 100,000 logids, made ahead.
CREATE TABLE trends.raw_logs (
    logid           integer     NOT NULL CHECK (logid > 0),
    uploaded_at     timestamptz,            -- by the list or the log itself; NULL when neither can be read
    fetched_at      timestamptz NOT NULL,   -- when these bytes came
    source          text        NOT NULL,   -- api:..., file:..., clone_logs:...
    is_complete     boolean     NOT NULL,   -- false: a clone_logs batch, which does not hold all of a log
    sha256          bytea       NOT NULL CHECK (octet_length(sha256) = 32),     -- of the bytes as they came
    content_bytes   integer     NOT NULL,   -- as they came, before compression
    dictionary_id   integer,                -- trends.dictionaries; NULL: compressed without one
    content         bytea       NOT NULL,   -- the bytes, one zstd frame
    PRIMARY KEY (logid)
) PARTITION BY RANGE (logid);
ALTER TABLE trends.raw_logs ALTER COLUMN content SET STORAGE EXTERNAL;   -- it is compressed already
COMMENT ON TABLE trends.raw_logs IS 'Game logs as they came, compressed, one row per logid.';

-- What became of every logid that was asked for or delivered: the checkpoint of imports, the base of gap reports.
CREATE TABLE trends.import_ledger (
    logid           integer     PRIMARY KEY,
    state           text        NOT NULL CHECK (state IN ('missing', 'fetched', 'parsed', 'quarantined', 'bogus',
                                                          'duplicate', 'banned')),
    reason          text,                   -- why it is missing, quarantined, bogus or banned; code: detail
    attempts        integer     NOT NULL DEFAULT 1 CHECK (attempts > 0),   -- imports and fetches so far
    day             date,                   -- upload day whose silver rows are this log's; NULL: it has none
    uploaded_at     timestamptz,            -- as listed or parsed
    source          text        NOT NULL,   -- of the last attempt
    parser_version  smallint,               -- of the silver rows
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((day IS NULL) = (state IN ('missing', 'fetched', 'quarantined')))
);
CREATE INDEX import_ledger_not_imported ON trends.import_ledger (state, logid)
    WHERE state IN ('missing', 'fetched', 'quarantined');
CREATE INDEX import_ledger_uploaded_at ON trends.import_ledger (uploaded_at);
COMMENT ON TABLE trends.import_ledger IS 'State of every logid: missing, fetched, parsed, quarantined, bogus, '
    'duplicate or banned.';

-- Logs (and files that are none) that could not be imported. The row goes when a mended copy is imported.
CREATE TABLE trends.quarantine (
    logid           integer,                -- NULL: a file that belongs to no logid
    source          text        NOT NULL,
    reason          text        NOT NULL,   -- a code; all codes: stats_assets/trends/reasons.py
    detail          text        NOT NULL,   -- where in the log and what was found, cut
    sample          text        NOT NULL,   -- beginning of the bytes, odd ones escaped as \xHH
    sha256          bytea       NOT NULL,
    attempts        integer     NOT NULL DEFAULT 1,
    first_seen_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX quarantine_logid ON trends.quarantine (logid) WHERE logid IS NOT NULL;
CREATE UNIQUE INDEX quarantine_source ON trends.quarantine (source) WHERE logid IS NULL;
COMMENT ON TABLE trends.quarantine IS 'Logs that could not be read, with reason and sample.';

-- Files and batches that were imported whole: what the watched folder need not read again.
CREATE TABLE trends.imported_files (
    name            text COLLATE "C" PRIMARY KEY,   -- path or URL
    version         text        NOT NULL,   -- what the store says of its version; another one is imported again
    file_bytes      bigint      NOT NULL,
    logs            integer     NOT NULL,
    quarantined     integer     NOT NULL,
    imported_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trends.imported_files IS 'Files of the batch folder that were imported, with the version they had.';

-- When the rows of an upload day last changed, whichever import or duplicate changed them. Never deleted.
CREATE TABLE trends.days (
    day             date        PRIMARY KEY,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE trends.days IS 'Upload days with rows, and when these last changed: what aggregates are renewed by.';

-- Dimensions. Rows are only ever added.
CREATE TABLE trends.players (
    steamid64       bigint      PRIMARY KEY,
    name            text COLLATE "C",       -- as in the newest game; NULL: seen in chat or as uploader only, unnamed
    last_game_at    timestamptz,            -- upload time of the newest game; NULL: has not played
    last_logid      integer,                -- that game
    is_banned       boolean     NOT NULL DEFAULT false,     -- what this player uploads is not counted
    ban_reason      text,
    CHECK (is_banned = (ban_reason IS NOT NULL)),
    CHECK ((last_game_at IS NULL) = (last_logid IS NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE trends.players IS 'Everyone who played, chatted or uploaded.';
CREATE INDEX players_banned ON trends.players (steamid64) WHERE is_banned;

CREATE TABLE trends.maps (
    map             text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE trends.maps IS 'Every map name that a log gives.';

CREATE TABLE trends.weapons (
    weaponid        integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    weapon          text COLLATE "C" NOT NULL UNIQUE,   -- the name in the logs
    name            text COLLATE "C",       -- for people
    slot            text COLLATE "C"        -- primary, secondary, melee, sentry, building, action, taunt, environment
);
COMMENT ON TABLE trends.weapons IS 'Every weapon name that a log gives.';

-- Which demo and which league match a log belongs to. Apart from the logs, so that a reimport keeps them.
CREATE TABLE trends.demo_links (
    logid           integer     PRIMARY KEY,
    demoid          integer     NOT NULL,
    linked_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trends.demo_links IS 'The demo of a log.';

CREATE TABLE trends.match_links (
    logid           integer     PRIMARY KEY,
    league          trends.league NOT NULL,
    matchid         integer     NOT NULL,
    team1_is_red    boolean     NOT NULL,
    linked_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trends.match_links IS 'The league match of a log.';

-- Silver: one row set per log, replaced as a whole, all of one parse. `day` is the UTC day of upload and cuts the
-- tables into months; keys begin with logid, because logs arrive by logid: then loading stays as fast as it began.
-- Foreign keys would cost five times the load; the check `rows_belong_to_games` looks for strays instead.
CREATE TABLE trends.games (
    logid           integer     NOT NULL,
    day             date        NOT NULL,   -- of uploaded_at, UTC
    uploaded_at     timestamptz NOT NULL,
    title           text        NOT NULL,
    map             text COLLATE "C" NOT NULL,
    duration_seconds integer    NOT NULL CHECK (duration_seconds >= 0),
    red_score       integer     NOT NULL,
    blue_score      integer     NOT NULL,
    format          trends.format,          -- NULL: nothing of it is counted, or nobody played
    is_ad_scoring   boolean,                -- attack and defence: the score decides, not the rounds
    is_counted      boolean     NOT NULL,   -- false: bogus or of a banned uploader; only this row is kept of it
    duplicate_of    integer[],              -- older logs of the same rounds, ascending; NULL: none
    uploader_steamid64 bigint,
    uploader_name   text,
    json_version    smallint    NOT NULL,   -- 1: the old shape
    PRIMARY KEY (logid, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.games IS 'Game logs, one row each.';

CREATE TABLE trends.rounds (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    seq             smallint    NOT NULL,   -- place in the log; gaps where a round had no length or was a repeat
    duration_seconds integer    NOT NULL CHECK (duration_seconds > 0),
    started_at      timestamptz NOT NULL,   -- by the game server's clock, which is often hours off
    winner          trends.team,            -- NULL: nobody
    firstcap        trends.team,
    red_score       integer     NOT NULL,
    blue_score      integer     NOT NULL,
    red_kills       integer,
    blue_kills      integer,
    red_dmg         integer,
    blue_dmg        integer,
    red_ubers       integer,
    blue_ubers      integer,
    PRIMARY KEY (logid, seq, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.rounds IS 'Rounds with a length, one row each.';

CREATE TABLE trends.player_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    name            text COLLATE "C",       -- in this game
    team            trends.team NOT NULL,
    kills           integer     NOT NULL,
    assists         integer     NOT NULL,
    deaths          integer     NOT NULL,
    dmg             integer     NOT NULL,
    dt              integer,                -- damage taken; NULL: not recorded
    wins            integer     NOT NULL,   -- rounds, or 1 for the game under attack and defence scoring
    losses          integer     NOT NULL,
    ties            integer     NOT NULL,   -- rounds of a minute or more that nobody won
    primary_class   trends.class,           -- played for more than two thirds of the time; NULL: none
    shots           integer,                -- both or none
    hits            integer,
    hsg             integer,                -- healing given, to players of this game
    hsr             integer,                -- healing received, likewise
    PRIMARY KEY (logid, steamid64, day),
    CHECK ((shots IS NULL) = (hits IS NULL))
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.player_stats IS 'What each player did in a game.';

CREATE TABLE trends.player_stats_extra (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    suicides        integer,
    dmg_real        integer,                -- damage that counts: not beyond the health there was
    dt_real         integer,
    hr              integer,                -- healing received, as the log itself has it
    lks             integer     NOT NULL,   -- longest kill streak
    airshots        integer,
    medkits         integer,
    medkits_hp      integer,
    backstabs       integer,
    headshots       integer,
    headshots_hit   integer,
    sentries        integer,                -- built
    healing         integer,
    cpc             integer,                -- control points captured
    ic              integer,                -- intelligence captured
    mks             integer,                -- largest of the log's kill streaks
    PRIMARY KEY (logid, steamid64, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.player_stats_extra IS 'Less usual numbers of players who have one that is not 0.';

CREATE TABLE trends.class_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    class           trends.class NOT NULL,
    kills           integer     NOT NULL,
    assists         integer     NOT NULL,
    deaths          integer     NOT NULL,
    dmg             integer     NOT NULL,
    duration_seconds integer    NOT NULL,   -- at most the game's
    shots           integer,
    hits            integer,
    PRIMARY KEY (logid, steamid64, class, day),
    CHECK ((shots IS NULL) = (hits IS NULL))
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.class_stats IS 'What each player did as each class.';

CREATE TABLE trends.weapon_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    class           trends.class NOT NULL,
    weaponid        integer     NOT NULL,   -- trends.weapons
    kills           integer     NOT NULL,
    dmg             integer,                -- both or none
    avg_dmg         real,
    shots           integer,                -- both or none
    hits            integer,
    PRIMARY KEY (logid, steamid64, class, weaponid, day),
    CHECK ((dmg IS NULL) = (avg_dmg IS NULL)),
    CHECK ((shots IS NULL) = (hits IS NULL))
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.weapon_stats IS 'What each player did as each class with each weapon.';

CREATE TABLE trends.heal_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    healer          bigint      NOT NULL,   -- steamid64, as healee
    healee          bigint      NOT NULL,
    healing         integer     NOT NULL,
    PRIMARY KEY (logid, healer, healee, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.heal_stats IS 'Who healed whom, among the players of a game.';

CREATE TABLE trends.medic_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    ubers           integer     NOT NULL,
    medigun_ubers   integer,                -- the three together or none; they add up to ubers
    kritz_ubers     integer,
    other_ubers     integer,
    drops           integer     NOT NULL,
    advantages_lost integer,                -- both or none
    biggest_advantage_lost integer,         -- seconds
    avg_time_before_healing real,           -- seconds, as the following
    avg_time_before_using real,
    avg_time_to_build real,
    avg_uber_duration real      CHECK (avg_uber_duration > 0 AND avg_uber_duration < 8),
    deaths_after_uber integer,              -- within 20 s of it
    deaths_before_uber integer,             -- with 95 to 99 % of it
    PRIMARY KEY (logid, steamid64, day),
    CHECK ((advantages_lost IS NULL) = (biggest_advantage_lost IS NULL)),
    CHECK (num_nulls(medigun_ubers, kritz_ubers, other_ubers) IN (0, 3))
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.medic_stats IS 'Ubers and their circumstances, for players who were medic.';

CREATE TABLE trends.event_stats (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    event           trends.event NOT NULL,
    scout           integer     NOT NULL,   -- kill, assist: as what the victim died; death: what killed
    soldier         integer     NOT NULL,
    pyro            integer     NOT NULL,
    demoman         integer     NOT NULL,
    heavyweapons    integer     NOT NULL,
    engineer        integer     NOT NULL,
    medic           integer     NOT NULL,
    sniper          integer     NOT NULL,
    spy             integer     NOT NULL,
    PRIMARY KEY (logid, steamid64, event, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.event_stats IS 'Kills, deaths and assists by the class of the other player.';

CREATE TABLE trends.killstreaks (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    time_seconds    integer     NOT NULL,   -- since the game began
    kills           integer     NOT NULL CHECK (kills > 0),
    PRIMARY KEY (logid, steamid64, time_seconds, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.killstreaks IS 'Kill streaks of players of a game.';

CREATE TABLE trends.chat (
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    seq             smallint    NOT NULL,   -- place in the log; gaps where the writer has no valid id
    steamid64       bigint,                 -- NULL: the console
    msg             text        NOT NULL,
    PRIMARY KEY (logid, seq, day)
) PARTITION BY RANGE (day);
COMMENT ON TABLE trends.chat IS 'What was said in a game.';
