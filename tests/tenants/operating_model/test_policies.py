"""M3: a city's and a district's policy binds its streets, now and later; a clash waits."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, Refused
from linli.library.models import Policy
from linli.tenancy.context import current_schema, public_context, tenant_context
from tenants.operating_model.actions import issue_policy
from tenants.operating_model.jobs import freeze_policies as job
from tenants.operating_model.models import Layer
from tenants.operating_model.policies import land_policies
from tenants.operating_model.provisioning import freeze_policies
from tenants.operating_model.selectors import clashes, effective_rules, layers, preview_adoption

from .conftest import (
    DAY,
    MONTHS,
    RATE,
    START,
    TODAY,
    TOMORROW,
    YESTERDAY,
    adopt,
    community,
    document,
    issue,
    layer,
    nothing_written,
    trail,
    write,
)


def arrive(tenant):
    """What the worker does with the job that issuing has left for the tenant."""
    with public_context():
        job(tenant_id=str(tenant.pk))


def policies():
    """This tenant's copies: who issued, since when, in which state."""
    return [
        (row.set_by, row.effective_from, row.state)
        for row in Layer.objects.exclude(policy_id=None).order_by("effective_from", "decided_at")
    ]


@pytest.fixture
def at_district(district):
    with tenant_context(district):
        yield district


@pytest.fixture
def on(monkeypatch):
    """``on(day)``: from here on it is that day."""

    def move(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *args: day)

    return move


def test_issuing_writes_the_policy_once_and_a_job_for_each_tenant_below(
    city, district, street, other_street, actor_as
):
    supervisor = actor_as(city, Role.CITY_SUPERVISOR)
    with tenant_context(city):
        policy = issue_policy(
            actor=supervisor,
            values={},
            bounds={RATE: {"maximum": "0.04"}},
            effective_from=TODAY,
            reason="市里的指导意见",
        )

        assert policies() == [("淄博市", TODAY, "in_force")]
        [here] = trail("models.land_policy")
        assert (here.person_id, here.reason) == (supervisor.person_id, "市里的指导意见")
    assert current_schema() == "public"
    [entry] = trail("library.issue_policy")
    assert (entry.person_id, entry.object_id) == (supervisor.person_id, str(policy.pk))
    told = ProcrastinateJob.objects.filter(task_name="tenants.operating_model.jobs.freeze_policies")
    below = {str(t.pk) for t in city.descendants()}
    assert {j.args["tenant_id"] for j in told} == below
    assert {str(district.pk), str(street.pk), str(other_street.pk)} <= below


def test_a_policy_binds_the_streets_below_its_issuer_and_no_other(
    running, at_street, district, other_street
):
    policy = issue(district, {DAY: 10}, {RATE: {"maximum": "0.04"}}, reason="区里的意见")
    arrive(at_street)
    arrive(other_street)

    rules = effective_rules(TODAY)
    assert (rules.value(DAY), rules.origin(DAY).name) == (10, "张店区")
    assert (rules.bound(RATE).maximum, rules.bound(RATE).maximum_by.name) == ("0.04", "张店区")
    assert effective_rules(YESTERDAY).value(DAY) == 25
    frozen = Layer.objects.get(policy_id=policy.pk)
    assert (frozen.values, frozen.bounds) == (policy.values, policy.bounds)
    with pytest.raises(Refused) as refused:
        layer(at_street, {RATE: "0.05"})
    assert refused.value.data["set_by"]["name"] == "张店区"
    with tenant_context(other_street):
        assert policies() == []


def test_a_citys_policy_stands_above_its_districts(running, at_street, city, district):
    issue(city, {MONTHS: 6}, {RATE: {"maximum": "0.04"}})
    issue(district, {MONTHS: 9})
    arrive(at_street)

    rules = effective_rules(TODAY)
    assert (rules.value(MONTHS), rules.origin(MONTHS).name) == (9, "张店区")
    assert rules.bound(RATE).maximum_by.name == "淄博市"


def test_arriving_again_changes_nothing(running, at_street, district):
    issue(district, {DAY: 10})
    arrive(at_street)

    with nothing_written():
        arrive(at_street)
        with public_context():
            freeze_policies(at_street, None)


def test_a_tenant_that_comes_later_starts_with_the_policies_above_it(city, district, street):
    issue(city, {MONTHS: 6}, reason="市")
    issue(district, {DAY: 10}, reason="区")

    freeze_policies(street, system_actor(None))

    assert current_schema() == "public"
    with tenant_context(street):
        assert policies() == [("淄博市", TODAY, "in_force"), ("张店区", TODAY, "in_force")]
        adopt(street, write(street))
        rules = effective_rules(TODAY)
        assert (rules.value(MONTHS), rules.value(DAY)) == (6, 10)
        assert effective_rules(START).value(MONTHS) == 18


def test_the_first_adoption_takes_in_a_policy_that_no_job_has_brought(at_street, district):
    issue(district, {}, {RATE: {"maximum": "0.04"}})

    with pytest.raises(Refused) as refused:
        adopt(at_street, write(at_street), values={RATE: "0.05"})
    assert refused.value.data["set_by"]["name"] == "张店区"
    adopt(at_street, write(at_street, bounds={}), values={RATE: "0.04"})

    assert policies() == [("张店区", TODAY, "in_force")]


def test_a_policy_that_clashes_changes_nothing_and_waits(running, at_street, district):
    chengnan = community(at_street)
    layer(at_street, {RATE: "0.05"}, community=chengnan)
    issue(district, {DAY: 10}, {RATE: {"maximum": "0.04"}})
    before = effective_rules(TODAY, chengnan.pk)

    arrive(at_street)

    assert policies() == [("张店区", TODAY, "clashing")]
    assert effective_rules(TODAY, chengnan.pk).content() == before.content()
    assert effective_rules(TODAY).value(DAY) == 25
    [clash] = clashes(actor=system_actor(at_street))
    [problem] = clash.problems
    assert (problem.code, problem.field) == ("CLASHES_BELOW", RATE)
    assert "城南社区" in str(problem.message)
    assert "张店区" in str(problem.message)


def test_a_policy_that_the_models_own_value_breaks_waits_until_the_street_sets_one(
    running, at_street, district
):
    issue(district, {DAY: 10}, {RATE: {"maximum": "0.02"}})
    arrive(at_street)

    assert policies() == [("张店区", TODAY, "clashing")]
    [clash] = clashes(actor=system_actor(at_street))
    [problem] = clash.problems
    assert (problem.code, problem.field) == ("OUTSIDE_BOUNDS", RATE)
    assert (problem.data["value"], problem.data["maximum"]) == ("0.03", "0.02")
    assert problem.data["value_by"]["kind"] == "model"
    assert problem.data["set_by"]["name"] == problem.data["layer"]["name"] == "张店区"

    layer(at_street, {RATE: "0.02"})

    assert policies() == [("张店区", TODAY, "in_force")]
    rules = effective_rules(TODAY)
    assert (rules.value(RATE), rules.origin(RATE).name) == ("0.02", "车站街道")
    assert (rules.value(DAY), rules.bound(RATE).maximum_by.name) == (10, "张店区")


def test_a_policy_that_the_street_meets_already_is_in_force_at_once(running, at_street, district):
    layer(at_street, {RATE: "0.015"})
    issue(district, {}, {RATE: {"maximum": "0.02"}})
    arrive(at_street)

    assert policies() == [("张店区", TODAY, "in_force")]
    # What meets it can no longer be taken back, from any day on.
    for since in (TODAY, TOMORROW):
        with nothing_written(), pytest.raises(Refused) as refused:
            layer(at_street, {MONTHS: 12}, since=since)
        assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", RATE)
        assert refused.value.data["set_by"]["name"] == "张店区"
        assert refused.value.data["value_by"]["kind"] == "model"
    layer(at_street, {RATE: "0.02", MONTHS: 12})


def test_one_community_outside_is_enough_for_a_clash_and_one_inside_is_not_enough_against_it(
    running, at_street, district
):
    chengnan = community(at_street)
    layer(at_street, {RATE: "0.02"})
    layer(at_street, {RATE: "0.025"}, community=chengnan)
    issue(district, {}, {RATE: {"maximum": "0.02"}})
    arrive(at_street)
    assert policies() == [("张店区", TODAY, "clashing")]

    layer(at_street, {RATE: "0.01"}, community=chengnan)
    assert policies() == [("张店区", TODAY, "in_force")]
    # The street itself, and the communities that set nothing, would be at the model's 3 %.
    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {})
    assert refused.value.data["set_by"]["name"] == "张店区"
    assert effective_rules(TODAY, chengnan.pk).value(RATE) == "0.01"


def test_a_model_that_a_policy_rules_out_is_adopted_with_an_own_value(at_street, district):
    issue(district, {}, {RATE: {"maximum": "0.02"}})
    version = write(at_street)

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, version, TODAY)
    assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", RATE)
    assert "张店区" in str(refused.value.message)
    with nothing_written(), pytest.raises(Refused):
        adopt(at_street, version, TODAY, values={RATE: "0.025"})
    adopt(at_street, version, TODAY, values={RATE: "0.02"})

    assert policies() == [("张店区", TODAY, "in_force")]
    assert effective_rules(TODAY).value(RATE) == "0.02"


def test_a_waiting_policy_is_in_force_as_soon_as_what_stands_below_fits(
    running, at_street, district, administrator, on
):
    layer(at_street, {RATE: "0.05"})
    issue(district, {DAY: 10}, {RATE: {"maximum": "0.04"}})
    arrive(at_street)
    later = TODAY + timedelta(days=3)
    on(later)

    layer(at_street, {RATE: "0.045"}, since=later)
    assert policies() == [("张店区", TODAY, "clashing")]
    layer(at_street, {RATE: "0.04"}, since=later)

    assert policies() == [("张店区", later, "in_force")]
    assert clashes(actor=system_actor(at_street)) == []
    assert effective_rules(later).value(DAY) == 10
    assert effective_rules(later - timedelta(days=1)).value(DAY) == 25
    [entry] = trail("models.settle_clash")
    assert entry.before == {"state": "clashing", "effective_from": TODAY.isoformat()}
    assert entry.after == {"state": "in_force", "effective_from": later.isoformat()}


def test_a_clash_settled_for_a_later_day_waits_for_that_day(running, at_street, district):
    layer(at_street, {RATE: "0.05"})
    issue(district, {DAY: 10}, {RATE: {"maximum": "0.04"}}, since=TOMORROW)
    arrive(at_street)
    assert policies() == [("张店区", TOMORROW, "clashing")]

    layer(at_street, {RATE: "0.04"})

    assert policies() == [("张店区", TOMORROW, "in_force")]
    assert (effective_rules(TODAY).value(DAY), effective_rules(TOMORROW).value(DAY)) == (25, 10)


def test_what_comes_into_force_later_is_looked_at_too(running, at_street, district):
    layer(at_street, {RATE: "0.05"}, since=TOMORROW)
    issue(district, {}, {RATE: {"maximum": "0.04"}})

    arrive(at_street)

    assert policies() == [("张店区", TODAY, "clashing")]


def test_a_waiting_policy_that_a_later_one_replaced_never_comes_into_force(
    running, at_street, district, on
):
    layer(at_street, {RATE: "0.05"})
    issue(district, {DAY: 10}, {RATE: {"maximum": "0.04"}})
    arrive(at_street)
    issue(district, {DAY: 12}, since=TOMORROW)
    arrive(at_street)
    on(TOMORROW)

    layer(at_street, {RATE: "0.03"}, since=TOMORROW)

    assert policies() == [("张店区", TODAY, "clashing"), ("张店区", TOMORROW, "in_force")]
    assert effective_rules(TOMORROW).value(DAY) == 12
    assert clashes(actor=system_actor(at_street)) == []


def test_a_later_policy_may_let_one_above_it_in(running, at_street, city, district):
    issue(district, {RATE: "0.04"})
    arrive(at_street)
    issue(city, {}, {RATE: {"maximum": "0.035"}})
    arrive(at_street)
    assert [state for _who, _day, state in policies()] == ["in_force", "clashing"]

    issue(district, {RATE: "0.03"})
    arrive(at_street)

    assert effective_rules(TODAY).bound(RATE).maximum_by.name == "淄博市"
    assert {(who, state) for who, _day, state in policies()} == {
        ("张店区", "in_force"),
        ("淄博市", "in_force"),
    }


def test_a_policy_that_arrives_late_binds_from_then_on(running, at_street, district, on):
    issue(district, {DAY: 10})
    on(TOMORROW)

    arrive(at_street)

    assert policies() == [("张店区", TOMORROW, "in_force")]
    assert (effective_rules(TODAY).value(DAY), effective_rules(TOMORROW).value(DAY)) == (25, 10)


def test_of_policies_that_arrive_late_only_the_last_binds(running, at_street, district, on):
    issue(district, {DAY: 10})
    issue(district, {DAY: 12}, since=TOMORROW)
    on(TOMORROW + timedelta(days=1))

    arrive(at_street)

    assert policies() == [("张店区", TOMORROW + timedelta(days=1), "in_force")]
    assert effective_rules(TOMORROW + timedelta(days=1)).value(DAY) == 12


def test_a_policy_issued_again_for_the_same_day_replaces_the_first(running, at_street, district):
    issue(district, {DAY: 10})
    arrive(at_street)
    issue(district, {DAY: 12})
    arrive(at_street)

    assert effective_rules(TODAY).value(DAY) == 12


def test_a_small_city_that_runs_communities_binds_itself(other_city):
    with tenant_context(other_city):
        adopt(other_city, write(other_city))
    issue(other_city, {DAY: 10})

    with tenant_context(other_city):
        assert effective_rules(TODAY).value(DAY) == 10
        layer(other_city, {DAY: 12})
        assert effective_rules(TODAY).value(DAY) == 12


@pytest.mark.parametrize(
    ("values", "bounds", "code", "field"),
    [
        ({"partners.colour": "red"}, {}, "UNKNOWN_PATH", "partners.colour"),
        ({"partners.contributions[*].rate": "0.02"}, {}, "UNKNOWN_PATH", None),
        ({}, {"partners.contributions[stationed].rat": {"locked": True}}, "UNKNOWN_PATH", None),
        ({}, {RATE: {"maximum": "3%"}}, "BOUND_INVALID", RATE),
        ("0.02", {}, "NOT_BY_PATH", "values"),
    ],
)
def test_a_policy_names_places_that_a_model_can_have(at_district, values, bounds, code, field):
    with nothing_written(), pytest.raises(Refused) as refused:
        issue(at_district, values, bounds)

    assert refused.value.code == code
    assert refused.value.field == (field or next(iter(values or bounds)))


def test_a_policy_is_not_backdated(at_district):
    with nothing_written(), pytest.raises(Refused) as refused:
        issue(at_district, {DAY: 10}, since=YESTERDAY)

    assert refused.value.code == "CHANGE_BACKDATED"


def test_a_street_issues_no_policy(at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        issue(at_street, {DAY: 10})

    assert refused.value.code == "TENANT_KIND"


def test_only_who_may_issue_does(at_district, actor_as):
    with nothing_written(), pytest.raises(Forbidden):
        issue_policy(
            actor=actor_as(at_district, Role.AUDITOR),
            values={DAY: 10},
            bounds={},
            effective_from=TODAY,
        )


def test_a_district_sees_its_own_policy(district, actor_as):
    issue(district, {DAY: 10})

    with tenant_context(district):
        [seen] = layers(actor=actor_as(district, Role.AUDITOR))
        assert (seen.kind, seen.set_by, seen.values) == ("district", "张店区", {DAY: 10})


def test_a_refused_policy_leaves_no_job(district):
    before = ProcrastinateJob.objects.count()
    with pytest.raises(Refused):
        issue(district, {"partners.colour": "red"})

    assert ProcrastinateJob.objects.count() == before
    assert Policy.objects.count() == 0
    assert current_schema() == "public"


# ── What a policy says that does not fit everywhere ──────────────────────────────────────────────

EVERY_RATE = "partners.contributions[*].rate"
ELSEWHERE = "partners.contributions[elsewhere].rate"


@pytest.mark.parametrize(
    ("values", "bounds", "fields"),
    [
        ({RATE: "3%"}, {}, [RATE]),
        ({MONTHS: "viele"}, {}, [MONTHS]),
        ({"fund.waterfall[services].share": "0.9"}, {}, ["fund.waterfall[services].share"]),
        ({RATE: "0.06"}, {RATE: {"maximum": "0.05"}}, [RATE]),
        ({}, {EVERY_RATE: {"maximum": "0.03"}, RATE: {"minimum": "0.04"}}, [RATE]),
        ({}, {EVERY_RATE: {"maximum": 5}, DAY: {"one_of": [99]}}, [EVERY_RATE, DAY]),
        ({}, {"partners.contributions[*].rates": {"maximum": "0.05"}}, None),
    ],
)
def test_a_policy_that_no_street_could_follow_is_refused_where_it_is_written(
    at_district, values, bounds, fields
):
    with nothing_written(), pytest.raises(Refused) as refused:
        issue(at_district, values, bounds)
    told = [one.field for one in refused.value.faults]
    assert told == (fields or ["partners.contributions[*].rates"])


def test_a_policy_is_kept_in_one_spelling(at_district):
    policy = issue(at_district, {}, {EVERY_RATE: {"minimum": "0.010"}, DAY: {"maximum": "25"}})
    assert policy.bounds == {EVERY_RATE: {"minimum": "0.01"}, DAY: {"maximum": 25}}


def test_a_district_does_not_open_what_its_city_has_closed_on_that_day(
    city, district, street, at_district
):
    issue(city, {}, {EVERY_RATE: {"maximum": "0.05"}})
    issue(city, {}, {EVERY_RATE: {"maximum": "0.04"}}, since=TOMORROW)

    for maximum, since in (("0.06", TODAY), ("0.05", TOMORROW)):
        with nothing_written(), pytest.raises(Refused) as refused:
            issue(district, {}, {EVERY_RATE: {"maximum": maximum}}, since=since)
        assert (refused.value.code, refused.value.field) == ("BOUND_WIDENED", EVERY_RATE)
        assert refused.value.data["set_by"]["name"] == "淄博市"
        assert "淄博市" in str(refused.value.message)
    with nothing_written(), pytest.raises(Refused) as refused:
        issue(district, {RATE: "0.06"})
    assert (refused.value.code, refused.value.data["set_by"]["name"]) == (
        "OUTSIDE_BOUNDS",
        "淄博市",
    )

    issue(district, {}, {EVERY_RATE: {"maximum": "0.05"}})
    with tenant_context(street):
        land_policies(street, actor=None)
        adopt(street, write(street, bounds={}), TODAY)
        limits = effective_rules(TODAY).bound(RATE)
        assert (limits.maximum, limits.maximum_by.name) == ("0.05", "淄博市")
        assert effective_rules(TOMORROW).bound(RATE).maximum == "0.04"


def test_a_policy_looser_than_the_author_counts_at_once_and_has_no_further_effect(
    at_street, district
):
    narrow = {EVERY_RATE: {"minimum": "0.02", "maximum": "0.04"}}
    adopt(at_street, write(at_street, bounds=narrow))
    issue(district, {MONTHS: 6}, {EVERY_RATE: {"minimum": "0.01", "maximum": "0.05"}})
    arrive(at_street)

    assert policies() == [("张店区", TODAY, "in_force")]
    rules = effective_rules(TODAY)
    assert (rules.value(MONTHS), rules.bound(RATE).maximum) == (6, "0.04")
    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {}, {RATE: {"maximum": "0.05"}})
    assert refused.value.code == "BOUND_WIDENED"
    # And a street that adopts under it widens nothing by that.
    adopt(at_street, write(at_street, document(rent_free_months=3), bounds=narrow), TOMORROW)


def test_what_a_policy_says_of_an_item_of_another_model_is_told_to_have_no_effect(
    at_street, district
):
    issue(district, {ELSEWHERE: "0.02", MONTHS: 6}, {ELSEWHERE: {"maximum": "0.04"}})
    version = write(at_street)
    shown = preview_adoption(
        actor=system_actor(at_street), version_id=version.pk, effective_from=TODAY
    )
    assert shown.problems == []
    adopt(at_street, version, TODAY)

    for rules in (shown.after, effective_rules(TODAY)):
        assert rules.value(MONTHS) == 6
        assert [(path, by.name) for path, by in rules.without_effect] == [(ELSEWHERE, "张店区")]


def test_what_a_street_sets_anew_does_not_go_behind_a_policy(running, at_street, district):
    issue(district, {}, {EVERY_RATE: {"minimum": "0.01", "maximum": "0.05"}})
    arrive(at_street)
    fixed = {
        "key": "stationed",
        "title": {"zh": "固定"},
        "type": "fixed",
        "modes": ["stationed"],
        "fee_fen": 1,
    }
    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {"partners.contributions[stationed]": fixed})
    assert {one.data["path"] for one in refused.value.faults} == {RATE}
