"""gunicorn's settings; what an installation changes comes from the environment."""

import ctypes
import gc
import os
from typing import Any

wsgi_app = "linli.asgi:application"
worker_class = "linli.worker.Worker"
bind = os.environ.get("LINLI_BIND", "127.0.0.1:8000,[::1]:8000").split(",")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Should anything leak, it does not do so for ever. Connections to PostgreSQL have ages of their own.
max_requests = 200_000
max_requests_jitter = 20_000
# A kept connection that the server closes just as its client sends is a request lost, so whoever
# keeps some, as a proxy does, should let go of them sooner than this (docs/running.md).
keepalive = 10
timeout = 60
# Its default path is one for all of a user's checkouts.
control_socket_disable = True
# Also for a worker that is told to end while it begins, which hears of it no more.
graceful_timeout = 15
accesslog = os.environ.get("LINLI_ACCESS_LOG")
errorlog = "-"
loglevel = os.environ.get("LINLI_LOG_LEVEL", "warning")

# malloc.h
M_MMAP_THRESHOLD = -3
LARGE = 1_000_000


def post_worker_init(_worker: Any) -> None:
    """What was loaded stays for good: the collector need not look at it with every request, and with
    the rest less often than after 700 new objects, of which one request makes more. What lives on and then
    goes in circles, of which there is little (`linli_api.documents`), waits for the third generation."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)
    _give_large_memory_back()


def _give_large_memory_back() -> None:
    """glibc learns from a large block to keep the next ones, for each thread its own: after packages with
    pictures a worker kept 100 MB a thread. Of one size it is told, it gives back all that is larger."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # another C library's affair
        mallopt(M_MMAP_THRESHOLD, LARGE)
