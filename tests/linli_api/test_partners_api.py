"""Partners, agreements, declarations and what is owed, through the API (P1, P3, P4)."""

import pytest
from django.utils.translation import override

from linli.accounts.policy import Role
from linli.audit.models import Entry
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from tests.support.api import ask, do, done, errors, refused, send, statements, unchanged
from tests.support.calendar import on_day

from .conftest import TODAY

pytestmark = pytest.mark.django_db

RATE = "partners.contributions[stationed].rate"
YEAR = {"startsOn": "2026-01-01", "endsOn": "2027-01-01"}
MAY = {"startsOn": "2026-05-01", "endsOn": "2026-06-01"}


def admit(house, name="区人民医院", community=None, **given) -> str:
    """Its global id."""
    return done(
        house.administrator,
        "admitPartner",
        "partner { id }",
        communityId=community or house.chengnan,
        name=name,
        **{"kind": "enterprise"} | given,
    )["id"]


def sign(house, partner, **given) -> str:
    """The global id of a stationed partner's agreement for 2026."""
    terms = {"partnerId": partner, "mode": "STATIONED", "ruleKey": "stationed", **YEAR}
    return done(house.administrator, "signAgreement", "agreement { id }", **terms | given)["id"]


def declare(house, agreement, **given) -> str:
    """The global id of the contribution for May."""
    shows = "contribution { id }"
    terms = {"agreementId": agreement, **MAY}
    return done(house.administrator, "declareIncome", shows, **terms | given)["id"]


class TestAdmitting:
    def test_a_partner_is_admitted_and_read(self, house):
        partner = done(
            house.administrator,
            "admitPartner",
            "partner { id name kind isIndividual joinedOn sample community { name } }",
            communityId=house.chengnan,
            name=" 王老师合唱团 ",
            kind="skilled_resident",
            isIndividual=True,
            joinedOn="2025-03-01",
        )
        key = partner.pop("id")
        assert partner == {
            "name": "王老师合唱团",
            "kind": "skilled_resident",
            "isIndividual": True,
            "joinedOn": "2025-03-01",
            "sample": False,
            "community": {"name": "城南社区"},
        }
        read = ask(house.auditor, "query($id: ID!) { partner(id: $id) { name } }", id=key)
        assert read["partner"] == {"name": "王老师合唱团"}
        entry = Entry.objects.get(action="partners.admitted")
        assert entry.person_id == house.administrator.person_id

    def test_left_out_is_today_and_an_organisation(self, house):
        key = admit(house)
        read = "query($id: ID!) { partner(id: $id) { joinedOn isIndividual } }"
        assert ask(house.auditor, read, id=key)["partner"] == {
            "joinedOn": TODAY.isoformat(),
            "isIndividual": False,
        }

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"kind": "factory"}, ("KIND_UNKNOWN", "kind")),
            ({"name": "  "}, ("NAME_INVALID", "name")),
            ({"name": "长" * 101}, ("NAME_INVALID", "name")),
            ({"name": "医\0院"}, ("TEXT_INVALID", "name")),
            ({"name": "区人民医院"}, ("PARTNER_ADMITTED", "name")),
            ({"communityId": "Q29tbXVuaXR5OjE="}, ("NOT_FOUND", "communityId")),
        ],
    )
    def test_what_is_refused(self, house, given, fault):
        admit(house)
        whole = {"communityId": house.chengnan, "name": "诊所", "kind": "enterprise"}
        assert refused(house.administrator, "admitPartner", **whole | given) == [fault]

    def test_a_wrong_kind_is_answered_with_the_right_ones(self, house):
        given = {"communityId": house.chengnan, "name": "诊所", "kind": "factory"}
        [error] = do(house.administrator, "admitPartner", **given)["errors"]
        assert "enterprise (企业)" in error["message"]


class TestSigning:
    def test_an_agreement_is_signed_and_read(self, house):
        agreement = done(
            house.secretary,
            "signAgreement",
            """agreement {
                mode ruleKey agreedRate services spaces utilitiesBorneBy rentFreeMonths
                startsOn endsOn sample partner { name }
            }""",
            partnerId=admit(house),
            mode="STATIONED",
            ruleKey="stationed",
            agreedRate="0.045",
            services="日间照料",
            spaces="二楼东",
            utilitiesBorneBy="COMMUNITY",
            rentFreeMonths=18,
            **YEAR,
        )
        expected = {
            "mode": "STATIONED",
            "ruleKey": "stationed",
            "agreedRate": "0.045",
            "services": "日间照料",
            "spaces": "二楼东",
            "utilitiesBorneBy": "COMMUNITY",
            "rentFreeMonths": 18,
            "startsOn": "2026-01-01",
            "endsOn": "2027-01-01",
            "sample": False,
            "partner": {"name": "区人民医院"},
        }
        assert agreement == expected
        document = f"{{ agreements {{ nodes {{ {' '.join(list(expected)[:-1])} }} }} }}"
        [read] = ask(house.auditor, document)["agreements"]["nodes"]
        assert read == {name: expected[name] for name in list(expected)[:-1]}

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"agreedRate": "0.051"}, ("OUTSIDE_BOUNDS", "agreedRate")),
            ({"agreedRate": "0.009"}, ("OUTSIDE_BOUNDS", "agreedRate")),
            ({"agreedRate": "0.0300001"}, ("RATE_INVALID", "agreedRate")),
            ({"agreedRate": "-0.03"}, ("RATE_INVALID", "agreedRate")),
            ({"ruleKey": "tithe"}, ("RULE_UNKNOWN", "ruleKey")),
            ({"mode": "VISITING"}, ("RULE_NOT_FOR_MODE", "ruleKey")),
            (
                {"mode": "VISITING", "ruleKey": "visiting", "agreedRate": "0.03"},
                ("RATE_NOT_FOR_RULE", "agreedRate"),
            ),
            ({"rentFreeMonths": 19}, ("RENT_FREE_TOO_LONG", "rentFreeMonths")),
            ({"endsOn": "2026-01-01"}, ("TERM_INVALID", "endsOn")),
        ],
    )
    def test_what_is_refused(self, house, given, fault):
        whole = {
            "partnerId": admit(house),
            "mode": "STATIONED",
            "ruleKey": "stationed",
            **YEAR,
        }
        assert refused(house.administrator, "signAgreement", **whole | given) == [fault]

    def test_a_rate_outside_names_the_bound_and_who_set_it(self, house):
        [error] = do(
            house.administrator,
            "signAgreement",
            partnerId=admit(house),
            mode="STATIONED",
            ruleKey="stationed",
            agreedRate="0.06",
            **YEAR,
        )["errors"]
        assert (
            error["message"]
            == "“Partners › Contributions › Share of takings › Rate” is 6 %; 车站街道 has laid down: at most 5 %."
        )


class TestDeclaring:
    WORKED = """contribution {
        amountFen receivedFen
        lines {
            explanation startsOn endsOn ruleKey rentFree base declaredFen baseFen rate
            declaredSessions sessions feeFen amountFen ruleDigest
        }
        rules { digest version { number } content }
        declaration { startsOn endsOn incomeFen sessions }
    }"""

    def test_a_share_is_worked_out_to_the_fen(self, house):
        worked = done(
            house.administrator,
            "declareIncome",
            self.WORKED,
            agreementId=sign(house, admit(house)),
            incomeFen=1_234_567,
            **MAY,
        )
        rules = worked.pop("rules")
        assert rules["version"] == {"number": 1}
        assert rules["content"]["document"]["partners"]["rent_free_months"] == 18
        assert worked == {
            "amountFen": 37_037,  # 3 % of 12 345.67 = 370.3701
            "receivedFen": 0,
            "lines": [
                {
                    "explanation": "2026-05-01 to 2026-05-31: 3 % of takings of 12,345.67 yuan "
                    "= 370.37 yuan, rounded to the nearest fen, half a fen upwards.",
                    "startsOn": "2026-05-01",
                    "endsOn": "2026-06-01",
                    "ruleKey": "stationed",
                    "rentFree": False,
                    "base": "takings",
                    "declaredFen": 1_234_567,
                    "baseFen": 1_234_567,
                    "rate": "0.03",
                    "declaredSessions": 0,
                    "sessions": 0,
                    "feeFen": None,
                    "amountFen": 37_037,
                    "ruleDigest": rules["digest"],
                }
            ],
            "declaration": {
                "startsOn": "2026-05-01",
                "endsOn": "2026-06-01",
                "incomeFen": 1_234_567,
                "sessions": 0,
            },
        }

    def test_the_explanation_is_in_the_readers_language(self, house):
        declare(house, sign(house, admit(house)), incomeFen=1_234_567)
        query = Request("{ contributions { nodes { lines { explanation } } } }")
        with override("zh-hans"):
            body = run(tenant_schema, query, house.auditor).body
        [row] = body["data"]["contributions"]["nodes"]
        assert row["lines"][0]["explanation"] == (
            "2026-05-01 至 2026-05-31：营业额 12,345.67 元的 3 % = 370.37 元，四舍五入到分。"
        )

    def test_a_fee_per_session(self, house):
        visiting = sign(house, admit(house), mode="VISITING", ruleKey="visiting")
        key = declare(house, visiting, sessions=11)
        shows = (
            "query($id: ID!) { contribution(id: $id) { amountFen lines { sessions feeFen rate } } }"
        )
        assert ask(house.auditor, shows, id=key)["contribution"] == {
            "amountFen": 55_000,
            "lines": [{"sessions": 11, "feeFen": 5_000, "rate": None}],
        }

    def test_a_rule_that_changes_within_the_period_counts_from_its_day(self, house):
        agreement = sign(house, admit(house))
        with on_day(TODAY.replace(month=5, day=10)):
            done(
                house.administrator,
                "setLayer",
                "layer { id }",
                communityId=house.chengnan,
                values=[{"path": RATE, "value": "0.02"}],
                bounds=[],
                effectiveFrom="2026-05-11",
                expectedVersion=0,
            )
        key = declare(house, agreement, incomeFen=3_100_000)
        shows = "query($id: ID!) { contribution(id: $id) { amountFen lines { startsOn rate baseFen amountFen } } }"
        assert ask(house.auditor, shows, id=key)["contribution"] == {
            "amountFen": 72_000,
            "lines": [
                {
                    "startsOn": "2026-05-01",
                    "rate": "0.03",
                    "baseFen": 1_000_000,
                    "amountFen": 30_000,
                },
                {
                    "startsOn": "2026-05-11",
                    "rate": "0.02",
                    "baseFen": 2_100_000,
                    "amountFen": 42_000,
                },
            ],
        }

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"incomeFen": -100}, ("DECLARED_NEGATIVE", "incomeFen")),
            ({"incomeFen": -1}, ("DECLARED_NEGATIVE", "incomeFen")),
            ({}, ("INCOME_MISSING", "incomeFen")),
            ({"incomeFen": 1, "sessions": -1}, ("DECLARED_NEGATIVE", "sessions")),
            ({"incomeFen": 1, "endsOn": "2026-05-01"}, ("PERIOD_INVALID", "endsOn")),
            ({"incomeFen": 1, "startsOn": "2025-12-31"}, ("DECLARED_OUTSIDE_TERM", "startsOn")),
            ({"incomeFen": 1, "endsOn": "2026-06-16"}, ("DECLARED_TOO_EARLY", "endsOn")),
            (
                {"incomeFen": 1, "startsOn": "2026-04-01", "endsOn": "2026-05-01"},
                ("DECLARED_TWICE", "startsOn"),
            ),
            ({"incomeFen": 1, "agreementId": "?"}, ("NOT_FOUND", "agreementId")),
        ],
    )
    def test_what_is_refused(self, house, given, fault):
        agreement = sign(house, admit(house))
        declare(house, agreement, incomeFen=1, startsOn="2026-04-10", endsOn="2026-05-01")
        whole = {"agreementId": agreement, **MAY}
        assert refused(house.administrator, "declareIncome", **whole | given) == [fault]

    def test_sessions_are_asked_for(self, house):
        visiting = sign(house, admit(house), mode="VISITING", ruleKey="visiting")
        assert refused(
            house.administrator, "declareIncome", agreementId=visiting, incomeFen=1, **MAY
        ) == [("SESSIONS_MISSING", "sessions")]

    @pytest.mark.parametrize("income", ["1.5", 1.5, 2**53])
    def test_what_is_no_amount_in_fen(self, house, income):
        with unchanged():
            body = send(
                house.administrator,
                "mutation($input: DeclareIncomeInput!) { declareIncome(input: $input) { errors { code } } }",
                input={"agreementId": "?", "incomeFen": income, **MAY},
            )
        assert [one["extensions"]["code"] for one in body["errors"]] == ["REQUEST_INVALID"]


NESTED = """{
    communities {
        nodes {
            name
            partners {
                totalCount
                nodes {
                    name
                    agreements {
                        nodes {
                            mode
                            declarations {
                                nodes {
                                    startsOn
                                    contribution {
                                        amountFen receivedFen rules { version { number } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}"""


class TestReading:
    def test_from_the_community_to_what_is_owed(self, house):
        agreement = sign(house, admit(house))
        declare(house, agreement, incomeFen=100_000)
        declare(house, agreement, incomeFen=50_017, startsOn="2026-06-01", endsOn="2026-06-10")
        admit(house, "爱心食堂", house.gongsheng)

        assert ask(house.auditor, NESTED)["communities"]["nodes"] == [
            {
                "name": "城南社区",
                "partners": {
                    "totalCount": 1,
                    "nodes": [
                        {
                            "name": "区人民医院",
                            "agreements": {
                                "nodes": [
                                    {
                                        "mode": "STATIONED",
                                        "declarations": {
                                            "nodes": [
                                                _owed("2026-05-01", 3_000),
                                                _owed("2026-06-01", 1_501),
                                            ]
                                        },
                                    }
                                ]
                            },
                        }
                    ],
                },
            },
            {
                "name": "工盛社区",
                "partners": {
                    "totalCount": 1,
                    "nodes": [{"name": "爱心食堂", "agreements": {"nodes": []}}],
                },
            },
        ]

    def test_statements_do_not_grow_with_the_rows(self, house):
        declare(house, sign(house, admit(house)), incomeFen=100_000)
        few = statements(house.auditor, NESTED)
        for name in "甲乙丙丁":
            for community in (house.chengnan, house.gongsheng):
                agreement = sign(house, admit(house, name, community))
                declare(house, agreement, incomeFen=100_000)
                declare(house, agreement, incomeFen=1, startsOn="2026-04-01", endsOn="2026-05-01")
        assert statements(house.auditor, NESTED) == few

    def test_lists_and_what_narrows_them(self, house):
        clinic, canteen = admit(house), admit(house, "爱心食堂", kind="social_organisation")
        stationed = sign(house, clinic)
        sign(house, canteen, mode="VISITING", ruleKey="visiting")
        declare(house, stationed, incomeFen=100)
        declare(house, stationed, incomeFen=100, startsOn="2026-04-01", endsOn="2026-05-01")
        data = ask(
            house.auditor,
            """query($partner: ID!, $agreement: ID!, $community: ID!) {
                byKind: partners(kind: "enterprise") { nodes { name } }
                byName: partners(orderBy: NAME) { nodes { name } }
                elsewhere: partners(communityId: $community) { totalCount }
                visiting: agreements(mode: VISITING) { nodes { partner { name } } }
                ofOne: agreements(partnerId: $partner) { nodes { mode } }
                since: declarations(agreementId: $agreement, since: "2026-05-01") { nodes { endsOn } }
                until: declarations(until: "2026-05-01") { nodes { endsOn } }
                owed: contributions(partnerId: $partner) { totalCount }
            }""",
            partner=clinic,
            agreement=stationed,
            community=house.gongsheng,
        )
        assert data == {
            "byKind": {"nodes": [{"name": "区人民医院"}]},
            "byName": {"nodes": [{"name": "区人民医院"}, {"name": "爱心食堂"}]},
            "elsewhere": {"totalCount": 0},
            "visiting": {"nodes": [{"partner": {"name": "爱心食堂"}}]},
            "ofOne": {"nodes": [{"mode": "STATIONED"}]},
            "since": {"nodes": [{"endsOn": "2026-06-01"}]},
            "until": {"nodes": [{"endsOn": "2026-05-01"}]},
            "owed": {"totalCount": 2},
        }


class TestWhoMay:
    def test_a_secretary_stays_in_one_community(self, house):
        own, others = admit(house), admit(house, "爱心食堂", house.gongsheng)
        agreement = sign(house, others)
        declare(house, agreement, incomeFen=100)

        [partner] = ask(house.secretary, "{ partners { nodes { id } } }")["partners"]["nodes"]
        assert partner["id"] == own
        hidden = (
            "{ agreements { totalCount } declarations { totalCount } contributions { totalCount } }"
        )
        assert ask(house.secretary, hidden) == {
            "agreements": {"totalCount": 0},
            "declarations": {"totalCount": 0},
            "contributions": {"totalCount": 0},
        }
        one = "query($id: ID!) { partner(id: $id) { name } }"
        assert errors(house.secretary, one, id=others) == [("NOT_FOUND", "id")]
        given = {"communityId": house.gongsheng, "name": "诊所", "kind": "enterprise"}
        assert refused(house.secretary, "admitPartner", **given) == [("FORBIDDEN", None)]
        terms = {"mode": "STATIONED", "ruleKey": "stationed", **YEAR}
        assert refused(house.secretary, "signAgreement", partnerId=others, **terms) == [
            ("NOT_FOUND", "partnerId")
        ]
        assert refused(
            house.secretary, "declareIncome", agreementId=agreement, incomeFen=1, **MAY
        ) == [("NOT_FOUND", "agreementId")]

    def test_another_tenants_ids_are_the_ids_of_nothing(self, house, other_street, actor_as):
        partner = admit(house)
        agreement = sign(house, partner)
        contribution = declare(house, agreement, incomeFen=100)
        stranger = actor_as(other_street, Role.STREET_ADMINISTRATOR)
        with tenant_context(other_street):
            for name, key in (
                ("partner", partner), ("agreement", agreement), ("contribution", contribution)
            ):  # fmt: skip
                query = f"query($id: ID!) {{ {name}(id: $id) {{ id }} }}"
                assert errors(stranger, query, id=key) == [("NOT_FOUND", "id")]
            terms = {"mode": "STATIONED", "ruleKey": "stationed", **YEAR}
            assert refused(stranger, "signAgreement", partnerId=partner, **terms) == [
                ("NOT_FOUND", "partnerId")
            ]
            assert refused(
                stranger, "declareIncome", agreementId=agreement, incomeFen=1, **MAY
            ) == [("NOT_FOUND", "agreementId")]
            given = {"communityId": house.chengnan, "name": "诊所", "kind": "enterprise"}
            assert refused(stranger, "admitPartner", **given) == [("NOT_FOUND", "communityId")]

    @pytest.mark.parametrize("name", ["admitPartner", "signAgreement", "declareIncome"])
    def test_who_may_only_read_writes_nothing(self, house, name):
        given = {
            "admitPartner": {"communityId": "?", "name": "甲", "kind": "enterprise"},
            "signAgreement": {"partnerId": "?", "mode": "VISITING", "ruleKey": "a", **YEAR},
            "declareIncome": {"agreementId": "?", **MAY},
        }[name]
        assert refused(house.auditor, name, **given) == [("FORBIDDEN", None)]
        assert refused(None, name, **given) == [("UNAUTHENTICATED", None)]

    @pytest.mark.parametrize("name", ["partners", "agreements", "declarations", "contributions"])
    def test_a_partner_sees_no_other_partner(self, house, name):
        assert errors(house.partner, f"{{ {name} {{ totalCount }} }}") == [("FORBIDDEN", None)]
        assert errors(None, f"{{ {name} {{ totalCount }} }}") == [("UNAUTHENTICATED", None)]

    def test_of_a_community_only_the_partners_are_kept_back(self, house):
        body = send(house.partner, "{ communities { nodes { name partners { totalCount } } } }")
        assert body["data"]["communities"]["nodes"] == [
            {"name": "城南社区", "partners": None},
            {"name": "工盛社区", "partners": None},
        ]
        assert {one["extensions"]["code"] for one in body["errors"]} == {"FORBIDDEN"}


def test_an_id_of_another_type_is_the_id_of_nothing(house):
    key = ids.split(house.chengnan)[1]
    given = {"name": "诊所", "kind": "enterprise", "communityId": ids.encode("Partner", key)}
    assert refused(house.administrator, "admitPartner", **given) == [("NOT_FOUND", "communityId")]


def _owed(starts_on, amount):
    return {
        "startsOn": starts_on,
        "contribution": {
            "amountFen": amount,
            "receivedFen": 0,
            "rules": {"version": {"number": 1}},
        },
    }
