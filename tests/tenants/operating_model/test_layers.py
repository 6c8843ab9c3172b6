"""M2, M3: what a street and its communities set, from which day, and who may set how much."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import ProgrammingError

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import freeze_rules, set_layer
from tenants.operating_model.models import Layer, RuleSnapshot
from tenants.operating_model.rulebook import one_at_a_time
from tenants.operating_model.selectors import effective_rules, layers, rules_timeline

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
    layer,
    nothing_written,
    trail,
    upgrade,
    write,
)

LATER = TODAY + timedelta(days=10)


@pytest.fixture
def chengnan(running, at_street):
    return community(at_street)


def test_each_value_comes_from_the_deepest_layer_that_set_it(chengnan, at_street):
    layer(at_street, {RATE: "0.02", MONTHS: 12}, reason="街道统一")
    layer(at_street, {RATE: "0.015"}, community=chengnan)

    rules = effective_rules(TODAY, chengnan.pk)
    assert [(rules.value(p), rules.origin(p).kind, rules.origin(p).name) for p in (RATE, MONTHS, DAY)] == [
        ("0.015", "community", "城南社区"),
        (12, "street", "车站街道"),
        (25, "model", "车站街道"),
    ]  # fmt: skip
    assert effective_rules(TODAY).value(RATE) == "0.02"
    assert effective_rules(YESTERDAY, chengnan.pk).value(RATE) == "0.03"
    first, second = trail("models.set_layer")
    assert (first.before, first.reason) == (None, "街道统一")
    assert second.after["values"] == {RATE: "0.015"}


def test_a_layer_replaces_the_one_before_whole_and_past_days_keep_theirs(running, at_street):
    layer(at_street, {RATE: "0.02", MONTHS: 12})
    layer(at_street, {MONTHS: 6}, since=LATER)

    before, after = effective_rules(LATER - timedelta(days=1)), effective_rules(LATER)
    assert (before.value(RATE), before.value(MONTHS)) == ("0.02", 12)
    assert (after.value(RATE), after.value(MONTHS)) == ("0.03", 6)
    assert trail("models.set_layer")[-1].before["values"] == {RATE: "0.02", MONTHS: 12}


def test_of_two_layers_for_one_day_the_later_decision_counts(running, at_street):
    layer(at_street, {RATE: "0.02"}, since=LATER)
    layer(at_street, {RATE: "0.01"}, since=LATER)

    assert effective_rules(LATER).value(RATE) == "0.01"


def test_an_empty_layer_takes_back_what_was_set(running, at_street):
    layer(at_street, {RATE: "0.02"})
    layer(at_street, {}, since=TOMORROW)

    assert effective_rules(TODAY).value(RATE) == "0.02"
    assert effective_rules(TOMORROW).value(RATE) == "0.03"


def test_a_change_takes_effect_today_or_later(chengnan, at_street):
    for place in (None, chengnan):
        with nothing_written(), pytest.raises(Refused) as refused:
            layer(at_street, {RATE: "0.02"}, since=YESTERDAY, community=place)
        assert (refused.value.code, refused.value.field) == ("CHANGE_BACKDATED", "effectiveFrom")


def test_without_a_model_there_is_nothing_to_set(at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {RATE: "0.02"})

    assert refused.value.code == "NO_MODEL_IN_FORCE"


def test_what_is_set_already_is_refused(running, at_street):
    layer(at_street, {RATE: "0.02"}, {RATE: {"maximum": "0.04"}})

    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {RATE: "0.02"}, {RATE: {"maximum": "0.04"}})

    assert refused.value.code == "NOTHING_CHANGES"


def test_a_communitys_rate_outside_the_streets_bound_names_the_street(chengnan, at_street):
    layer(at_street, {}, {RATE: {"maximum": "0.04"}})

    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {RATE: "0.045"}, community=chengnan)

    assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", RATE)
    assert refused.value.data["set_by"]["kind"] == "street"
    assert refused.value.data["set_by"]["name"] == "车站街道"
    layer(at_street, {RATE: "0.04"}, community=chengnan)
    assert effective_rules(TODAY, chengnan.pk).value(RATE) == "0.04"


def test_a_layer_narrows_and_never_widens(running, at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {}, {RATE: {"maximum": "0.06"}})

    assert (refused.value.code, refused.value.field) == ("BOUND_WIDENED", RATE)
    assert refused.value.data["set_by"]["kind"] == "model"


def test_a_street_layer_that_breaks_a_communitys_is_refused_with_both_named(chengnan, at_street):
    layer(at_street, {RATE: "0.05"}, community=chengnan, since=LATER)

    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {}, {RATE: {"maximum": "0.04"}})

    [fault] = refused.value.faults
    assert (fault.code, fault.data["rule"], fault.field) == (
        "CLASHES_BELOW",
        "OUTSIDE_BOUNDS",
        RATE,
    )
    assert (fault.data["layer"]["name"], fault.data["set_by"]["name"]) == ("城南社区", "车站街道")
    assert "城南社区" in str(fault.message)
    assert "车站街道" in str(fault.message)


def test_every_community_that_would_break_is_named(running, at_street):
    for name in ("城南社区", "工盛社区"):
        layer(at_street, {RATE: "0.05"}, community=community(at_street, name))

    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {}, {RATE: {"maximum": "0.04"}})

    assert refused.value.code == "RULES_CLASH"
    assert {f.data["layer"]["name"] for f in refused.value.faults} == {"城南社区", "工盛社区"}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"partners.rate": "0.02"}, "UNKNOWN_PATH"),
        ({RATE: "3%"}, "DOCUMENT_INVALID"),
        ([RATE], "NOT_BY_PATH"),
    ],
)
def test_a_wrong_value_is_refused(running, at_street, values, code):
    with nothing_written(), pytest.raises(Refused) as refused:
        set_layer(actor=system_actor(at_street), values=values, bounds={}, effective_from=TODAY)

    assert refused.value.code == code


def test_a_secretary_sets_the_layer_of_one_community(chengnan, at_street, actor_as):
    gongsheng = community(at_street, "工盛社区")
    layer(at_street, {RATE: "0.02"}, community=gongsheng)
    secretary = actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk)

    for place in (None, gongsheng.pk):
        with nothing_written(), pytest.raises(Forbidden):
            set_layer(
                actor=secretary,
                community_id=place,
                values={RATE: "0.01"},
                bounds={},
                effective_from=TODAY,
            )
    made = set_layer(
        actor=secretary,
        community_id=chengnan.pk,
        values={RATE: "0.01"},
        bounds={},
        effective_from=TODAY,
    )

    assert effective_rules(TODAY, chengnan.pk).value(RATE) == "0.01"
    assert list(layers(actor=secretary)) == [made]


def test_a_secretary_of_all_communities_sets_none_for_the_street(chengnan, at_street, actor_as):
    secretary = actor_as(at_street, Role.COMMUNITY_SECRETARY)
    given = {"values": {RATE: "0.02"}, "bounds": {}, "effective_from": TODAY}

    with nothing_written(), pytest.raises(Forbidden):
        set_layer(actor=secretary, **given)

    assert set_layer(actor=secretary, community_id=chengnan.pk, **given).values == {RATE: "0.02"}


def test_another_tenants_community_does_not_exist_here(chengnan, other_street):
    with tenant_context(other_street):
        adopt(other_street, write(other_street))
        for act in (
            lambda: layer(other_street, {RATE: "0.02"}, community=chengnan),
            lambda: effective_rules(TODAY, chengnan.pk),
            lambda: rules_timeline(START, TODAY, uuid4()),
        ):
            with nothing_written(), pytest.raises(NotFound):
                act()


def test_the_days_of_a_period_are_the_longest_runs_of_equal_rules(chengnan, at_street):
    layer(at_street, {RATE: "0.02"}, since=TODAY)
    layer(at_street, {RATE: "0.01"}, since=LATER, community=chengnan)
    upgrade(at_street, write(at_street, document(rent_free_months=12)), LATER + timedelta(days=5))

    street = rules_timeline(YESTERDAY, LATER)
    assert [(a, b, r.value(RATE)) for a, b, r in street] == [
        (YESTERDAY, TODAY, "0.03"),
        (TODAY, LATER, "0.02"),
    ]
    end = LATER + timedelta(days=20)
    here = rules_timeline(TODAY, end, chengnan.pk)
    assert [(a, b, r.value(RATE), r.value(MONTHS)) for a, b, r in here] == [
        (TODAY, LATER, "0.02", 18),
        (LATER, LATER + timedelta(days=5), "0.01", 18),
        (LATER + timedelta(days=5), end, "0.01", 12),
    ]


def test_a_period_that_begins_before_the_model_has_no_rules(running):
    with pytest.raises(Refused) as refused:
        rules_timeline(START - timedelta(days=1), TODAY)

    assert refused.value.code == "NO_MODEL_IN_FORCE"
    assert refused.value.data["day"] == "2023-12-31"


def test_equal_rules_share_one_snapshot_that_tells_where_each_value_came_from(running, at_street):
    layer(at_street, {RATE: "0.02"})

    one = freeze_rules(effective_rules(TODAY))
    same = freeze_rules(effective_rules(TOMORROW))
    other = freeze_rules(effective_rules(YESTERDAY))

    assert one == same != other
    assert RuleSnapshot.objects.count() == 2
    one.refresh_from_db()
    assert one.version == running
    assert one.content["document"]["partners"]["contributions"][0]["rate"] == "0.02"
    assert one.content["origins"][RATE]["name"] == "车站街道"
    assert one.content["base"]["ref"] == str(running.pk)


def test_the_database_keeps_what_was_decided(running, at_street):
    made = Layer.objects.filter(pk=layer(at_street, {RATE: "0.02"}).pk)

    for change in (lambda: made.update(values={}), made.delete):
        with pytest.raises(ProgrammingError, match="permission denied"), one_at_a_time():
            change()
