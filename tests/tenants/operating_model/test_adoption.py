"""M3, M5: a version travels, is adapted within its bounds, and is seen before it is in force."""

from datetime import timedelta

import pytest

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, Refused
from linli.library.changes import Change
from linli.library.models import AdoptionRecord
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.actions import adopt_version
from tenants.operating_model.models import Layer, ModelVersion
from tenants.operating_model.selectors import (
    adoptions,
    effective_rules,
    preview_adoption,
)

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
    publish,
    trail,
    upgrade,
    write,
)

LATER = TOMORROW + timedelta(days=30)


@pytest.fixture
def published(running, at_street):
    """Chezhan's version, in the library."""
    return publish(at_street, running)


@pytest.fixture
def at_other(other_street):
    with tenant_context(other_street):
        yield other_street


def test_another_district_adopts_with_its_own_rate(published, at_other, actor_as):
    actor = actor_as(at_other, Role.STREET_ADMINISTRATOR)

    adoption = adopt_version(
        actor=actor,
        published_id=published.pk,
        effective_from=TODAY,
        values={RATE: "0.02"},
        reason="利润薄",
    )

    rules = effective_rules(TODAY)
    assert rules.value(RATE) == "0.02"
    assert (rules.origin(RATE).kind, rules.origin(RATE).name) == ("street", "闻韶街道")
    assert (rules.origin(DAY).kind, rules.origin(DAY).name) == ("model", "车站街道")
    assert rules.base.ref == adoption.version_id
    limits = rules.bound(RATE)
    assert (limits.minimum, limits.maximum, limits.maximum_by.name) == ("0.01", "0.05", "车站街道")
    [entry] = trail("models.adopt_version")
    assert (entry.person_id, entry.reason) == (actor.person_id, "利润薄")
    [laid_down] = Layer.objects.all()
    assert entry.after["layer"] == {
        "id": str(laid_down.pk),
        "values": {RATE: "0.02"},
        "bounds": {},
    }
    with public_context():
        told = AdoptionRecord.objects.get(pk=adoption.pk)
        assert (told.tenant, told.version, told.effective_from) == (at_other, published, TODAY)
        assert len(trail("library.record_adoption")) == 2  # Chezhan's own, and this one


def test_the_copy_is_frozen_here(published, at_other):
    adopted = adopt_version(
        actor=system_actor(at_other), published_id=published.pk, effective_from=START
    )

    copy = adopted.version
    assert copy.published_id == published.pk
    assert (copy.author_name, copy.number, copy.digest) == ("车站街道", 1, published.digest)
    assert (copy.document, copy.bounds) == (published.document, published.bounds)
    adopt(at_other, copy, TODAY, values={RATE: "0.01"})
    assert ModelVersion.objects.count() == 1


def test_the_author_adopts_what_it_published_without_a_copy(at_street):
    version = write(at_street)
    published = publish(at_street, version)

    adoption = adopt_version(
        actor=system_actor(at_street), published_id=published.pk, effective_from=START
    )

    assert adoption.version == version
    assert AdoptionRecord.objects.get(pk=adoption.pk).version == published


def test_what_was_adopted_before_it_was_published_is_known_afterwards(running, at_street):
    told = AdoptionRecord.objects.get(tenant=at_street)
    assert told.version is None

    published = publish(at_street, running)

    told.refresh_from_db()
    assert told.version == published


@pytest.mark.parametrize(("rate", "bound"), [("0.06", " 5 %"), ("0.009", " 1 %")])
def test_a_rate_outside_its_bounds_is_refused_naming_who_set_them(published, at_other, rate, bound):
    with nothing_written(), pytest.raises(Refused) as refused:
        adopt_version(
            actor=system_actor(at_other),
            published_id=published.pk,
            effective_from=TODAY,
            values={RATE: rate},
        )

    assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", RATE)
    assert refused.value.data["set_by"]["name"] == "车站街道"
    assert bound in str(refused.value.message)
    assert "车站街道" in str(refused.value.message)


def test_only_the_first_adoption_may_name_a_past_day(running, at_street):
    assert effective_rules(START).value(RATE) == "0.03"
    second = write(at_street, document(rent_free_months=12))

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, second, YESTERDAY)
    adopt(at_street, second, TODAY)

    assert refused.value.code == "CHANGE_BACKDATED"
    assert refused.value.data["earliest"] == TODAY.isoformat()
    assert effective_rules(YESTERDAY).value(MONTHS) == 18
    assert effective_rules(TODAY).value(MONTHS) == 12


def test_the_first_adoption_brings_the_streets_layer_from_the_same_past_day(at_street):
    adopt(
        at_street,
        write(at_street),
        START,
        values={RATE: "0.02"},
        bounds={RATE: {"maximum": "0.04"}},
    )

    rules = effective_rules(START)
    assert rules.value(RATE) == "0.02"
    assert rules.bound(RATE).maximum_by.name == "车站街道"
    assert rules.origin(RATE).since == START


def test_before_the_first_adoption_no_rule_is_in_force(running):
    with pytest.raises(Refused) as refused:
        effective_rules(START.replace(year=2023))

    assert refused.value.code == "NO_MODEL_IN_FORCE"


def test_the_streets_layer_stays_where_it_is_said_anew_or_the_version_comes_by_an_upgrade(
    running, at_street
):
    layer(at_street, {RATE: "0.02"})

    adopt(
        at_street,
        write(at_street, document(rent_free_months=12)),
        TOMORROW,
        values={RATE: "0.02"},
    )
    upgrade(at_street, write(at_street, document(rent_free_months=6)), LATER)

    for day, months in ((TODAY, 18), (TOMORROW, 12), (LATER, 6)):
        rules = effective_rules(day)
        assert (rules.value(RATE), rules.value(MONTHS)) == ("0.02", months)
    assert Layer.objects.count() == 1


def test_a_bound_that_a_communitys_layer_does_not_fit_is_refused_with_both_named(
    running, at_street
):
    chengnan = community(at_street)
    layer(at_street, {RATE: "0.05"}, community=chengnan)

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, running, TODAY, bounds={RATE: {"maximum": "0.04"}})

    assert (refused.value.code, refused.value.data["rule"]) == ("CLASHES_BELOW", "OUTSIDE_BOUNDS")
    assert "城南社区" in str(refused.value.message)
    assert "车站街道" in str(refused.value.message)


def test_a_version_whose_own_value_breaks_the_streets_bound_is_refused_with_both_named(
    running, at_street
):
    layer(at_street, {}, {RATE: {"maximum": "0.035"}})
    dearer = document()
    dearer["partners"]["contributions"][0]["rate"] = "0.04"
    version = write(at_street, dearer)

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, version, TOMORROW, bounds={RATE: {"maximum": "0.035"}})

    assert (refused.value.code, refused.value.data["rule"]) == ("CLASHES_BELOW", "OUTSIDE_BOUNDS")
    assert refused.value.data["value_by"]["ref"] == str(version.pk)
    adopt(at_street, version, TOMORROW, values={RATE: "0.02"}, bounds={RATE: {"maximum": "0.035"}})
    assert effective_rules(TOMORROW).value(RATE) == "0.02"


def test_of_two_adoptions_for_one_day_the_later_decision_counts(running, at_street):
    adopt(at_street, write(at_street, document(rent_free_months=12)), TOMORROW)
    adopt(at_street, write(at_street, document(rent_free_months=6)), TOMORROW)

    assert effective_rules(TOMORROW).value(MONTHS) == 6
    assert [a.version.number for a in adoptions(actor=system_actor(at_street))] == [1, 2, 3]


def test_adopting_what_is_in_force_is_refused(running, at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, running, TODAY)

    assert refused.value.code == "NOTHING_CHANGES"


@pytest.mark.parametrize("named", [{}, {"published": True, "version": True}])
def test_exactly_one_version_is_named(published, running, at_street, named):
    ids = {f"{name}_id": {"published": published, "version": running}[name].pk for name in named}

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt_version(actor=system_actor(at_street), effective_from=TODAY, **ids)

    assert refused.value.code == "ONE_VERSION"


def test_a_district_runs_no_model(district, published):
    with (
        tenant_context(district),
        nothing_written(),
        pytest.raises(Refused) as refused,
    ):
        adopt_version(actor=system_actor(district), published_id=published.pk, effective_from=TODAY)

    assert refused.value.code == "TENANT_KIND"


def test_only_who_may_adopt_does(published, at_other, actor_as):
    for role in (Role.COMMUNITY_SECRETARY, Role.INTEGRATOR, Role.AUDITOR):
        with nothing_written(), pytest.raises(Forbidden):
            adopt_version(
                actor=actor_as(at_other, role), published_id=published.pk, effective_from=TODAY
            )


def test_a_preview_tells_what_would_change_and_writes_nothing(published, at_other, actor_as):
    issue(at_other.parent, {DAY: 10})  # the job that brings it here has not run
    reader = actor_as(at_other, Role.AUDITOR)

    with nothing_written():
        seen = preview_adoption(
            actor=reader,
            published_id=published.pk,
            effective_from=TODAY,
            values={RATE: "0.02", MONTHS: 18},
        )

    assert (seen.before, seen.problems) == (None, [])
    assert seen.changes == [Change(RATE, "0.03", "0.02"), Change(DAY, 25, 10)]
    adopt_version(
        actor=system_actor(at_other),
        published_id=published.pk,
        effective_from=TODAY,
        values={RATE: "0.02", MONTHS: 18},
    )
    assert effective_rules(TODAY).raw == seen.after.raw


def test_a_preview_of_a_second_version_is_against_what_is_in_force(running, at_street):
    layer(at_street, {RATE: "0.02"})
    second = write(at_street, document(rent_free_months=12))
    given = {"version_id": second.pk, "effective_from": TOMORROW}

    with nothing_written():
        silent = preview_adoption(actor=system_actor(at_street), **given)
        seen = preview_adoption(actor=system_actor(at_street), **given, values={RATE: "0.02"})

    assert ([one.code for one in silent.problems], silent.changes) == (["UPGRADE_INSTEAD"], [])
    assert seen.changes == [Change(MONTHS, 18, 12)]
    assert seen.before.value(RATE) == seen.after.value(RATE) == "0.02"


def test_a_preview_names_what_stands_in_the_way(published, at_other):
    with nothing_written():
        seen = preview_adoption(
            actor=system_actor(at_other),
            published_id=published.pk,
            effective_from=TODAY,
            values={RATE: "0.06"},
        )

    assert (seen.after, seen.changes) == (None, [])
    assert [(p.code, p.field) for p in seen.problems] == [("OUTSIDE_BOUNDS", RATE)]
