"""An SMTP server on loopback that notes what it is sent."""

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = "250 ok"


@dataclass
class MailServer:
    """user: ``name:password`` that has to log in; senders: whom it takes, all if None."""

    port: int
    user: str | None
    senders: set[str] | None
    said: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None,
    *,
    security: str = "none",
    user: str | None = None,
    senders: set[str] | None = None,
) -> Iterator[MailServer]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # the client has gone, or trusts no such certificate
                self._converse()

        def _converse(self) -> None:
            secured, known = False, made.user is None
            if security == "ssl":
                self._secure()
                secured = True
            self._say("220 test")
            while line := self.rfile.readline().decode().strip():
                made.said.append(line)
                verb = line.upper().partition(" ")[0]
                if verb in ("EHLO", "HELO"):
                    offers = ["AUTH PLAIN"] if made.user else []
                    offers += ["STARTTLS"] if security == "starttls" and not secured else []
                    lines = ["test", *offers]
                    self._say(*(f"250-{one}" for one in lines[:-1]), f"250 {lines[-1]}")
                elif verb == "STARTTLS":
                    self._say("220 go ahead")
                    self._secure()
                    secured = True
                elif verb == "AUTH":
                    _empty, name, password = b64decode(line.split()[2]).decode().split("\0")
                    known = f"{name}:{password}" == made.user
                    self._say("235 in" if known else "535 wrong user or password")
                elif verb == "MAIL":
                    sender = line.partition("<")[2].partition(">")[0]
                    self._say("530 log in" if not known else self._of(sender))
                elif verb == "DATA":
                    self._say("354 go on")
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    made.mails.append("\n".join(lines))
                    self._say(OK)
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say(OK)

        def _of(self, sender: str) -> str:
            taken = made.senders is None or sender in made.senders
            return OK if taken else "553 not your address"

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

        def _secure(self) -> None:
            assert tls is not None
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = socketserver._SocketWriter(self.connection)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made = MailServer(server.server_address[1], user, senders)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
