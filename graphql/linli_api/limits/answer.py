"""An answer that the executor makes is given up as soon as its text is longer than one may be."""

import json
from typing import Any

from django.conf import settings
from graphql import ExecutionContext, GraphQLOutputType, is_leaf_type

from linli_api.errors import AnswerTooLarge


class Measured(ExecutionContext):
    """Counts what is told, from below. One row may be told many times and be in memory once; the
    text of them all would not."""

    told = 0

    def complete_value(self, return_type: GraphQLOutputType, *args: Any) -> Any:
        if self.told > settings.LINLI_ANSWER_BYTES:
            raise AnswerTooLarge
        value = super().complete_value(return_type, *args)
        if value is not None and is_leaf_type(return_type):
            is_document = isinstance(value, dict | list)
            text = json.dumps(value, ensure_ascii=False) if is_document else value
            self.told += len(text) if isinstance(text, str) else 1
        return value
