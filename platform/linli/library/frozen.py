"""JSON values that cannot be changed, and still are the lists and objects that `json` writes.

What is shared by all who ask must not be anyone's to change. `deepcopy` gives a copy that can be.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn


def frozen(value: Any) -> Any:
    """The same value, with every list and object in it unchangeable."""
    if isinstance(value, dict):
        return FrozenObject((name, frozen(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return FrozenList(frozen(inner) for inner in value)
    return value


def _refuse(self: object, *args: object, **kwargs: object) -> NoReturn:
    raise TypeError("these rules are shared: make a copy of what you want to change")


class FrozenList(list[Any]):
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [deepcopy(inner, memo) for inner in self]

    def __copy__(self) -> list[Any]:
        return list(self)

    copy = __copy__


class FrozenObject(dict[str, Any]):
    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {name: deepcopy(inner, memo) for name, inner in self.items()}

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    copy = __copy__
