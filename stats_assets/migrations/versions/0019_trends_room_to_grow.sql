-- trends: room in the pages of the aggregates for new versions of their rows.
--
-- A day renews a tenth of the cells. With pages filled to nine tenths a quarter of them found no room beside the old
-- version and had to be entered into both indexes again: a third of what a renewal cost. Counts for pages filled from
-- now on; those that are there become looser as their rows change.
ALTER TABLE trends.leaderboard_cube SET (fillfactor = 70);
ALTER TABLE trends.medic_cube SET (fillfactor = 70);
ALTER TABLE trends.player_trends SET (fillfactor = 70);
