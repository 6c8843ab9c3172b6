"""The variables of an operation, coerced as graphql-core does, their types looked up once."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    value_from_ast,
)
from graphql.utilities import coerce_input_value, type_from_ast

from linli_api.planner.holes import Unplanned


class Variables:
    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._types: list[tuple[str, Any]] = []
        self._defaults: dict[str, Any] = {}
        for definition in operation.variable_definitions:
            name, type_ = definition.variable.name.value, type_from_ast(schema, definition.type)
            self._types.append((name, type_))
            if definition.default_value is not None:
                self._defaults[name] = value_from_ast(definition.default_value, type_)  # type: ignore[arg-type]

    def coerced(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Unplanned or GraphQLError where the executor has a fault to tell."""
        values: dict[str, Any] = {}
        for name, type_ in self._types:
            if name not in inputs:
                if name in self._defaults:
                    values[name] = self._defaults[name]
                elif isinstance(type_, GraphQLNonNull):
                    raise Unplanned(f"${name} is missing")
            elif inputs[name] is None and not isinstance(type_, GraphQLNonNull):
                values[name] = None
            else:
                values[name] = coerce_input_value(inputs[name], type_, _fault)
        return values


def _fault(path: Any, value: Any, error: GraphQLError) -> None:
    raise error
