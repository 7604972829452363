-- crashes: crash reports and active installs per day, and the crash rates made of them.
CREATE SCHEMA crashes;

-- What is loaded of each input and day: the watermark every aggregate asks, instead of looking whether there are rows.
-- Written by crashes/active_daily_installs, crashes/reports and crashes/raw_crashes with the rows they tell of.
CREATE TABLE crashes.input_days (
    input           text        NOT NULL CHECK (input IN ('active_daily_installs', 'reports', 'raw_crashes')),
    day             date        NOT NULL,
    read_count      bigint      NOT NULL CHECK (read_count >= 0),   -- lines or documents
    row_count       bigint      NOT NULL CHECK (row_count >= 0),    -- rows in the table; fewer now: they were retired
    quarantined     bigint      NOT NULL CHECK (quarantined >= 0),
    unknown_product bigint      NOT NULL CHECK (unknown_product >= 0),
    oldest_at       timestamptz,            -- of its rows; NULL: they have no time, or there are none
    newest_at       timestamptz,
    feed_bytes      bigint      NOT NULL,   -- as delivered
    feed_version    text        NOT NULL,   -- digest of names, sizes and versions of the files; compared only
    loaded_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (input, day)
);
COMMENT ON TABLE crashes.input_days IS 'Days of each input that are loaded, from what, and how many rows they gave.';

-- Documents and lines we could not use: counted in input_days, the first ones of a day kept here.
CREATE TABLE crashes.quarantine (
    input           text        NOT NULL,
    day             date        NOT NULL,
    source          text        NOT NULL,   -- the file, without credentials
    place           bigint      NOT NULL,   -- number of the line in the file, from 1
    reason          text        NOT NULL,
    sample          text        NOT NULL,   -- cut; e-mail addresses and URLs are blotted out
    PRIMARY KEY (input, day, source, place)
);
COMMENT ON TABLE crashes.quarantine IS 'Samples of documents and feed lines that could not be used, with the reason.';

-- The day's feed of active installs, summed. Written by crashes/active_daily_installs.
CREATE TABLE crashes.active_daily_installs (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,   -- as in the feed
    product         text COLLATE "C" NOT NULL,   -- by the map of product ids: what is counted
    os_platform     text COLLATE "C" NOT NULL,
    os_name         text COLLATE "C" NOT NULL,   -- by the patterns of the maps; 'Unknown'
    os_version      text COLLATE "C" NOT NULL,
    version         text COLLATE "C" NOT NULL,
    build           text COLLATE "C" NOT NULL,
    build_date      date,                        -- first eight digits of a build of at least ten
    product_guid    text COLLATE "C" NOT NULL,
    feed_channel    text COLLATE "C" NOT NULL,   -- as in the feed
    channel         text COLLATE "C" NOT NULL,   -- 'release' for all that begin so
    installs        bigint      NOT NULL CHECK (installs >= 0),
    PRIMARY KEY (day, product_name, os_platform, os_version, version, build, product_guid, feed_channel)
);
COMMENT ON TABLE crashes.active_daily_installs IS 'Active installs per day as the feed reports them, of mapped products.';

-- Versions that are counted, made anew from the whole releases feed. Written by crashes/product_versions.
CREATE TABLE crashes.product_versions (
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,   -- a beta carries its number: 45.0b3
    channel         text COLLATE "C" NOT NULL,
    release_version text COLLATE "C" NOT NULL,
    major_version   text COLLATE "C" NOT NULL,
    beta_number     integer,
    version_sort    text COLLATE "C" NOT NULL,
    build_date      date        NOT NULL,        -- of its smallest build: the first day it is active
    sunset_date     date        NOT NULL,        -- the last day it is active
    is_rapid_beta   boolean     NOT NULL,        -- the parent that sums up the betas of a release
    has_builds      boolean,                     -- counted by build as well; NULL: a beta of a rapid parent
    rapid_beta_parent text COLLATE "C",          -- version_string of the parent
    is_featured     boolean     NOT NULL,
    PRIMARY KEY (product_name, version_string, channel)
);
CREATE UNIQUE INDEX ON crashes.product_versions (lower(product_name), lower(version_string), channel);
COMMENT ON TABLE crashes.product_versions IS 'Versions whose crashes are counted, with their active days.';

CREATE TABLE crashes.product_version_builds (
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    build_id        bigint      NOT NULL,
    platform        text COLLATE "C" NOT NULL,
    repository      text COLLATE "C" NOT NULL,
    PRIMARY KEY (product_name, version_string, channel, build_id, platform, repository),
    FOREIGN KEY (product_name, version_string, channel) REFERENCES crashes.product_versions ON DELETE CASCADE
);
COMMENT ON TABLE crashes.product_version_builds IS 'Builds of each counted version.';

-- One row: that versions and maps are there, and which maps; days counted by other maps can be found.
CREATE TABLE crashes.release_feed (
    is_only         boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    maps_version    text        NOT NULL,   -- digest of the maps; compared only
    loaded_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE crashes.release_feed IS 'With which maps the versions were made: one row.';

-- One row per processed crash document; a table partition per week. Written by crashes/reports, a day at a time.
-- Texts are cut to the limits of documents.py. No e-mail address, URL or comment is kept here.
CREATE TABLE crashes.reports (
    processed_at    timestamptz NOT NULL,        -- the clock of the room
    uuid            uuid        NOT NULL,
    client_crash_at timestamptz,                 -- the client's clock: may be wrong by years
    is_completed    boolean     NOT NULL,        -- false: processing did not end, not counted
    product         text COLLATE "C" NOT NULL,   -- as sent; the counted name is in product_versions
    version         text COLLATE "C" NOT NULL,
    build           text COLLATE "C" NOT NULL,
    build_id        bigint,                      -- build, when it is a number
    build_date      date,                        -- first eight digits of build, when they are a date
    release_channel text COLLATE "C",            -- as sent
    channel         text COLLATE "C",            -- release, esr, aurora, beta, nightly; NULL: none of them
    signature       text COLLATE "C" NOT NULL,
    install_age_seconds integer,                 -- may be negative
    uptime_seconds  integer,
    reason          text COLLATE "C" NOT NULL,
    address         text COLLATE "C" NOT NULL,
    os_name         text COLLATE "C" NOT NULL,
    os_version_string text COLLATE "C" NOT NULL,
    os_major        integer     NOT NULL,
    os_minor        integer     NOT NULL,
    hang_id         text COLLATE "C",
    flash_version   text COLLATE "C" NOT NULL,
    process_type    text COLLATE "C" NOT NULL,   -- lower case; browser when none was sent
    crash_type      text COLLATE "C" NOT NULL,   -- by process type and hang; 'other': in no crash type of the maps
    architecture    text COLLATE "C",
    cores           integer,
    attributes      uuid        NOT NULL,        -- digest of the 13 attributes that duplicates share
    has_email       boolean     NOT NULL,
    has_comments    boolean     NOT NULL,
    has_url         boolean     NOT NULL,
    has_app_notes   boolean     NOT NULL,
    PRIMARY KEY (processed_at, uuid)
) PARTITION BY RANGE (processed_at);
COMMENT ON TABLE crashes.reports IS 'Processed crashes, one row each.';

-- What is derived from private fields, and with crashes.private_fields: restricted the fields themselves.
-- Granted to nobody; keep it so. A table partition per week. Written by crashes/reports.
CREATE TABLE crashes.reports_private (
    processed_at    timestamptz NOT NULL,
    uuid            uuid        NOT NULL,
    domain          text COLLATE "C" NOT NULL,
    exploitability  text COLLATE "C",
    email           text COLLATE "C",
    url             text COLLATE "C",
    user_comments   text COLLATE "C",
    app_notes       text COLLATE "C",
    PRIMARY KEY (processed_at, uuid)
) PARTITION BY RANGE (processed_at);
COMMENT ON TABLE crashes.reports_private IS 'Restricted: private fields of reports and what is derived from them.';
REVOKE ALL ON crashes.reports_private FROM PUBLIC;

-- What a client sent beside its report. A table partition per week. Written by crashes/raw_crashes.
CREATE TABLE crashes.raw_crashes (
    processed_at    timestamptz NOT NULL,
    uuid            uuid        NOT NULL,
    is_garbage_collecting boolean NOT NULL,
    adapter_vendor_id text COLLATE "C",
    adapter_device_id text COLLATE "C",
    android_cpu_abi text COLLATE "C",
    android_manufacturer text COLLATE "C",
    android_model   text COLLATE "C",
    android_version text COLLATE "C",
    PRIMARY KEY (processed_at, uuid)
) PARTITION BY RANGE (processed_at);
COMMENT ON TABLE crashes.raw_crashes IS 'Annotations of the clients that statistics use, one row per crash that has any.';

-- Crashes that were sent more than once. A leader has itself as duplicate_of. Written by crashes/duplicates.
CREATE TABLE crashes.duplicates (
    processed_at    timestamptz NOT NULL,
    uuid            uuid        NOT NULL,
    duplicate_of    uuid        NOT NULL,
    window_at       timestamptz NOT NULL,   -- start of the first window of an hour that shows it
    PRIMARY KEY (processed_at, uuid)
);
COMMENT ON TABLE crashes.duplicates IS 'Reports of the same crash, by equal attributes and process and installation start within 60 s.';

-- The first report of a signature on a day, whether its version is counted or not. Written by crashes/signatures.
CREATE TABLE crashes.signatures (
    day             date        NOT NULL,
    signature       text COLLATE "C" NOT NULL,
    first_report_at timestamptz NOT NULL,
    first_build     bigint,                 -- smallest in the hour of the first report
    PRIMARY KEY (day, signature)
);
COMMENT ON TABLE crashes.signatures IS 'Signatures seen on a day, with their first report.';

-- Which aggregate was made for which day, and from what. Written with the rows it tells of.
CREATE TABLE crashes.aggregate_days (
    aggregate       text        NOT NULL,   -- the asset's table
    day             date        NOT NULL,
    inputs          text        NOT NULL,   -- digest; differs from that of the present inputs: the day is made again
    row_count       bigint      NOT NULL,
    computed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (aggregate, day)
);
COMMENT ON TABLE crashes.aggregate_days IS 'Days that aggregates were made for, and from which inputs.';

CREATE TABLE crashes.product_adu (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    os_name         text COLLATE "C" NOT NULL,
    installs        bigint      NOT NULL CHECK (installs >= 0),
    PRIMARY KEY (day, product_name, version_string, channel, os_name)
);
COMMENT ON TABLE crashes.product_adu IS 'Active daily installs of each active version and operating system.';

CREATE TABLE crashes.build_adu (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,   -- of betas the rapid parent
    channel         text COLLATE "C" NOT NULL,
    build_date      date        NOT NULL,
    os_name         text COLLATE "C" NOT NULL,
    installs        bigint      NOT NULL CHECK (installs >= 0),
    PRIMARY KEY (day, product_name, version_string, channel, build_date, os_name)
);
COMMENT ON TABLE crashes.build_adu IS 'Active daily installs of a build in its first seven days: nightly, aurora, rapid betas.';

CREATE TABLE crashes.signature_counts (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,   -- betas count for themselves and for their rapid parent
    channel         text COLLATE "C" NOT NULL,
    signature       text COLLATE "C" NOT NULL,
    process_type    text COLLATE "C" NOT NULL,
    crashes         bigint      NOT NULL CHECK (crashes > 0),
    windows_crashes bigint      NOT NULL,
    mac_crashes     bigint      NOT NULL,
    linux_crashes   bigint      NOT NULL,
    hangs           bigint      NOT NULL,
    startup_crashes bigint      NOT NULL,        -- within a minute of the start
    gc_crashes      bigint      NOT NULL,        -- while collecting garbage
    PRIMARY KEY (day, product_name, version_string, channel, signature, process_type)
);
COMMENT ON TABLE crashes.signature_counts IS 'Crashes per day, version, signature and process type; duplicates are counted.';

CREATE TABLE crashes.signature_counts_by_build (
    build_date      date        NOT NULL,
    LIKE crashes.signature_counts INCLUDING ALL EXCLUDING INDEXES,
    PRIMARY KEY (day, product_name, version_string, channel, build_date, signature, process_type)
);
COMMENT ON TABLE crashes.signature_counts_by_build IS 'As signature_counts, by build: nightly, aurora, rapid parents of betas.';

CREATE TABLE crashes.crashes_by_user (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    os_name         text COLLATE "C" NOT NULL,
    crash_type      text COLLATE "C" NOT NULL,   -- 'other': a process type or hang the maps do not know
    crashes         bigint      NOT NULL,
    installs        bigint      NOT NULL,        -- of the operating system: the same on each crash type
    PRIMARY KEY (day, product_name, version_string, channel, os_name, crash_type),
    CHECK (crashes > 0 OR installs > 0)
);
COMMENT ON TABLE crashes.crashes_by_user IS 'Crashes beside installs per day, version, operating system and crash type.';

CREATE TABLE crashes.crashes_by_user_by_build (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    build_date      date        NOT NULL,
    os_name         text COLLATE "C" NOT NULL,
    crash_type      text COLLATE "C" NOT NULL,
    crashes         bigint      NOT NULL,
    installs        bigint      NOT NULL,
    PRIMARY KEY (day, product_name, version_string, channel, build_date, os_name, crash_type)
);
COMMENT ON TABLE crashes.crashes_by_user_by_build IS 'As crashes_by_user, by build in its first seven days.';

CREATE TABLE crashes.daily_crash_rates (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    crashes         bigint      NOT NULL,        -- of crash types that belong to the rate
    installs        bigint      NOT NULL,
    throttle        numeric     NOT NULL,        -- share of crashes the collector accepts
    crashes_per_100_installs numeric,            -- crashes / throttle; NULL: there were no installs
    PRIMARY KEY (day, product_name, version_string, channel),
    CHECK ((crashes_per_100_installs IS NULL) = (installs = 0))
);
COMMENT ON TABLE crashes.daily_crash_rates IS 'Crashes per 100 active daily installs of every active version; zeros are there.';

CREATE TABLE crashes.daily_crash_rates_by_build (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    build_date      date        NOT NULL,
    crashes         bigint      NOT NULL,
    installs        bigint      NOT NULL,
    PRIMARY KEY (day, product_name, version_string, channel, build_date)
);
COMMENT ON TABLE crashes.daily_crash_rates_by_build IS 'Crashes beside installs of a build in its first seven days.';

-- A table partition per week. Written by crashes/signature_summary.
CREATE TABLE crashes.signature_summary (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    signature       text COLLATE "C" NOT NULL,
    attribute       text COLLATE "C" NOT NULL CHECK (attribute IN ('architecture', 'device', 'flash_version', 'graphics',
                        'installations', 'os', 'process_type', 'products', 'uptime')),
    value           text[] COLLATE "C" NOT NULL,  -- one part; device: abi, manufacturer, model, version; graphics: vendor, adapter
    crashes         bigint      NOT NULL CHECK (crashes > 0),
    installations   bigint,                       -- only of the attribute installations
    PRIMARY KEY (day, product_name, version_string, channel, signature, attribute, value)
) PARTITION BY RANGE (day);
COMMENT ON TABLE crashes.signature_summary IS 'Crashes of a signature by the values of nine attributes.';

CREATE TABLE crashes.crash_adu_by_build_signature (
    day             date        NOT NULL,
    product_name    text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    version_string  text COLLATE "C" NOT NULL,
    build_date      date        NOT NULL,
    build_id        bigint      NOT NULL,   -- 0: no crash
    os_name         text COLLATE "C" NOT NULL,
    signature       text COLLATE "C" NOT NULL,
    crashes         bigint      NOT NULL,
    installs        bigint      NOT NULL,   -- of the build date and system: the same on each row, never to be summed
    PRIMARY KEY (day, product_name, channel, version_string, build_date, build_id, os_name, signature)
);
COMMENT ON TABLE crashes.crash_adu_by_build_signature IS 'Crashes of each signature and build beside the installs of the build.';

-- Reports whose version is known: those that statistics count. The version is looked up when asked, so a report
-- counts as soon as its version is known.
CREATE VIEW crashes.clean_reports AS
SELECT r.processed_at, r.uuid, r.client_crash_at, v.product_name, v.version_string, v.channel,
       r.build_id, r.build_date, r.signature, r.install_age_seconds, r.uptime_seconds, r.reason, r.address,
       r.os_name, r.os_version_string, r.os_major, r.os_minor, r.hang_id, r.flash_version, r.process_type,
       r.crash_type, r.architecture, r.cores, r.has_email, r.has_comments, r.has_url, r.has_app_notes,
       v.build_date AS version_build_date, v.sunset_date, v.rapid_beta_parent
FROM crashes.reports r
JOIN crashes.product_versions v
  ON lower(v.product_name) = lower(r.product) AND lower(v.version_string) = lower(r.version) AND v.channel = r.channel
WHERE r.is_completed AND NOT v.is_rapid_beta
  AND (r.channel <> 'beta' OR (v.product_name, v.version_string, r.build_id) IN (
        SELECT product_name, version_string, build_id FROM crashes.product_version_builds WHERE channel = 'beta'));
COMMENT ON VIEW crashes.clean_reports IS 'Completed reports of known versions: what statistics count.';

-- Completed reports that are not counted.
CREATE VIEW crashes.rejected_reports AS
SELECT r.processed_at, r.uuid, r.product, r.version, r.build, r.release_channel,
       CASE WHEN r.channel IS NULL THEN 'channel' ELSE 'version' END AS unknown
FROM crashes.reports r
WHERE r.is_completed AND NOT EXISTS (
    SELECT FROM crashes.clean_reports c WHERE c.processed_at = r.processed_at AND c.uuid = r.uuid);
COMMENT ON VIEW crashes.rejected_reports IS 'Completed reports whose channel or version is unknown; counted once it is known.';

-- Crash types of the present maps: short name and whether it belongs to the rates. Rewritten with product_versions.
CREATE TABLE crashes.crash_types (
    crash_type      text COLLATE "C" PRIMARY KEY,
    is_in_rates     boolean     NOT NULL
);
COMMENT ON TABLE crashes.crash_types IS 'Crash types of the maps; ''other'' is not among them.';

CREATE TABLE crashes.operating_systems (
    os_name         text COLLATE "C" PRIMARY KEY,
    short_name      text COLLATE "C" NOT NULL
);
COMMENT ON TABLE crashes.operating_systems IS 'Operating systems of the maps.';

CREATE TABLE crashes.throttles (
    product_name    text COLLATE "C" NOT NULL,
    channel         text COLLATE "C" NOT NULL,
    throttle        numeric     NOT NULL CHECK (throttle > 0),
    PRIMARY KEY (product_name, channel)
);
COMMENT ON TABLE crashes.throttles IS 'Share of crashes that is accepted, per product and channel.';

CREATE TABLE crashes.uptime_levels (
    label           text COLLATE "C" PRIMARY KEY,
    from_seconds    integer     NOT NULL,
    to_seconds      integer     NOT NULL,   -- not included
    CHECK (from_seconds < to_seconds)
);
COMMENT ON TABLE crashes.uptime_levels IS 'Classes of uptime.';
