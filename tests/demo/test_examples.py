"""The reference's examples, run against the demo: each is answered as the page shows it."""

import time
from collections.abc import Iterator

import pytest
from graphql import OperationDefinitionNode, parse, validate

from linli_api.reference.examples import examples
from linli_api.schema import SCHEMAS
from onboarding.demo.stage import Stage
from tests.demo.conftest import HOST
from tests.demo.test_quickstart import _translated, compared
from tests.support.receivers import receiver


def test_each_is_answered_as_shown(port: int) -> None:
    stage = Stage(HOST, port)
    with receiver() as theirs:
        differences = list(_differences(stage, theirs.url))
    assert not differences, "\n".join(differences)
    stage.close()


def _differences(stage: Stage, receiver_url: str) -> Iterator[str]:
    ids = {"https://example.org/linli": receiver_url}
    for side in SCHEMAS:
        for example in examples(side):
            variables = _translated(example.variables, ids)
            host = stage.host(example.who, "chezhan" if side == "tenant" else None)
            for _ in range(60 if example.again else 1):
                answer = host.ask(example.document, variables, language="en")
                answer.pop("extensions", None)
                if not (found := list(compared(example.answer, answer, dict(ids)))):
                    break
                time.sleep(example.again)
            yield from (f"{side} {example.name}: {difference}" for difference in found)
            list(compared(example.answer, answer, ids))  # remembers the ids of what it found


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
