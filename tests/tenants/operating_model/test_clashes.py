"""A policy that waits is decided: what gives way, at every level, in one transaction (M3)."""

import pytest

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from tenants.operating_model.clashes import decide_clash, plan_clash
from tenants.operating_model.decisions import Said
from tenants.operating_model.models import Layer
from tenants.operating_model.policies import land_policies, waiting
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import effective_rules

from .conftest import (
    DAY,
    MONTHS,
    RATE,
    TODAY,
    YESTERDAY,
    community,
    document,
    issue,
    layer,
    nothing_written,
    trail,
)


@pytest.fixture
def chengnan(running, at_street):
    return community(at_street)


@pytest.fixture
def clash(chengnan, at_street, district):
    """The street office takes 4 %, the community 5 %; the district comes to allow 3.5 %."""
    layer(at_street, {RATE: "0.04", MONTHS: 12})
    layer(at_street, {RATE: "0.05", DAY: 5}, community=chengnan)
    issue(district, {}, {RATE: {"maximum": "0.035"}}, reason="减轻负担")
    land_policies(at_street, actor=system_actor(at_street))
    [policy] = waiting()
    return policy


def decide(street, policy, *said, **more):
    return decide_clash(
        actor=system_actor(street),
        layer_id=policy.pk,
        decisions=said,
        reason="按区里的意见",
        **more,
    )


def test_it_asks_at_each_level_about_what_does_not_fit_and_nothing_else(clash, chengnan, at_street):
    planned = plan_clash(clash, at_street, {})

    assert [(c, q.path, q.old, q.new, q.own) for c, q in planned.questions] == [
        (None, RATE, "0.03", "0.03", "0.04"),
        (chengnan.pk, RATE, "0.04", "0.03", "0.05"),
    ]
    assert effective_rules(TODAY).value(RATE) == "0.04"  # nothing has changed by itself


def test_what_was_decided_and_the_policy_come_into_force_together(clash, chengnan, at_street):
    decide(
        at_street,
        clash,
        Said(RATE, "set", value="0.035"),
        Said(RATE, "take", community_id=chengnan.pk, reason="随街道"),
    )

    assert list(waiting()) == []
    street, here = effective_rules(TODAY), effective_rules(TODAY, chengnan.pk)
    assert (street.value(RATE), street.value(MONTHS)) == ("0.035", 12)
    assert (here.value(RATE), here.value(DAY)) == ("0.035", 5)
    assert here.bound(RATE).maximum == "0.035"
    assert Rulebook.load().layer("community", chengnan.pk, TODAY).values == {DAY: 5}
    assert effective_rules(YESTERDAY).value(RATE) == "0.03"
    [told] = trail("models.decide_clash")
    assert (told.reason, [d["path"] for d in told.after["decisions"]]) == (
        "按区里的意见", [RATE, RATE]
    )  # fmt: skip


def test_a_bound_is_set_anew_as_any_bound_is_written(running, at_street, district):
    layer(at_street, {}, {RATE: {"maximum": "0.04"}})
    issue(district, {}, {RATE: {"maximum": "0.035"}})
    land_policies(at_street, actor=system_actor(at_street))
    [policy] = waiting()

    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, policy, Said(RATE, "set", aspect="bound", value={"maximum": "3%"}))
    assert (refused.value.code, refused.value.field) == ("BOUND_INVALID", RATE)
    assert '"0.03"' in str(refused.value.message)
    decide(at_street, policy, Said(RATE, "set", aspect="bound", value={"maximum": "0.030"}))

    assert Rulebook.load().layer("street", None, TODAY).bounds == {RATE: {"maximum": "0.03"}}


def test_half_decided_is_refused_and_nothing_changes(clash, chengnan, at_street):
    for said in (
        [Said(RATE, "take")],
        [Said(RATE, "take"), Said(RATE, "keep", community_id=chengnan.pk)],
        [],
    ):
        with nothing_written(), pytest.raises(Refused) as refused:
            decide(at_street, clash, *said)
        assert {fault.code for fault in refused.value.faults} == {"OUTSIDE_BOUNDS"}
    assert Layer.objects.get(pk=clash.pk).state == "clashing"


def test_what_does_not_wait_is_not_decided(clash, chengnan, at_street, actor_as):
    secretary = actor_as(at_street, Role.COMMUNITY_SECRETARY)
    with nothing_written(), pytest.raises(Forbidden):
        decide_clash(actor=secretary, layer_id=clash.pk, decisions=[])
    layer(at_street, {MONTHS: 6})
    layer(at_street, {DAY: 5}, community=chengnan)
    assert list(waiting()) == []  # it fits by now, so it came into force

    with nothing_written(), pytest.raises(NotFound):
        decide(at_street, clash)


def test_no_decision_is_passed_over_in_silence(clash, chengnan, at_street):
    other = community(at_street, "城北社区")
    for code, field, said in [
        ("NOT_IN_QUESTION", "communityId", Said(RATE, "set", other.pk, value="0.02")),
        ("NOT_IN_QUESTION", "path", Said(DAY, "take")),
        ("NOT_IN_QUESTION", "path", Said(RATE, "take", aspect="bound")),
        ("CHOICE_INVALID", "choice", Said(RATE, "open")),
        ("REASON_TOO_LONG", "reason", Said(RATE, "take", reason="因" * 1001)),
    ]:
        with nothing_written(), pytest.raises(Refused) as refused:
            decide(at_street, clash, said)
        assert (refused.value.code, refused.value.field) == (code, f"decisions.0.{field}")


def test_what_is_set_gives_way_though_it_fits(clash, chengnan, at_street):
    decide(
        at_street, clash, Said(RATE, "take"), Said(MONTHS, "take"), Said(RATE, "take", chengnan.pk)
    )
    assert Rulebook.load().layer("street", None, TODAY).values == {}


def test_a_question_counts_as_it_was_read(clash, chengnan, at_street):
    """What the street office decides changes what meets at the community's place, not what was asked."""
    (_street, street), (_here, here) = plan_clash(clash, at_street, {}).questions
    said = [
        Said(RATE, "set", value="0.02", seen=street.as_read),
        Said(RATE, "take", community_id=chengnan.pk, seen=here.as_read),
    ]
    layer(at_street, {RATE: "0.045", DAY: 5}, community=chengnan)
    with nothing_written(), pytest.raises(Refused) as refused:
        decide(at_street, clash, *said)
    assert (refused.value.code, refused.value.field) == ("QUESTION_CHANGED", "decisions.1.seen")

    layer(at_street, {RATE: "0.05", DAY: 5}, community=chengnan)
    decide(at_street, clash, *said)
    assert effective_rules(TODAY, chengnan.pk).value(RATE) == "0.02"


def test_of_a_place_and_what_holds_it_the_last_word_counts(clash, chengnan, at_street):
    whole = document()["partners"]["contributions"][0] | {"rate": "0.015"}
    decide(
        at_street,
        clash,
        Said(RATE, "set", value="0.025"),
        Said("partners.contributions[stationed]", "set", value=whole),
        Said(RATE, "take", community_id=chengnan.pk),
    )
    assert effective_rules(TODAY).value(RATE) == "0.015"
