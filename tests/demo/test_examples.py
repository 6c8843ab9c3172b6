"""The reference's examples, run against the demo: each is answered as the page shows it."""

from collections.abc import Iterator

import pytest
from graphql import OperationDefinitionNode, parse, validate

from linli_api.reference.examples import examples
from linli_api.schema import SCHEMAS
from onboarding.demo.stage import Stage
from tests.demo.conftest import HOST
from tests.demo.test_quickstart import _translated, compared


def test_each_is_answered_as_shown(port: int) -> None:
    stage = Stage(HOST, port)
    differences = list(_differences(stage))
    assert not differences, "\n".join(differences)
    stage.close()


def _differences(stage: Stage) -> Iterator[str]:
    ids: dict[str, str] = {}
    for side in SCHEMAS:
        for example in examples(side):
            variables = _translated(example.variables, ids)
            host = stage.host(example.who, "chezhan" if side == "tenant" else None)
            answer = host.ask(example.document, variables, language="en")
            answer.pop("extensions", None)
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
