"""M4: the library is searched by words of any length, place, profile and measured outcome."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.comparison.models import Figure
from linli.library.search import grams, one_spelling
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.operating_model.actions import (
    adopt_version,
    publish_version,
    withdraw_version,
    write_version,
)
from tenants.operating_model.models import ModelVersion
from tests.support.api import ask, errors, send
from tests.support.models import chengnan

pytestmark = pytest.mark.django_db


def test_texts_come_to_one_spelling_and_its_pairs():
    assert one_spelling("城南 Ｍodel", "一社\u3000一策") == "城南 model 一社 一策"
    assert grams("城南 ab") == ["a", "ab", "b", "南", "城", "城南"]


def published(tenant, title, case_text="", rate=None, notes="", key="chengnan"):
    if rate is not None:
        Figure.objects.update_or_create(
            tenant=tenant,
            measure="self_reliance_rate",
            as_of=date(2025, 12, 31),
            defaults={"value": Decimal(rate), "rolled_up_at": timezone.now()},
        )
    period = (date(2025, 1, 1), date(2026, 1, 1)) if rate is not None else (None, None)
    with tenant_context(tenant):
        version = write_version(
            actor=system_actor(tenant), key=key, title=title, document=chengnan(), bounds={},
            notes=notes,
        )  # fmt: skip
        if rate is not None:  # measured of what was in force
            adopt_version(
                actor=system_actor(tenant), version_id=version.pk, effective_from=period[0]
            )
        return publish_version(
            actor=system_actor(tenant),
            version_id=version.pk,
            profiles=["ageing"],
            case_text=case_text,
            evidence_starts_on=period[0],
            evidence_ends_on=period[1],
        )


@pytest.fixture
def shelf(street, other_street, other_city):
    """Zhangdian's, Linzi's and Datong's."""
    published(street, "城南合伙人", "老年食堂开在Ｋ座楼下，养老不离家。", "0.5325")
    published(
        other_street, "闻韶托幼", "三岁前的托管。", "0.25", notes="养小 老带新", key="wenshao"
    )
    published(other_city, "大同模式", "无", key="datong")


@pytest.fixture
def found(shelf, other_city, actor_as):
    reader = actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)

    def titles(arguments):
        query = f"{{ publishedVersions({arguments}, orderBy: OLDEST) {{ nodes {{ title }} }} }}"
        return [one["title"][:2] for one in ask(reader, query)["publishedVersions"]["nodes"]]

    titles.reader = reader
    return titles


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("养老", ["城南"]),
        ("食堂", ["城南"]),
        ("托", ["闻韶"]),
        ("k座", ["城南"]),
        ("Ｋ座楼下，养老", ["城南"]),
        ("养小 老带新", ["闻韶"]),
        ("老养", []),
        ("100%", []),
        ("_", []),
        ("模式", ["大同"]),
        (" ", ["城南", "闻韶", "大同"]),
    ],
)
def test_by_words_as_they_stand_there(found, words, titles):
    assert found(f'search: "{words}"') == titles


def test_words_have_an_end(found):
    query = f'{{ publishedVersions(search: "{"文" * 101}") {{ totalCount }} }}'
    assert errors(found.reader, query) == [("SEARCH_TOO_LONG", "search")]


def test_by_where_the_author_stands(found, street, district, city, other_city):
    def under(unit):
        return found(f'underId: "{ids.encode("Tenant", unit.pk)}"')

    assert under(street) == under(district) == ["城南"]
    assert under(city) == ["城南", "闻韶"]
    assert under(other_city) == ["大同"]
    assert found(f'divisionCode: "{street.division_id}"') == ["城南"]
    assert found('divisionCode: "3703"') == ["城南", "闻韶"]


@pytest.mark.parametrize(
    ("bounds", "titles"),
    [
        ("", ["城南", "闻韶"]),
        (', atLeast: "0.25"', ["城南", "闻韶"]),
        (', atLeast: "0.2500001"', ["城南"]),
        (', atMost: "0.5"', ["闻韶"]),
        (', atLeast: "0.3", atMost: "0.5"', []),
    ],
)
def test_by_a_measured_outcome(found, bounds, titles):
    assert found(f'outcome: {{measure: "self_reliance_rate"{bounds}}}') == titles


def test_a_measure_that_nobody_has_is_refused(found):
    answer = send(found.reader, '{ publishedVersions(outcome: {measure: "no"}) { totalCount } }')
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "MEASURE_UNKNOWN"


def test_withdrawn_ones_only_when_asked_for(found, street):
    with tenant_context(street):
        version = ModelVersion.objects.get()
        withdraw_version(actor=system_actor(street), version_id=version.pk, reason="旧了")
    assert found("includeWithdrawn: false") == ["闻韶", "大同"]
    assert found("includeWithdrawn: true") == ["城南", "闻韶", "大同"]
    assert found('search: "养老"') == []
    query = "{ publishedVersions { totalCount } }"
    assert ask(found.reader, query)["publishedVersions"]["totalCount"] == 2


def test_several_at_once(found):
    assert found('profile: AGEING, key: "chengnan", search: "食堂", divisionCode: "37"') == ["城南"]
    assert found('profile: YOUNG, key: "chengnan"') == []
