"""Taking in what is sent, before a thread is: none waits for who sends slowly.

For a body there is one time, and room: a process holds so many bytes of bodies at once, each from its
first byte to its answer, and half as many of one address.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Self

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.shares import Overloaded, TooManyAtOnce
from linli_api.errors import InvalidRequest
from linli_api.express.incoming import Scope, address_of, has_body

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Bytes of a body that are read for nothing.
MOST_UNWANTED = 64_000_000
# Bytes of a body that are taken in before it is handed over: more than Django takes of one.
MOST_AHEAD = 2_621_440
BODY_SECONDS = 30
# Bytes of bodies that a process holds.
HELD = 64_000_000
HELD_OF_ADDRESS = HELD // 2
# What a body counts at least: so much a connection may hold before anybody looks.
LEAST = 65_536


class Room:
    """The bytes of bodies that this process holds, in all and by address."""

    def __init__(self) -> None:
        self._held = 0
        self._by_address: dict[Hashable, int] = {}

    def take(self, address: Hashable, size: int) -> None:
        """Raises TooManyAtOnce, Overloaded."""
        of_address = self._by_address.get(address, 0) + size
        if of_address > HELD_OF_ADDRESS:
            raise TooManyAtOnce
        if self._held + size > HELD:
            raise Overloaded
        self._held += size
        self._by_address[address] = of_address

    def give_back(self, address: Hashable, size: int) -> None:
        self._held -= size
        left = self._by_address.pop(address) - size
        if left:
            self._by_address[address] = left


class Body:
    """What is sent with a request. Entered, it holds the room that it takes.

    All that Django takes of it is taken in `ahead`. The rest, which nobody wants, is read before the
    answer is sent: a connection that is closed on a client who still sends takes the answer with it.
    Who has not sent it when its time is over has gone.
    """

    def __init__(self, scope: Scope, receive: Receive, room: Room) -> None:
        self._receive, self._room, self._address = receive, room, address_of(scope)
        self.more = has_body(scope)
        self._taken: deque[dict[str, Any]] = deque()
        self.size = self._held = 0
        self._ends_at = asyncio.get_running_loop().time() + BODY_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._taken.clear()
        if self._held:
            self._room.give_back(self._address, self._held)

    async def ahead(self) -> None:
        """Raises TooManyAtOnce, Overloaded, InvalidRequest BODY_TOO_SLOW."""
        try:
            async with asyncio.timeout_at(self._ends_at):
                while self.more and self.size <= MOST_AHEAD:
                    self._hold()
                    message = await self._receive()
                    self._taken.append(message)
                    self.more = message.get("more_body", False)
                    self.size += len(message.get("body", b""))
        except TimeoutError as error:
            late = _("The body did not come within {seconds} seconds. Send it anew.")
            told = format_lazy(late, seconds=BODY_SECONDS)
            raise InvalidRequest("BODY_TOO_SLOW", told) from error

    def whole(self) -> bytes | None:
        """Of one that was taken in; None where whoever asked has gone."""
        if self._taken and self._taken[-1]["type"] == "http.disconnect":
            return None
        return b"".join(message.get("body", b"") for message in self._taken)

    async def receive(self) -> dict[str, Any]:
        if self._taken:
            return self._taken.popleft()
        try:
            async with asyncio.timeout_at(self._ends_at if self.more else None):
                message = await self._receive()
        except TimeoutError:
            message = {"type": "http.disconnect"}
        self.more = message.get("more_body", False)
        return message

    async def rest(self) -> None:
        """Read it for nothing."""
        left = MOST_UNWANTED
        while self.more and left > 0:
            left -= len((await self.receive()).get("body", b""))

    def after(self, send: Send) -> Send:
        async def sending(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await self.rest()
            await send(message)

        return sending

    def _hold(self) -> None:
        """Room for what has come, and for as much as comes at once."""
        more = self.size + LEAST - self._held
        self._room.take(self._address, more)
        self._held += more
