"""M4: evidence is what the platform measured over a stated period; nobody types it in."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from linli.accounts.policy import system_actor
from linli.comparison.measures import measures
from linli.comparison.models import Figure
from linli.errors import Refused
from linli.library.actions import Package
from linli.library.models import Outcome, PublishedVersion
from linli.tenancy.context import public_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import publish_version, withdraw_version
from tenants.operating_model.evidence import where_it_ran
from tenants.operating_model.models import Adoption
from tests.support.calendar import on_day

from .conftest import TODAY, adopt, document, nothing_written, publish, trail, write

YEAR = (date(2025, 1, 1), date(2026, 1, 1))


def figure(tenant, day, value, measure="self_reliance_rate"):
    Figure.objects.create(
        tenant=tenant,
        measure=measure,
        as_of=day,
        value=None if value is None else Decimal(value),
        rolled_up_at=timezone.now(),
    )


def publish_over(tenant, version, period=YEAR):
    if not Adoption.objects.exists():
        adopt(tenant, version)
    return published_over(tenant, version, period)


def published_over(tenant, version, period=YEAR):
    return publish_version(
        actor=system_actor(tenant),
        version_id=version.pk,
        profiles=["ageing"],
        evidence_starts_on=period[0],
        evidence_ends_on=period[1],
    )


def test_publishing_takes_along_what_was_measured_here_in_the_period(at_street, other_street):
    for day, value in (
        (date(2024, 11, 30), "0.1"),  # too long before its start
        (date(2024, 12, 31), "0.2"),
        (date(2025, 1, 1), "0.21"),
        (date(2025, 12, 30), "0.5"),
        (date(2025, 12, 31), "0.5325"),
        (date(2026, 1, 1), "0.6"),
    ):
        figure(at_street, day, value)
    figure(at_street, date(2024, 11, 30), "7", "communities")
    figure(at_street, date(2025, 6, 30), None, "fund_balance_fen")
    figure(other_street, date(2025, 12, 31), "0.9")

    published = publish_over(at_street, write(at_street))

    published.refresh_from_db()
    assert published.evidence["self_reliance_rate"] == {
        "value": "0.532500", "as_of": "2025-12-31",
        "start_value": "0.200000", "start_as_of": "2024-12-31", "unit": "share",
    }  # fmt: skip
    nothing_before = {"start_value": None, "start_as_of": None}
    assert published.evidence["fund_balance_fen"] == {
        "value": None, "as_of": "2025-06-30", **nothing_before, "unit": "fen",
    }  # fmt: skip
    assert published.evidence["communities"] == {
        "value": None, "as_of": "2025-12-31", **nothing_before, "unit": "count",
    }  # fmt: skip
    assert published.evidence.keys() == {
        one.key for one in measures() if at_street.kind in one.kinds
    }
    assert (published.evidence_starts_on, published.evidence_ends_on) == YEAR
    assert list(Outcome.objects.values_list("version", "measure", "value")) == [
        (published.pk, "self_reliance_rate", Decimal("0.532500"))
    ]


def test_what_was_measured_just_before_the_start_is_at_most_a_month_old(at_street):
    figure(at_street, date(2025, 12, 31), "0.5")
    figure(at_street, date(2024, 12, 1), "0.1")
    assert (
        publish_over(at_street, write(at_street)).evidence["self_reliance_rate"]["start_value"]
        == "0.100000"
    )


def test_without_a_period_it_is_published_openly_without_evidence(at_street):
    figure(at_street, date(2025, 12, 31), "0.5")
    published = publish(at_street, write(at_street))
    assert (published.evidence, published.ran_in, published.evidence_starts_on) == ({}, None, None)
    assert Outcome.objects.count() == 0


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code", "field"),
    [
        (date(2025, 1, 1), date(2025, 2, 1), "EVIDENCE_MISSING", "evidenceStartsOn"),
        (date(2026, 1, 1), date(2026, 2, 1), "EVIDENCE_MISSING", "evidenceStartsOn"),
        (date(2025, 1, 1), None, "PERIOD_INVALID", "evidenceEndsOn"),
        (None, date(2025, 1, 1), "PERIOD_INVALID", "evidenceEndsOn"),
        (date(2025, 1, 1), date(2025, 1, 1), "PERIOD_INVALID", "evidenceEndsOn"),
        (date(2025, 1, 1), TODAY + timedelta(days=1), "PERIOD_INVALID", "evidenceEndsOn"),
    ],
)
def test_a_period_in_which_nothing_was_measured_is_refused(
    at_street, starts_on, ends_on, code, field
):
    version = write(at_street)
    adopt(at_street, version)
    figure(at_street, date(2025, 6, 30), "0.5")
    figure(at_street, date(2026, 1, 31), None)
    with nothing_written(), pytest.raises(Refused) as refused:
        publish_over(at_street, version, (starts_on, ends_on))
    assert (refused.value.code, refused.value.field) == (code, field)


def community(tenant, name, profile="", residents=None, opened_on=date(2024, 1, 1)):
    add_community(
        actor=system_actor(tenant),
        name=name,
        opened_on=opened_on,
        profile=profile,
        residents=residents,
    )


class TestWhereItRan:
    def test_in_numbers_that_are_nobodys(self, at_street):
        version = write(at_street)
        adopt(at_street, version, since=date(2025, 12, 2))
        community(at_street, "城南社区", "ageing", 9_000)
        community(at_street, "工盛社区", "ageing", 8_000)
        community(at_street, "齐园社区", "young", 3_000)
        community(at_street, "人民社区", "", None)
        community(at_street, "明年社区", "young", 5, opened_on=date(2026, 1, 1))

        assert where_it_ran(version, *YEAR) == {
            "days": 30,
            "communities": 4,
            "profiles": {"": 1, "ageing": 2, "young": 1},
            "residents": 20_000,
            "residents_of": 3,
        }

    def test_of_fewer_than_three_nothing_is_told(self, at_street):
        version = write(at_street)
        adopt(at_street, version, since=date(2024, 1, 1))
        community(at_street, "城南社区", "ageing", 9_000)
        community(at_street, "工盛社区", "ageing", 8_000)

        assert where_it_ran(version, *YEAR) == {
            "days": 365, "communities": None, "profiles": {}, "residents": None, "residents_of": 0,
        }  # fmt: skip

    def test_residents_known_of_fewer_than_three_are_not_told(self, at_street):
        version = write(at_street)
        adopt(at_street, version, since=date(2024, 1, 1))
        for name, residents in (("甲", 9_000), ("乙", 8_000), ("丙", None)):
            community(at_street, name, "young", residents)

        told = where_it_ran(version, *YEAR)
        assert (told["communities"], told["residents"], told["residents_of"]) == (3, None, 0)

    def test_any_version_of_the_model_counts_and_another_model_does_not(self, at_street):
        first = write(at_street)
        second = write(at_street, document(rent_free_months=6))
        other = write(at_street, key="gongsheng")
        adopt(at_street, first, since=date(2024, 1, 1))
        adopt(at_street, second, since=TODAY)
        adopt(at_street, other, since=TODAY + timedelta(days=10))

        period = (TODAY - timedelta(days=5), TODAY + timedelta(days=15))
        assert where_it_ran(second, *period)["days"] == 15
        assert where_it_ran(other, *period)["days"] == 5

    def test_what_was_never_in_force_in_the_period_has_no_evidence(self, at_street):
        version = write(at_street)
        figure(at_street, date(2025, 12, 31), "0.5")
        adopt(at_street, version, since=date(2026, 1, 1))

        with nothing_written(), pytest.raises(Refused) as refused:
            published_over(at_street, version)
        assert (refused.value.code, refused.value.field) == ("EVIDENCE_MISSING", "evidenceStartsOn")
        with translation.override("en"):
            assert str(refused.value.message).startswith("This model was not in force here on any")

    def test_communities_that_came_after_its_last_day_have_not_run_it(self, at_street):
        version = write(at_street)
        adopt(at_street, version)
        with on_day(date(2025, 2, 1)):
            adopt(at_street, write(at_street, key="other"), since=date(2025, 2, 1), values={})
        for number in range(3):
            community(at_street, f"一月{number}", "ageing", 100, opened_on=date(2025, 1, 31))
            community(at_street, f"二月{number}", "young", 1_000, opened_on=date(2025, 2, 1))

        assert where_it_ran(version, *YEAR) == {
            "days": 31, "communities": 3, "profiles": {"ageing": 3}, "residents": 300,
            "residents_of": 3,
        }  # fmt: skip


def test_what_counts_from_1_january_is_no_outcome_of_a_period_of_two_years(at_street):
    for key in ("self_reliance_rate", "fund_income_fen", "fund_balance_fen"):
        figure(at_street, date(2025, 6, 30), "1", key)
        figure(at_street, date(2026, 6, 30), "2", key)

    across = (date(2025, 7, 1), date(2026, 7, 1))
    evidence = publish_over(at_street, write(at_street), across).evidence
    told = {key: (one["value"], one["start_value"]) for key, one in evidence.items()}
    assert told["self_reliance_rate"] == told["fund_income_fen"] == (None, None)
    assert told["fund_balance_fen"] == ("2.000000", "1.000000")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("请打13800138000找王阿姨", "mobile"),
        ("+86 138-0013-8000", "mobile"),
        ("１３８００１３８０００", "mobile"),
        ("138\u200b00138000", "mobile"),
        ("身份证370303198001012345", "id_card"),
        ("37030319800101234x", "id_card"),
        ("写信给 wang.ayi@example.com.cn", "email"),
    ],
)
@pytest.mark.parametrize("where", ["caseText", "notes", "fund.uses[activities].title.zh"])
def test_what_looks_like_somebodys_number_or_address_does_not_leave(at_street, text, what, where):
    from tenants.operating_model.actions import write_version

    model = document()
    if where.startswith("fund"):
        use = next(one for one in model["fund"]["uses"] if one["key"] == "activities")
        use["title"] = {"zh": text}
    version = write_version(
        actor=system_actor(at_street),
        key="chengnan",
        title="城南",
        document=model,
        bounds={},
        notes=text if where == "notes" else "",
    )
    with nothing_written(), pytest.raises(Refused) as refused:
        publish_version(
            actor=system_actor(at_street),
            version_id=version.pk,
            profiles=[],
            case_text=text if where == "caseText" else "",
        )
    assert (refused.value.code, refused.value.field) == ("PERSONAL_DATA", where)
    assert refused.value.data == {"what": what}


@pytest.mark.parametrize(
    "text",
    [
        "2025年1月至12月收入138001元，服务12345678901人次",
        "区划代码370303001001，共13800138000000分",
        "每周@全体居民",
        "第13号楼，1380 平方米",
    ],
)
def test_what_is_nobodys_is_taken(at_street, text):
    published = publish_version(
        actor=system_actor(at_street),
        version_id=write(at_street).pk,
        profiles=[],
        case_text=text,
    )
    assert PublishedVersion.objects.get().case_text == text == published.case_text


TITLE = "partners.kinds[enterprise].title"


def titled(zh):
    return {"zh": zh, "en": None}


def test_nor_in_its_key_nor_in_what_its_bounds_allow(at_street):
    model = document()
    kind = next(one for one in model["partners"]["kinds"] if one["key"] == "enterprise")
    allowed = {TITLE: {"one_of": [titled(kind["title"]["zh"]), titled("王医生138·0013·8000")]}}
    kind["title"] = titled(kind["title"]["zh"])
    for version, field in (
        (write(at_street, key="wang-13800138000"), "key"),
        (write(at_street, model, bounds=allowed), f"bounds.{TITLE}.one_of[1].zh"),
    ):
        with nothing_written(), pytest.raises(Refused) as refused:
            publish(at_street, version)
        assert (refused.value.code, refused.value.field) == ("PERSONAL_DATA", field)


def test_nor_in_why_it_was_withdrawn(at_street):
    version = write(at_street)
    publish(at_street, version)
    with nothing_written(), pytest.raises(Refused) as refused:
        withdraw_version(
            actor=system_actor(at_street), version_id=version.pk, reason="问王医生 138 0013 8000"
        )
    assert (refused.value.code, refused.value.field) == ("PERSONAL_DATA", "reason")


def test_it_leaves_its_rows_in_both_trails(at_street, administrator):
    version = write(at_street)
    publish_version(actor=administrator, version_id=version.pk, profiles=["ageing"])
    [here] = trail("models.publish_version")
    with public_context():
        [entry] = trail("library.publish")
    assert here.person_id == entry.person_id == administrator.person_id
    assert (here.after["visibility"], entry.after["visibility"]) == ("all", "all")


def test_what_a_package_may_hold_is_what_the_row_is_given(at_street):
    """A field more on either side is not published before it is named here, with its reason in
    `Package`."""
    leaves = {
        "key", "number", "title", "document", "bounds", "digest", "notes", "profiles", "case_text",
        "evidence", "evidence_starts_on", "evidence_ends_on", "ran_in",
    }  # fmt: skip
    ours = {
        # Of the author as a unit, and what its people decided about the publication.
        "id", "author", "published_at", "visibility", "audience_id", "withdrawn_at",
        "withdrawal_reason", "version", "place", "under",
        # Of one that came from another installation: which, whose it was there, who brought it.
        "source", "origin_author_id", "origin_name", "imported_by", "imported_at",
        # The version in this library that it was made from.
        "derived_from",
        # Worked out of title, notes and case text.
        "searched", "grams",
        # Rows beside it: `Outcome` of the evidence, `Picture`, who runs it, what it was offered to,
        # what was made from it, the file it came as.
        "outcomes", "pictures", "adoptions", "offers", "derivatives", "package",
    }  # fmt: skip
    assert set(Package.__dataclass_fields__) == leaves
    assert {one.name for one in PublishedVersion._meta.get_fields()} == leaves | ours
