"""The floor: rows that are ready for COPY into a table like countme.raw_hits, as a process of its own: DSN, file."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg2


def main(dsn: str, rows: Path) -> None:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor, rows.open("rb") as file:
        cursor.copy_expert("COPY public.floor FROM STDIN (FORMAT binary)", file, size=1 << 20)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
