"""Whose turn it is, where several callers want more at once than there is: none gets more than a share,
and what more of theirs there is waits in a queue of their own."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

One = TypeVar("One")


class TooManyAtOnce(Refused):
    """The caller's own requests leave no room."""

    def __init__(self) -> None:
        message = _(
            "You ask for too much at once: as much of yours is under way, or waits, as may be. Ask"
            " again in a moment, and for less at once."
        )
        super().__init__("TOO_MANY_AT_ONCE", message)


class Overloaded(Refused):
    """All callers together leave no room."""

    def __init__(self) -> None:
        message = _("The server has more to do than it can at the moment. Ask again in a moment.")
        super().__init__("OVERLOADED", message)


# There is no room for it at the moment; nothing of it was run.
CROWDED = (TooManyAtOnce, Overloaded)


class Shares(Generic[One]):
    """each: what one caller may have under way at once. waiting: as many more of theirs may wait."""

    def __init__(self, each: int, waiting: int) -> None:
        self._each, self._most = each, waiting
        self._under_way: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, deque[One]] = {}

    def wait(self, caller: Hashable, one: One) -> None:
        """Raises TooManyAtOnce."""
        queue = self._waiting.get(caller)
        if queue is None:
            queue = self._waiting[caller] = deque()
        if len(queue) >= self._most:
            raise TooManyAtOnce
        queue.append(one)

    def begin(
        self, together: Callable[[deque[One]], list[One]] = lambda queue: [queue.popleft()]
    ) -> list[One]:
        """What is to begin now; nothing where nobody waits who may. Of who has least under way, and
        of these in turn. together: takes at least one out of the queue, to count as one."""
        if not self._waiting:
            return []
        caller = min(self._waiting, key=self._count)
        if self.is_taken(caller):
            return []
        queue = self._waiting.pop(caller)
        begun = together(queue)
        if queue:
            self._waiting[caller] = queue  # behind the others
        self._under_way[caller] = self._count(caller) + 1
        return begun

    def end(self, caller: Hashable) -> None:
        left = self._under_way.pop(caller) - 1
        if left:
            self._under_way[caller] = left

    def is_taken(self, caller: Hashable) -> bool:
        """Whether the caller has as much under way as may be."""
        return self._count(caller) >= self._each

    def _count(self, caller: Hashable) -> int:
        return self._under_way.get(caller, 0)

    def give_up(self, is_over: Callable[[One], bool]) -> list[One]:
        """Those that need not wait any more: they do not."""
        over = []
        for caller, queue in list(self._waiting.items()):
            over += [one for one in queue if is_over(one)]
            left = deque(one for one in queue if not is_over(one))
            if left:
                self._waiting[caller] = left
            else:
                del self._waiting[caller]
        return over

    def waiting(self) -> list[One]:
        return [one for queue in self._waiting.values() for one in queue]
