-- Whose counts there are so far: one site was counted, that of the loaded files.
CREATE TEMPORARY TABLE counted_site ON COMMIT DROP AS
SELECT CASE WHEN count(DISTINCT site) = 1 THEN min(site) ELSE 'mirrors.fedoraproject.org' END AS site
FROM countme.sources;

-- Totals per site. Grain: all columns but hits.
ALTER TABLE countme.weekly_totals ADD COLUMN site text COLLATE "C";
UPDATE countme.weekly_totals SET site = (SELECT site FROM counted_site);
ALTER TABLE countme.weekly_totals ALTER COLUMN site SET NOT NULL;
DROP INDEX countme.weekly_totals_week;
CREATE INDEX weekly_totals_site_week ON countme.weekly_totals (site, week);
COMMENT ON TABLE countme.weekly_totals IS 'Hits per site, week and system; grain: all columns but hits.';

-- The state of a week of a site. Written by countme/weekly_totals.
ALTER TABLE countme.weeks
    ADD COLUMN site text COLLATE "C",
    ADD COLUMN status text CHECK (status IN ('provisional', 'partial', 'final')),
    ADD COLUMN coverage double precision CHECK (coverage BETWEEN 0 AND 1),
    ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision >= 1);
-- Policy compat called a week complete when something later was seen, whatever it lacked. Coverage was not kept:
-- every week is looked at again, because what its inputs are is told in another way from now on.
UPDATE countme.weeks SET
    site = (SELECT site FROM counted_site),
    status = CASE WHEN is_complete AND missing = '' THEN 'final'
                  WHEN policy = 'compat' AND NOT is_complete THEN 'provisional'
                  ELSE 'partial' END,
    coverage = CASE WHEN missing = '' THEN 1 ELSE 0 END;
ALTER TABLE countme.weeks
    DROP CONSTRAINT weeks_pkey,
    DROP COLUMN is_complete,
    ALTER COLUMN site SET NOT NULL,
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN coverage SET NOT NULL,
    ALTER COLUMN revision DROP DEFAULT,
    ADD PRIMARY KEY (site, week);
COMMENT ON TABLE countme.weeks IS 'State of each counted week of a site, and what its totals were made from.';
COMMENT ON COLUMN countme.weeks.status IS
    'provisional: not over yet; partial: lacks a file, see missing; final: has all files, loaded and readable';
COMMENT ON COLUMN countme.weeks.coverage IS 'Share of the expected files (host x day) that are loaded or waived.';
COMMENT ON COLUMN countme.weeks.missing IS 'What is missing, for people; empty when nothing is.';
COMMENT ON COLUMN countme.weeks.inputs IS 'Digest of what was counted; differs from the present one: count again.';
COMMENT ON COLUMN countme.weeks.revision IS 'Goes up when a recount has changed the totals.';

-- The one rule of what is published. compat publishes what the established tool would: gaps do not hold a week back.
CREATE VIEW countme.published_weeks AS
SELECT site, week, policy, status, coverage, missing, hits, revision, counted_at
FROM countme.weeks
WHERE status = 'final' OR (policy = 'compat' AND status = 'partial');
COMMENT ON VIEW countme.published_weeks IS 'Weeks whose totals are published: final ones; under compat partial ones too.';

ALTER TABLE countme.daily_unique_hosts ADD COLUMN site text COLLATE "C";
UPDATE countme.daily_unique_hosts SET site = (SELECT site FROM counted_site);
ALTER TABLE countme.daily_unique_hosts
    ALTER COLUMN site SET NOT NULL,
    DROP CONSTRAINT daily_unique_hosts_pkey,
    ADD PRIMARY KEY (site, day, repository, architecture);
COMMENT ON TABLE countme.daily_unique_hosts IS 'Distinct addresses per site, UTC day, repository and architecture.';

ALTER TABLE countme.unique_host_days ADD COLUMN site text COLLATE "C";
UPDATE countme.unique_host_days SET site = (SELECT site FROM counted_site);
ALTER TABLE countme.unique_host_days
    ALTER COLUMN site SET NOT NULL,
    DROP CONSTRAINT unique_host_days_pkey,
    ADD PRIMARY KEY (site, day);
COMMENT ON TABLE countme.unique_host_days IS 'State of each day of a site counted in daily_unique_hosts.';

-- A key is destroyed by emptying it; when a changed file makes the week be hashed anew, it gets the next key.
ALTER TABLE countme.week_keys
    ALTER COLUMN key DROP NOT NULL,
    ADD COLUMN generation integer NOT NULL DEFAULT 1 CHECK (generation >= 1),
    ADD COLUMN destroyed_at timestamptz,
    ADD CHECK ((key IS NULL) = (destroyed_at IS NOT NULL));
COMMENT ON COLUMN countme.week_keys.key IS 'Empty: destroyed; address keys of the week compare, but can be made no more.';
COMMENT ON COLUMN countme.week_keys.generation IS 'How many keys the week has had; address keys of two do not compare.';

-- Which of the week's keys the address keys of these hits were made with.
ALTER TABLE countme.source_days ADD COLUMN key_generation integer NOT NULL DEFAULT 1;
ALTER TABLE countme.source_days ALTER COLUMN key_generation DROP DEFAULT;
COMMENT ON COLUMN countme.source_days.key_generation IS 'week_keys.generation of the address keys of these hits.';

CREATE INDEX source_days_hit_day ON countme.source_days (hit_day);

-- What a repeat would have counted as, so that counting need not look for its hit.
ALTER TABLE countme.repeats ADD COLUMN client_id integer, ADD COLUMN sys_age bigint;
UPDATE countme.repeats p SET client_id = r.client_id, sys_age = r.sys_age
FROM countme.raw_hits r
WHERE r.hit_at = p.hit_at AND r.source_id = p.source_id AND r.byte_offset = p.byte_offset;
ALTER TABLE countme.repeats ALTER COLUMN client_id SET NOT NULL, ALTER COLUMN sys_age SET NOT NULL;
