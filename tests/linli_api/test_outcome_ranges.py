"""What cannot be an outcome's measure or value is refused with a code."""

import pytest

from linli.accounts.policy import Role
from tests.support.api import errors

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("measure", "value", "code"),
    [
        ("communities", "NaN", "OUTCOME_INVALID"),
        ("communities", "-Infinity", "OUTCOME_INVALID"),
        ("communities", "1e400", "OUTCOME_INVALID"),
        ("nope", "1", "MEASURE_UNKNOWN"),
    ],
)
@pytest.mark.parametrize("end", ["atLeast", "atMost"])
def test_is_refused(street, actor_as, measure, value, code, end):
    reader = actor_as(None, Role.AUDITOR, held_at=street)
    outcome = f'{{measure: "{measure}", {end}: "{value}"}}'
    query = f"{{ publishedVersions(outcome: {outcome}) {{ totalCount }} }}"
    [error] = errors(reader, query)
    assert code in error
