"""gunicorn's settings; what an installation changes comes from the environment."""

import gc
import os
from typing import Any

wsgi_app = "linli.asgi:application"
worker_class = "asgi"
bind = os.environ.get("LINLI_BIND", "127.0.0.1:8000,[::1]:8000").split(",")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# A backend keeps 2 MB for every tenant it has touched; workers, and with them their connections,
# are therefore replaced from time to time.
max_requests = 20_000
max_requests_jitter = 2_000
timeout = 60
# Its default path is one for all of a user's checkouts.
control_socket_disable = True
graceful_timeout = 20
# A request line or header beyond these is nobody's honest request.
limit_request_line = 8190
limit_request_fields = 100
accesslog = os.environ.get("LINLI_ACCESS_LOG")
errorlog = "-"
loglevel = os.environ.get("LINLI_LOG_LEVEL", "warning")


def post_worker_init(_worker: Any) -> None:
    """What was loaded stays for good: the collector need not look at it with every request."""
    gc.collect()
    gc.freeze()
