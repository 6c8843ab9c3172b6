"""Rows that were loaded together are asked for their relations together.

Each row remembers its batch. The first row of a batch that is asked for a relation loads it for
all of them with one statement, through the target type's selector; the others find it there. What
was loaded is a batch again. So the number of statements is the number of relation fields in the
document, whatever the number of rows, without looking ahead into the document: aliases, fragments
and directives need no care. Lists are cut per parent by a window function, which keeps them to one
statement too.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from django.db.models import Model

T = TypeVar("T")


class Batch:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self._loaded: dict[Hashable, Any] = {}

    def load(self, key: Hashable, loader: Callable[[list[Model]], T]) -> T:
        """What the loader gives for all rows of the batch; the loader runs once per key."""
        if key not in self._loaded:
            self._loaded[key] = loader(self.rows)
        return self._loaded[key]


def together(rows: Iterable[Any]) -> list[Any]:
    """The rows as a list, made one batch. Rows are models, or stand for some."""
    batch = Batch(list(rows))
    for row in batch.rows:
        row._batch = batch
    return batch.rows


def batch_of(row: Model) -> Batch:
    """The batch a row was loaded with; a row that came alone (from an action) is one by itself."""
    batch = getattr(row, "_batch", None)
    if batch is None:
        together([row])
        batch = row._batch  # type: ignore[attr-defined]
    return batch
