"""What gunicorn's workers let in, by bytes on a real connection."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector

import pytest

from linli.worker import HEAD_BYTES, HEAD_SECONDS, HEADERS
from linli_api.express.bodies import BODY_SECONDS, HELD_OF_ADDRESS, LEAST, MOST_AHEAD
from tests.support.databases import Database, copy_of_template
from tests.support.gunicorn import Served, gunicorn

HOST = "linli.localhost"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    database = copy_of_template(f"linli_test_run_{os.getpid()}_worker")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def served(database) -> Iterator[Served]:
    with gunicorn(database) as served:
        yield served


def ask(served: Served, *parts: bytes) -> tuple[int, bytes]:
    """The status and the rest, of what is answered until the connection ends or rests."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connected:
        with suppress(BrokenPipeError, ConnectionResetError):  # it is answered before all is sent
            for part in parts:
                connected.sendall(part)
        told = b""
        connected.settimeout(3)
        try:
            while more := connected.recv(65536):
                told += more
        except TimeoutError:
            pass
    assert told, "nothing was answered"
    head, _, body = told.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def head(*lines: str, method: str = "GET", path: str = "/") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode()


def test_an_honest_head_is_answered(served):
    assert ask(served, head("Connection: close"))[0] in (200, 302)


def test_a_head_of_many_headers_is_refused(served):
    most = [f"X-{n}: 1" for n in range(HEADERS - 2)]
    assert ask(served, head("Connection: close", *most))[0] in (200, 302)
    assert ask(served, head("Connection: close", "X-One-More: 1", *most))[0] == 400


@pytest.mark.parametrize("line", ["X-Long: " + "x" * HEAD_BYTES, "X-" + "x" * HEAD_BYTES + ": 1"])
def test_a_large_header_is_refused(served, line):
    assert ask(served, head(line))[0] == 400


def test_a_long_line_of_the_request_is_refused(served):
    assert ask(served, head(path="/?" + "x" * HEAD_BYTES))[0] == 400


def test_a_head_that_does_not_end_is_refused_before_it_is_kept(served):
    # No more than it takes: what nobody reads any more would take the answer with it.
    parts = [b"x" * 1000] * (HEAD_BYTES // 1000)
    status, body = ask(served, b"GET / HTTP/1.1\r\nX-Endless: ", *parts)
    assert (status, body) == (400, b"The head of the request is too large.")


def test_who_never_ends_a_head_is_not_waited_for(served):
    """Nor who sends nothing; and not on a kept connection either."""
    address = ("127.0.0.1", served.port)
    with ExitStack() as stack:
        silent, begun, kept, ended = (
            stack.enter_context(socket.create_connection(address, timeout=HEAD_SECONDS * 2))
            for _ in range(4)
        )
        begun.sendall(b"GET / HTTP/1.1\r\nX-Endless: ")
        for one in (kept, ended):
            one.sendall(head())
            assert one.recv(15).split()[1] in (b"200", b"302")
        time.sleep(1)
        kept.sendall(b"GET / HTTP/1.1\r\nX-Endless: ")
        ended.sendall(b"\r\n")  # begins no head
        for _ in range(3):  # more of it does not begin the time anew
            time.sleep(HEAD_SECONDS / 4)
            begun.sendall(b"x")
            kept.sendall(b"x")
        started = time.monotonic()
        for one in (silent, begun, kept, ended):
            while one.recv(65536):
                pass
        assert time.monotonic() - started < HEAD_SECONDS


def test_a_second_head_on_a_kept_connection_has_its_own_limit(served):
    one = head("X-Long: " + "x" * (HEAD_BYTES // 2))
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connected:
        for _ in range(4):
            connected.sendall(one)
            assert connected.recv(15).split()[1] in (b"200", b"302")
            connected.settimeout(1)
            try:
                while connected.recv(65536):
                    pass
            except TimeoutError:
                connected.settimeout(20)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\x00\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_refused(served, request_head):
    assert ask(served, request_head)[0] == 400


def graphql(*lines: str) -> bytes:
    body = json.dumps({"query": "{ viewer { __typename } }"}).encode()
    lines = (*lines, "Content-Type: application/json", f"Content-Length: {len(body)}")
    return head(*lines, method="POST", path="/graphql") + body


def test_a_name_with_an_underscore_is_not_another_header(served):
    for name, english in (("Accept-Language", True), ("Accept_Language", False)):
        status, body = ask(served, graphql(f"{name}: en"))
        assert status == 401
        assert (b"Send a token" in body) is english


def test_who_offers_another_protocol_is_answered_in_this_one(served):
    plain = ask(served, graphql())
    offered = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert ask(served, graphql(*offered)) == plain
    assert plain[0] == 401


@contextmanager
def in_production(database, **environment: str) -> Iterator[Served]:
    with gunicorn(
        database,
        LINLI_ENV="production",
        LINLI_SECRET_KEY="only for this test",
        LINLI_PLATFORM_URL=f"https://{HOST}",
        **environment,
    ) as served:
        yield served


def test_tls_is_believed_from_a_trusted_proxy_only(database):
    by_proxy = head("X-Forwarded-Proto: https", "Connection: close", path="/accounts/login/")
    with in_production(database) as served:
        assert ask(served, head("Connection: close", path="/accounts/login/"))[0] == 301
        assert ask(served, by_proxy)[0] != 301
    with in_production(database, FORWARDED_ALLOW_IPS="10.0.0.0/8") as served:
        assert ask(served, by_proxy)[0] == 301
    with in_production(database, FORWARDED_ALLOW_IPS="127.0.0.0/8") as served:
        assert ask(served, by_proxy)[0] != 301


def test_head_is_answered_as_get_is_and_without_the_body(served):
    status, page = ask(served, head("Connection: close"))
    assert ask(served, head("Connection: close", method="HEAD")) == (status, b"")
    assert page


def test_who_sends_bodies_slowly_takes_no_thread_from_others_and_is_told(served):
    """More of them than there are threads."""
    lines = "Content-Length: 100", "Authorization: Bearer x", "Content-Type: application/json"
    begun = [head(*lines, method="POST", path=path) + b"{" for path in ("/oauth/token", "/graphql")]
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            for _ in range(20)
        ]
        for number, one in enumerate(slow):
            one.sendall(begun[number % 2])
        time.sleep(1)
        started = time.monotonic()
        assert ask(served, head("Connection: close", path="/accounts/login/"))[0] == 200
        assert time.monotonic() - started < BODY_SECONDS / 2
        for one in slow:
            assert one.recv(65536).split()[1] == b"408"


def test_nor_does_who_sends_more_than_is_taken_in_and_no_more(served):
    lines = "Content-Type: application/json", f"Content-Length: {MOST_AHEAD * 2}"
    most = head(*lines, method="POST", path="/oauth/token") + b"x" * (MOST_AHEAD + 1)
    with ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
            for _ in range(12)
        ]
        for one in slow:
            one.sendall(most)
        assert ask(served, head("Connection: close", path="/accounts/login/"))[0] == 200


def test_of_bodies_no_more_are_held_than_there_is_room_for_and_others_have_theirs(served):
    """Half-sent ones, from one address; another has the other half."""
    lines = "Content-Length: 100", "Authorization: Bearer x", "Content-Type: application/json"
    begun = head(*lines, method="POST", path="/graphql") + b"{"
    most = HELD_OF_ADDRESS // LEAST
    with ExitStack() as stack:

        def connected(address: str) -> socket.socket:
            one = socket.create_connection(
                ("127.0.0.1", served.port), timeout=20, source_address=(address, 0)
            )
            one.sendall(begun)
            return stack.enter_context(one)

        held = [connected("127.0.0.1") for _ in range(most + 1)]
        # Which of them is one too many depends on whom the server accepts last.
        with DefaultSelector() as answered:
            for one in held:
                answered.register(one, EVENT_READ)
            [(key, _)] = answered.select(20)
        refused = held.pop(held.index(key.fileobj))
        told, _, body = refused.recv(65536).partition(b"\r\n\r\n")
        assert told.split()[1] == b"429"
        assert b"\r\nretry-after: 1\r\n" in told
        assert json.loads(body)["errors"][0]["extensions"]["code"] == "TOO_MANY_AT_ONCE"
        other = connected("127.0.0.2")
        other.sendall(b"}" + b" " * 98)
        assert other.recv(65536).split()[1] == b"401"
        held[0].sendall(b"}" + b" " * 98)
        assert held[0].recv(65536).split()[1] == b"401"
        again = connected("127.0.0.1")  # there is room for one
        again.sendall(b"}" + b" " * 98)
        assert again.recv(65536).split()[1] == b"401"


def test_what_all_hold_together_has_an_end_too(served):
    lines = "Content-Type: application/json", f"Content-Length: {MOST_AHEAD}"
    most = head(*lines, method="POST", path="/oauth/token") + b"x" * (MOST_AHEAD - 1)
    refused = []
    with ExitStack() as stack:
        for number in range(3 * HELD_OF_ADDRESS // MOST_AHEAD):
            one = socket.create_connection(
                ("127.0.0.1", served.port), 20, source_address=(f"127.0.1.{number // 8}", 0)
            )
            stack.enter_context(one).sendall(most)
            one.settimeout(0.1)
            with suppress(TimeoutError):
                refused.append(one.recv(65536))
    assert {one.split()[1] for one in refused} == {b"503"}
    assert all(b"\r\nretry-after: 5\r\n" in one for one in refused)
