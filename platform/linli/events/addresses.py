"""Which addresses a webhook may reach: those of the public internet, and networks named by
LINLI_WEBHOOK_NETWORKS.

A name is resolved once, every address it gives is checked, and what is connected to is one of those
very addresses. So neither a second answer of the DNS nor any spelling of an address gets past.
"""

import ipaddress
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import httpcore
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

# Of IPv6 only this is handed out on the internet.
_UNICAST = ipaddress.ip_network("2000::/3")
# What IANA's two registries of special-purpose addresses have beyond the ``is_global`` of every
# Python in use. No receiver lives there, be it reachable or not.
_SPECIAL = [
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # the relays of 6to4
        "192.175.48.0/24",  # AS112
        "2001::/23",  # protocol assignments, among them Teredo, which leads on to IPv4
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads on to IPv4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address that is not to be reached."""


class NameUnknown(httpcore.ConnectError):
    """The DNS gives no address for the name."""


def is_allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Whether a webhook may be sent to it."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in networks):
        return True
    if address.version == 6 and address not in _UNICAST:
        return False
    if any(address in special for special in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def check_url(url: str, networks: Sequence[Network]) -> None:
    """Raises `Refused` URL_INVALID for one that no webhook goes to, as far as it can be told from
    its letters; what its name leads to is checked whenever it is connected to."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        well_formed = httpcore.URL(url).host == (host or "").encode("ascii")
    except (ValueError, TypeError):
        host, port, well_formed = None, None, False
    schemes = ("https", "http") if networks else ("https",)
    if not (
        well_formed
        and host
        and parts.scheme in schemes
        and port != 0
        and "@" not in parts.netloc
        and not parts.fragment
        and all(33 <= ord(letter) < 127 for letter in url)
        and (_literal(host) is None or is_allowed(_literal(host), networks))  # type: ignore[arg-type]
    ):
        message = _(
            "Give an https:// address of a host on the internet: without user or password, without "
            "#, a Chinese host name in its xn-- form."
        )
        raise Refused("URL_INVALID", message, field="url")


def addresses_of(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says; it also reads decimal and octal spellings."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class GuardedBackend(httpcore.NetworkBackend):
    """httpcore's way to the network, for allowed addresses only.

    ``plain``: without TLS nothing but the named networks is reached. ``resolve`` is the resolver; it
    may hang, and is not waited for longer than the connection may take.
    """

    def __init__(
        self, networks: Sequence[Network], *, plain: bool, resolve: Resolve = addresses_of
    ) -> None:
        self._inner = httpcore.SyncBackend()
        self._networks, self._plain, self._resolve = networks, plain, resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Any = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        until = time.monotonic() + timeout
        addresses = self._addresses(host, port, timeout)
        if not addresses or not all(self._may_reach(address) for address in addresses):
            raise AddressRefused(host)
        for address in addresses[:-1]:
            try:
                return self._inner.connect_tcp(address, port, _left(until), local_address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._inner.connect_tcp(addresses[-1], port, _left(until), local_address)

    def _addresses(self, host: str, port: int, timeout: Any) -> Sequence[str]:
        """Asked in a thread of its own, for nothing can call a resolver off that hangs."""
        answer: Future[Sequence[str]] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._resolve(host, port))
            except Exception as error:
                answer.set_exception(error)

        Thread(target=ask, name="resolver", daemon=True).start()
        try:
            return answer.result(timeout)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(host) from error
        except (OSError, UnicodeError) as error:
            raise NameUnknown(host) from error

    def _may_reach(self, text: str) -> bool:
        address = ipaddress.ip_address(text.partition("%")[0])
        if self._plain:
            return any(address in network for network in self._networks)
        return is_allowed(address, self._networks)


def _left(until: Any) -> Any:
    return max(until - time.monotonic(), 1 / 1000)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
