"""The query of every exported file. Names and order of columns are an interface of their own."""

from __future__ import annotations

LOG = """
SELECT g.logid, extract(epoch FROM g.uploaded_at)::bigint AS time, g.duration_seconds AS duration, g.title, g.map,
       g.red_score, g.blue_score, g.format, g.is_ad_scoring AS ad_scoring, g.duplicate_of,
       g.uploader_steamid64, g.uploader_name, d.demoid, m.league, m.matchid, m.team1_is_red
FROM trends.games g
LEFT JOIN trends.demo_links d USING (logid)
LEFT JOIN trends.match_links m USING (logid)
ORDER BY g.logid
"""

ROUND = """
SELECT logid, seq, duration_seconds AS duration, extract(epoch FROM started_at)::bigint AS time, winner, firstcap,
       red_score, blue_score, red_kills, blue_kills, red_dmg, blue_dmg, red_ubers, blue_ubers
FROM trends.rounds ORDER BY logid, seq
"""

# Classes by time played; of equal times in the game's own order.
PLAYER_STATS = """
SELECT p.logid, p.steamid64, p.name, p.team, p.kills, p.assists, p.deaths, p.dmg, p.dt, p.wins, p.losses, p.ties,
       c.class_durations, p.shots, p.hits, p.hsg, p.hsr, p.primary_class
FROM trends.player_stats p
LEFT JOIN (SELECT logid, day, steamid64,
                  string_agg(class || ':' || duration_seconds, ' ' ORDER BY duration_seconds DESC, class)
                      AS class_durations
           FROM trends.class_stats GROUP BY logid, day, steamid64) c USING (logid, day, steamid64)
ORDER BY p.logid, p.steamid64
"""

PLAYER_STATS_EXTRA = """
SELECT logid, steamid64, suicides, dmg_real, dt_real, hr, lks, airshots, medkits, medkits_hp, backstabs, headshots,
       headshots_hit, sentries, healing, cpc, ic, mks
FROM trends.player_stats_extra ORDER BY logid, steamid64
"""

CLASS_STATS = """
SELECT logid, steamid64, class, kills, assists, deaths, dmg, duration_seconds AS duration, shots, hits
FROM trends.class_stats ORDER BY logid, steamid64, class::text COLLATE "C"
"""

WEAPON_STATS = """
SELECT s.logid, s.steamid64, s.class, w.weapon, s.kills, s.dmg, s.avg_dmg, s.shots, s.hits
FROM trends.weapon_stats s JOIN trends.weapons w USING (weaponid)
ORDER BY s.logid, s.steamid64, s.class::text COLLATE "C", w.weapon
"""

HEAL_STATS = "SELECT logid, healer, healee, healing FROM trends.heal_stats ORDER BY logid, healer, healee"

MEDIC_STATS = """
SELECT logid, steamid64, ubers, medigun_ubers, kritz_ubers, other_ubers, drops, advantages_lost,
       biggest_advantage_lost, avg_time_before_healing, avg_time_before_using, avg_time_to_build, avg_uber_duration,
       deaths_after_uber, deaths_before_uber
FROM trends.medic_stats ORDER BY logid, steamid64
"""

EVENT_STATS = """
SELECT logid, steamid64, event, scout, soldier, pyro, demoman, heavyweapons, engineer, medic, sniper, spy
FROM trends.event_stats ORDER BY logid, steamid64, event::text COLLATE "C"
"""

KILLSTREAK = """
SELECT logid, steamid64, time_seconds AS time, kills FROM trends.killstreaks ORDER BY logid, steamid64, time_seconds
"""

CHAT = "SELECT logid, seq, steamid64, msg FROM trends.chat ORDER BY logid, seq"

PLAYER = """
SELECT steamid64, name, extract(epoch FROM last_game_at)::bigint AS last_active, is_banned AS banned, ban_reason
FROM trends.players ORDER BY steamid64
"""

MAP = "SELECT map FROM trends.maps ORDER BY map"

WEAPON = "SELECT weapon, name, slot FROM trends.weapons ORDER BY weapon"

FILES = {
    "log.csv": LOG,
    "round.csv": ROUND,
    "player_stats.csv": PLAYER_STATS,
    "player_stats_extra.csv": PLAYER_STATS_EXTRA,
    "class_stats.csv": CLASS_STATS,
    "weapon_stats.csv": WEAPON_STATS,
    "heal_stats.csv": HEAL_STATS,
    "medic_stats.csv": MEDIC_STATS,
    "event_stats.csv": EVENT_STATS,
    "killstreak.csv": KILLSTREAK,
    "chat.csv": CHAT,
    "player.csv": PLAYER,
    "map.csv": MAP,
    "weapon.csv": WEAPON,
}
