-- Distinct addresses per day, repository and architecture, by the names of countme/repositories.yaml.
-- Written by countme/daily_unique_hosts, a day at a time. Days without a hit have no row.
CREATE TABLE countme.daily_unique_hosts (
    day             date        NOT NULL,   -- of the hits, UTC; not the date of the file
    repository      text COLLATE "C" NOT NULL,   -- 'unmapped': no name is known
    architecture    text COLLATE "C" NOT NULL,   -- 'unmapped' likewise
    hosts           bigint      NOT NULL CHECK (hosts > 0),
    PRIMARY KEY (day, repository, architecture)
);
COMMENT ON TABLE countme.daily_unique_hosts IS 'Distinct addresses per UTC day, repository and architecture.';

-- What a day was counted from. Differs from the present inputs: the day is counted again.
CREATE TABLE countme.unique_host_days (
    day             date        PRIMARY KEY,
    inputs          text        NOT NULL,   -- digest of the sources counted; empty: there were none
    counted_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE countme.unique_host_days IS 'State of each day counted in daily_unique_hosts.';

-- What the hits of a UTC day come from: changes whenever one of its sources is loaded again, because it gets a new id.
CREATE VIEW countme.hit_day_inputs AS
SELECT s.site, d.hit_day AS day, md5(string_agg(d.source_id::text, ',' ORDER BY d.source_id)) AS inputs
FROM countme.source_days d JOIN countme.sources s USING (source_id)
GROUP BY s.site, d.hit_day;
COMMENT ON VIEW countme.hit_day_inputs IS 'Digest of the sources that have hits of a UTC day.';
