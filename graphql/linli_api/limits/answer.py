"""An answer that the executor makes is given up as soon as its text is longer than one may be."""

import json
from typing import Any

from django.conf import settings
from graphql import ExecutionContext, GraphQLLeafType

from linli_api.errors import AnswerTooLarge


class Measured(ExecutionContext):
    """Counts what is told, from below. One row may be told many times and be in memory once; the
    text of them all would not."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.left = settings.LINLI_ANSWER_BYTES
        plain = self.complete_leaf_value

        def counted(return_type: GraphQLLeafType, result: Any) -> Any:
            value = plain(return_type, result)
            if isinstance(value, dict | list):
                self.left -= len(json.dumps(value, ensure_ascii=False))
            else:
                self.left -= len(value) if isinstance(value, str) else 1
            return value

        # A static method of the library's; looked up on the instance, once for each value.
        self.complete_leaf_value = counted  # type: ignore[method-assign]

    def complete_value(self, *args: Any) -> Any:
        self.go_on()
        return super().complete_value(*args)

    def go_on(self) -> None:
        """Before each value; raises what is to keep it from being told."""
        if self.left < 0:
            raise AnswerTooLarge
