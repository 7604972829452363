-- A view reads with its owner's rights: whoever may read hits got the addresses too, granted or not. Now host is the
-- key for everybody who may not read countme.addresses. The question is asked once per statement, not per row.
CREATE OR REPLACE VIEW countme.hits AS
SELECT r.hit_at, coalesce(a.address, to_hex(r.address_key)) AS host,
       c.os_name, c.os_version, c.os_variant, c.os_arch, r.sys_age, c.repo_tag, c.repo_arch,
       s.site, s.day, s.host AS log_host, r.byte_offset
FROM countme.raw_hits r
JOIN countme.clients c USING (client_id)
JOIN countme.sources s USING (source_id)
LEFT JOIN countme.addresses a
  ON a.source_id = r.source_id AND a.address_key = r.address_key
 AND (SELECT has_table_privilege('countme.addresses', 'SELECT'))
WHERE NOT EXISTS (SELECT FROM countme.repeats p
                  WHERE p.source_id = r.source_id AND p.byte_offset = r.byte_offset);
