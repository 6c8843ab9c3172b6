"""Versions, layers and the rules in force, through the API (M1 to M5)."""

import json

import pytest
from django.utils.translation import override

from linli.accounts.policy import Role, system_actor
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from tenants.operating_model.policies import land_policies
from tests.support.api import ask, do, done, errors, refused, send, statements, unchanged
from tests.support.models import chengnan

pytestmark = pytest.mark.django_db

RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
SEEN_NOTHING = {"expectedVersion": 0, "expectedLayerVersion": 0}
RULES = """query($path: String!, $on: Date, $communityId: ID) {
    effectiveRules(on: $on, communityId: $communityId) {
        value(path: $path) {
            path value
            origin { kind name since }
            bound { locked minimum minimumBy { name } maximum maximumBy { kind name } oneOf }
        }
    }
}"""


def in_force(actor, path=RATE, **arguments):
    return ask(actor, RULES, path=path, **arguments)["effectiveRules"]["value"]


def sets(path, value):
    return [{"path": path, "value": value}]


def layer(actor, value, **given):
    """On top of whatever was seen there."""
    read = """query($communityId: ID, $kind: LayerKind!) {
        layers(communityId: $communityId, kind: $kind, orderBy: NEWEST, first: 1) {
            nodes { version }
        }
    }"""
    place = {"communityId": given.get("communityId")}
    place["kind"] = "COMMUNITY" if place["communityId"] else "STREET"
    seen = [one["version"] for one in ask(actor, read, **place)["layers"]["nodes"]]
    whole = {"values": sets(RATE, value), "bounds": [], "effectiveFrom": "2026-06-15"}
    whole["expectedVersion"] = seen[0] if seen else 0
    return done(actor, "setLayer", "layer { id setBy }", **whole | given)


class TestVersions:
    def test_a_version_is_written_and_read(self, house):
        document = chengnan()
        document["partners"]["rent_free_months"] = 12
        version = done(
            house.administrator,
            "writeVersion",
            """version {
                id key number title notes digest authorName document
                bounds { path locked minimum maximum oneOf }
            }""",
            key="chengnan",
            title="城南社区合伙人模式",
            document=document,
            bounds=[
                {"path": RATE, "minimum": "0.02", "maximum": "0.05"},
                {"path": "fund.waterfall", "locked": True},
                {"path": MONTHS, "oneOf": [12, 18]},
            ],
            notes="免租期缩短",
        )

        assert version["number"] == 2
        assert version["authorName"] == "车站街道"
        assert version["document"]["partners"]["rent_free_months"] == 12
        free = {"locked": False, "minimum": None, "maximum": None, "oneOf": None}
        assert version["bounds"] == [
            free | {"path": RATE, "minimum": "0.02", "maximum": "0.05"},
            free | {"path": "fund.waterfall", "locked": True},
            free | {"path": MONTHS, "oneOf": [12, 18]},
        ]
        read = ask(
            house.auditor,
            "query($id: ID!) { modelVersion(id: $id) { id key title notes digest } }",
            id=version["id"],
        )
        assert read["modelVersion"] == {
            name: version[name] for name in ("id", "key", "title", "notes", "digest")
        }

    def test_a_document_may_come_as_text_and_is_the_same(self, house):
        assert refused(
            house.administrator,
            "writeVersion",
            key="chengnan",
            title="城南",
            document=json.dumps(chengnan()),
            bounds=[{"path": RATE, "minimum": "0.01", "maximum": "0.05"}],
        ) == [("VERSION_UNCHANGED", None)]

    def test_an_unknown_key_is_named_by_its_path(self, house):
        document = chengnan()
        document["fund"]["comittee"] = {}
        with unchanged():
            payload = do(
                house.administrator,
                "writeVersion",
                "version { id }",
                key="chengnan",
                title="城南",
                document=document,
            )
        assert payload["version"] is None
        [error] = payload["errors"]
        assert (error["code"], error["field"]) == ("DOCUMENT_INVALID", "fund.comittee")
        assert "uses, waterfall, rest_to, committee" in error["message"]

    def test_each_fault_is_told(self, house):
        document = chengnan()
        document["partners"]["contributions"][0]["rate"] = 0.03
        document["fund"]["waterfall"][0]["share"] = "0.6"
        assert refused(
            house.administrator, "writeVersion", key="a", title="甲", document=document
        ) == [
            ("DOCUMENT_INVALID", f"{RATE}"),
            ("DOCUMENT_INVALID", "fund.waterfall"),
        ]

    @pytest.mark.parametrize("document", [[], 3, "{", "null"])
    def test_what_is_no_document(self, house, document):
        assert refused(
            house.administrator, "writeVersion", key="a", title="甲", document=document
        ) == [("DOCUMENT_INVALID", "document")]

    def test_what_is_no_bound(self, house):
        for bound in ({"minimum": "0.05", "maximum": "0.01"}, {}, {"locked": True, "minimum": 1}):
            assert refused(
                house.administrator,
                "writeVersion",
                key="a",
                title="甲",
                document=chengnan(),
                bounds=[{"path": RATE, **bound}],
            ) == [("BOUND_INVALID", RATE)]

    def test_versions_in_their_orders(self, house):
        for title in ("乙", "丙"):
            done(
                house.administrator,
                "writeVersion",
                "version { id }",
                key="beta",
                title=title,
                document=chengnan(),
                notes=title,
                bounds=[{"path": MONTHS, "maximum": 18 if title == "乙" else 24}],
            )
        data = ask(
            house.auditor,
            """{
                newest: modelVersions { totalCount nodes { key number } }
                byKey: modelVersions(orderBy: KEY, key: "beta") { nodes { number title } }
            }""",
        )
        assert data["newest"]["totalCount"] == 3
        assert [(v["key"], v["number"]) for v in data["newest"]["nodes"]] == [
            ("beta", 2),
            ("beta", 1),
            ("chengnan", 1),
        ]
        assert data["byKey"]["nodes"] == [
            {"number": 1, "title": "乙"},
            {"number": 2, "title": "丙"},
        ]


class TestRulesInForce:
    def test_the_models_own_value(self, house):
        assert in_force(house.auditor) == {
            "path": RATE,
            "value": "0.03",
            "origin": {"kind": "MODEL", "name": "车站街道", "since": "2024-01-01"},
            "bound": {
                "locked": False,
                "minimum": "0.01",
                "minimumBy": {"name": "车站街道"},
                "maximum": "0.05",
                "maximumBy": {"kind": "MODEL", "name": "车站街道"},
                "oneOf": None,
            },
        }
        assert in_force(house.auditor, MONTHS)["bound"] is None

    def test_layers_on_top_each_with_its_name_and_day(self, house):
        street = layer(
            house.administrator,
            "0.04",
            bounds=[{"path": RATE, "maximum": "0.045"}],
            reason="社区有需要",
        )
        own = layer(
            house.secretary, "0.045", communityId=house.chengnan, effectiveFrom="2026-07-01"
        )
        assert (street["setBy"], own["setBy"]) == ("车站街道", "城南社区")

        def told(**where):
            value = in_force(house.auditor, **where)
            origin = value["origin"]
            return value["value"], origin["kind"], origin["name"], origin["since"]

        assert told(on="2026-06-14") == ("0.03", "MODEL", "车站街道", "2024-01-01")
        assert told() == ("0.04", "STREET", "车站街道", "2026-06-15")
        july = {"on": "2026-07-01"}
        assert told(**july, communityId=house.gongsheng) == (
            ("0.04", "STREET", "车站街道", "2026-06-15")
        )
        assert told(**july, communityId=house.chengnan) == (
            ("0.045", "COMMUNITY", "城南社区", "2026-07-01")
        )
        assert in_force(house.auditor)["bound"]["maximumBy"] == {
            "kind": "STREET",
            "name": "车站街道",
        }

    def test_all_that_was_set_and_what_it_comes_to(self, house):
        both = [
            {"path": RATE, "value": "0.02"},
            {"path": "partners.mechanisms[service_purchase]", "value": None},
        ]
        layer(house.administrator, None, values=both)
        rules = ask(
            house.auditor,
            """{ effectiveRules {
                digest document version { key number }
                values { path value origin { kind } bound { minimum } }
            } }""",
        )["effectiveRules"]
        assert rules["version"] == {"key": "chengnan", "number": 1}
        assert rules["document"]["partners"]["contributions"][0]["rate"] == "0.02"
        assert rules["document"]["partners"]["mechanisms"] == []
        assert len(rules["digest"]) == 64
        assert rules["values"] == [
            {
                "path": RATE,
                "value": "0.02",
                "origin": {"kind": "STREET"},
                "bound": {"minimum": "0.01"},
            },
            {
                "path": "partners.mechanisms[service_purchase]",
                "value": None,
                "origin": {"kind": "STREET"},
                "bound": None,
            },
        ]

    def test_a_place_that_is_not_there(self, house):
        assert errors(house.auditor, RULES, path="partners.contribution") == [
            ("UNKNOWN_PATH", "partners.contribution")
        ]

    def test_a_day_without_a_model(self, house):
        assert errors(house.auditor, RULES, path=RATE, on="2023-12-31") == [
            ("NO_MODEL_IN_FORCE", None)
        ]

    def test_another_communitys_rules_are_not_shown(self, house):
        assert in_force(house.secretary, communityId=house.chengnan)["value"] == "0.03"
        for hidden in (house.gongsheng, ids.encode("Community", house.street.pk), "?"):
            assert errors(house.secretary, RULES, path=RATE, communityId=hidden) == [
                ("NOT_FOUND", "communityId")
            ]

    def test_a_partner_reads_the_rules_it_works_under(self, house):
        assert in_force(house.partner)["value"] == "0.03"


class TestLayers:
    def test_outside_the_bounds_says_whose_they_are(self, house):
        with unchanged():
            payload = do(
                house.administrator,
                "setLayer",
                "layer { id }",
                values=sets(RATE, "0.06"),
                bounds=[],
                effectiveFrom="2026-06-15",
                expectedVersion=0,
            )
        assert payload == {
            "layer": None,
            "errors": [
                {
                    "code": "OUTSIDE_BOUNDS",
                    "field": RATE,
                    "message": "“Partners › Contributions › Share of takings › Rate” is 6 %; 车站街道 has laid down: at most 5 %.",
                }
            ],
        }

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            ({"effectiveFrom": "2026-06-14"}, ("CHANGE_BACKDATED", "effectiveFrom")),
            ({"values": []}, ("NOTHING_CHANGES", None)),
            ({"values": [{"path": RATE}]}, ("VALUE_MISSING", "values.0.value")),
            (
                {"values": [*sets(RATE, "0.02"), *sets(RATE, "0.04")]},
                ("PATH_TWICE", "values.1.path"),
            ),
            ({"values": sets("partners.rate", "0.02")}, ("UNKNOWN_PATH", "partners.rate")),
            ({"values": sets(RATE, "3%")}, ("DOCUMENT_INVALID", RATE)),
            ({"values": sets(RATE, "0.0\0")}, ("TEXT_INVALID", "values.0.value")),
            (
                {"values": [], "bounds": [{"path": RATE, "maximum": "0.06"}]},
                ("BOUND_WIDENED", RATE),
            ),
            (
                {"bounds": [{"path": MONTHS, "locked": True}, {"path": MONTHS, "maximum": 3}]},
                ("PATH_TWICE", "bounds.1.path"),
            ),
            (
                {"values": [{"path": f"a.b{n}", "value": n} for n in range(501)]},
                ("TOO_MANY_PLACES", "values"),
            ),
            ({"communityId": "?"}, ("NOT_FOUND", "communityId")),
        ],
    )
    def test_what_is_refused(self, house, given, fault):
        whole = {"values": sets(RATE, "0.04"), "bounds": [], "effectiveFrom": "2026-06-15"}
        whole["expectedVersion"] = 0
        assert refused(house.administrator, "setLayer", **whole | given) == [fault]

    def test_a_communitys_layer_that_would_no_longer_fit(self, house):
        layer(house.secretary, "0.02", communityId=house.chengnan)
        with unchanged():
            payload = do(
                house.administrator,
                "setLayer",
                values=sets(RATE, "0.04"),
                bounds=[{"path": RATE, "minimum": "0.03"}],
                effectiveFrom="2026-06-15",
                expectedVersion=0,
            )
        [error] = payload["errors"]
        assert (error["code"], error["field"]) == ("CLASHES_BELOW", RATE)
        assert "城南社区" in error["message"]

    def test_a_secretary_sets_and_sees_what_is_of_one_community(self, house):
        layer(house.administrator, "0.04", communityId=house.gongsheng)
        layer(house.secretary, "0.02", communityId=house.chengnan)
        given = {"values": sets(RATE, "0.05"), "bounds": [], "effectiveFrom": "2026-06-15"}
        given["expectedVersion"] = 0
        for elsewhere in (house.gongsheng, None):
            assert refused(house.secretary, "setLayer", communityId=elsewhere, **given) == [
                ("FORBIDDEN", None)
            ]

        shown = (
            """{ layers { nodes { kind state setBy community { name } values { path value } } } }"""
        )
        own = {
            "kind": "COMMUNITY",
            "state": "IN_FORCE",
            "setBy": "城南社区",
            "community": {"name": "城南社区"},
            "values": sets(RATE, "0.02"),
        }
        assert ask(house.secretary, shown)["layers"]["nodes"] == [own]
        everyones = ask(house.auditor, shown)["layers"]["nodes"]
        assert [one["setBy"] for one in everyones] == ["工盛社区", "城南社区"]

    def test_layers_by_community(self, house):
        layer(house.administrator, "0.04")
        layer(house.secretary, "0.02", communityId=house.chengnan)
        data = ask(
            house.auditor,
            """query($id: ID!) {
                layers(communityId: $id) { nodes { setBy } }
                communities { nodes { name layers { nodes { setBy bounds { path } } } } }
            }""",
            id=house.chengnan,
        )
        assert data["layers"]["nodes"] == [{"setBy": "城南社区"}]
        assert data["communities"]["nodes"] == [
            {"name": "城南社区", "layers": {"nodes": [{"setBy": "城南社区", "bounds": []}]}},
            {"name": "工盛社区", "layers": {"nodes": []}},
        ]


PREVIEW = """query($publishedId: ID, $versionId: ID, $effectiveFrom: Date!,
        $values: [RuleValueInput!], $bounds: [RuleBoundInput!]) {
    previewAdoption(publishedId: $publishedId, versionId: $versionId,
        effectiveFrom: $effectiveFrom, values: $values, bounds: $bounds) {
        changes { path label before after beforeText afterText } problems { code field message }
    }
}"""


@pytest.fixture
def published(house):
    """Global id, in the library: 2 % and 12 rent-free months."""
    document = chengnan()
    document["partners"]["contributions"][0]["rate"] = "0.02"
    document["partners"]["rent_free_months"] = 12
    version = done(
        house.administrator,
        "writeVersion",
        "version { id }",
        key="chengnan",
        title="城南社区合伙人模式",
        document=document,
        bounds=[{"path": RATE, "minimum": "0.01", "maximum": "0.03"}],
    )
    return done(
        house.administrator,
        "publishVersion",
        "publishedId",
        versionId=version["id"],
        profiles=["AGEING", "OLD_ESTATE"],
        caseText="一社一策",
    )


@pytest.fixture
def wenshao(house, other_street, actor_as):
    """In another district's street office, as its administrator."""
    with tenant_context(other_street):
        yield actor_as(other_street, Role.STREET_ADMINISTRATOR)


class TestTheModelTravels:
    def test_previewed_then_adopted_with_an_own_rate(self, published, wenshao):
        given = {
            "publishedId": published,
            "effectiveFrom": "2026-01-01",
            "values": sets(RATE, "0.025"),
        }
        with unchanged():
            preview = ask(wenshao, PREVIEW, **given)["previewAdoption"]
        assert preview == {
            "changes": [
                {
                    "path": RATE,
                    "label": "Partners › Contributions › Share of takings › Rate",
                    "before": "0.02",
                    "after": "0.025",
                    "beforeText": "2 %",
                    "afterText": "2.5 %",
                }
            ],
            "problems": [],
        }
        adoption = done(
            wenshao,
            "adoptVersion",
            "adoption { effectiveFrom version { key number authorName } }",
            **given,
            **SEEN_NOTHING,
            reason="先行先试",
        )
        assert adoption == {
            "effectiveFrom": "2026-01-01",
            "version": {"key": "chengnan", "number": 2, "authorName": "车站街道"},
        }
        value = in_force(wenshao, on="2026-01-01")
        assert value["value"] == "0.025"
        assert value["origin"]["name"] == "闻韶街道"
        assert value["bound"]["maximumBy"] == {"kind": "MODEL", "name": "车站街道"}
        assert in_force(wenshao, MONTHS)["value"] == 12

    def test_the_preview_tells_what_adopting_would_refuse(self, published, wenshao):
        given = {
            "publishedId": published,
            "effectiveFrom": "2026-01-01",
            "values": sets(RATE, "0.05"),
        }
        preview = ask(wenshao, PREVIEW, **given)["previewAdoption"]
        assert preview["changes"] == []
        [problem] = preview["problems"]
        assert (problem["code"], problem["field"]) == ("OUTSIDE_BOUNDS", RATE)
        assert "车站街道" in problem["message"]
        assert refused(wenshao, "adoptVersion", **given, **SEEN_NOTHING) == [
            ("OUTSIDE_BOUNDS", RATE)
        ]

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"effectiveFrom": "2026-06-14"}, ("CHANGE_BACKDATED", "effectiveFrom")),
            ({"effectiveFrom": "2026-06-15"}, ("NOTHING_CHANGES", None)),
            (
                {"effectiveFrom": "2026-06-15", "bounds": [{"path": "no.place", "locked": True}]},
                ("UNKNOWN_PATH", "no.place"),
            ),
        ],
    )
    def test_whatever_stands_in_the_way_is_a_problem(self, house, given, problem):
        versions = "{ modelVersions(orderBy: OLDEST) { nodes { id } } }"
        [version] = ask(house.auditor, versions)["modelVersions"]["nodes"]
        preview = ask(house.auditor, PREVIEW, versionId=version["id"], **given)["previewAdoption"]
        assert preview["changes"] == []
        assert [(one["code"], one["field"]) for one in preview["problems"]] == [problem]
        seen = {"expectedVersion": 1, "expectedLayerVersion": 0}
        adopting = given | seen | {"versionId": version["id"]}
        assert refused(house.administrator, "adoptVersion", **adopting) == [problem]

    def test_an_upgrade_shows_each_place_that_changes(self, house, published):
        preview = ask(house.auditor, PREVIEW, publishedId=published, effectiveFrom="2026-07-01")[
            "previewAdoption"
        ]
        assert preview["problems"] == []
        assert [(one["path"], one["before"], one["after"]) for one in preview["changes"]] == [
            (RATE, "0.03", "0.02"),
            (MONTHS, 18, 12),
        ]
        done(
            house.administrator,
            "adoptVersion",
            "adoption { id }",
            publishedId=published,
            effectiveFrom="2026-07-01",
            expectedVersion=1,
        )
        assert in_force(house.auditor, on="2026-06-30")["value"] == "0.03"
        assert in_force(house.auditor, on="2026-07-01")["value"] == "0.02"
        adoptions = "{ adoptions { nodes { effectiveFrom version { number } } } }"
        assert ask(house.auditor, adoptions)["adoptions"]["nodes"] == [
            {"effectiveFrom": "2024-01-01", "version": {"number": 1}},
            {"effectiveFrom": "2026-07-01", "version": {"number": 2}},
        ]

    @pytest.mark.parametrize(
        ("language", "told"),
        [
            ("en", [("Partners › Contributions › Share of takings › Rate", "3 %", "2 %"),
                    ("Partners › Rent-free months", "18 months", "12 months"),
                    ("Partners › Kinds › Department", "Department (Tier: extended; Who: a person or "
                     "a group; Published as: its own name)", "none")]),
            ("zh-hans", [("合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例", "3 %", "2 %"),
                         ("合伙人 › 免租月数", "18个月", "12个月"),
                         ("合伙人 › 合伙人类别 › 职能部门",
                          "职能部门（层级：拓展层；主体：个人或团体；公示名称：自身名称）", "无")]),
        ],
    )  # fmt: skip
    def test_what_changes_is_told_in_the_readers_language(self, house, published, language, told):
        given = {
            "publishedId": published,
            "effectiveFrom": "2026-07-01",
            "values": [{"path": "partners.kinds[department]", "value": None}],
        }
        with override(language):
            body = run(tenant_schema, Request(PREVIEW, given), house.auditor).body
        changes = body["data"]["previewAdoption"]["changes"]
        assert sorted(
            (one["label"], one["beforeText"], one["afterText"]) for one in changes
        ) == sorted(told)

    def test_which_version_must_be_clear(self, house, published):
        [own] = ask(house.auditor, "{ modelVersions(last: 1) { nodes { id } } }")["modelVersions"][
            "nodes"
        ]
        for given in ({}, {"publishedId": published, "versionId": own["id"]}):
            given |= {"effectiveFrom": "2026-06-15", "expectedVersion": 1}
            assert [
                code for code, _field in refused(house.administrator, "adoptVersion", **given)
            ] == ["ONE_VERSION"]

    def test_only_its_author_publishes_and_only_once(self, house, published, wenshao):
        copy = done(
            wenshao,
            "adoptVersion",
            "adoption { version { id } }",
            publishedId=published,
            effectiveFrom="2026-01-01",
            expectedVersion=0,
        )["version"]["id"]
        assert refused(wenshao, "publishVersion", versionId=copy, profiles=["YOUNG"]) == [
            ("NOT_THE_AUTHOR", "versionId")
        ]
        with tenant_context(house.street):
            [newest] = ask(house.auditor, "{ modelVersions(first: 1) { nodes { id } } }")[
                "modelVersions"
            ]["nodes"]
            assert refused(
                house.administrator, "publishVersion", versionId=newest["id"], profiles=[]
            ) == [("ALREADY_PUBLISHED", "versionId")]

    def test_another_tenants_version_is_not_there(self, house, wenshao):
        with tenant_context(house.street):
            [own] = ask(house.auditor, "{ modelVersions { nodes { id } } }")["modelVersions"][
                "nodes"
            ]
        given = {"versionId": own["id"], "effectiveFrom": "2026-06-15"}
        assert refused(wenshao, "adoptVersion", expectedVersion=0, **given) == [
            ("NOT_FOUND", "versionId")
        ]
        assert errors(wenshao, PREVIEW, **given) == [("NOT_FOUND", "versionId")]
        one = "query($id: ID!) { modelVersion(id: $id) { key } }"
        assert errors(wenshao, one, id=own["id"]) == [("NOT_FOUND", "id")]
        assert errors(wenshao, PREVIEW, publishedId="?", effectiveFrom="2026-06-15") == [
            ("NOT_FOUND", "publishedId")
        ]


class TestPolicies:
    def test_a_districts_policy_stands_in_its_own_tenant_at_once(self, house, district, actor_as):
        with tenant_context(district):
            chief = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
            issued = done(
                chief,
                "issuePolicy",
                "layer { id kind setBy }",
                values=[],
                bounds=[{"path": RATE, "minimum": "0.02"}],
                effectiveFrom="2026-07-01",
                expectedVersion=0,
                reason="区级意见",
            )
            assert (issued["kind"], issued["setBy"]) == ("DISTRICT", "张店区")
            shown = (
                "{ layers { nodes { kind setBy reason effectiveFrom bounds { path minimum } } } }"
            )
            assert ask(chief, shown)["layers"]["nodes"] == [
                {
                    "kind": "DISTRICT",
                    "setBy": "张店区",
                    "reason": "区级意见",
                    "effectiveFrom": "2026-07-01",
                    "bounds": [{"path": RATE, "minimum": "0.02"}],
                }
            ]

    def test_what_has_no_effect_here_is_told_with_whose_it_is(self, house, district, actor_as):
        elsewhere = "partners.contributions[elsewhere].rate"
        with tenant_context(district):
            done(
                actor_as(district, Role.DISTRICT_ADMINISTRATOR),
                "issuePolicy",
                "layer { id }",
                values=[],
                bounds=[{"path": elsewhere, "maximum": "0.050"}],
                effectiveFrom="2026-06-15",
                expectedVersion=0,
            )
        land_policies(house.street, actor=system_actor(house.street))
        told = [{"path": elsewhere, "setBy": {"kind": "DISTRICT", "name": "张店区"}}]
        shows = "withoutEffect { path setBy { kind name } }"
        rules = ask(house.auditor, f"{{ effectiveRules {{ version {{ id }} {shows} }} }}")
        assert rules["effectiveRules"]["withoutEffect"] == told
        preview = ask(
            house.auditor,
            f"""query($on: Date!, $id: ID!, $values: [RuleValueInput!]) {{
                previewAdoption(versionId: $id, effectiveFrom: $on, values: $values) {{
                    {shows} problems {{ code }}
                }}
            }}""",
            on="2026-06-15",
            id=rules["effectiveRules"]["version"]["id"],
            values=sets(MONTHS, 3),
        )["previewAdoption"]
        assert preview == {"withoutEffect": told, "problems": []}

    def test_a_street_office_issues_none(self, house):
        given = {"values": [], "bounds": [], "effectiveFrom": "2026-07-01"}
        given["expectedVersion"] = 0
        assert refused(house.administrator, "issuePolicy", **given) == [("FORBIDDEN", None)]

    def test_a_policy_that_clashes_waits_and_says_with_whom(self, house, district, actor_as):
        layer(house.secretary, "0.01", communityId=house.chengnan)
        with tenant_context(district):
            done(
                actor_as(district, Role.DISTRICT_ADMINISTRATOR),
                "issuePolicy",
                "layer { id }",
                values=[],
                bounds=[{"path": RATE, "minimum": "0.02"}],
                effectiveFrom="2026-06-15",
                expectedVersion=0,
            )
        land_policies(house.street, actor=system_actor(house.street))
        [clash] = ask(
            house.auditor,
            "{ clashes { layer { kind setBy state } problems { code field message } } }",
        )["clashes"]
        assert clash["layer"] == {"kind": "DISTRICT", "setBy": "张店区", "state": "CLASHING"}
        [problem] = clash["problems"]
        assert (problem["code"], problem["field"]) == ("CLASHES_BELOW", RATE)
        assert "城南社区" in problem["message"]


WHOLE = {"values": [], "bounds": [], "effectiveFrom": "2026-06-15", "expectedVersion": 0}
WRITES = {
    "writeVersion": {"key": "a", "title": "甲", "document": {}},
    "publishVersion": {"versionId": "?", "profiles": []},
    "adoptVersion": {"effectiveFrom": "2026-06-15", "expectedVersion": 0},
    "setLayer": WHOLE,
    "issuePolicy": WHOLE,
}


@pytest.mark.parametrize("name", WRITES)
def test_who_may_only_read_writes_nothing(house, name):
    assert refused(house.auditor, name, **WRITES[name]) == [("FORBIDDEN", None)]
    assert refused(None, name, **WRITES[name]) == [("UNAUTHENTICATED", None)]


@pytest.mark.parametrize(
    "query",
    [
        "{ modelVersions { nodes { id } } }",
        "{ adoptions { nodes { id } } }",
        "{ layers { nodes { id } } }",
        "{ clashes { layer { id } } }",
        "{ effectiveRules { digest } }",
        '{ previewAdoption(effectiveFrom: "2026-06-15") { changes { path } } }',
    ],
)
def test_who_has_no_role_here_reads_nothing(house, other_street, actor_as, query):
    stranger = actor_as(house.street, Role.STREET_ADMINISTRATOR, held_at=other_street)
    assert errors(stranger, query) == [("FORBIDDEN", None)]
    assert errors(None, query) == [("UNAUTHENTICATED", None)]


def test_null_for_an_optional_text_is_the_clients_fault(house):
    body = send(
        house.administrator,
        """mutation { setLayer(input: {
            values: [], bounds: [], effectiveFrom: "2026-06-15", expectedVersion: 0, reason: null
        }) { errors { code } } }""",
    )
    assert [error["extensions"]["code"] for error in body["errors"]] == ["REQUEST_INVALID"]


def test_statements_do_not_grow_with_the_rows(house):
    document = """{
        adoptions { nodes { version { key } } }
        layers { nodes { community { name } } }
        communities { nodes { layers { nodes { id } } } }
    }"""

    layer(house.administrator, "0.02", communityId=house.chengnan)
    few = statements(house.auditor, document)
    for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
        rate = {"07": "0.03", "08": "0.04", "09": "0.05"}[day[5:7]]
        for community in (house.chengnan, house.gongsheng):
            layer(house.administrator, rate, communityId=community, effectiveFrom=day)
    assert statements(house.auditor, document) == few
