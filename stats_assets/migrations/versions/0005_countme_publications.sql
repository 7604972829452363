-- The established tool writes rows as they first appeared in the logs. Those logs' hits may be gone when a file is
-- published, so the place is kept with the row. Weeks counted before this have none; recounting gives it.
ALTER TABLE countme.weekly_totals ADD COLUMN position integer CHECK (position >= 1);
COMMENT ON COLUMN countme.weekly_totals.position IS
    'Policy compat: place among the rows of the week and kind (sys_age < 0 or not) by first appearance in the logs.';

-- One row per file in published/countme/SITE/ of the archive. Written by the assets that publish it.
CREATE TABLE countme.publications (
    site            text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,  -- of the file in the site's folder
    sha256          text        NOT NULL,       -- in hex; equal: the file need not be written again
    size_bytes      bigint      NOT NULL,
    rows            bigint      NOT NULL,       -- of data, without a header
    oldest          date,                       -- first week or day in it; null: it has no row
    newest          date,                       -- last week or day in it
    inputs          text        NOT NULL,       -- digest of what it was made of; differs from the present: make it again
    changed_at      timestamptz NOT NULL,       -- when its content last changed
    checked_at      timestamptz NOT NULL,       -- when it was last made
    PRIMARY KEY (site, name)
);
COMMENT ON TABLE countme.publications IS 'Published files of each site, and what they were made of.';
