"""Receivers of webhooks: real HTTP servers on loopback that note what they are sent."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Got:
    """One request, and when it came."""

    at: float
    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


# What to answer: a status, or whatever the function does with the handler itself.
Answer = Callable[[BaseHTTPRequestHandler, Got], int | None]


@dataclass
class Receiver:
    url: str
    answer: Answer
    got: list[Got] = field(default_factory=list)

    def wait_for(self, count: int, seconds: float = 60) -> list[Got]:
        deadline = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < deadline, f"{len(self.got)} of {count} came"
            time.sleep(0.01)
        return self.got

    def positions(self, object_id: str | None = None) -> list[int]:
        events = [got.event for got in self.got]
        return [e["position"] for e in events if object_id in (None, e["object"]["id"])]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no fault of the test."""


@contextmanager
def receiver(answer: Answer = lambda _handler, _got: 200, *, port: int = 0) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(time.time(), body, dict(self.headers))
            status = made.answer(self, got)
            made.got.append(got)
            if status is not None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", port), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hook", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
