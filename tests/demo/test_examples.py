"""The reference's examples, run against the demo: each is answered as the page shows it."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse, validate

from linli_api.reference.examples import examples
from linli_api.schema import SCHEMAS
from onboarding.demo.stage import PASSWORD
from tests.demo.test_quickstart import _program, _translated, compared


def test_each_is_answered_as_shown(port: int) -> None:
    differences = list(_differences(port))
    assert not differences, "\n".join(differences)


def _differences(port: int) -> Iterator[str]:
    """The quickstart's program asks, as an integrator's would."""
    program: dict[str, Any] = {"__name__": "program"}
    exec(compile(_program(port)[0], "docs/quickstart.md", "exec"), program)
    sessions: dict[str, Any] = {}
    ids: dict[str, str] = {}
    for side in SCHEMAS:
        for example in examples(side):
            if example.who not in sessions:
                sessions[example.who] = program["Linli"](example.who, PASSWORD)
            variables = _translated(example.variables, ids)
            at = "chezhan" if side == "tenant" else None
            answer = sessions[example.who].graphql(example.document, variables, at=at)
            for difference in compared(example.answer, answer, ids):
                yield f"{side} {example.name}: {difference}"


@pytest.mark.parametrize("side", SCHEMAS)
def test_each_fits_the_schema_and_says_what_it_is_about(side: str) -> None:
    found = examples(side)
    assert len({example.name for example in found}) == len(found) > 1
    for example in found:
        document = parse(example.document)
        assert validate(SCHEMAS[side].graphql_schema, document) == [], example.name
        [operation] = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name, f"{example.name}: clients are made of it, so it needs a name"
        assert example.about.endswith((".", "after."))
