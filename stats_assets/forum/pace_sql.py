"""SQL of the rate limit that all crawlers share."""

from __future__ import annotations

# Takes the next slot; slots are never closer than the rate allows, whoever takes them. A forum that has asked for
# patience is asked half as often, and after each quiet minute one step faster again.
TAKE_SLOT = """
INSERT INTO forum.pace AS p (base_url, next_at) VALUES (%(site)s, clock_timestamp() + %(gap)s * interval '1 second')
ON CONFLICT (base_url) DO UPDATE SET
    next_at = greatest(p.next_at, clock_timestamp()) + %(gap)s * interval '1 second' * p.slowdown,
    slowdown = CASE WHEN p.slowed_at < clock_timestamp() - interval '60 seconds' THEN greatest(1, p.slowdown / 2)
               ELSE p.slowdown END,
    slowed_at = CASE WHEN p.slowed_at < clock_timestamp() - interval '60 seconds' AND p.slowdown > 1
                THEN clock_timestamp() ELSE p.slowed_at END
RETURNING extract(epoch FROM p.next_at - %(gap)s * interval '1 second' * p.slowdown - clock_timestamp())
"""
SLOW_DOWN = """
INSERT INTO forum.pace AS p (base_url, next_at, slowdown, slowed_at)
VALUES (%(site)s, clock_timestamp() + %(seconds)s * interval '1 second', 2, clock_timestamp())
ON CONFLICT (base_url) DO UPDATE SET
    next_at = greatest(p.next_at, clock_timestamp() + %(seconds)s * interval '1 second'),
    slowdown = least(64, p.slowdown * 2), slowed_at = clock_timestamp()
"""
PAUSE = """
INSERT INTO forum.pace AS p (base_url, next_at)
VALUES (%(site)s, clock_timestamp() + %(seconds)s * interval '1 second')
ON CONFLICT (base_url) DO UPDATE SET next_at = greatest(p.next_at, excluded.next_at)
"""
