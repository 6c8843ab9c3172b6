"""A past period replayed under a draft: per partner, per account, in total; nothing is written (M8)."""

from datetime import date
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.money import split
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.fund.actions import receive_contribution
from tenants.fund.models import Posting
from tenants.fund.what_if import what_if
from tenants.operating_model.actions import (
    adopt_version,
    issue_policy,
    publish_version,
    set_layer,
    write_version,
)
from tenants.operating_model.decisions import Said
from tenants.operating_model.drafts import open_draft, save_draft
from tenants.operating_model.models import RuleSnapshot
from tenants.operating_model.policies import land_policies
from tenants.operating_model.upgrades import decide_upgrade, give_up_upgrade, open_upgrade
from tenants.partners.actions import admit_partner, declare_income, sign_agreement
from tenants.partners.models import Contribution
from tests.support.calendar import on_day
from tests.support.models import chengnan
from tests.support.rows import rows_unchanged

TODAY = date(2025, 7, 15)
STARTS, ENDS = date(2025, 1, 1), date(2025, 7, 1)
RATE = "partners.contributions[stationed].rate"


def at(rate="0.05", change=lambda document: None):
    document = chengnan()
    document["partners"]["contributions"][0]["rate"] = rate
    change(document)
    return document


@pytest.fixture
def town(house):
    """城南 with a stationed clinic (January 1,000,000, February 333,333 fen) and a visiting tailor
    (3 sessions in January); 工盛 with a clinic (January 500,000 fen)."""
    system = system_actor(house.street)
    with on_day(TODAY), tenant_context(house.street):
        house.gongsheng = add_community(actor=system, name="工盛社区", opened_on=date(2024, 1, 1))

        def partner(community, name, **terms):
            admitted = admit_partner(
                actor=system, community_id=community.pk, name=name, kind="enterprise"
            )
            given = {
                "mode": "stationed", "rule_key": "stationed", "starts_on": date(2024, 1, 1),
                "ends_on": date(2027, 1, 1),
            }  # fmt: skip
            return sign_agreement(actor=system, partner_id=admitted.pk, **given | terms)

        house.clinic = partner(house.community, "诊所")
        house.tailor = partner(house.community, "裁缝", mode="visiting", rule_key="visiting")
        house.there = partner(house.gongsheng, "工盛诊所")
        house.january = declare(house, house.clinic, 1, income_fen=1_000_000)
        declare(house, house.clinic, 2, income_fen=333_333)
        declare(house, house.tailor, 1, sessions=3)
        declare(house, house.there, 1, income_fen=500_000)
        yield house


def declare(house, agreement, month, months=1, **given) -> Contribution:
    return declare_income(
        actor=system_actor(house.street),
        agreement_id=agreement.pk,
        starts_on=date(2025, month, 1),
        ends_on=date(2025, month + months, 1),
        **given,
    )


def ask(town, document=None, *, actor=None, starts_on=STARTS, ends_on=ENDS, **more):
    return what_if(
        actor=actor or town.administrator,
        starts_on=starts_on,
        ends_on=ends_on,
        document=document,
        **more,
    )


def partners(outcome) -> dict[UUID, tuple[int, int]]:
    return {one.partner_id: (one.was_fen, one.would_be_fen) for one in outcome.partners}


def accounts(outcome):
    return {one.code: (one.was_fen, one.would_be_fen) for one in outcome.accounts}


def test_partners_accounts_and_total_each_as_it_was_and_as_it_would_be(town):
    outcome = ask(town, at("0.05"))

    assert outcome.problems == outcome.not_worked_out == []
    assert partners(outcome) == {
        town.clinic.partner_id: (30_000 + 10_000, 50_000 + 16_667),
        town.there.partner_id: (15_000, 25_000),
        town.tailor.partner_id: (15_000, 15_000),
    }
    assert next(iter(partners(outcome))) == town.clinic.partner_id  # the greatest difference first
    assert (outcome.total.was_fen, outcome.total.would_be_fen) == (70_000, 106_667)
    assert (outcome.total.difference_fen, outcome.declarations) == (36_667, 4)
    # Each contribution is split by itself, so its odd fen goes as it would have gone.
    shares = [share.share for share in _waterfall(town)]
    then, now = (
        [sum(column) for column in zip(*(split(fen, shares) for fen in owed), strict=True)]
        for owed in ([30_000, 10_000, 15_000, 15_000], [50_000, 16_667, 25_000, 15_000])
    )
    assert accounts(outcome) == {
        f"held:{share.key}": (was, would_be)
        for share, was, would_be in zip(_waterfall(town), then, now, strict=True)
    }


def _waterfall(town):
    from tenants.operating_model.selectors import effective_rules

    return effective_rules(TODAY).document.fund.waterfall


def test_rules_that_stand_give_what_was(town):
    """The draft is what is in force: every partner, every account and the total as they were."""
    outcome = ask(town, chengnan())

    assert outcome.total.was_fen == outcome.total.would_be_fen == 70_000
    for one in (*outcome.partners, *outcome.accounts):
        assert one.was_fen == one.would_be_fen


def test_each_account_is_as_its_own_waterfall_allocated_it(town):
    """Also of what has not arrived; where it has, the ledger says the same."""

    def other_shares(document):
        document["fund"]["waterfall"] = [
            {"key": "services", "title": {"zh": "服务"}, "share": "0.25"},
            {"key": "repairs", "title": {"zh": "维修"}, "share": "0.75"},
        ]

    receive_contribution(
        actor=system_actor(town.street),
        contribution_id=town.january.pk,
        amount_fen=30_000,
        received_on=TODAY,
    )
    outcome = ask(town, at("0.03", other_shares), ends_on=date(2025, 2, 1))

    arrived = {
        posting.credit.code: posting.amount_fen
        for posting in Posting.objects.filter(kind="allocation").select_related("credit")
    }
    shown = accounts(outcome)
    assert {code: was for code, (was, _now) in shown.items() if was} == {
        code: fen * 2
        for code, fen in arrived.items()  # 30 000 of 60 000 in all arrived
    }
    assert {code: now for code, (_was, now) in shown.items() if now} == {
        "held:services": 15_000, "held:repairs": 45_000,
    }  # fmt: skip


def test_a_model_that_says_who_takes_the_odd_fen_is_replayed_as_the_ledger_allocates(town):
    """50, 40 and 10 % of 3,007 fen leave two over: both to the last, not one each to the last two."""
    system = system_actor(town.street)
    document = at("0.03")
    document["fund"]["rest_to"] = document["fund"]["waterfall"][-1]["key"]
    version = write_version(actor=system, key="rest", title="余数", document=document, bounds={})
    adopt_version(actor=system, version_id=version.pk, effective_from=TODAY)
    with on_day(date(2025, 9, 1)):
        owed = declare_income(
            actor=system, agreement_id=town.clinic.pk, starts_on=date(2025, 8, 1),
            ends_on=date(2025, 9, 1), income_fen=100_233,
        )  # fmt: skip
        receive_contribution(
            actor=system, contribution_id=owed.pk, amount_fen=owed.amount_fen,
            received_on=date(2025, 9, 1),
        )  # fmt: skip
        shown = accounts(ask(town, document, starts_on=date(2025, 8, 1), ends_on=date(2025, 9, 1)))

    allocated = {
        posting.credit.code: posting.amount_fen
        for posting in Posting.objects.filter(kind="allocation").select_related("credit")
    }
    assert {code: was for code, (was, _now) in shown.items()} == allocated
    assert {code: now for code, (_was, now) in shown.items()} == allocated
    assert allocated == {"held:services": 1_503, "held:property": 1_202, "held:volunteers": 302}


def test_what_the_draft_cannot_work_out_is_told_and_never_dropped(town):
    def changed(document):
        share, session = document["partners"]["contributions"]
        share["base"] = "profit"  # takings were declared
        document["partners"]["contributions"] = [share, session | {"key": "guests"}]

    outcome = ask(town, at("0.05", changed))

    assert sorted(one.problem.code for one in outcome.not_worked_out) == [
        "BASE_DIFFERS", "BASE_DIFFERS", "BASE_DIFFERS", "RULE_UNKNOWN",
    ]  # fmt: skip
    assert outcome.not_worked_out_fen == 70_000
    assert (outcome.declarations, outcome.total.was_fen, outcome.accounts) == (0, 0, [])
    clinic = next(one for one in outcome.partners if one.partner_id == town.clinic.partner_id)
    assert (clinic.declarations, clinic.not_worked_out, clinic.not_worked_out_fen) == (0, 2, 40_000)


def test_what_was_never_asked_for_is_no_zero(town):
    """Of the tailor only sessions are known, of the clinics only takings."""

    def swapped(document):
        share, session = document["partners"]["contributions"]
        document["partners"]["contributions"] = [
            share | {"key": "visiting", "modes": ["visiting"]},
            session | {"key": "stationed", "modes": ["stationed"]},
        ]

    outcome = ask(town, at("0.05", swapped))

    assert sorted(one.problem.code for one in outcome.not_worked_out) == [
        "INCOME_MISSING", "SESSIONS_MISSING", "SESSIONS_MISSING", "SESSIONS_MISSING",
    ]  # fmt: skip


def test_a_declared_zero_is_one(town):
    declare(town, town.clinic, 3, income_fen=0)

    def least(document):
        document["partners"]["contributions"][0]["minimum_fen"] = 3_650_000

    march = ask(town, at("0.05", least), starts_on=date(2025, 3, 1), ends_on=date(2025, 4, 1))
    assert (march.not_worked_out, march.total.would_be_fen) == ([], 310_000)


def test_a_declaration_counts_whole_or_is_counted_as_crossing(town):
    declare(town, town.there, 2, months=2, income_fen=100_000)

    outcome = ask(town, at(), ends_on=date(2025, 3, 1))

    assert (outcome.declarations, outcome.crossing.declarations) == (4, 1)
    assert outcome.crossing.was_fen == 3_000
    assert outcome.total.was_fen == 70_000
    later = ask(town, at(), starts_on=date(2025, 3, 1))
    assert (later.declarations, later.crossing.declarations, later.partners) == (0, 1, [])


def test_rent_free_months_count_as_they_were_agreed(town):
    system = system_actor(town.street)
    admitted = admit_partner(
        actor=system, community_id=town.gongsheng.pk, name="托育", kind="enterprise"
    )
    free = sign_agreement(
        actor=system, partner_id=admitted.pk, mode="stationed", rule_key="stationed",
        starts_on=date(2025, 1, 1), ends_on=date(2027, 1, 1), rent_free_months=2,
    )  # fmt: skip
    declare(town, free, 1, months=3, income_fen=900_000)

    was, would_be = partners(ask(town, at("0.06")))[admitted.pk]
    assert (was, would_be) == (9_300, 18_600)  # 31 of 90 days owe


def test_the_layers_of_today_stand_above_and_below_the_draft(town, district):
    with tenant_context(district):
        issue_policy(
            actor=system_actor(district),
            values={},
            bounds={RATE: {"maximum": "0.04"}},
            effective_from=TODAY,
        )
    land_policies(town.street, actor=None)
    set_layer(
        actor=system_actor(town.street),
        community_id=town.gongsheng.pk,
        values={RATE: "0.02"},
        bounds={},
        effective_from=TODAY,
    )

    outcome = ask(town, at("0.04"))
    assert partners(outcome)[town.there.partner_id] == (15_000, 10_000)
    assert partners(outcome)[town.clinic.partner_id] == (40_000, 40_000 + 13_333)
    [problem] = ask(town, at("0.05")).problems
    assert (problem.code, problem.data["set_by"]["name"]) == ("OUTSIDE_BOUNDS", "张店区")
    outcome = ask(town, at("0.05"), values={RATE: "0.01"})
    assert partners(outcome)[town.clinic.partner_id] == (40_000, 10_000 + 3_333)


def test_the_street_s_values_take_the_place_of_its_layer(town):
    set_layer(
        actor=system_actor(town.street), values={RATE: "0.02"}, bounds={}, effective_from=TODAY
    )
    assert partners(ask(town, at()))[town.there.partner_id] == (15_000, 10_000)
    assert partners(ask(town, at(), values={}))[town.there.partner_id] == (15_000, 25_000)


def test_a_version_here_and_a_published_one_are_drafts_too(town):
    system = system_actor(town.street)
    version = write_version(
        actor=system, key="next", title="下一版", document=at("0.05"), bounds={}
    )
    published = publish_version(actor=system, version_id=version.pk, profiles=["ageing"])

    for draft in ({"version_id": version.pk}, {"published_id": published.pk}):
        assert ask(town, **draft).total.would_be_fen == 106_667
    for drafts in ({}, {"version_id": version.pk, "document": at()}):
        with pytest.raises(Refused) as refused:
            ask(town, **drafts)
        assert refused.value.code == "ONE_VERSION"
    with pytest.raises(Refused) as refused:
        ask(town, version_id=town.street.pk)
    assert refused.value.code == "NOT_FOUND"


def test_why_a_draft_cannot_stand_is_told(town):
    outcome = ask(town, at("3%"))
    assert [(one.code, one.field) for one in outcome.problems] == [("DOCUMENT_INVALID", RATE)]
    assert outcome.partners == []


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code"),
    [
        (ENDS, STARTS, "PERIOD_INVALID"),
        (STARTS, STARTS, "PERIOD_INVALID"),
        (STARTS, date(2025, 7, 16), "PERIOD_NOT_OVER"),
        (date(2020, 1, 1), ENDS, "PERIOD_TOO_LONG"),
    ],
)
def test_the_period_is_over_and_not_too_long(town, starts_on, ends_on, code):
    with pytest.raises(Refused) as refused:
        ask(town, at(), starts_on=starts_on, ends_on=ends_on)
    assert (refused.value.code, refused.value.field) == (code, "endsOn")
    if code == "PERIOD_NOT_OVER":
        ask(town, at(), ends_on=TODAY)


def test_who_asks_is_told_of_the_communities_they_may_read(town, actor_as):
    secretary = actor_as(town.street, Role.COMMUNITY_SECRETARY, community_id=town.gongsheng.pk)

    assert set(partners(ask(town, at(), actor=secretary))) == {town.there.partner_id}
    one = ask(town, at(), community_id=town.gongsheng.pk)
    assert (set(partners(one)), one.total.was_fen) == ({town.there.partner_id}, 15_000)
    for community_id in (town.community.pk, town.street.pk):  # another's, and none at all
        with pytest.raises(Refused) as refused:
            ask(town, at(), actor=secretary, community_id=community_id)
        assert (refused.value.code, refused.value.field) == ("NOT_FOUND", "communityId")
    with pytest.raises(Refused) as refused:
        ask(town, at(), community_id=town.street.pk)
    assert refused.value.code == "NOT_FOUND"
    with pytest.raises(Forbidden):
        ask(town, at(), actor=actor_as(town.street, Role.PARTNER))


def test_what_one_community_has_set_does_not_hold_up_the_others(town, actor_as):
    """工盛 has set a rate that the draft has no room for: it is left out, by name, and 城南 is replayed."""
    set_layer(
        actor=system_actor(town.street), community_id=town.gongsheng.pk, values={RATE: "0.0437"},
        bounds={}, effective_from=TODAY,
    )  # fmt: skip
    draft = {"values": {}, "bounds": {RATE: {"maximum": "0.035"}}}

    outcome = ask(town, at("0.03"), **draft)

    assert (outcome.problems, outcome.declarations) == ([], 3)
    [left_out] = outcome.not_worked_out
    assert (left_out.agreement_id, left_out.was_fen) == (town.there.pk, 15_000)
    assert (left_out.problem.code, left_out.problem.field) == ("CLASHES_BELOW", RATE)
    with translation.override("en"):
        assert str(left_out.problem.message).startswith("What 工盛社区 has set does not fit: ")
    # Who may not read of it is told nothing of it.
    secretary = actor_as(town.street, Role.COMMUNITY_SECRETARY, community_id=town.community.pk)
    outcome = ask(town, at("0.03"), actor=secretary, **draft)
    assert (outcome.problems, outcome.not_worked_out, outcome.declarations) == ([], [], 3)


def test_a_draft_is_replayed_with_its_bounds(town):
    actor = system_actor(town.street)
    draft = open_draft(actor=actor, key="chengnan", title="草稿")
    draft = save_draft(
        actor=actor, draft_id=draft.pk, document=at("0.04"), bounds={RATE: {"maximum": "0.045"}}
    )
    set_layer(
        actor=actor, community_id=town.gongsheng.pk, values={RATE: "0.05"}, bounds={},
        effective_from=TODAY,
    )  # fmt: skip

    outcome = what_if(actor=actor, starts_on=STARTS, ends_on=ENDS, draft_id=draft.pk)

    assert outcome.total.would_be_fen == ask(town, at("0.04")).total.would_be_fen - 25_000
    assert [one.problem.code for one in outcome.not_worked_out] == ["CLASHES_BELOW"]
    draft = save_draft(actor=actor, draft_id=draft.pk, document={"partners": 3})
    outcome = what_if(actor=actor, starts_on=STARTS, ends_on=ENDS, draft_id=draft.pk)
    assert {one.code for one in outcome.problems} == {"DOCUMENT_INVALID"}


def test_an_upgrade_is_replayed_with_what_was_decided(town, actor_as):
    actor = system_actor(town.street)
    set_layer(
        actor=actor, community_id=town.gongsheng.pk, values={RATE: "0.02"}, bounds={},
        effective_from=TODAY, reason="利润薄",
    )  # fmt: skip
    version = write_version(
        actor=actor, key="chengnan", title="第二版", document=at("0.05"), bounds={}
    )
    upgrade = open_upgrade(
        actor=actor, version_id=version.pk, effective_from=date(2025, 8, 1), reason="第二版"
    )

    def replayed(not_decided, actor=actor):
        outcome = what_if(actor=actor, starts_on=STARTS, ends_on=ENDS, upgrade_id=upgrade.pk)
        assert outcome.problems == outcome.not_worked_out == []
        assert outcome.open_questions == not_decided
        return {one.partner_id: one.would_be_fen for one in outcome.partners}

    there, here = town.there.partner_id, town.clinic.partner_id
    before = replayed(not_decided=1)
    assert (before[there], before[here]) == (10_000, 66_667)
    replayed(
        not_decided=0,
        actor=actor_as(town.street, Role.COMMUNITY_SECRETARY, community_id=town.community.pk),
    )
    decide_upgrade(
        actor=actor,
        upgrade_id=upgrade.pk,
        decisions=[Said(RATE, "take", community_id=town.gongsheng.pk)],
    )
    assert replayed(not_decided=0)[there] == 25_000
    with pytest.raises(Refused) as refused:
        what_if(
            actor=actor,
            starts_on=STARTS,
            ends_on=ENDS,
            upgrade_id=upgrade.pk,
            values={RATE: "0.02"},
        )
    assert refused.value.code == "ONE_VERSION"
    give_up_upgrade(actor=actor, upgrade_id=upgrade.pk)
    with pytest.raises(NotFound) as refused:
        what_if(actor=actor, starts_on=STARTS, ends_on=ENDS, upgrade_id=upgrade.pk)
    assert refused.value.field == "upgradeId"


def test_nothing_is_written_and_nothing_could_be(town):
    """All rows as they were, in a transaction that may only read; no snapshot is frozen."""
    snapshots = RuleSnapshot.objects.count()
    with rows_unchanged(connection.schema_name), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        outcome = ask(town, at("0.05"), values={RATE: "0.04"}, bounds={})
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_read_only")
            assert cursor.fetchone() == ("on",)
    assert outcome.total.would_be_fen != outcome.total.was_fen
    assert RuleSnapshot.objects.count() == snapshots


def test_more_declarations_cost_no_more_statements(town):
    with CaptureQueriesContext(connection) as few:
        ask(town, at())
    for month in range(3, 7):
        declare(town, town.there, month, income_fen=month)
        declare(town, town.tailor, month, sessions=month)
    with CaptureQueriesContext(connection) as many:
        assert ask(town, at()).declarations == 12

    assert len(few) == len(many) <= 6


def test_it_is_what_a_later_run_under_the_adopted_rules_makes(town):
    """The same declared again of twin agreements, once the draft is in force: the same fen."""
    document = at("0.041")
    predicted = ask(town, document)
    system = system_actor(town.street)
    version = write_version(actor=system, key="next", title="下一版", document=document, bounds={})
    adopt_version(actor=system, version_id=version.pk, effective_from=TODAY)
    twins = []
    for income in (1_000_000, 333_333, 500_000):
        admitted = admit_partner(
            actor=system, community_id=town.gongsheng.pk, name=f"双胞胎{income}", kind="enterprise"
        )
        agreement = sign_agreement(
            actor=system, partner_id=admitted.pk, mode="stationed", rule_key="stationed",
            starts_on=TODAY, ends_on=date(2027, 1, 1),
        )  # fmt: skip
        with on_day(date(2025, 9, 1)):
            twins.append(
                declare_income(
                    actor=system, agreement_id=agreement.pk, starts_on=TODAY,
                    ends_on=date(2025, 8, 15), income_fen=income,
                ).amount_fen
            )  # fmt: skip
    assert predicted.total.would_be_fen == sum(twins) + 15_000
