"""A receiver of webhooks as a process of its own, which can be killed: `receiving KIND PORT LOG`.

Each request is noted in the log before it is answered: when it came, its position, its object.

good      answers
failing   answers 500 to every fifth request
hanging   leaves one request in 400 without an answer, and all of its first two seconds
"""

import json
import os
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler
from itertools import count

KIND, PORT, LOG = sys.argv[1], int(sys.argv[2]), sys.argv[3]
STARTED, NUMBERS = time.monotonic(), count(1)
log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        line = {"at": time.time(), "position": event["position"], "object": event["object"]["id"]}
        number = next(NUMBERS)
        failing = KIND == "failing" and number % 5 == 0
        early = time.monotonic() < STARTED + 2
        hanging = KIND == "hanging" and (number % 400 == 0 or early)
        os.write(log, f"{json.dumps({**line, 'ok': not (failing or hanging)})}\n".encode())
        if hanging:
            time.sleep(600)
        self.wfile.write(
            f"HTTP/1.1 {500 if failing else 200} Noted\r\nContent-Length: 0\r\n\r\n".encode()
        )

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    with Server(("127.0.0.1", PORT), Handler) as server:
        sys.stdout.write("receiving\n")
        sys.stdout.flush()
        server.serve_forever()
