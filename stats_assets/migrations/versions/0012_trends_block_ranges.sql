-- trends: the seven tables with nearly all the rows lose their unique keys for block ranges.
--
-- Rows of a log are loaded together, so a range of blocks holds few logs, and a log or a day is found by its blocks
-- (a thousand times smaller than a key). The keys took more than half of the server's time of an import and a third of
-- the disk. What they guarded is guarded by the key of games: rows come only in the transaction that adds their game,
-- and leave with it. The check rows_are_there_once looks all the same.
ALTER TABLE trends.player_stats_extra DROP CONSTRAINT player_stats_extra_pkey;
CREATE INDEX player_stats_extra_blocks ON trends.player_stats_extra USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.class_stats DROP CONSTRAINT class_stats_pkey;
CREATE INDEX class_stats_blocks ON trends.class_stats USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.weapon_stats DROP CONSTRAINT weapon_stats_pkey;
CREATE INDEX weapon_stats_blocks ON trends.weapon_stats USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.heal_stats DROP CONSTRAINT heal_stats_pkey;
CREATE INDEX heal_stats_blocks ON trends.heal_stats USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.event_stats DROP CONSTRAINT event_stats_pkey;
CREATE INDEX event_stats_blocks ON trends.event_stats USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.killstreaks DROP CONSTRAINT killstreaks_pkey;
CREATE INDEX killstreaks_blocks ON trends.killstreaks USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
ALTER TABLE trends.chat DROP CONSTRAINT chat_pkey;
CREATE INDEX chat_blocks ON trends.chat USING brin (logid, day) WITH (pages_per_range = 32, autosummarize = on);
