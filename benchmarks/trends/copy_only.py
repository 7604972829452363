"""The floor: rows that are ready, by COPY into tables of the same shape and keys, as a process of its own: DSN, folder.

Every file is named for its table and holds the rows of `SELECT *` in COPY's binary format.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg2
from psycopg2 import sql


def main(dsn: str, folder: Path) -> None:
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        for path in sorted(folder.iterdir()):
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier("floor", path.name))
            with path.open("rb") as rows:
                cursor.copy_expert(statement, rows, size=1 << 20)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
