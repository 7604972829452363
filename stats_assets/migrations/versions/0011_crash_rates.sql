-- crashes: the rates of daily_crash_rates taken apart by operating system and by signature.

-- Grain: day x version x operating system; the crashes of a version's systems sum up to those of daily_crash_rates.
CREATE VIEW crashes.crash_rates_by_os AS
SELECT day, product_name, version_string, channel, u.os_name, u.crashes, u.installs, r.throttle,
       round(u.crashes * 100 / nullif(u.installs, 0) / r.throttle, 3) AS crashes_per_100_installs
FROM (
    SELECT day, product_name, version_string, channel, os_name,
           coalesce(sum(crashes) FILTER (WHERE t.is_in_rates), 0) AS crashes,
           max(installs) AS installs                   -- the same beside each crash type
    FROM crashes.crashes_by_user LEFT JOIN crashes.crash_types t USING (crash_type)
    GROUP BY day, product_name, version_string, channel, os_name
) u
JOIN crashes.daily_crash_rates r USING (day, product_name, version_string, channel);
COMMENT ON VIEW crashes.crash_rates_by_os IS 'Crashes per 100 active daily installs of a version on an operating system; NULL without installs.';

-- Grain: day x version x signature. Crashes of all process types, hangs included, so that the rates of a version's
-- signatures add up to more than its own where there are crashes outside the crash types of the rates.
CREATE VIEW crashes.crash_rates_by_signature AS
SELECT day, product_name, version_string, channel, s.signature, s.crashes, r.installs, r.throttle,
       round(s.crashes * 100 / nullif(r.installs, 0) / r.throttle, 3) AS crashes_per_100_installs
FROM (
    SELECT day, product_name, version_string, channel, signature, sum(crashes) AS crashes
    FROM crashes.signature_counts
    GROUP BY day, product_name, version_string, channel, signature
) s
JOIN crashes.daily_crash_rates r USING (day, product_name, version_string, channel);
COMMENT ON VIEW crashes.crash_rates_by_signature IS 'Crashes of a signature per 100 active daily installs of the version; NULL without installs.';
