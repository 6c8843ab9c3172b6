"""Rules that change under running agreements: shown, refused, or changed despite them, with why (P3)."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import adopt_version, issue_policy, set_layer, write_version
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.policies import land_policies
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import preview_adoption
from tenants.partners.actions import admit_partner
from tenants.partners.fitting import no_longer_fitting
from tenants.partners.selectors import unfit_agreements
from tests.support.calendar import on_day
from tests.support.denials import denied
from tests.support.models import chengnan
from tests.tenants.partners.conftest import signed

TODAY = date(2025, 6, 1)
RATE = "partners.contributions[stationed].rate"


@pytest.fixture(autouse=True)
def today():
    with on_day(TODAY):
        yield


def version(house, change=lambda document: None, bounds=None) -> ModelVersion:
    document = chengnan()
    change(document)
    given = {"document": document, "bounds": bounds or {}, "notes": ""}
    return write_version(actor=system_actor(house.street), key="next", title="下一版", **given)


def without(key):
    def change(document):
        rules = document["partners"]["contributions"]
        rules[:] = [
            rule | {"modes": ["stationed", "visiting"]} for rule in rules if rule["key"] != key
        ]

    return change


def for_mode(mode):
    def change(document):
        document["partners"]["contributions"][0]["modes"] = [mode]

    return change


def adopt(house, version, effective_from=TODAY, **more):
    return adopt_version(
        actor=house.administrator, version_id=version.pk, effective_from=effective_from, **more
    )


def preview(house, version, effective_from=TODAY):
    return preview_adoption(
        actor=house.administrator, version_id=version.pk, effective_from=effective_from
    )


def told(found):
    return [(one.agreement_id, one.since, one.problem.code) for one in found]


def signed_with(house, name, community=None, **given):
    partner = admit_partner(
        actor=system_actor(house.street),
        community_id=(community or house.chengnan).pk,
        name=name,
        kind="enterprise",
    )
    return signed(SimpleNamespace(administrator=house.administrator, clinic=partner), **given)


CHANGES = [
    ({}, without("stationed"), None, "RULE_UNKNOWN"),
    ({}, for_mode("visiting"), None, "RULE_NOT_FOR_MODE"),
    ({"agreed_rate": "0.02"}, None, {RATE: {"minimum": "0.025"}}, "OUTSIDE_BOUNDS"),
    (
        {"rent_free_months": 18},
        lambda document: document["partners"].update(rent_free_months=12),
        None,
        "RENT_FREE_TOO_LONG",
    ),
]


@pytest.mark.parametrize(("terms", "change", "bounds", "code"), CHANGES)
def test_what_no_longer_fits_is_shown_and_refused(house, terms, change, bounds, code):
    agreement = signed(house, **terms)
    new = version(house, change or (lambda document: None), bounds)

    shown = preview(house, new)
    assert told(shown.unfit) == [(agreement.pk, TODAY, code)]
    assert shown.problems == []
    assert shown.after is not None

    with denied("AGREEMENTS_CLASH") as caught:
        adopt(house, new)
    assert caught.codes == ["AGREEMENTS_CLASH"]
    cause = caught.refused.faults[0]
    assert cause.data == {
        "agreement_id": str(agreement.pk), "partner_id": str(house.clinic.pk), "rule": code,
    }  # fmt: skip
    assert house.clinic.name not in str(cause.message)


def test_despite_them_it_is_adopted_with_a_reason_and_the_trail_says_which(house):
    agreement = signed(house)
    new = version(house, without("stationed"))

    with denied("REASON_MISSING", "reason"):
        adopt(house, new, despite_agreements=True, reason=" ")
    adoption = adopt(house, new, despite_agreements=True, reason="合同月底到期，已谈妥")

    entry = Entry.objects.get(action="models.adopt_version", object_id=str(adoption.pk))
    assert entry.after["despite_agreements"] == [str(agreement.pk)]
    assert entry.reason == "合同月底到期，已谈妥"
    assert told(unfit_agreements(actor=house.administrator)) == [
        (agreement.pk, TODAY, "RULE_UNKNOWN")
    ]


def test_where_all_fit_nothing_is_asked_and_nothing_kept(house):
    signed(house)
    adoption = adopt(house, version(house), despite_agreements=True)

    entry = Entry.objects.get(action="models.adopt_version", object_id=str(adoption.pk))
    assert "despite_agreements" not in entry.after
    assert unfit_agreements(actor=house.administrator) == []


def test_a_layer_is_held_to_the_agreements_of_its_community_alone(house):
    here = signed(house, agreed_rate="0.02")
    signed_with(house, "工盛诊所", house.gongsheng, agreed_rate="0.02")

    def lay(**more):
        return set_layer(
            actor=house.administrator,
            community_id=house.chengnan.pk,
            values={},
            bounds={RATE: {"minimum": "0.03"}},
            effective_from=TODAY,
            **more,
        )

    with denied("AGREEMENTS_CLASH") as caught:
        lay()
    assert [fault.data["agreement_id"] for fault in caught.refused.faults] == [str(here.pk)]
    layer = lay(despite_agreements=True, reason="新开的社区统一费率")
    entry = Entry.objects.get(action="models.set_layer", object_id=str(layer.pk))
    assert entry.after["despite_agreements"] == [str(here.pk)]


def test_what_did_not_fit_before_does_not_hold_up_another_change(house):
    signed(house)
    adopt(house, version(house, without("stationed")), despite_agreements=True, reason="换模式")

    def more_months(document):
        without("stationed")(document)
        document["partners"]["rent_free_months"] = 6

    again = version(house, more_months)
    assert preview(house, again).unfit == []
    adopt(house, again)


def test_the_day_on_which_it_no_longer_fits_is_told(house):
    """An agreement that begins later, and a layer that counts from later on."""
    autumn = date(2025, 9, 1)
    running = signed(house)
    coming = signed_with(house, "明年诊所", starts_on=autumn, ends_on=date(2026, 9, 1))
    new = version(house, without("stationed"))

    july = date(2025, 7, 1)
    assert told(preview(house, new, july).unfit) == [
        (running.pk, july, "RULE_UNKNOWN"), (coming.pk, autumn, "RULE_UNKNOWN"),
    ]  # fmt: skip


@pytest.mark.parametrize(("ends_on", "found"), [(TODAY, 0), (TODAY + timedelta(1), 1)])
def test_an_agreement_that_is_over_by_then_does_not_matter(house, ends_on, found):
    signed(house, ends_on=ends_on)
    assert len(preview(house, version(house, without("stationed"))).unfit) == found


def test_rent_free_months_that_are_over_do_not_matter(house):
    """Granted from 2024-01-01 on: 17 months end with 2025-05-31, 18 with 2025-06-30."""
    fewer = version(house, lambda document: document["partners"].update(rent_free_months=12))
    signed(house, rent_free_months=17)
    still = signed_with(house, "还在免租", rent_free_months=18)
    assert [one.agreement_id for one in preview(house, fewer).unfit] == [still.pk]


def test_a_policy_is_not_held_up_but_shows_in_what_does_not_fit(house, district):
    """It comes from above; nobody here is asked."""
    agreement = signed(house, agreed_rate="0.02")
    with tenant_context(district):
        issue_policy(
            actor=system_actor(district),
            values={},
            bounds={RATE: {"minimum": "0.025"}},
            effective_from=TODAY,
        )
    land_policies(house.street, actor=None)

    assert Layer.objects.get().state == Layer.State.IN_FORCE
    assert told(unfit_agreements(actor=house.administrator)) == [
        (agreement.pk, TODAY, "OUTSIDE_BOUNDS")
    ]


def test_who_reads_what_does_not_fit_reads_their_own_communities(house):
    signed(house)
    there = signed_with(house, "工盛诊所", house.gongsheng)
    adopt(house, version(house, without("stationed")), despite_agreements=True, reason="换模式")

    assert len(unfit_agreements(actor=house.administrator)) == 2
    assert [one.agreement_id for one in unfit_agreements(actor=house.elsewhere)] == [there.pk]
    narrowed = unfit_agreements(actor=house.administrator, community_id=house.gongsheng.pk)
    assert [one.agreement_id for one in narrowed] == [there.pk]
    assert unfit_agreements(actor=house.secretary, community_id=house.gongsheng.pk) == []


def test_any_number_of_agreements_costs_one_query(house):
    for number in range(12):
        signed_with(house, f"诊所{number}", rent_free_months=number)
    before = Rulebook.load()
    adoption = Adoption(version=version(house, without("stationed")), effective_from=TODAY)

    with CaptureQueriesContext(connection) as queries:
        found = no_longer_fitting(before, before.plus(adoption), TODAY)

    assert (len(found), len(queries)) == (12, 1)
