"""One attempt: bounded in time and size, and over TLS only to whom the certificate names."""

import ssl
import threading
import time
from ipaddress import ip_network

import pytest

from linli.events.sending import Failure, Line
from tests.support.certificates import certificate
from tests.support.receivers import _Server, receiver

LOOPBACK = [ip_network("127.0.0.0/8")]


def send(url, *, total_ms=5_000, **more):
    line = Line(url, LOOPBACK, most=1, connect_ms=2_000, total_ms=total_ms, **more)
    return line.send(b"{}", {})


class TestTime:
    def test_a_receiver_that_trickles_its_answer_is_left(self):
        """Each byte comes well within the time of one read."""

        def trickles(handler, got):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(100):
                handler.wfile.write(b"x")
                time.sleep(0.1)

        with receiver(trickles) as r:
            outcome = send(r.url, total_ms=1_000)
        assert outcome.failure == Failure.TIMEOUT
        assert outcome.milliseconds >= 1_000

    def test_so_is_one_that_never_ends_its_body_but_its_status_was_heard(self):
        def endless(handler, got):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            time.sleep(3)

        with receiver(endless) as r:
            outcome = send(r.url, total_ms=1_000)
        assert (outcome.status, outcome.failure) == (200, None)


def test_of_a_long_answer_only_a_little_is_read():
    sent = []

    def long(handler, got):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while len(sent) < 100:
                handler.wfile.write(b"x" * 1_000_000)
                sent.append(1)
        except OSError:
            return

    with receiver(long) as r:
        assert send(r.url).failure is None
    assert len(sent) < 20


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("99999999999", None), ("-1", None), ("soon", None), ("", None)],
)
def test_retry_after(told, seconds):
    def later(handler, got):
        handler.wfile.write(
            f"HTTP/1.1 503 Later\r\nRetry-After: {told}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    with receiver(later) as r:
        assert send(r.url).retry_after == seconds


def test_what_is_no_http_is_a_broken_connection():
    def gibberish(handler, got):
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    with receiver(gibberish) as r:
        assert send(r.url).failure == Failure.CONNECTION


@pytest.fixture
def secured(tmp_path, monkeypatch):
    """A receiver with TLS as hook.example; what name it was asked for; who trusts it."""
    path = certificate(tmp_path, "hook.example")
    asked = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    server.sni_callback = lambda _socket, name, _context: asked.append(name)
    plain = _Server.get_request

    def secure(self):
        connection, address = plain(self)
        return server.wrap_socket(connection, server_side=True), address

    monkeypatch.setattr(_Server, "get_request", secure)
    with receiver() as r:
        yield r, asked, ssl.create_default_context(cafile=path)


def test_over_tls_the_name_is_asked_for_and_the_address_is_the_one_checked(secured):
    r, asked, trusting = secured
    port = r.url.split(":")[2].split("/")[0]
    outcome = send(
        f"https://hook.example:{port}/hook", tls=trusting, resolve=lambda *_: ["127.0.0.1"]
    )
    assert outcome.failure is None
    assert asked == ["hook.example"]
    assert len(r.got) == 1


@pytest.mark.parametrize(("host", "trusted"), [("other.example", True), ("hook.example", False)])
def test_a_certificate_of_another_or_of_nobody_is_refused(secured, host, trusted):
    r, _asked, trusting = secured
    port = r.url.split(":")[2].split("/")[0]
    outcome = send(
        f"https://{host}:{port}/hook",
        tls=trusting if trusted else None,
        resolve=lambda *_: ["127.0.0.1"],
    )
    assert outcome.failure == Failure.TLS
    assert r.got == []


def test_a_connection_is_used_again():
    ports = set()

    def note(handler, got):
        ports.add(handler.client_address[1])
        return 200

    with receiver(note) as r:
        line = Line(r.url, LOOPBACK, most=1, connect_ms=2_000, total_ms=5_000)
        assert [line.send(b"{}", {}).failure for _ in range(5)] == [None] * 5
    assert len(ports) == 1


def test_threads_keep_their_own_time():
    """The deadline of one attempt is not that of another on the same line."""

    def slow(handler, got):
        time.sleep(0.4)
        return 200

    with receiver(slow) as r:
        line = Line(r.url, LOOPBACK, most=4, connect_ms=2_000, total_ms=1_500)
        outcomes = []
        threads = [
            threading.Thread(target=lambda: outcomes.append(line.send(b"{}", {}).failure))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.2)
        for thread in threads:
            thread.join()
    assert outcomes == [None] * 4
