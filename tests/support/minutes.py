"""The database's minutes, in which points are counted."""

import time

from django.db import connection


def wait_for_seconds(wanted: int) -> None:
    """What must not be cut in two by the minute's end, and takes so long, waits for the next."""
    while _left() < wanted:
        time.sleep(1)


def _left() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 60 - floor(extract(epoch FROM clock_timestamp()))::bigint % 60")
        return cursor.fetchone()[0]
