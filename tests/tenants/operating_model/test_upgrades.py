"""Upgrades of a street office and its communities: asked, decided, applied, rolled back (M6)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.library import paths
from linli.library.document import canonical, digest
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import withdraw_version
from tenants.operating_model.decisions import Said
from tenants.operating_model.models import Adoption, Layer, Upgrade, UpgradeDecision
from tenants.operating_model.policies import land_policies
from tenants.operating_model.rolling_back import roll_back_upgrade
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import (
    effective_rules,
    preview_roll_back,
    problems_of_upgrade,
)
from tenants.operating_model.upgrades import (
    apply_upgrade,
    decide_upgrade,
    give_up_upgrade,
    open_upgrade,
)
from tenants.operating_model.upgrading import content_of, own_layer, plan_of
from tests.support.calendar import on_day
from tests.support.models_at_random import documents, layers, models, own_changes, stands

from .conftest import (
    BOUNDS,
    DAY,
    MONTHS,
    RATE,
    TODAY,
    TOMORROW,
    adopt,
    community,
    document,
    issue,
    layer,
    nothing_written,
    publish,
    trail,
    write,
)
from .test_at_once import at_once

LATER = TODAY + timedelta(days=30)
FEE = "partners.contributions[visiting].fee_fen"


@pytest.fixture
def chengnan(running, at_street):
    return community(at_street)


def second(street, *, rate="0.04", months=18, day=10, bounds=None):
    """Version 2: 4 % of takings, the joint meeting on the 10th."""
    model = document(rent_free_months=months)
    model["partners"]["contributions"][0]["rate"] = rate
    model["meetings"]["joint"]["day_of_month"] = day
    return write(street, model, bounds)


def begin(street, version, since=TODAY):
    return open_upgrade(
        actor=system_actor(street), version_id=version.pk, effective_from=since, reason="跟上新版"
    )


def decide(street, upgrade, *said, actor=None, **more):
    return decide_upgrade(
        actor=actor or system_actor(street), upgrade_id=upgrade.pk, decisions=said, **more
    )


def apply(street, upgrade, **more):
    return apply_upgrade(actor=system_actor(street), upgrade_id=upgrade.pk, **more)


def roll_back(street, upgrade, since=TODAY, **more):
    return roll_back_upgrade(
        actor=system_actor(street), upgrade_id=upgrade.pk, effective_from=since, **more
    )


def asked(street, upgrade):
    """What is open: level, path and the three values."""
    return [
        (community_id, q.path, q.old, q.new, q.own)
        for community_id, q in plan_of(upgrade, street).open_questions
    ]


def test_what_does_not_clash_is_taken(running, at_street):
    upgrade = begin(at_street, second(at_street))

    assert asked(at_street, upgrade) == []
    assert effective_rules(TODAY).value(DAY) == 25  # nothing has changed yet
    apply(at_street, upgrade)

    rules = effective_rules(TODAY)
    assert (rules.value(RATE), rules.value(DAY)) == ("0.04", 10)
    assert effective_rules(TODAY - timedelta(days=1)).value(DAY) == 25
    assert Layer.objects.count() == 0


def test_a_place_that_both_have_changed_is_asked_with_its_three_values(running, at_street):
    layer(at_street, {RATE: "0.02", MONTHS: 12}, reason="利润薄")

    upgrade = begin(at_street, second(at_street))

    assert asked(at_street, upgrade) == [(None, RATE, "0.03", "0.04", "0.02")]
    before = Adoption.objects.count(), Layer.objects.count()
    with pytest.raises(Refused) as refused:
        apply(at_street, upgrade)
    assert refused.value.code == "UPGRADE_UNDECIDED"
    assert [cause.field for cause in refused.value.faults] == [RATE]
    assert (Adoption.objects.count(), Layer.objects.count()) == before


@pytest.mark.parametrize(
    ("said", "rate", "values"),
    [
        (Said(RATE, "keep"), "0.02", {RATE: "0.02", MONTHS: 12}),
        (Said(RATE, "take"), "0.04", {MONTHS: 12}),
        (Said(RATE, "set", value="0.05"), "0.05", {RATE: "0.05", MONTHS: 12}),
    ],
)
def test_what_was_decided_counts_and_the_rest_stays(running, at_street, said, rate, values):
    layer(at_street, {RATE: "0.02", MONTHS: 12})
    upgrade = begin(at_street, second(at_street))

    decide(at_street, upgrade, said)
    apply(at_street, upgrade)

    rules = effective_rules(TODAY)
    assert (rules.value(RATE), rules.value(MONTHS), rules.value(DAY)) == (rate, 12, 10)
    assert Rulebook.load().layer("street", None, TODAY).values == values
    [row] = UpgradeDecision.objects.all()
    assert (row.old, row.new, row.own) == ("0.03", "0.04", "0.02")
    [told] = trail("models.apply_upgrade")
    assert told.after["target_id"] == str(upgrade.target_id)


def test_a_community_is_asked_about_its_own(chengnan, at_street):
    layer(at_street, {RATE: "0.02"})
    layer(at_street, {RATE: "0.01", DAY: 5}, community=chengnan)

    upgrade = begin(at_street, second(at_street))

    # Until the street has decided, what it has set stands: so nothing changes for the rate here.
    assert asked(at_street, upgrade) == [
        (None, RATE, "0.03", "0.04", "0.02"),
        (chengnan.pk, DAY, 25, 10, 5),
    ]
    decide(at_street, upgrade, Said(RATE, "take"))
    assert asked(at_street, upgrade) == [
        (chengnan.pk, RATE, "0.02", "0.04", "0.01"),
        (chengnan.pk, DAY, 25, 10, 5),
    ]
    decide(
        at_street,
        upgrade,
        Said(RATE, "keep", community_id=chengnan.pk),
        Said(DAY, "take", community_id=chengnan.pk),
    )
    apply(at_street, upgrade)

    here = effective_rules(TODAY, chengnan.pk)
    assert (here.value(RATE), here.value(DAY)) == ("0.01", 10)
    assert effective_rules(TODAY).value(RATE) == "0.04"


def test_a_secretary_decides_for_their_own_community_only(chengnan, at_street, actor_as):
    layer(at_street, {RATE: "0.02"})
    layer(at_street, {DAY: 5}, community=chengnan)
    upgrade = begin(at_street, second(at_street))
    secretary = actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk)
    other = actor_as(
        at_street, Role.COMMUNITY_SECRETARY, community_id=community(at_street, "工盛").pk
    )

    for actor, said in [
        (secretary, Said(RATE, "take")),
        (other, Said(DAY, "take", community_id=chengnan.pk)),
    ]:
        with pytest.raises(Forbidden):
            decide(at_street, upgrade, said, actor=actor)
    assert UpgradeDecision.objects.count() == 0

    decide(at_street, upgrade, Said(DAY, "keep", community_id=chengnan.pk), actor=secretary)
    assert asked(at_street, upgrade) == [(None, RATE, "0.03", "0.04", "0.02")]
    with pytest.raises(Forbidden):
        apply_upgrade(actor=secretary, upgrade_id=upgrade.pk)


def test_what_lies_outside_the_new_bounds_cannot_be_kept(running, at_street):
    layer(at_street, {RATE: "0.02"})
    narrower = {RATE: {"minimum": "0.03", "maximum": "0.05"}}
    upgrade = begin(at_street, second(at_street, rate="0.03", bounds=narrower))

    assert asked(at_street, upgrade) == [(None, RATE, "0.03", "0.03", "0.02")]
    for choice in ("keep", "set"):
        with pytest.raises(Refused) as refused:
            decide(
                at_street, upgrade, Said(RATE, choice, value="0.06" if choice == "set" else None)
            )
        assert (refused.value.code, refused.value.field) == (
            "OUTSIDE_BOUNDS",
            "decisions.0.value",
        )
    assert UpgradeDecision.objects.count() == 0
    decide(at_street, upgrade, Said(RATE, "set", value="0.05"))
    apply(at_street, upgrade)
    assert effective_rules(TODAY).value(RATE) == "0.05"


def test_what_was_set_in_an_item_that_is_gone_comes_back_whole_or_goes(running, at_street):
    layer(at_street, {"partners.contributions[visiting].fee_fen": 3000})
    model = document()
    del model["partners"]["contributions"][1]
    upgrade = begin(at_street, write(at_street, model))

    [(_level, path, old, new, own)] = asked(at_street, upgrade)
    assert (path, old["fee_fen"], new, own["fee_fen"]) == (
        "partners.contributions[visiting]", 5000, None, 3000
    )  # fmt: skip
    decide(at_street, upgrade, Said(path, "keep"))
    apply(at_street, upgrade)

    assert effective_rules(TODAY).value(f"{path}.fee_fen") == 3000


def test_a_bound_is_set_anew_as_any_bound_is_written(running, at_street):
    layer(at_street, {}, {RATE: {"maximum": "0.05"}})
    narrower = {RATE: {"minimum": "0.01", "maximum": "0.04"}}
    upgrade = begin(at_street, second(at_street, bounds=narrower))

    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(RATE, "set", aspect="bound", value={"maximum": 3}))
    assert (refused.value.code, refused.value.field) == ("BOUND_INVALID", RATE)
    decide(at_street, upgrade, Said(RATE, "set", aspect="bound", value={"maximum": "0.040"}))
    assert upgrade.decisions.get().value == {"maximum": "0.04"}
    apply(at_street, upgrade)
    assert effective_rules(TODAY).bound(RATE).maximum == "0.04"


def test_shares_that_sum_to_one_are_decided_as_one(running, at_street):
    layer(
        at_street,
        {"fund.waterfall[services].share": "0.6", "fund.waterfall[property].share": "0.3"},
    )
    model = document()
    model["fund"]["waterfall"][0]["share"] = "0.4"
    model["fund"]["waterfall"][2]["share"] = "0.2"
    upgrade = begin(at_street, write(at_street, model))

    [(_level, path, old, new, own)] = asked(at_street, upgrade)
    assert path == "fund.waterfall"
    assert [[item["share"] for item in side] for side in (old, new, own)] == [
        ["0.5", "0.4", "0.1"],
        ["0.4", "0.4", "0.2"],
        ["0.6", "0.3", "0.1"],
    ]
    decide(at_street, upgrade, Said(path, "keep"))
    apply(at_street, upgrade)
    shares = [item["share"] for item in effective_rules(TODAY).value(path)]
    assert shares == ["0.6", "0.3", "0.1"]


def test_a_decision_about_other_values_says_nothing_any_more(running, at_street):
    layer(at_street, {RATE: "0.02"})
    upgrade = begin(at_street, second(at_street))
    [(_level, question)] = plan_of(upgrade, at_street).open_questions
    decide(at_street, upgrade, Said(RATE, "take", seen=question.as_read))
    assert asked(at_street, upgrade) == []

    layer(at_street, {RATE: "0.01"})

    assert asked(at_street, upgrade) == [(None, RATE, "0.03", "0.04", "0.01")]
    with pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(RATE, "take", seen=question.as_read))
    assert (refused.value.code, refused.value.field) == ("QUESTION_CHANGED", "decisions.0.seen")


def test_a_decision_can_be_taken_back(running, at_street):
    layer(at_street, {RATE: "0.02"})
    upgrade = begin(at_street, second(at_street))
    decide(at_street, upgrade, Said(RATE, "take"))
    decide(at_street, upgrade, Said(RATE, "open"), expected_version=2)

    assert len(asked(at_street, upgrade)) == 1
    assert UpgradeDecision.objects.count() == 2


def test_one_decides_on_what_one_has_read(running, at_street):
    layer(at_street, {RATE: "0.02"})
    upgrade = begin(at_street, second(at_street))
    decide(at_street, upgrade, Said(RATE, "take"), expected_version=1)

    for act in (
        lambda: decide(at_street, upgrade, Said(RATE, "keep"), expected_version=1),
        lambda: apply(at_street, upgrade, expected_version=1),
    ):
        with nothing_written(), pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "VERSION_CONFLICT"
    apply(at_street, upgrade, expected_version=2)


def test_only_what_is_in_question_is_kept_or_taken(running, at_street):
    upgrade, place = begin(at_street, second(at_street)), community(at_street)

    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(MONTHS, "set", value=5, seen="what was asked once"))
    assert (refused.value.code, refused.value.field) == ("QUESTION_CHANGED", "decisions.0.seen")
    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(MONTHS, "set", value=5, reason="因" * 1001))
    assert (refused.value.code, refused.value.field) == ("REASON_TOO_LONG", "decisions.0.reason")
    for said, field in [
        (Said(MONTHS, "keep"), "decisions.0.path"),
        (Said(MONTHS, "keep", community_id=place.pk), "decisions.0.communityId"),
    ]:
        with nothing_written(), pytest.raises(Refused) as refused:
            decide(at_street, upgrade, said)
        assert (refused.value.code, refused.value.field) == ("NOT_IN_QUESTION", field)

    decide(
        at_street, upgrade, Said(MONTHS, "set", value=3), Said(DAY, "set", value=5)
    )  # but all can be set
    shown = {
        q.path: (q.decision.value, q.is_open) for _level, q in plan_of(upgrade, at_street).questions
    }
    assert shown == {MONTHS: (3, False), DAY: (5, False)}
    apply(at_street, upgrade)
    assert effective_rules(TODAY).value(DAY) == 5


def test_a_policy_that_the_new_version_has_no_room_for_stands_in_the_way(
    running, at_street, district
):
    issue(district, {FEE: 6000})
    land_policies(at_street, actor=system_actor(at_street))
    upgrade = begin(at_street, second(at_street, bounds={FEE: {"maximum": 5000}}))

    with pytest.raises(Refused) as refused:
        apply(at_street, upgrade)
    assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", FEE)
    assert "张店区" in str(refused.value.message)
    assert Adoption.objects.count() == 1


def test_what_a_policy_says_of_what_the_new_version_no_longer_has_is_not_in_the_way(
    running, at_street, district
):
    issue(district, {FEE: 4000}, {FEE: {"maximum": 4000}})
    land_policies(at_street, actor=system_actor(at_street))
    assert effective_rules(TODAY).value(FEE) == 4000
    model = document()
    del model["partners"]["contributions"][1]

    apply(at_street, begin(at_street, write(at_street, model)))

    idle = effective_rules(TODAY).without_effect
    assert [(path, by.name) for path, by in idle] == [(FEE, "张店区")]


def test_an_upgrade_comes_after_what_is_planned(running, at_street):
    layer(at_street, {MONTHS: 6}, since=LATER)
    version = second(at_street)

    with nothing_written(), pytest.raises(Refused) as refused:
        begin(at_street, version)
    assert (refused.value.code, refused.value.data["earliest"]) == (
        "LATER_CHANGES", LATER.isoformat()
    )  # fmt: skip

    upgrade = begin(at_street, version, LATER)
    layer(at_street, {MONTHS: 3}, since=LATER + timedelta(days=1))
    with nothing_written(), pytest.raises(Refused) as refused:
        apply(at_street, upgrade)
    assert refused.value.code == "LATER_CHANGES"
    apply(at_street, upgrade, effective_from=LATER + timedelta(days=1))
    assert effective_rules(LATER).value(DAY) == 25
    assert effective_rules(LATER + timedelta(days=1)).value(DAY) == 10


def test_one_upgrade_is_open_at_a_time(running, at_street):
    version = second(at_street)
    upgrade = begin(at_street, version)
    with nothing_written(), pytest.raises(Refused) as refused:
        begin(at_street, version)
    assert refused.value.code == "UPGRADE_UNDER_WAY"

    give_up_upgrade(actor=system_actor(at_street), upgrade_id=upgrade.pk, reason="先看看")

    assert Adoption.objects.count() == 1
    for act in (
        lambda: apply(at_street, upgrade),
        lambda: decide(at_street, upgrade, Said(RATE, "take")),
        lambda: give_up_upgrade(actor=system_actor(at_street), upgrade_id=upgrade.pk),
    ):
        with nothing_written(), pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "UPGRADE_CLOSED"
    begin(at_street, version)


def test_what_is_in_force_is_no_upgrade(running, at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        begin(at_street, running)
    assert refused.value.code == "NOTHING_CHANGES"


def test_another_tenants_upgrade_does_not_exist(running, at_street, other_street):
    upgrade = begin(at_street, second(at_street))
    with tenant_context(other_street):
        adopt(other_street, write(other_street))
        for act in (
            lambda: apply(other_street, upgrade),
            lambda: decide(other_street, upgrade, Said(RATE, "take")),
            lambda: roll_back(other_street, upgrade),
        ):
            with nothing_written(), pytest.raises(NotFound):
                act()


def test_where_something_is_set_a_version_is_not_just_adopted(chengnan, at_street):
    layer(at_street, {DAY: 5}, community=chengnan)
    version = second(at_street)

    with nothing_written(), pytest.raises(Refused) as refused:
        adopt(at_street, version, TODAY)

    assert (refused.value.code, refused.value.data["names"]) == ("UPGRADE_INSTEAD", ["城南社区"])


def everywhere(*communities, on=TODAY):
    """The rules of a day at every level, to the bit: the document, what bounds it, and the own layer."""
    book = Rulebook.load()
    return [
        (
            digest(rules.document),
            sorted((one.path, canonical(one.bound.plain())) for one in rules.in_force),
            content_of(own_layer(book, c, on)),
        )
        for c in (None, *(c.pk for c in communities))
        for rules in [book.effective(on, c)]
    ]


def previews(street, place, upgrade, since=TODAY, **more):
    """What a roll back would do, to the street office and to a community."""
    given = {
        "actor": system_actor(street),
        "upgrade_id": upgrade.pk,
        "effective_from": since,
    } | more
    return [preview_roll_back(**given), preview_roll_back(**given, community_id=place.pk)]


def test_a_roll_back_restores_what_was_at_every_level(chengnan, at_street):
    layer(at_street, {RATE: "0.02", MONTHS: 12})
    layer(at_street, {DAY: 5}, community=chengnan)
    was = everywhere(chengnan)
    upgrade = begin(at_street, second(at_street))
    decide(
        at_street,
        upgrade,
        Said(RATE, "take"),
        Said(DAY, "take", community_id=chengnan.pk),
    )
    apply(at_street, upgrade)
    assert everywhere(chengnan) != was
    with nothing_written():
        shown = previews(at_street, chengnan, upgrade, TOMORROW)
        assert [preview.problems for preview in shown] == [[], []]

    roll_back(at_street, upgrade, TOMORROW, reason="居民不同意")

    assert [preview.after.raw for preview in shown] == [
        effective_rules(TOMORROW, c).raw for c in (None, chengnan.pk)
    ]
    assert [[change.path for change in preview.changes] for preview in shown] == [
        [RATE, DAY], [RATE, DAY],
    ]  # fmt: skip

    assert everywhere(chengnan) != was  # today is past tomorrow
    assert everywhere(chengnan, on=TOMORROW) == was
    assert Rulebook.load().layer("street", None, TOMORROW).values == {RATE: "0.02", MONTHS: 12}
    assert Upgrade.objects.get().state == "rolled_back"
    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, upgrade, TOMORROW)
    assert refused.value.code == "UPGRADE_NOT_IN_FORCE"
    [problem] = previews(at_street, chengnan, upgrade, TOMORROW)[0].problems
    assert (problem.code, problem.message) == (refused.value.code, refused.value.message)


def test_what_was_set_since_goes_only_if_that_is_said(chengnan, at_street, actor_as):
    was = everywhere(chengnan)
    upgrade = begin(at_street, second(at_street))
    apply(at_street, upgrade)
    layer(at_street, {MONTHS: 3}, community=chengnan)

    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, upgrade)
    assert (refused.value.code, refused.value.field) == ("CHANGED_SINCE", "giveUpLater")
    assert "城南社区" in str(refused.value.message)
    for preview in previews(at_street, chengnan, upgrade):
        assert [(one.code, one.field) for one in preview.problems] == [
            ("CHANGED_SINCE", "giveUpLater")
        ]
        assert preview.changes == []
    secretary = actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk)
    with pytest.raises(Forbidden):
        previews(at_street, chengnan, upgrade, actor=secretary)
    whole, there = previews(at_street, chengnan, upgrade, give_up_later=True)
    assert whole.problems == there.problems == []
    assert (MONTHS in [c.path for c in whole.changes], MONTHS in [c.path for c in there.changes]) == (
        False, True,
    )  # fmt: skip

    roll_back(at_street, upgrade, give_up_later=True)
    assert everywhere(chengnan) == was
    [told] = trail("models.roll_back_upgrade")
    assert len(told.after["given_up"]) == 1


def test_a_roll_back_brings_back_what_was_bounded(chengnan, at_street):
    layer(at_street, {MONTHS: 12}, {RATE: {"minimum": "0.02", "maximum": "0.05"}})
    layer(at_street, {}, {DAY: {"one_of": [25, 10]}}, community=chengnan)
    was = everywhere(chengnan)
    narrower = {RATE: {"minimum": "0.01", "maximum": "0.04"}}
    upgrade = begin(at_street, second(at_street, day=12, bounds=narrower))
    while still := plan_of(upgrade, at_street).open_questions:
        decide(at_street, upgrade, *(
            Said(q.path, "take", community_id=c, aspect=q.aspect, seen=q.as_read) for c, q in still
        ))  # fmt: skip
    apply(at_street, upgrade)
    kept = [own_layer(Rulebook.load(), c, TODAY).bounds for c in (None, chengnan.pk)]
    assert kept == [{}, {}]

    roll_back(at_street, upgrade)

    assert everywhere(chengnan) == was


def test_a_roll_back_comes_after_what_is_planned(running, at_street):
    upgrade = begin(at_street, second(at_street))
    apply(at_street, upgrade)
    layer(at_street, {MONTHS: 6}, since=LATER)

    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, upgrade)
    assert refused.value.code == "LATER_CHANGES"


def test_of_two_upgrades_to_one_version_the_last_is_rolled_back(running, at_street):
    version = second(at_street)
    first = begin(at_street, version)
    apply(at_street, first)
    adopt(at_street, running, TODAY)
    again = begin(at_street, version)
    apply(at_street, again)

    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, first)
    assert refused.value.code == "UPGRADE_NOT_IN_FORCE"
    roll_back(at_street, again)
    assert effective_rules(TODAY).value(DAY) == 25


def test_a_policy_for_a_later_day_stands_in_the_way_too(running, at_street, district):
    issue(district, {FEE: 6000}, since=LATER)
    land_policies(at_street, actor=system_actor(at_street))
    upgrade = begin(at_street, second(at_street, bounds={FEE: {"maximum": 5000}}))

    with nothing_written(), pytest.raises(Refused) as refused:
        apply(at_street, upgrade)
    assert (refused.value.code, refused.value.field) == ("OUTSIDE_BOUNDS", FEE)


def test_an_upgrade_that_lies_about_is_worked_out_for_the_day_that_it_is(running, at_street):
    upgrade = begin(at_street, second(at_street))
    with on_day(LATER):
        layer(at_street, {RATE: "0.02"}, since=LATER)

        assert plan_of(upgrade, at_street).since == LATER
        assert asked(at_street, upgrade) == [(None, RATE, "0.03", "0.04", "0.02")]


def test_what_was_withdrawn_since_it_was_opened_is_not_applied(running, at_street, other_street):
    with tenant_context(other_street):
        theirs = write(other_street, document(rent_free_months=6))
        shelved = publish(other_street, theirs)
    upgrade = open_upgrade(
        actor=system_actor(at_street), published_id=shelved.pk, effective_from=TODAY
    )
    with tenant_context(other_street):
        withdraw_version(actor=system_actor(other_street), version_id=theirs.pk, reason="算错了")

    with nothing_written(), pytest.raises(Refused) as refused:
        apply(at_street, upgrade)
    assert refused.value.code == "WITHDRAWN"


def test_only_the_last_upgrade_is_rolled_back(running, at_street):
    first = begin(at_street, second(at_street))
    apply(at_street, first)
    apply(at_street, begin(at_street, second(at_street, rate="0.05")))

    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, first)
    assert refused.value.code == "UPGRADE_NOT_IN_FORCE"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_upgrade_can_be_undone_to_the_bit_and_past_days_keep_theirs(street, data):
    """M6 (c, d, e) with real rows: what was set stands or was decided; then all is as it was."""
    with suppress(_Undone), tenant_context(street), transaction.atomic():
        model = data.draw(models())
        bounds = {one.path: one.bound.plain() for one in model.in_force}
        adopt(street, write(street, model.raw, bounds))
        place = community(street, "甲社区")
        own = data.draw(layers(model))
        _lay(street, own)
        above = effective_rules(TODAY)
        below = data.draw(layers(above, "community", "甲社区"))
        _lay(street, below, place)
        was, past = everywhere(place), effective_rules(TODAY - timedelta(days=1)).digest
        target = write(street, data.draw(documents(model.raw)), {}, key="further")
        upgrade = begin(street, target)
        for _round in range(8):
            still = plan_of(upgrade, street).open_questions
            if not still:
                break
            # What was decided of a part may come to be asked of the whole: that is read with the version.
            upgrade.refresh_from_db()
            decide(street, upgrade, *(
                Said(q.path, "take", community_id=c, aspect=q.aspect, seen=q.as_read) for c, q in still
            ), expected_version=upgrade.version)  # fmt: skip
        else:
            raise AssertionError(still)
        apply(street, upgrade)
        decided = list(UpgradeDecision.objects.values_list("community_id", "path"))
        for level, before, layer_before in ((None, model, own), (place.pk, above, below)):
            said, now = [p for c, p in decided if c == level], effective_rules(TODAY, level).raw
            for path, value in own_changes(before, layer_before).items():
                if not any(paths.related(path, other) for other in said):
                    assert stands(now, path, value), (path, value)
        assert effective_rules(TODAY - timedelta(days=1)).digest == past

        roll_back(street, upgrade)

        assert everywhere(place) == was
        assert effective_rules(TODAY - timedelta(days=1)).digest == past
        raise _Undone


class _Undone(Exception):
    pass


def _lay(street, own, place=None):
    with suppress(Refused):  # of nothing there is nothing to set
        bounds = {path: bound.plain() for path, bound in own.bounds.items()}
        layer(street, dict(own.values), bounds, community=place)


def test_an_upgrade_and_a_community_that_sets_something_do_not_cross(scratch_database):
    """Whoever comes second meets what the first has made: an override is decided on, or held to the
    new version; none is lost."""
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        adopt(street, write(street, bounds={}))
        place = community(street)
        narrower = {RATE: {"minimum": "0.03", "maximum": "0.05"}}
        upgrade = begin(street, second(street, bounds=narrower))

    def work(i):
        if i % 2:
            return layer(street, {RATE: "0.02"}, community=place).kind
        return apply(street, upgrade).state

    answers = at_once(street, work)

    with tenant_context(street):
        rate = effective_rules(TODAY, place.pk).value(RATE)
        if "applied" in answers:
            assert rate == "0.04"
            assert answers.count("applied") == 1
            assert answers.count("OUTSIDE_BOUNDS") == 4
            assert answers.count("UPGRADE_CLOSED") == 3
        else:
            assert rate == "0.02"
            assert answers.count("UPGRADE_UNDECIDED") == 4
            assert answers.count("community") == 1
        assert Adoption.objects.count() == (2 if "applied" in answers else 1)


def test_of_two_who_decide_at_once_the_second_is_told(scratch_database):
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        adopt(street, write(street, bounds=BOUNDS))
        layer(street, {RATE: "0.02"})
        upgrade = begin(street, second(street))

    def work(i):
        return decide(street, upgrade, Said(RATE, "take"), expected_version=1).version

    answers = at_once(street, work)

    assert sorted(map(str, answers)) == ["2"] + ["VERSION_CONFLICT"] * 7
    with tenant_context(street):
        assert UpgradeDecision.objects.count() == 1


STEPS = "meetings.deliberation.steps"


def steps(*keys):
    return [{"key": key, "title": {"zh": key}} for key in keys]


def test_an_order_that_was_set_is_kept_around_what_is_new(running, at_street):
    model = document()
    model["meetings"]["deliberation"]["steps"] = steps("raise", "deliberate", "do")
    first = write(at_street, model)
    apply(at_street, begin(at_street, first))
    layer(at_street, {STEPS: steps("raise", "consult", "deliberate", "do")})
    model["meetings"]["deliberation"]["steps"] = steps("raise", "deliberate", "do", "evaluate")
    upgrade = begin(at_street, write(at_street, model))
    [(_level, path, _old, new, _own)] = asked(at_street, upgrade)
    assert (path, new["key"]) == (f"{STEPS}[evaluate]", "evaluate")

    decide(at_street, upgrade, Said(path, "take"))
    apply(at_street, upgrade)

    keys = [step["key"] for step in effective_rules(TODAY).value(STEPS)]
    assert keys == ["raise", "consult", "deliberate", "do", "evaluate"]


def test_a_part_of_what_was_set_as_a_whole_does_not_change_unasked(running, at_street):
    whole = document()["partners"]["contributions"][0] | {"rate": "0.02"}
    layer(at_street, {"partners.contributions[stationed]": whole})
    model = document()
    model["partners"]["contributions"][0]["base"] = "profit"

    upgrade = begin(at_street, write(at_street, model))

    place = "partners.contributions[stationed].base"
    assert asked(at_street, upgrade) == [(None, place, "takings", "profit", "takings")]


def test_what_was_taken_away_here_and_is_gone_above_is_decided(running, at_street):
    layer(at_street, {"partners.contributions[visiting]": None})
    model = document()
    del model["partners"]["contributions"][1]
    upgrade = begin(at_street, write(at_street, model))

    [(_level, path, old, new, own)] = asked(at_street, upgrade)
    assert (path, old["key"], new, own) == (
        "partners.contributions[visiting]",
        "visiting",
        None,
        None,
    )
    decide(at_street, upgrade, Said(path, "take", reason="新版也没有"))
    apply(at_street, upgrade)
    assert UpgradeDecision.objects.get().reason == "新版也没有"


def test_what_is_planned_for_later_can_be_called_off_and_is_then_carried_too(chengnan, at_street):
    layer(at_street, {DAY: 5}, community=chengnan)
    layer(at_street, {DAY: 5, MONTHS: 1}, since=LATER, community=chengnan)
    version = second(at_street)
    with nothing_written(), pytest.raises(Refused) as refused:
        begin(at_street, version)
    assert (refused.value.code, "城南社区" in str(refused.value.message)) == ("LATER_CHANGES", True)

    layer(at_street, {DAY: 5}, since=LATER, community=chengnan)
    upgrade = begin(at_street, version)
    decide(at_street, upgrade, Said(DAY, "set", value=8, community_id=chengnan.pk))
    apply(at_street, upgrade)

    book = Rulebook.load()
    days = [book.effective(day, chengnan.pk).value(DAY) for day in (TODAY, LATER)]
    assert days == [8, 8]


def test_what_is_set_before_another_version_begins_waits_for_it(running, at_street):
    upgrade = begin(at_street, second(at_street), LATER)
    apply(at_street, upgrade)

    with nothing_written(), pytest.raises(Refused) as refused:
        layer(at_street, {MONTHS: 1})
    assert (refused.value.code, refused.value.data["earliest"]) == (
        "LATER_CHANGES", LATER.isoformat()
    )  # fmt: skip
    roll_back(at_street, upgrade, LATER)  # called off before it began
    layer(at_street, {MONTHS: 1})
    assert [effective_rules(day).value(DAY) for day in (TODAY, LATER)] == [25, 25]


def test_after_a_roll_back_the_upgrade_before_it_can_be_rolled_back_too(chengnan, at_street):
    was = everywhere(chengnan)
    first = begin(at_street, second(at_street))
    apply(at_street, first)
    then = begin(at_street, second(at_street, rate="0.05"))
    apply(at_street, then)

    roll_back(at_street, then)
    roll_back(at_street, first)

    assert everywhere(chengnan) == was


def test_why_something_is_set_stays_with_it(running, at_street):
    layer(at_street, {RATE: "0.02", MONTHS: 12}, reason="利润薄")
    upgrade = begin(at_street, second(at_street))
    decide(at_street, upgrade, Said(RATE, "take"))
    apply(at_street, upgrade)
    assert Rulebook.load().layer("street", None, TODAY).reason == "利润薄"
    roll_back(at_street, upgrade)
    assert Rulebook.load().layer("street", None, TODAY).reason == "利润薄"


def test_who_decides_on_a_place_that_was_decided_meanwhile_is_told(running, at_street):
    layer(at_street, {RATE: "0.02"})
    upgrade = begin(at_street, second(at_street))
    [(_level, question)] = plan_of(upgrade, at_street).open_questions
    decide(at_street, upgrade, Said(RATE, "keep", seen=question.as_read))
    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(RATE, "take", seen=question.as_read))
    assert refused.value.code == "QUESTION_CHANGED"


STATIONED = "partners.contributions[stationed]"


def test_of_a_place_and_what_holds_it_the_last_word_counts(running, at_street):
    layer(at_street, {RATE: "0.02"})
    upgrade = begin(at_street, second(at_street))
    whole = document()["partners"]["contributions"][0] | {"rate": "0.015"}

    def rate():
        return plan_of(upgrade, at_street).sides()[1].value(RATE)

    decide(at_street, upgrade, Said(RATE, "set", value="0.035"))
    assert rate() == "0.035"
    decide(at_street, upgrade, Said(STATIONED, "set", value=whole), expected_version=2)
    assert rate() == "0.015"
    assert [q.path for _c, q in plan_of(upgrade, at_street).questions] == [STATIONED]
    decide(at_street, upgrade, Said(RATE, "set", value="0.045"), expected_version=3)
    assert rate() == "0.045"
    # Also of those that come at once, and nothing of it goes from the record.
    decide(
        at_street,
        upgrade,
        Said(RATE, "set", value="0.025"),
        Said(STATIONED, "set", value=whole),
        expected_version=4,
    )
    assert rate() == "0.015"
    apply(at_street, upgrade)
    assert effective_rules(TODAY).value(RATE) == "0.015"
    assert UpgradeDecision.objects.count() == 5


def test_nobody_overrules_in_passing_what_another_has_decided(chengnan, at_street):
    layer(at_street, {RATE: "0.02"})
    layer(at_street, {RATE: "0.01"}, community=chengnan)
    upgrade = begin(at_street, second(at_street))
    decide(at_street, upgrade, Said(RATE, "keep"))
    whole = document()["partners"]["contributions"][0]

    for said in (Said(RATE, "take"), Said(RATE, "open"), Said(STATIONED, "set", value=whole)):
        with nothing_written(), pytest.raises(Refused) as refused:
            decide(at_street, upgrade, said)
        assert (refused.value.code, refused.value.field) == (
            "DECIDED_ALREADY", "decisions.0.path"
        )  # fmt: skip
        assert ("seen" in str(refused.value.message)) == (said.path == RATE)
    # What was read of the whole says nothing of what was decided of its part.
    of_the_whole = plan_of(upgrade, at_street).levels[0].carried.question_of(STATIONED).as_read
    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(STATIONED, "set", value=whole, seen=of_the_whole))
    assert refused.value.code == "DECIDED_ALREADY"
    # The community's is another place.
    decide(at_street, upgrade, Said(RATE, "set", value="0.015", community_id=chengnan.pk))
    [mine, _theirs] = [question for _level, question in plan_of(upgrade, at_street).questions]
    decide(at_street, upgrade, Said(RATE, "take", seen=mine.as_read))
    decide(at_street, upgrade, Said(STATIONED, "set", value=whole), expected_version=4)
    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, upgrade, Said(RATE, "set", value="0.045"))
    assert refused.value.code == "DECIDED_ALREADY"
    assert UpgradeDecision.objects.count() == 4


def test_where_a_policy_shuts_the_roll_back_an_upgrade_goes_back(running, at_street, district):
    layer(at_street, {RATE: "0.05", MONTHS: 12})
    upgrade = begin(at_street, second(at_street, rate="0.02"))
    decide(at_street, upgrade, Said(RATE, "take"))
    apply(at_street, upgrade)
    issue(district, {}, {RATE: {"maximum": "0.03"}})
    land_policies(at_street, actor=system_actor(at_street))

    with nothing_written(), pytest.raises(Refused) as refused:
        roll_back(at_street, upgrade)
    assert refused.value.code == "OUTSIDE_BOUNDS"
    assert str(running) in str(refused.value.message)

    back = begin(at_street, running)
    assert asked(at_street, back) == []
    decide(at_street, back, Said(RATE, "set", value="0.025"))
    apply(at_street, back)
    rules = effective_rules(TODAY)
    assert [rules.value(path) for path in (RATE, MONTHS, DAY)] == ["0.025", 12, 25]


SHARE = "fund.waterfall[{}].share"


def shares(**given):
    return {SHARE.format(key): share for key, share in given.items()}


@pytest.fixture
def elsewhere(at_street, actor_as):
    """The secretary of another community, who reads nothing of Chengnan's."""
    place = community(at_street, "工盛社区")
    return actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=place.pk)


def test_whose_plan_is_in_the_way_is_named_to_who_may_read_it(
    chengnan, at_street, elsewhere, actor_as
):
    upgrade = begin(at_street, second(at_street))
    layer(at_street, {MONTHS: 6}, since=LATER, community=chengnan)

    def told(actor):
        [fault] = problems_of_upgrade(Upgrade.objects.get(pk=upgrade.pk), actor=actor)
        assert (fault.code, fault.data) == ("LATER_CHANGES", {"earliest": LATER.isoformat()})
        return str(fault.message)

    own = actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk)
    for actor in (system_actor(at_street), own):
        assert "城南社区" in told(actor)
    assert "城南" not in told(elsewhere)
    with override("en"):
        assert "by: another community." in told(elsewhere)
    layer(at_street, {DAY: 6}, since=LATER)  # the street office's own, which all may read
    assert at_street.name in told(elsewhere)


def test_what_a_community_has_set_is_told_to_who_may_read_it(
    chengnan, at_street, district, elsewhere, actor_as
):
    layer(at_street, shares(services="0.6", property="0.3"), community=chengnan)
    model = document()
    issue(district, {"fund.waterfall": model["fund"]["waterfall"]}, since=LATER)
    land_policies(at_street, actor=system_actor(at_street))
    for account, share in zip(model["fund"]["waterfall"], ("0.5", "0.3", "0.2"), strict=True):
        account["share"] = share
    upgrade = begin(at_street, write(at_street, model))
    given = {"services": "0.6", "property": "0.2"}
    decide(
        at_street,
        upgrade,
        *(
            Said(SHARE.format(key), "set", value=share, community_id=chengnan.pk)
            for key, share in given.items()
        ),
    )

    def told(actor):
        [fault] = problems_of_upgrade(Upgrade.objects.get(pk=upgrade.pk), actor=actor)
        assert fault.code == "CLASHES_BELOW"
        return str(fault.message), fault.field, fault.data

    own = actor_as(at_street, Role.COMMUNITY_SECRETARY, community_id=chengnan.pk)
    for actor in (system_actor(at_street), own):
        message, _field, data = told(actor)
        assert ("城南社区" in message, data["layer"]["name"]) == (True, "城南社区")
    message, field, data = told(elsewhere)
    assert ("城南" in message, field, data) == (False, None, {})
