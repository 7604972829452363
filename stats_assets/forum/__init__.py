"""forum: a copy of a forum with an XML API, and statistics on it.

Source: the forum of `forum.base_url`: boards.php, board.php, thread.php, thirty to a page.
Tables: the copy is `boards`, `threads`, `posts`, `post_contents`, `users`, with `post_revisions`, `user_names` and
tombstones (`state`); the frontier is `work`, with `pace` and `quarantine`; counted per UTC day of the post are
`post_quotes`, `post_links`, `daily_stats`, `poster_stats`, `quote_stats`, `link_relation`, with views by year.

Always true:
- An answer counts only when it is what was asked for (status, root, ids, count, page). An error is never an empty page.
- A page's rows and the cursor of its unit are committed together. A crawl may be killed at any moment: the next one
  reads at most one page again. Crawlers hold leases with fences; one that lost its lease writes nothing.
- All crawlers together never ask faster than `forum.requests_per_second`.
- Nothing is deleted. What the forum shows no more is `gone`, what was edited or hidden is kept in `post_revisions`.
- What cannot be had is tried again, then parked with its answer in `quarantine`; everything else is read meanwhile.
- Reading what has not changed writes no row of the copy.
- A day's counts are those of the live posts, however often they are counted.

What is seen when: new posts at the next look at a board (`look_seconds`); edits, hides and removals in old pages when
the whole thread is read again, a day after it changed, then at distances doubling up to 64 days.

Rerun: the job `forum_crawl` goes on from wherever the last one ended; `full_refresh: true` reads everything again. A
day's counts are replaced by materializing it.
"""
