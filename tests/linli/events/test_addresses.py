"""No webhook reaches an address inside, however it is spelled and whatever the DNS says."""

import socket
from ipaddress import ip_address, ip_network
from threading import Event

import pytest

from linli.errors import Refused
from linli.events.addresses import addresses_of, check_url, is_allowed
from linli.events.sending import Failure, Line
from tests.support.receivers import receiver

LOOPBACK = [ip_network("127.0.0.0/8")]

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.1.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
    "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
    "3fff::1", "3fff:fff:ffff::1", "2001:2::1", "2001:10::1", "2001:2f::1", "2001:30::1", "2001:1::1",
    "2001:4:112::1", "2620:4f:8000::1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "5f00::1",
    "100:0:0:1::1",
]  # fmt: skip
OUTSIDE = ["8.8.8.8", "1.1.1.1", "223.5.5.5", "::ffff:8.8.8.8", "2400:3200::1", "2606:4700::1111"]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_refused(text):
    assert not is_allowed(ip_address(text), [])


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_of_the_internet_is_allowed(text):
    assert is_allowed(ip_address(text), [])


def test_a_named_network_is_allowed():
    assert is_allowed(ip_address("127.0.0.1"), LOOPBACK)
    assert is_allowed(ip_address("::ffff:127.0.0.1"), LOOPBACK)
    assert not is_allowed(ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "https://",
        "https:///hook",
        "https://user@example.org/",
        "https://user:password@example.org/",
        "https://example.org@127.0.0.1/",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://example.org/#part",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://邻里.example/",
        "https://example.org/a b",
        "https://example.org/\n",
        "not an address",
        "",
    ],
)
def test_an_url_nobody_is_told_at(url):
    with pytest.raises(Refused) as refused:
        check_url(url, [])
    assert (refused.value.code, refused.value.field) == ("URL_INVALID", "url")


@pytest.mark.parametrize(
    "url", ["https://example.org/hook?key=1", "https://example.org:8443", "https://8.8.8.8/"]
)
def test_an_url_that_will_do(url):
    check_url(url, [])


def test_without_tls_only_where_a_network_is_named():
    check_url("http://127.0.0.1:8080/", LOOPBACK)
    with pytest.raises(Refused):
        check_url("http://10.0.0.1/", LOOPBACK)


def line(url, networks=(), resolve=addresses_of):
    return Line(url, networks, most=1, connect_ms=2_000, total_ms=5_000, resolve=resolve)


def send(url, networks=(), resolve=addresses_of):
    return line(url, networks, resolve).send(b"{}", {}).failure


# The system's resolver reads them all as 127.0.0.1.
SPELLINGS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1", "localhost"]


@pytest.mark.parametrize("host", [*SPELLINGS, "[::ffff:127.0.0.1]"])
def test_no_spelling_gets_past_the_check(host):
    with receiver() as r:
        port = r.url.split(":")[2].split("/")[0]
        assert send(f"https://{host}:{port}/hook") == Failure.ADDRESS
        assert send(f"http://{host}:{port}/hook") == Failure.ADDRESS
    assert r.got == []


@pytest.mark.parametrize("host", SPELLINGS[:4])
def test_the_spellings_do_lead_there(host):
    assert addresses_of(host, 80) == ["127.0.0.1"]


def test_one_bad_address_among_good_ones_is_enough():
    found = ["8.8.8.8", "127.0.0.1"]
    assert send("https://mixed.example/", resolve=lambda *_: found) == Failure.ADDRESS


def test_a_name_is_resolved_once_and_connected_to_is_what_was_checked():
    """A DNS that answers something else the second time is not asked a second time."""
    with receiver() as r:
        port = int(r.url.split(":")[2].split("/")[0])
        asked = []

        def changing(host, port):
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

        one = line(f"http://changing.example:{port}/hook", LOOPBACK, changing)
        assert one.send(b"{}", {}).failure is None
        assert asked == ["changing.example"]
        assert r.got[0].headers["Host"] == f"changing.example:{port}"


def test_a_name_that_later_leads_inside_is_refused_then():
    with receiver() as r:
        port = int(r.url.split(":")[2].split("/")[0])
        answers = iter([["127.0.0.1"], ["10.0.0.1"]])
        one = line(f"http://changing.example:{port}/", LOOPBACK, lambda *_: next(answers))
        assert one.send(b"{}", {"Connection": "close"}).failure is None
        assert one.send(b"{}", {}).failure == Failure.ADDRESS
    assert len(r.got) == 1


def test_a_redirect_inside_is_not_followed():
    with receiver() as inside:

        def redirects(handler, got):
            handler.send_response(302)
            handler.send_header("Location", inside.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with receiver(redirects) as r:
            assert send(r.url, LOOPBACK) == Failure.REDIRECT
    assert inside.got == []


def test_a_name_that_is_unknown():
    def unknown(host, port):
        raise socket.gaierror

    assert send("https://nobody.example/", resolve=unknown) == Failure.NAME


def test_a_resolver_that_hangs_is_not_waited_for_longer_than_a_connection():
    released, ended = Event(), Event()

    def hangs(_host, _port):
        released.wait(10)
        ended.set()
        return ["8.8.8.8"]

    one = Line("https://slow.example/", (), most=1, connect_ms=300, total_ms=5_000, resolve=hangs)
    assert one.send(b"{}", {}).failure == Failure.TIMEOUT
    assert not ended.is_set()
    released.set()
