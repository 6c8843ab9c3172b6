"""The fund through the API: a yuan from its arrival to what it paid for (F1, F2, F3, F5)."""

import pytest

from linli.accounts.policy import Role, actor_for
from linli.audit.models import Entry
from linli.events.sequencing import sequence
from linli.money import yuan
from linli.tenancy.context import tenant_context
from linli_api import ids
from tests.support.api import ask, do, done, errors, refused, send, statements
from tests.support.factories import MembershipFactory

pytestmark = pytest.mark.django_db

BALANCES = "query($id: ID!) { fund(id: $id) { balanceFen accounts { nodes { code balanceFen } } } }"


def open_fund(house, community="chengnan") -> str:
    """The global id of the community's fund, open since 2024."""
    return done(
        house.administrator,
        "openFund",
        "fund { id }",
        communityId=community and getattr(house, community),
        hostCharity="淄博市慈善总会",
        openedOn="2024-01-01",
    )["id"]


def donate(house, fund, amount=10_001) -> str:
    """The event's id."""
    return done(
        house.cashier,
        "recordIncome",
        "event { id }",
        fundId=fund,
        source="DONATION",
        amountFen=amount,
        receivedOn="2026-06-01",
    )["id"]


def propose(house, fund, amount=2_000, **given) -> str:
    whole = {"share": "services", "use": "activities", "purpose": "重阳节活动"}
    return done(
        house.secretary,
        "proposeSpending",
        "spending { id }",
        fundId=fund,
        amountFen=amount,
        **whole | given,
    )["id"]


def approve(house, spending) -> str:
    return done(house.approver, "approveSpending", "spending { id }", spendingId=spending)["id"]


def pay(house, spending) -> str:
    return done(
        house.cashier, "paySpending", "spending { id }", spendingId=spending, paidOn="2026-06-10"
    )["id"]


def balances(house, fund) -> dict[str, int]:
    found = ask(house.auditor, BALANCES, id=fund)["fund"]
    accounts = {one["code"]: one["balanceFen"] for one in found["accounts"]["nodes"]}
    assert sum(accounts.values()) == 0
    assert found["balanceFen"] == sum(
        amount for code, amount in accounts.items() if code.startswith("held:")
    )
    return accounts


def contribution(house, income=100_033) -> str:
    """The global id of what a clinic owes for May: 3 %."""
    partner = done(
        house.administrator,
        "admitPartner",
        "partner { id }",
        communityId=house.chengnan,
        name="区人民医院",
        kind="enterprise",
    )["id"]
    agreement = done(
        house.administrator,
        "signAgreement",
        "agreement { id }",
        partnerId=partner,
        mode="STATIONED",
        ruleKey="stationed",
        startsOn="2026-01-01",
        endsOn="2027-01-01",
    )["id"]
    return done(
        house.administrator,
        "declareIncome",
        "contribution { id }",
        agreementId=agreement,
        startsOn="2026-05-01",
        endsOn="2026-06-01",
        incomeFen=income,
    )["id"]


class TestOpening:
    SHOWS = "fund { hostCharity openedOn balanceFen community { name } accounts { totalCount } }"

    def test_a_communitys_fund(self, house):
        fund = done(
            house.administrator,
            "openFund",
            self.SHOWS,
            communityId=house.chengnan,
            hostCharity="淄博市慈善总会",
            openedOn="2024-01-01",
        )
        assert fund == {
            "hostCharity": "淄博市慈善总会",
            "openedOn": "2024-01-01",
            "balanceFen": 0,
            "community": {"name": "城南社区"},
            "accounts": {"totalCount": 0},
        }

    def test_the_street_offices_own(self, house):
        fund = done(
            house.administrator,
            "openFund",
            self.SHOWS,
            hostCharity="淄博市慈善总会",
            openedOn="2024-01-01",
        )
        assert fund["community"] is None

    def test_one_a_community(self, house):
        for community in ("chengnan", None):
            open_fund(house, community)
            assert refused(
                house.administrator,
                "openFund",
                communityId=community and getattr(house, community),
                hostCharity="别的慈善会",
                openedOn="2024-01-01",
            ) == [("FUND_OPEN", "communityId")]

    def test_of_a_community_that_is_not_here(self, house):
        assert refused(
            house.administrator,
            "openFund",
            communityId=ids.encode("Community", house.street.pk),
            hostCharity="淄博市慈善总会",
            openedOn="2024-01-01",
        ) == [("NOT_FOUND", "communityId")]


class TestIncome:
    def test_a_donation_is_split_in_exact_fen(self, house):
        fund = open_fund(house)
        event = donate(house, fund, 10_001)

        assert balances(house, fund) == {
            "source:donation": -10_001,
            "held:inflow": 0,
            "held:services": 5_001,  # 5 000.5: the odd fen to the largest remainder
            "held:property": 4_000,
            "held:volunteers": 1_000,
        }
        postings = ask(
            house.auditor,
            """query($id: ID!) { postings(fundId: $id) { nodes {
                event { id } kind amountFen happenedOn note debit { code } credit { code }
                rules { digest } contribution { id } spending { id } reverses { id }
            } } }""",
            id=fund,
        )["postings"]["nodes"]
        assert {posting["event"]["id"] for posting in postings} == {event}
        assert {posting["rules"]["digest"] for posting in postings} == {
            ask(house.auditor, "query($id: ID!) { effectiveRules(communityId: $id) { digest } }",
                id=house.chengnan)["effectiveRules"]["digest"]
        }  # fmt: skip
        assert [
            (p["kind"], p["amountFen"], p["debit"]["code"], p["credit"]["code"]) for p in postings
        ] == [
            ("INCOME", 10_001, "source:donation", "held:inflow"),
            ("ALLOCATION", 5_001, "held:inflow", "held:services"),
            ("ALLOCATION", 4_000, "held:inflow", "held:property"),
            ("ALLOCATION", 1_000, "held:inflow", "held:volunteers"),
        ]
        assert postings[0]["contribution"] is postings[0]["spending"] is None

    def test_what_a_partner_owes_arrives_in_parts(self, house):
        fund, owed = open_fund(house), contribution(house)
        shows = """query($id: ID!) { contribution(id: $id) { amountFen receivedFen } }"""
        for amount in (1_001, 2_000):
            done(
                house.cashier,
                "receiveContribution",
                "event { id }",
                contributionId=owed,
                amountFen=amount,
                receivedOn="2026-06-05",
            )
        assert ask(house.auditor, shows, id=owed)["contribution"] == {
            "amountFen": 3_001,
            "receivedFen": 3_001,
        }
        assert balances(house, fund) == {
            "source:stationed": -3_001,
            "held:inflow": 0,
            "held:services": 1_501,
            "held:property": 1_200,
            "held:volunteers": 300,
        }
        assert refused(
            house.cashier,
            "receiveContribution",
            contributionId=owed,
            amountFen=1,
            receivedOn="2026-06-05",
        ) == [("MORE_THAN_OWED", "amountFen")]

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"amountFen": 0}, ("AMOUNT_NOT_POSITIVE", "amountFen")),
            ({"amountFen": -5}, ("AMOUNT_NOT_POSITIVE", "amountFen")),
            ({"source": "STATIONED"}, ("INCOME_IS_CONTRIBUTION", "source")),
            ({"receivedOn": "2023-12-31"}, ("DAY_OUT_OF_RANGE", "receivedOn")),
            ({"receivedOn": "2026-06-16"}, ("DAY_OUT_OF_RANGE", "receivedOn")),
            ({"note": "长" * 201}, ("NOTE_TOO_LONG", "note")),
            ({"fundId": "?"}, ("NOT_FOUND", "fundId")),
        ],
    )
    def test_what_is_refused(self, house, given, fault):
        whole = {
            "fundId": open_fund(house),
            "source": "DONATION",
            "amountFen": 100,
            "receivedOn": "2026-06-01",
        }
        assert refused(house.cashier, "recordIncome", **whole | given) == [fault]

    def test_an_account_holds_no_more_than_can_be_counted(self, house):
        fund = open_fund(house)
        donate(house, fund, 2**53 - 1)
        assert refused(
            house.cashier,
            "recordIncome",
            fundId=fund,
            source="DONATION",
            amountFen=1,
            receivedOn="2026-06-01",
        ) == [("AMOUNT_OUT_OF_RANGE", "amountFen")]

    def test_a_contribution_needs_a_fund(self, house):
        assert refused(
            house.cashier,
            "receiveContribution",
            contributionId=contribution(house),
            amountFen=1,
            receivedOn="2026-06-05",
        ) == [("NO_FUND", "contributionId")]


class TestSpending:
    def test_proposed_approved_and_paid(self, house):
        fund = open_fund(house)
        donate(house, fund)
        shows = "spending { id status accountCode use purpose amountFen sample fund { id } }"
        spending = done(
            house.secretary,
            "proposeSpending",
            shows,
            fundId=fund,
            share="services",
            use="activities",
            purpose="重阳节活动",
            amountFen=5_001,
            sample=True,
        )
        key = spending["id"]
        assert spending == {
            "id": key,
            "status": "PROPOSED",
            "accountCode": "held:services",
            "use": "activities",
            "purpose": "重阳节活动",
            "amountFen": 5_001,
            "sample": True,
            "fund": {"id": fund},
        }
        for actor, name, given, status in (
            (house.approver, "approveSpending", {}, "APPROVED"),
            (house.cashier, "paySpending", {"paidOn": "2026-06-10"}, "PAID"),
        ):
            answer = done(actor, name, "spending { status }", spendingId=key, **given)
            assert answer == {"status": status}
        assert balances(house, fund) == {
            "source:donation": -10_001,
            "held:inflow": 0,
            "held:services": 0,
            "held:property": 4_000,
            "held:volunteers": 1_000,
            "use:activities": 5_001,
        }
        paid = ask(
            house.auditor,
            """query($id: ID!) { fund(id: $id) { spendings { nodes { status } }
                accounts { nodes { code postingsIn { nodes { kind spending { purpose } } } } } } }""",
            id=fund,
        )["fund"]
        assert paid["spendings"]["nodes"] == [{"status": "PAID"}]
        used = {one["code"]: one["postingsIn"]["nodes"] for one in paid["accounts"]["nodes"]}
        assert used["use:activities"] == [
            {"kind": "SPENDING", "spending": {"purpose": "重阳节活动"}}
        ]
        actions = list(Entry.objects.order_by("id").values_list("action", flat=True))
        assert actions[-3:] == ["fund.propose", "fund.approve", "fund.pay"]

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"share": "reserve"}, ("NOT_IN_MODEL", "share")),
            ({"use": "banquets"}, ("NOT_IN_MODEL", "use")),
            ({"amountFen": 0}, ("AMOUNT_NOT_POSITIVE", "amountFen")),
            ({"purpose": "长" * 201}, ("PURPOSE_INVALID", "purpose")),
            ({"purpose": " "}, ("PURPOSE_INVALID", "purpose")),
            ({"fundId": "?"}, ("NOT_FOUND", "fundId")),
        ],
    )
    def test_what_may_not_be_asked_for(self, house, given, fault):
        whole = {
            "fundId": open_fund(house),
            "share": "services",
            "use": "activities",
            "purpose": "重阳节活动",
            "amountFen": 100,
        }
        assert refused(house.secretary, "proposeSpending", **whole | given) == [fault]

    def test_more_than_the_account_holds_is_not_paid(self, house):
        fund = open_fund(house)
        donate(house, fund, 10_000)
        spending = approve(house, propose(house, fund, 5_001))
        assert refused(house.cashier, "paySpending", spendingId=spending, paidOn="2026-06-10") == [
            ("BALANCE_TOO_LOW", "amountFen")
        ]

    def test_each_step_in_its_order_and_once(self, house):
        fund = open_fund(house)
        donate(house, fund)
        spending = propose(house, fund)
        pays = {"spendingId": spending, "paidOn": "2026-06-10"}
        early = refused(house.cashier, "paySpending", **pays)
        approve(house, spending)
        again = refused(house.approver, "approveSpending", spendingId=spending)
        pay(house, spending)
        twice = refused(house.cashier, "paySpending", **pays)
        assert early == again == twice == [("STEP_OUT_OF_ORDER", "spendingId")]

    def test_never_one_person_for_two_steps(self, house, actor_as):
        fund = open_fund(house)
        donate(house, fund)
        spending = propose(house, fund)
        both = actor_as(house.street, Role.CHARITY_APPROVER)
        for role in (Role.CHARITY_CASHIER, Role.STREET_ADMINISTRATOR):
            MembershipFactory(person=both.person, tenant=house.street, role=role)
        both = actor_for(both.person, house.street)
        own = done(
            both,
            "proposeSpending",
            "spending { id }",
            fundId=fund,
            share="services",
            use="repairs",
            purpose="修路灯",
            amountFen=1,
        )["id"]
        assert refused(both, "approveSpending", spendingId=own) == [("SAME_PERSON", "spendingId")]
        done(both, "approveSpending", "spending { id }", spendingId=spending)
        assert refused(both, "paySpending", spendingId=spending, paidOn="2026-06-10") == [
            ("SAME_PERSON", "spendingId")
        ]


class TestEvents:
    EVENT = """query($id: ID!) { ledgerEvent(id: $id) {
        id kind happenedOn note postings { amountFen event { id } credit { code } }
    } }"""

    def test_what_was_posted_together_is_shown_by_the_mutation_and_by_its_id(self, house):
        fund = open_fund(house)
        shows = "event { id postings { amountFen } } fund { balanceFen }"
        given = {"source": "DONATION", "amountFen": 10_001, "receivedOn": "2026-06-01"}
        answer = do(house.cashier, "recordIncome", shows, fundId=fund, note="捐款", **given)
        amounts = [posting["amountFen"] for posting in answer["event"]["postings"]]
        assert amounts == [10_001, 5_001, 4_000, 1_000]
        assert answer["fund"] == {"balanceFen": 10_001}
        event = ask(house.auditor, self.EVENT, id=answer["event"]["id"])["ledgerEvent"]
        assert (event["kind"], event["happenedOn"], event["note"]) == (
            "INCOME",
            "2026-06-01",
            "捐款",
        )
        assert {posting["event"]["id"] for posting in event["postings"]} == {event["id"]}

    def test_what_was_received_and_paid_shows_what_it_is_about(self, house):
        fund, owed = open_fund(house), contribution(house)
        given = {"contributionId": owed, "amountFen": 1_001, "receivedOn": "2026-06-05"}
        shows = "contribution { id receivedFen } event { kind }"
        answer = do(house.cashier, "receiveContribution", shows, **given)
        assert answer["contribution"] == {"id": owed, "receivedFen": 1_001}
        assert answer["event"] == {"kind": "CONTRIBUTION"}
        donate(house, fund)
        spending = approve(house, propose(house, fund))
        shows = "spending { id } event { kind postings { spending { id } } }"
        paid = do(house.cashier, "paySpending", shows, spendingId=spending, paidOn="2026-06-10")
        assert paid["event"] == {
            "kind": "SPENDING",
            "postings": [{"spending": {"id": spending}}],
        }

    def test_one_of_another_community_is_not_there(self, house):
        event = donate(house, open_fund(house, "gongsheng"))
        assert errors(house.secretary, self.EVENT, id=event) == [("NOT_FOUND", "id")]
        node = "query($id: ID!) { node(id: $id) { id ... on LedgerEvent { kind } } }"
        assert ask(house.auditor, node, id=event)["node"]["id"] == event
        assert errors(house.secretary, node, id=event) == [("NOT_FOUND", "id")]
        assert errors(house.auditor, self.EVENT, id="?") == [("NOT_FOUND", "id")]

    def test_the_events_of_many_postings_are_read_together(self, house):
        fund = open_fund(house)
        query = "{ postings { nodes { event { id postings { credit { code } } } } } }"
        donate(house, fund)
        few = statements(house.auditor, query)
        donate(house, fund)
        assert statements(house.auditor, query) == few


def test_what_is_told_of_money_leads_back_to_it(house):
    """A webhook's ids are the API's, and its amounts read as the API's do."""
    fund = open_fund(house)
    event = donate(house, fund)
    reversal = done(
        house.administrator, "reverseEvent", "event { id }", ledgerEventId=event, reason="记错账"
    )["id"]
    sequence(house.street.pk)
    types = "types: [INCOME_RECORDED, LEDGER_EVENT_REVERSED]"
    told = ask(house.auditor, f"{{ events({types}) {{ nodes {{ data }} }} }}")["events"]["nodes"]
    recorded, reversed_ = (one["data"] for one in told)
    assert recorded["ledgerEvent"] == event
    assert recorded["amountYuan"] == yuan(recorded["amountFen"])
    assert reversed_ == {"ledgerEvent": reversal, "reverses": event}
    read = "query($id: ID!) { ledgerEvent(id: $id) { id } }"
    assert ask(house.auditor, read, id=recorded["ledgerEvent"])["ledgerEvent"]["id"] == event


class TestReversing:
    def test_every_posting_is_taken_back_once(self, house):
        fund = open_fund(house)
        event = donate(house, fund)
        given = {"ledgerEventId": event, "reason": "记错账"}
        reversal = done(house.administrator, "reverseEvent", "event { id }", **given)["id"]

        assert reversal != event
        assert set(balances(house, fund).values()) == {0}
        postings = ask(
            house.auditor,
            "{ postings(last: 4) { nodes { event { id } kind note reverses { event { id } } } } }",
        )["postings"]["nodes"]
        assert (
            postings
            == [
                {
                    "event": {"id": reversal},
                    "kind": "REVERSAL",
                    "note": "记错账",
                    "reverses": {"event": {"id": event}},
                }
            ]
            * 4
        )
        assert refused(house.administrator, "reverseEvent", **given) == [
            ("ALREADY_REVERSED", "ledgerEventId")
        ]
        assert refused(
            house.administrator, "reverseEvent", ledgerEventId=reversal, reason="又错了"
        ) == [("REVERSAL_OF_REVERSAL", "ledgerEventId")]

    def test_what_was_spent_is_not_taken_back(self, house):
        fund = open_fund(house)
        event = donate(house, fund)
        pay(house, approve(house, propose(house, fund)))
        [fault] = refused(house.administrator, "reverseEvent", ledgerEventId=event, reason="记错账")
        assert fault[0] == "BALANCE_TOO_LOW"

    def test_of_a_contribution_it_is_owed_again(self, house):
        open_fund(house)
        owed = contribution(house)
        event = done(
            house.cashier,
            "receiveContribution",
            "event { id }",
            contributionId=owed,
            amountFen=3_001,
            receivedOn="2026-06-05",
        )["id"]
        done(
            house.administrator, "reverseEvent", "event { id }", ledgerEventId=event, reason="退回"
        )
        shows = "query($id: ID!) { contribution(id: $id) { receivedFen } }"
        assert ask(house.auditor, shows, id=owed)["contribution"] == {"receivedFen": 0}

    @pytest.mark.parametrize("reason", ["", "  ", "长" * 201])
    def test_without_a_reason_nothing_is_taken_back(self, house, reason):
        event = donate(house, open_fund(house))
        assert refused(house.administrator, "reverseEvent", ledgerEventId=event, reason=reason) == [
            ("REASON_MISSING", "reason")
        ]

    def test_an_event_that_is_not_there(self, house):
        assert refused(
            house.administrator,
            "reverseEvent",
            ledgerEventId=ids.encode("LedgerEvent", house.street.pk),
            reason="记错账",
        ) == [("NOT_FOUND", "ledgerEventId")]


class TestBalances:
    ON = """query($fundId: ID!, $on: Date!) {
        balances(fundId: $fundId, on: $on) { code balanceFen }
    }"""

    def test_at_the_end_of_any_day(self, house):
        fund = open_fund(house)
        donate(house, fund)
        pay(house, approve(house, propose(house, fund)))

        def told(on):
            rows = ask(house.auditor, self.ON, fundId=fund, on=on)["balances"]
            return {row["code"]: row["balanceFen"] for row in rows}

        before, after = told("2026-06-09"), told("2026-06-10")
        assert told("2026-05-31") == {}
        assert before == {
            "source:donation": -10_001,
            "held:inflow": 0,
            "held:services": 5_001,
            "held:property": 4_000,
            "held:volunteers": 1_000,
        }
        assert after == before | {"held:services": 3_001, "use:activities": 2_000}

    def test_of_a_fund_the_reader_may_not_see(self, house):
        others = open_fund(house, "gongsheng")
        for key in (others, ids.encode("Fund", house.street.pk), "?"):
            assert errors(house.secretary, self.ON, fundId=key, on="2026-06-10") == [
                ("NOT_FOUND", "fundId")
            ]
        assert errors(house.partner, self.ON, fundId=others, on="2026-06-10") == [
            ("FORBIDDEN", None)
        ]


GIVEN = {
    "openFund": {"hostCharity": "甲", "openedOn": "2026-01-01"},
    "receiveContribution": {
        "contributionId": "?",
        "amountFen": 1,
        "receivedOn": "2026-06-01",
    },
    "recordIncome": {
        "fundId": "?",
        "source": "DONATION",
        "amountFen": 1,
        "receivedOn": "2026-06-01",
    },
    "proposeSpending": {
        "fundId": "?",
        "share": "services",
        "use": "repairs",
        "purpose": "甲",
        "amountFen": 1,
    },
    "approveSpending": {"spendingId": "?"},
    "paySpending": {"spendingId": "?", "paidOn": "2026-06-01"},
    "reverseEvent": {"ledgerEventId": "?", "reason": "甲"},
}


class TestWhoMay:
    @pytest.mark.parametrize("name", GIVEN)
    def test_who_may_only_read_writes_nothing(self, house, name):
        assert refused(house.auditor, name, **GIVEN[name]) == [("FORBIDDEN", None)]
        assert refused(None, name, **GIVEN[name]) == [("UNAUTHENTICATED", None)]

    @pytest.mark.parametrize("name", ["funds", "postings", "spendings"])
    def test_a_partner_sees_no_money(self, house, name):
        assert errors(house.partner, f"{{ {name} {{ totalCount }} }}") == [("FORBIDDEN", None)]

    def test_a_secretary_sees_and_asks_of_one_fund_only(self, house):
        own, others = open_fund(house), open_fund(house, "gongsheng")
        donate(house, others)
        seen = ask(
            house.secretary,
            "{ funds { nodes { id } } postings { totalCount } spendings { totalCount } }",
        )
        assert seen == {
            "funds": {"nodes": [{"id": own}]},
            "postings": {"totalCount": 0},
            "spendings": {"totalCount": 0},
        }
        hidden = "query($id: ID!) { fund(id: $id) { id } }"
        assert errors(house.secretary, hidden, id=others) == [("NOT_FOUND", "id")]
        given = GIVEN["proposeSpending"] | {"fundId": others}
        absent = GIVEN["proposeSpending"] | {"fundId": ids.encode("Fund", house.street.pk)}
        assert (
            refused(house.secretary, "proposeSpending", **given)
            == refused(house.secretary, "proposeSpending", **absent)
            == [("NOT_FOUND", "fundId")]
        )

    def test_another_tenants_ids_are_the_ids_of_nothing(self, house, other_street, actor_as):
        fund = open_fund(house)
        event = donate(house, fund)
        spending = propose(house, fund)
        owed = contribution(house)
        administrator, approver, cashier = (
            actor_as(other_street, role)
            for role in (
                Role.STREET_ADMINISTRATOR,
                Role.CHARITY_APPROVER,
                Role.CHARITY_CASHIER,
            )
        )
        with tenant_context(other_street):
            for actor, name, given in (
                (administrator, "openFund", {"communityId": house.chengnan}),
                (cashier, "receiveContribution", {"contributionId": owed}),
                (cashier, "recordIncome", {"fundId": fund}),
                (administrator, "proposeSpending", {"fundId": fund}),
                (approver, "approveSpending", {"spendingId": spending}),
                (cashier, "paySpending", {"spendingId": spending}),
                (administrator, "reverseEvent", {"ledgerEventId": event}),
            ):
                [field] = given
                assert refused(actor, name, **GIVEN[name] | given) == [("NOT_FOUND", field)]
            for name, key in (("fund", fund), ("spending", spending)):
                query = f"query($id: ID!) {{ {name}(id: $id) {{ id }} }}"
                assert errors(administrator, query, id=key) == [("NOT_FOUND", "id")]


def test_statements_do_not_grow_with_the_rows(house):
    document = """{
        funds { nodes {
            community { name } balanceFen
            accounts { nodes { code postingsIn { nodes { rules { digest } debit { code } } } } }
            spendings { nodes { status } }
        } }
        postings { nodes { debit { code } credit { code } reverses { id } contribution { receivedFen } } }
    }"""
    first = open_fund(house)
    donate(house, first)
    propose(house, first)
    few = statements(house.auditor, document)
    second = open_fund(house, "gongsheng")
    for fund in (first, second):
        for amount in (10_001, 777, 3):
            donate(house, fund, amount)
    propose(house, first)
    assert statements(house.auditor, document) == few


def test_null_for_an_optional_text_is_the_clients_fault(house):
    fund = open_fund(house)
    body = send(
        house.cashier,
        """mutation($fund: ID!) { recordIncome(input: {
            fundId: $fund, source: DONATION, amountFen: 1, receivedOn: "2026-06-01", note: null
        }) { errors { code } } }""",
        fund=fund,
    )
    assert [error["extensions"]["code"] for error in body["errors"]] == ["REQUEST_INVALID"]


def test_a_refusal_says_what_would_be_right(house):
    fund = open_fund(house)
    [error] = do(
        house.secretary,
        "proposeSpending",
        **GIVEN["proposeSpending"] | {"fundId": fund, "use": "banquets"},
    )["errors"]
    assert error["message"] == (
        "The model in force has no “banquets” here. It allows: "
        "activities, repairs, hardship_visits."
    )
