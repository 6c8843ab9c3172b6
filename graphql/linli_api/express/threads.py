"""The threads that Django runs in: of these too a caller has a share at once, and no more."""

import time
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from django.conf import settings

from linli.errors import Refused
from linli.shares import Overloaded, Shares, TooManyAtOnce

Result = TypeVar("Result")

# As many of one caller wait for a thread.
WAITING = 64

# Whose share it is that is submitted next, in this context.
caller: ContextVar[Hashable] = ContextVar("caller", default=None)


class _Work(NamedTuple):
    """ends_at: nanoseconds of the monotonic clock, when it need not be begun any more; late: what is
    told then."""

    caller: Hashable
    call: Callable[[], Any]
    ends_at: int
    late: Refused
    future: Future


class Threads(Executor):
    """each: how many of them one caller has at most."""

    def __init__(self, most: int, each: int) -> None:
        self._pool = ThreadPoolExecutor(most, "django")
        self._free, self._shares = most, Shares[_Work](each, WAITING)
        self._lock = Lock()

    def submit(self, call: Callable[..., Result], /, *args: Any, **kwargs: Any) -> "Future[Result]":
        """Of the `caller` of the moment. Raises TooManyAtOnce; what waits as long as a read may take is
        not run: the future tells TooManyAtOnce or Overloaded."""
        ends_at = time.monotonic_ns() + settings.LINLI_READ_SECONDS * 10**9
        whose = caller.get()
        with self._lock:
            late = TooManyAtOnce() if self._shares.is_taken(whose) else Overloaded()
            work = _Work(whose, partial(call, *args, **kwargs), ends_at, late, Future())
            self._shares.wait(whose, work)
            self._start()
        return work.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """What waits is not begun any more."""
        with self._lock:
            for work in self._shares.give_up(lambda _work: True):
                work.future.cancel()
        self._pool.shutdown(wait)

    def _start(self) -> None:
        while self._free and (begun := self._shares.begin()):
            self._free -= 1
            self._pool.submit(self._run, *begun)

    def _run(self, work: _Work) -> None:
        try:
            if work.future.set_running_or_notify_cancel():
                self._answer(work)
        finally:
            with self._lock:
                self._free += 1
                self._shares.end(work.caller)
                self._start()

    def _answer(self, work: _Work) -> None:
        if time.monotonic_ns() > work.ends_at:
            work.future.set_exception(work.late)
            return
        try:
            result = work.call()
        except BaseException as error:
            work.future.set_exception(error)
        else:
            work.future.set_result(result)
