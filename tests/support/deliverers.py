"""The deliverer as a process of its own, at a pace for tests."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.databases import ROOT, Database

RUN = """
import json, signal, sys
from datetime import timedelta
import django
django.setup()
from django.conf import settings
from linli.events import deliverer, replays
from linli.events.pace import Pace
given = json.loads(sys.argv[1])
deliverer.SWEEP_SECONDS = given.pop("sweep_seconds", deliverer.SWEEP_SECONDS)
replays.BATCH = given.pop("replay_batch", replays.BATCH)
if "pause_after" in given:
    given["pause_after"] = timedelta(milliseconds=given["pause_after"])
one = deliverer.Deliverer(settings.LINLI_WEBHOOK_NETWORKS, Pace(**given))
signal.signal(signal.SIGTERM, lambda *_: setattr(one, "stopping", True))
print("delivering", flush=True)
one.run()
"""

QUICK = {"first_ms": 200, "hold_ms": 100, "longest_hold_ms": 400, "total_ms": 2000}


def start(database: Database, **pace: Any) -> subprocess.Popen:
    """Waits until it listens. Whoever starts it ends it."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(QUICK | pace)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=database.environment(LINLI_WEBHOOK_NETWORKS="127.0.0.0/8"),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "delivering\n"
    return process


@contextmanager
def delivering(database: Database, **pace: Any) -> Iterator[subprocess.Popen]:
    process = start(database, **pace)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGKILL)
