"""What is worked out once and kept in memory: so many, and so much in all."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Kept(Generic[_K, _V]):
    """Those used last, by their keys. most: how many. room: what `weigh` says of them, in all; the
    last one stays whatever it weighs. For any thread."""

    def __init__(self, most: int, room: int, weigh: Callable[[_V], int]) -> None:
        self._most, self._room, self._weigh = most, room, weigh
        self._kept: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def get(self, key: _K) -> _V | None:
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def keep(self, key: _K, value: _V) -> _V:
        """What is kept under the key from here on: another's, where two worked it out at once."""
        weight = self._weigh(value)
        with self._lock:
            if (earlier := self._kept.get(key)) is not None:
                return earlier[0]
            self._kept[key] = value, weight
            self._weight += weight
            while len(self._kept) > 1 and self._is_full():
                _key, (_value, taken) = self._kept.popitem(last=False)
                self._weight -= taken
        return value

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def weight(self) -> int:
        return self._weight

    def _is_full(self) -> bool:
        return len(self._kept) > self._most or self._weight > self._room
