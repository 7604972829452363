-- trends: the site's listing, the aggregates, and what leagues and demo sites know of the same games.

-- What the site lists: every log it ever named to us. Which of them we have is told by import_ledger.
CREATE TABLE trends.listed_logs (
    logid           integer     PRIMARY KEY,
    day             date        NOT NULL,   -- of uploaded_at, UTC
    uploaded_at     timestamptz NOT NULL,   -- as listed last
    listed_at       timestamptz NOT NULL,   -- when it was last named
    asked_for       timestamptz             -- the uploaded_at we last fetched it for; NULL: not asked for yet
);
CREATE INDEX listed_logs_day ON trends.listed_logs (day);
COMMENT ON TABLE trends.listed_logs IS 'Logs the game-log site lists, one row per logid, with the day of upload.';

CREATE TABLE trends.listed_days (
    day             date        PRIMARY KEY,
    listed_at       timestamptz NOT NULL,   -- when listing it began, all pages of it were read since
    logs            integer     NOT NULL,
    pages           integer     NOT NULL    -- of the run that listed it, perhaps with other days
);
COMMENT ON TABLE trends.listed_days IS 'Upload days that were listed to their end, and when last.';

-- From which state of a day (trends.days.changed_at) an aggregate has counted it.
CREATE TABLE trends.aggregate_days (
    aggregate       text        NOT NULL,   -- the aggregate's table
    day             date        NOT NULL,
    changed_at      timestamptz NOT NULL,
    PRIMARY KEY (aggregate, day)
);
COMMENT ON TABLE trends.aggregate_days IS 'What each aggregate was counted from, by upload day.';

-- Every sum is a bigint: a single forged log may hold numbers near the end of an integer. No CHECK on sums of cubes:
-- they are brought up to date by INSERT ... ON CONFLICT, which would hold it against a difference.
CREATE TABLE trends.leaderboard_days (
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    league          trends.league,
    format          trends.format,
    class           trends.class,
    map             text COLLATE "C" NOT NULL,
    games           bigint      NOT NULL,
    duration_seconds bigint     NOT NULL,
    wins            bigint      NOT NULL,
    ties            bigint      NOT NULL,
    losses          bigint      NOT NULL,
    kills           bigint      NOT NULL,
    deaths          bigint      NOT NULL,
    assists         bigint      NOT NULL,
    dmg             bigint      NOT NULL,
    dt              bigint,
    shots           bigint,
    hits            bigint,
    dt_games        bigint      NOT NULL,
    accuracy_games  bigint      NOT NULL
);
CREATE INDEX leaderboard_days_day ON trends.leaderboard_days (day);
COMMENT ON TABLE trends.leaderboard_days IS 'What each upload day adds to leaderboard_cube: its finest cells.';

CREATE TABLE trends.leaderboard_cube (
    steamid64       bigint      NOT NULL,
    league          trends.league,          -- NULL: rolled up, or of no league, as the grouping says
    format          trends.format,
    class           trends.class,           -- primary class of the player in the game; NULL also: none
    map             text COLLATE "C",
    grouping        smallint    NOT NULL CHECK (grouping BETWEEN 0 AND 15),  -- rolled up: league 8, format 4, class 2, map 1
    games           bigint      NOT NULL,
    duration_seconds bigint     NOT NULL,
    wins            bigint      NOT NULL,   -- games with more rounds won than lost
    ties            bigint      NOT NULL,
    losses          bigint      NOT NULL,
    kills           bigint      NOT NULL,
    deaths          bigint      NOT NULL,
    assists         bigint      NOT NULL,
    dmg             bigint      NOT NULL,
    dt              bigint,                 -- NULL: no game of the cell tells
    shots           bigint,
    hits            bigint,
    dt_games        bigint      NOT NULL,   -- games that tell dt
    accuracy_games  bigint      NOT NULL,   -- games that tell shots and hits
    CONSTRAINT leaderboard_cube_cell UNIQUE NULLS NOT DISTINCT (steamid64, grouping, map, class, format, league)
) WITH (fillfactor = 90);   -- room for sums that grow in place
CREATE INDEX leaderboard_cube_board ON trends.leaderboard_cube (grouping, map, class, format, league);
COMMENT ON TABLE trends.leaderboard_cube IS 'Sums per player over games that are no duplicates, for every combination '
    'of league, format, primary class and map, each given or rolled up.';

CREATE TABLE trends.medic_days (
    day             date        NOT NULL,
    steamid64       bigint      NOT NULL,
    league          trends.league,
    format          trends.format,
    map             text COLLATE "C" NOT NULL,
    games           bigint      NOT NULL,
    duration_seconds bigint     NOT NULL,
    wins            bigint      NOT NULL,
    ties            bigint      NOT NULL,
    losses          bigint      NOT NULL,
    ubers           bigint      NOT NULL,
    drops           bigint      NOT NULL,
    medigun_ubers   bigint,
    kritz_ubers     bigint,
    other_ubers     bigint,
    advantages_lost bigint,
    biggest_advantage_lost bigint,
    deaths_after_uber bigint    NOT NULL,
    deaths_before_uber bigint   NOT NULL,
    before_healing_seconds numeric NOT NULL,
    before_healing_games bigint NOT NULL,
    before_using_seconds numeric NOT NULL,
    before_using_ubers bigint   NOT NULL,
    to_build_seconds numeric    NOT NULL,
    to_build_ubers  bigint      NOT NULL,
    uber_seconds    numeric     NOT NULL,
    uber_seconds_ubers bigint   NOT NULL,
    healing         bigint,
    healing_scout   bigint,
    healing_soldier bigint,
    healing_pyro    bigint,
    healing_demoman bigint,
    healing_heavyweapons bigint,
    healing_engineer bigint,
    healing_medic   bigint,
    healing_sniper  bigint,
    healing_spy     bigint,
    healing_other   bigint,
    healing_enemy   bigint,
    uber_type_games bigint      NOT NULL,
    advantage_games bigint      NOT NULL,
    healing_games   bigint      NOT NULL
);
CREATE INDEX medic_days_day ON trends.medic_days (day);
COMMENT ON TABLE trends.medic_days IS 'What each upload day adds to medic_cube: its finest cells.';

CREATE TABLE trends.medic_cube (
    steamid64       bigint      NOT NULL,
    league          trends.league,          -- NULL: rolled up, or of no league, as the grouping says
    format          trends.format,
    map             text COLLATE "C",
    grouping        smallint    NOT NULL CHECK (grouping BETWEEN 0 AND 7),   -- rolled up: league 4, format 2, map 1
    games           bigint      NOT NULL,
    duration_seconds bigint     NOT NULL,
    wins            bigint      NOT NULL,
    ties            bigint      NOT NULL,
    losses          bigint      NOT NULL,
    ubers           bigint      NOT NULL,
    drops           bigint      NOT NULL,
    medigun_ubers   bigint,                 -- NULL: no game of the cell tells; the following likewise
    kritz_ubers     bigint,
    other_ubers     bigint,
    advantages_lost bigint,
    biggest_advantage_lost bigint,          -- summed over the games
    deaths_after_uber bigint    NOT NULL,   -- within 20 s of it; a game that does not tell counts as 0
    deaths_before_uber bigint   NOT NULL,   -- with 95 to 99 % of it; likewise
    before_healing_seconds numeric NOT NULL,    -- average of each game, summed over the games that tell
    before_healing_games bigint NOT NULL,       -- these games
    before_using_seconds numeric NOT NULL,      -- average of each game times its ubers, summed
    before_using_ubers bigint   NOT NULL,       -- divide by this
    to_build_seconds numeric    NOT NULL,       -- average times ubers and drops
    to_build_ubers  bigint      NOT NULL,
    uber_seconds    numeric     NOT NULL,       -- average duration times ubers
    uber_seconds_ubers bigint   NOT NULL,
    healing         bigint,                 -- all of it; what follows are its parts
    healing_scout   bigint,                 -- by the primary class of the own player healed
    healing_soldier bigint,
    healing_pyro    bigint,
    healing_demoman bigint,
    healing_heavyweapons bigint,
    healing_engineer bigint,
    healing_medic   bigint,
    healing_sniper  bigint,
    healing_spy     bigint,
    healing_other   bigint,                 -- own players without a primary class
    healing_enemy   bigint,                 -- players of the other team
    uber_type_games bigint      NOT NULL,   -- games that tell medigun_ubers, kritz_ubers and other_ubers
    advantage_games bigint      NOT NULL,   -- games that tell advantages
    healing_games   bigint      NOT NULL,   -- games with healing
    CONSTRAINT medic_cube_cell UNIQUE NULLS NOT DISTINCT (steamid64, grouping, map, format, league)
) WITH (fillfactor = 90);
CREATE INDEX medic_cube_board ON trends.medic_cube (grouping, map, format, league);
COMMENT ON TABLE trends.medic_cube IS 'Sums per medic over games that are no duplicates, for every combination of '
    'league, format and map, each given or rolled up.';

CREATE TABLE trends.map_days (
    day             date        NOT NULL,
    map             text COLLATE "C" NOT NULL,
    popularity      bigint      NOT NULL,
    PRIMARY KEY (day, map)
);
COMMENT ON TABLE trends.map_days IS 'Logs per upload day and map, duplicates included.';

CREATE TABLE trends.map_popularity (
    map             text COLLATE "C" PRIMARY KEY,
    popularity      bigint      NOT NULL
);
COMMENT ON TABLE trends.map_popularity IS 'Logs per map, duplicates included.';

-- A player's games in the order of their ids, each with the averages over it and the 19 games before it.
CREATE TABLE trends.player_trends (
    steamid64       bigint      NOT NULL,
    logid           integer     NOT NULL,
    day             date        NOT NULL,
    played_at       timestamptz NOT NULL,   -- upload of the log
    duration_seconds integer    NOT NULL,
    round_wins      integer     NOT NULL,
    round_losses    integer     NOT NULL,
    round_ties      integer     NOT NULL,
    game_kills      integer     NOT NULL,
    game_deaths     integer     NOT NULL,
    game_assists    integer     NOT NULL,
    game_dmg        integer     NOT NULL,
    game_dt         integer,
    game_hsg        integer,
    game_hsr        integer,
    winrate         double precision,       -- games won, ties half, of the window
    round_winrate   double precision,       -- rounds won, ties half
    kills           double precision,       -- per 30 minutes
    deaths          double precision,
    assists         double precision,
    dpm             double precision,       -- damage per minute
    dtm             double precision,       -- damage taken per minute of the games that tell it
    hpm_given       double precision,       -- healing per minute, likewise
    hpm_received    double precision,
    PRIMARY KEY (steamid64, logid)
) WITH (fillfactor = 90);
CREATE INDEX player_trends_day ON trends.player_trends (day);
COMMENT ON TABLE trends.player_trends IS 'Rolling averages of players over their last 20 games, one row per player and '
    'game that is no duplicate.';

-- What leagues and the demo site know. Logs find their match and demo in match_links and demo_links.
CREATE TABLE trends.demos (
    demoid          integer     PRIMARY KEY,
    played_at       timestamptz NOT NULL,
    duration_seconds integer    NOT NULL,
    url             text        NOT NULL,
    server          text        NOT NULL,
    map             text COLLATE "C" NOT NULL,
    red_name        text        NOT NULL,
    blue_name       text        NOT NULL,
    red_score       integer     NOT NULL,
    blue_score      integer     NOT NULL,
    players         bigint[]    NOT NULL    -- steamid64 of those in a team, ascending
);
CREATE INDEX demos_played_at ON trends.demos (played_at);
COMMENT ON TABLE trends.demos IS 'Demos of the demo site, never changed once there.';

CREATE TABLE trends.league_matches (
    league          trends.league NOT NULL,
    matchid         integer     NOT NULL,
    competition     text        NOT NULL,
    division        text        NOT NULL,
    round           text        NOT NULL,
    format          trends.format NOT NULL,
    team1           integer     NOT NULL,   -- the smaller id
    team2           integer     NOT NULL CHECK (team2 > team1),
    score1          real        NOT NULL,
    score2          real        NOT NULL,
    is_forfeit      boolean     NOT NULL,
    maps            text[]      NOT NULL,   -- sorted, each once
    scheduled_at    timestamptz NOT NULL,
    fetched_at      timestamptz NOT NULL,
    PRIMARY KEY (league, matchid)
);
CREATE INDEX league_matches_scheduled_at ON trends.league_matches (scheduled_at);
COMMENT ON TABLE trends.league_matches IS 'Matches of the leagues with their results.';

CREATE TABLE trends.league_teams (
    league          trends.league NOT NULL,
    teamid          integer     NOT NULL,
    name            text        NOT NULL,
    fetched_at      timestamptz,            -- when its members were fetched; NULL: not yet
    PRIMARY KEY (league, teamid)
);
COMMENT ON TABLE trends.league_teams IS 'Teams of the leagues.';

CREATE TABLE trends.team_members (
    league          trends.league NOT NULL,
    teamid          integer     NOT NULL,
    steamid64       bigint      NOT NULL,
    joined_at       timestamptz NOT NULL,
    left_at         timestamptz,            -- NULL: is a member still
    PRIMARY KEY (league, teamid, steamid64, joined_at),
    CHECK (left_at > joined_at)
);
COMMENT ON TABLE trends.team_members IS 'Who was on the roster of a team, and when.';
