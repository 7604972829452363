"""Statements on demos, matches and teams, and those that link logs to them."""

from __future__ import annotations

KNOWN_DEMOS = "SELECT demoid FROM trends.demos WHERE demoid = ANY(%(ids)s)"
ADD_DEMO = """
INSERT INTO trends.demos (demoid, played_at, duration_seconds, url, server, map, red_name, blue_name, red_score,
    blue_score, players)
VALUES (%(demoid)s, %(played_at)s, %(duration_seconds)s, %(url)s, %(server)s, %(map)s, %(red_name)s, %(blue_name)s,
    %(red_score)s, %(blue_score)s, %(players)s::bigint[])
ON CONFLICT (demoid) DO NOTHING
"""
NEWEST_DEMO = "SELECT max(played_at) FROM trends.demos"

SET_MATCH = """
INSERT INTO trends.league_matches (league, matchid, competition, division, round, format, team1, team2, score1, score2,
    is_forfeit, maps, scheduled_at, fetched_at)
VALUES (%(league)s, %(matchid)s, %(competition)s, %(division)s, %(round)s, %(format)s, %(team1)s, %(team2)s,
    %(score1)s, %(score2)s, %(is_forfeit)s, %(maps)s::text[], %(scheduled_at)s, %(fetched_at)s)
ON CONFLICT (league, matchid) DO UPDATE
   SET competition = excluded.competition, division = excluded.division, round = excluded.round,
       format = excluded.format, team1 = excluded.team1, team2 = excluded.team2, score1 = excluded.score1,
       score2 = excluded.score2, is_forfeit = excluded.is_forfeit, maps = excluded.maps,
       scheduled_at = excluded.scheduled_at, fetched_at = excluded.fetched_at
"""
SET_TEAM = """
INSERT INTO trends.league_teams (league, teamid, name) VALUES (%(league)s, %(teamid)s, %(name)s)
ON CONFLICT (league, teamid) DO UPDATE SET name = excluded.name
"""
TEAM_FETCHED_AT = "SELECT fetched_at FROM trends.league_teams WHERE league = %(league)s AND teamid = %(teamid)s"
FORGET_MEMBERS = "DELETE FROM trends.team_members WHERE league = %(league)s AND teamid = %(teamid)s"
ADD_MEMBER = """
INSERT INTO trends.team_members (league, teamid, steamid64, joined_at, left_at)
VALUES (%(league)s, %(teamid)s, %(steamid64)s, %(joined_at)s, %(left_at)s)
ON CONFLICT (league, teamid, steamid64, joined_at) DO NOTHING
"""
SET_TEAM_FETCHED = """
UPDATE trends.league_teams SET fetched_at = %(fetched_at)s WHERE league = %(league)s AND teamid = %(teamid)s
"""
NEWEST_MATCH = "SELECT max(scheduled_at) FROM trends.league_matches WHERE league = %(league)s"

# A log and a demo are of one game when they ended within five minutes of each other and the players of one are all
# in the other. Of several demos the nearest in time is taken, then the one of the smaller id.
LINK_DEMOS = """
WITH logs AS (
    SELECT g.logid, g.uploaded_at, array_agg(p.steamid64) AS players
      FROM trends.games g
      JOIN trends.player_stats p ON p.logid = g.logid AND p.day = g.day
     WHERE g.day >= %(since)s AND NOT EXISTS (SELECT FROM trends.demo_links l WHERE l.logid = g.logid)
     GROUP BY g.logid, g.uploaded_at
)
INSERT INTO trends.demo_links (logid, demoid)
SELECT DISTINCT ON (logs.logid) logs.logid, d.demoid
  FROM logs
  JOIN trends.demos d ON d.played_at BETWEEN logs.uploaded_at - interval '300 seconds'
                                         AND logs.uploaded_at + interval '300 seconds'
 WHERE d.players <> '{}' AND (d.players <@ logs.players OR d.players @> logs.players)
 ORDER BY logs.logid, abs(extract(epoch FROM d.played_at - logs.uploaded_at)), d.demoid
ON CONFLICT (logid) DO NOTHING
RETURNING logid, NULL::date
"""

# A log is of a match when it was uploaded within twelve hours of it, each roster has a third of its players there, and
# at most a third are of neither. The team that has more of its people among the reds is the red one. Of several
# matches the nearest in time is taken, then the one of the smaller id.
LINK_MATCHES = """
WITH logs AS (
    SELECT g.logid, g.day, g.uploaded_at, count(*) AS players
      FROM trends.games g
      JOIN trends.player_stats p ON p.logid = g.logid AND p.day = g.day
     WHERE g.day >= %(since)s AND NOT EXISTS (SELECT FROM trends.match_links l WHERE l.logid = g.logid)
     GROUP BY g.logid, g.day, g.uploaded_at
), near AS (
    SELECT logs.*, m.league, m.matchid, m.team1, m.team2, m.scheduled_at
      FROM logs
      JOIN trends.league_matches m ON m.scheduled_at BETWEEN logs.uploaded_at - interval '12 hours'
                                                         AND logs.uploaded_at + interval '12 hours'
     WHERE NOT m.is_forfeit
), there AS (
    SELECT n.logid, n.day, n.league, n.matchid, n.players,
           abs(extract(epoch FROM n.scheduled_at - n.uploaded_at)) AS apart,
           count(*) FILTER (WHERE is_1) AS of_1, count(*) FILTER (WHERE is_2) AS of_2,
           count(*) FILTER (WHERE NOT is_1 AND NOT is_2) AS outsiders,
           count(*) FILTER (WHERE is_1 AND p.team = 'Red') + count(*) FILTER (WHERE is_2 AND p.team = 'Blue') AS red_1,
           count(*) FILTER (WHERE is_1 AND p.team = 'Blue') + count(*) FILTER (WHERE is_2 AND p.team = 'Red') AS blue_1
      FROM near n
      JOIN trends.player_stats p ON p.logid = n.logid AND p.day = n.day
     CROSS JOIN LATERAL (SELECT EXISTS (
            SELECT FROM trends.team_members t
             WHERE t.league = n.league AND t.teamid = n.team1 AND t.steamid64 = p.steamid64
               AND t.joined_at <= n.scheduled_at AND (t.left_at IS NULL OR t.left_at > n.scheduled_at)) AS is_1) AS one
     CROSS JOIN LATERAL (SELECT EXISTS (
            SELECT FROM trends.team_members t
             WHERE t.league = n.league AND t.teamid = n.team2 AND t.steamid64 = p.steamid64
               AND t.joined_at <= n.scheduled_at AND (t.left_at IS NULL OR t.left_at > n.scheduled_at)) AS is_2) AS two
     GROUP BY n.logid, n.day, n.league, n.matchid, n.players, n.scheduled_at, n.uploaded_at
), linked AS (
    INSERT INTO trends.match_links (logid, league, matchid, team1_is_red)
    SELECT DISTINCT ON (logid) logid, league, matchid, red_1 >= blue_1
      FROM there
     WHERE of_1 >= greatest(players / 3, 1) AND of_2 >= greatest(players / 3, 1) AND outsiders <= players / 3
     ORDER BY logid, apart, league, matchid
    ON CONFLICT (logid) DO NOTHING
    RETURNING logid
)
SELECT logs.logid, logs.day FROM logs JOIN linked USING (logid)
"""
