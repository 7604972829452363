"""Serves a still forum on loopback until it is ended; prints its URL and what is in it. Its cost is not measured."""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path

from stats_assets.sandbox.day_files import DayFiles
from stats_assets.sandbox.forum_growth import still_forum
from stats_assets.sandbox.forum_site import ForumSite
from stats_assets.sandbox.server import SandboxServer
from stats_assets.sandbox.world import World


def main(threads: str, mean_posts: str) -> None:
    forum = still_forum(1, int(threads), int(mean_posts), largest_pages=60)
    site = ForumSite(forum, keeps_pages=True)
    with tempfile.TemporaryDirectory() as folder:
        server = SandboxServer(0, DayFiles(Path(folder), World(1, 20)), sites={"forum": site})
        posts = sum(len(thread.posts) for thread in forum.readable_threads())
        print(f"http://127.0.0.1:{server.server_address[1]}/forum/ {len(forum.threads)} {posts}", flush=True)
        gc.freeze()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
