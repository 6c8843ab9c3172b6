"""A process of the product that uses up a caller's points; many of them are started at once.

    python tests/linli/budget/hammer.py CALLER LIMIT THREADS

says that it is ready, reads until which second of the clock, and prints what it was granted of each
minute, as JSON.
"""

import json
import sys
import threading
import time
from collections import Counter
from random import Random
from uuid import UUID

import django

django.setup()

from linli.budget.lease import RateLimited, spend  # noqa: E402


def hammer(caller: UUID, limit: int, until: int, seed: int, granted: Counter) -> None:
    """Until the given second of the clock; refusals are tried again at once."""
    chance = Random(seed)
    while time.time() < until:
        points = chance.choice([1, 1, 7, 61, 200])
        try:
            lease = spend(caller, points, limit=limit)
        except RateLimited:
            continue
        granted[lease.minute] += points


if __name__ == "__main__":
    caller, limit, threads = UUID(sys.argv[1]), *map(int, sys.argv[2:4])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    until = int(sys.stdin.readline())
    counted = [Counter() for _ in range(threads)]
    workers = [
        threading.Thread(target=hammer, args=(caller, limit, until, seed, one))
        for seed, one in enumerate(counted)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.stdout.write(json.dumps(sum(counted, Counter())))
