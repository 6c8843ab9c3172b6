"""An upgrade with one clash, from being opened to being rolled back, through the API (M6)."""

import pytest
from django.utils.translation import override

from linli.ids import uuid7
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from tests.support.api import ask, do, done, errors, refused, unchanged
from tests.support.models import chengnan

pytestmark = pytest.mark.django_db

RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
DAY = "meetings.joint.day_of_month"
VISITING = "partners.contributions[visiting]"
READ = """query($id: ID!) { upgrade(id: $id) {
    state version
    questions {
        aspect path label old new own oldText newText ownText
        community { name } setBy setOn setBecause decision isOpen seen problems { code }
    }
    changes { path label before after beforeText afterText }
    problems { code }
    decisions { nodes {
        path label choice value old new own valueText oldText newText ownText reason
    } }
    adoption { effectiveFrom version { number } }
} }"""
ROLL_BACK = """query($id: ID!, $communityId: ID) {
    previewRollBack(upgradeId: $id, effectiveFrom: "2026-06-15", communityId: $communityId) {
        problems { code field } unfitAgreementCount changes { label beforeText afterText }
    }
}"""
IN_FORCE = """query($path: String!, $communityId: ID) { effectiveRules(communityId: $communityId) {
    value(path: $path) { value }
} }"""
LANGUAGES = pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", {
            "label": "Partners › Contributions › Share of takings › Rate",
            "months": ("Partners › Rent-free months", "18 months", "12 months"),
            "fee": "Partners › Contributions › Fee per session",
            "none": "none",
        }),
        ("zh-hans", {
            "label": "合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例",
            "months": ("合伙人 › 免租月数", "18个月", "12个月"),
            "fee": "合伙人 › 反哺规则 › 流动合伙人按场次反哺",
            "none": "无",
        }),
    ],
)  # fmt: skip


def read(actor, upgrade, language="en"):
    with override(language):
        body = run(tenant_schema, Request(READ, {"id": upgrade}), actor).body
    assert "errors" not in body, body["errors"]
    return body["data"]["upgrade"]


def in_force(actor, path=RATE, **arguments):
    return ask(actor, IN_FORCE, path=path, **arguments)["effectiveRules"]["value"]["value"]


def sets(house, value, **given):
    return done(
        house.administrator, "setLayer", "layer { id }", values=[value], bounds=[],
        effectiveFrom="2026-06-15", expectedVersion=0, **given,
    )  # fmt: skip


def opened(house, **changed):
    """To version 2: 4 % of takings, 12 rent-free months."""
    document = chengnan()
    document["partners"]["contributions"][0]["rate"] = "0.04"
    document["partners"]["rent_free_months"] = 12
    document["partners"] |= changed
    version = done(
        house.administrator, "writeVersion", "version { id }", key="chengnan", title="城南",
        document=document, bounds=[{"path": RATE, "minimum": "0.01", "maximum": "0.05"}],
    )  # fmt: skip
    return done(
        house.administrator, "openUpgrade", "upgrade { id }", versionId=version["id"],
        effectiveFrom="2026-06-15", reason="跟上新版",
    )["id"]  # fmt: skip


@LANGUAGES
def test_from_opened_to_rolled_back(house, language, words):
    sets(house, {"path": RATE, "value": "0.02"}, reason="利润薄")
    upgrade = opened(house)

    shown = read(house.administrator, upgrade, language)
    [question] = shown["questions"]
    seen = question.pop("seen")
    assert question == {
        "aspect": "VALUE", "path": RATE, "label": words["label"],
        "old": "0.03", "new": "0.04", "own": "0.02",
        "oldText": "3 %", "newText": "4 %", "ownText": "2 %",
        "community": None, "setBy": "车站街道", "setOn": "2026-06-15", "setBecause": "利润薄",
        "decision": None, "isOpen": True, "problems": [],
    }  # fmt: skip
    label, before, after = words["months"]
    assert shown["changes"] == [
        {"path": "partners.rent_free_months", "label": label, "before": 18, "after": 12,
         "beforeText": before, "afterText": after},
    ]  # fmt: skip
    assert (shown["state"], shown["version"], shown["adoption"]) == ("OPEN", 1, None)
    assert refused(house.administrator, "applyUpgrade", upgradeId=upgrade, expectedVersion=1) == [
        ("UPGRADE_UNDECIDED", RATE)
    ]

    said = {"path": RATE, "choice": "SET", "value": "0.035", "reason": "各让一步", "seen": seen}
    done(
        house.administrator, "decideUpgrade", "upgrade { id }", upgradeId=upgrade,
        decisions=[said], expectedVersion=1,
    )  # fmt: skip
    decided = read(house.administrator, upgrade, language)
    assert [(one["decision"], one["isOpen"]) for one in decided["questions"]] == [("SET", False)]
    assert decided["decisions"]["nodes"] == [{
        "path": RATE, "label": words["label"], "choice": "SET", "value": "0.035",
        "old": "0.03", "new": "0.04", "own": "0.02",
        "valueText": "3.5 %", "oldText": "3 %", "newText": "4 %", "ownText": "2 %",
        "reason": "各让一步",
    }]  # fmt: skip
    assert in_force(house.auditor) == "0.02"  # nothing has changed yet

    done(
        house.administrator, "applyUpgrade", "upgrade { id }", upgradeId=upgrade, expectedVersion=2
    )
    applied = read(house.administrator, upgrade, language)
    assert (applied["state"], applied["questions"], applied["changes"]) == ("APPLIED", [], [])
    assert applied["adoption"] == {"effectiveFrom": "2026-06-15", "version": {"number": 2}}
    assert applied["decisions"] == decided["decisions"]
    assert in_force(house.auditor) == "0.035"
    assert in_force(house.auditor, "partners.rent_free_months") == 12

    with override(language):
        body = run(tenant_schema, Request(ROLL_BACK, {"id": upgrade}), house.auditor).body
    preview = body["data"]["previewRollBack"]
    assert (preview["problems"], preview["unfitAgreementCount"]) == ([], 0)
    assert preview["changes"][1:] == [
        {"label": label, "beforeText": after, "afterText": before},
    ]  # fmt: skip
    assert preview["changes"][0]["afterText"] == "2 %"
    done(
        house.administrator, "rollBackUpgrade", "upgrade { id }", upgradeId=upgrade,
        effectiveFrom="2026-06-15", reason="居民不同意",
    )  # fmt: skip
    assert read(house.administrator, upgrade, language)["state"] == "ROLLED_BACK"
    assert in_force(house.auditor) == "0.02"
    assert in_force(house.auditor, "partners.rent_free_months") == 18


def test_a_roll_back_that_would_be_refused_says_why(house):
    upgrade = opened(house)
    shown = ask(house.auditor, ROLL_BACK, id=upgrade, communityId=house.chengnan)
    assert shown["previewRollBack"]["problems"] == [
        {"code": "UPGRADE_NOT_IN_FORCE", "field": "upgradeId"}
    ]
    nowhere = ids.encode("Upgrade", uuid7())
    assert errors(house.auditor, ROLL_BACK, id=nowhere) == [("NOT_FOUND", "upgradeId")]
    elsewhere = {"id": upgrade, "communityId": ids.encode("Community", uuid7())}
    assert errors(house.auditor, ROLL_BACK, **elsewhere) == [("NOT_FOUND", "communityId")]


@LANGUAGES
def test_an_item_that_the_new_version_has_not_goes_by_its_title_of_before(house, language, words):
    sets(house, {"path": f"{VISITING}.fee_fen", "value": 3000})
    upgrade = opened(house, contributions=chengnan()["partners"]["contributions"][:1])

    [question] = read(house.administrator, upgrade, language)["questions"]
    assert (question["path"], question["label"]) == (VISITING, words["fee"])
    assert question["newText"] == words["none"]
    own = "30.00 yuan" if language == "en" else "30.00 元"
    assert own in question["ownText"]
    assert own.replace("30", "50") in question["oldText"]

    done(
        house.administrator, "decideUpgrade", "upgrade { id }", upgradeId=upgrade,
        decisions=[{"path": VISITING, "choice": "TAKE"}],
    )  # fmt: skip
    [decision] = read(house.administrator, upgrade, language)["decisions"]["nodes"]
    assert (decision["label"], decision["valueText"]) == (words["fee"], None)
    told = [question[name] for name in ("oldText", "newText", "ownText")]
    assert [decision[name] for name in ("oldText", "newText", "ownText")] == told


def test_a_bound_in_question_is_read_as_a_bound(house):
    done(
        house.administrator, "setLayer", "layer { id }", values=[], expectedVersion=0,
        bounds=[{"path": RATE, "minimum": "0.02", "maximum": "0.05"}], effectiveFrom="2026-06-15",
    )  # fmt: skip
    version = done(
        house.administrator, "writeVersion", "version { id }", key="chengnan", title="城南",
        document=chengnan(), bounds=[{"path": RATE, "minimum": "0.01", "maximum": "0.04"}],
    )  # fmt: skip
    upgrade = done(
        house.administrator, "openUpgrade", "upgrade { id }", versionId=version["id"],
        effectiveFrom="2026-06-15",
    )["id"]  # fmt: skip

    [question] = read(house.administrator, upgrade)["questions"]
    assert question["aspect"] == "BOUND"
    assert [question[name] for name in ("oldText", "newText", "ownText")] == [
        "1 % to 5 %", "1 % to 4 %", "2 % to 5 %",
    ]  # fmt: skip


def test_a_secretary_reads_the_questions_of_their_own_community(house):
    sets(house, {"path": RATE, "value": "0.02"}, communityId=house.chengnan)
    sets(house, {"path": RATE, "value": "0.01"}, communityId=house.gongsheng)
    upgrade = opened(house)

    [question] = read(house.secretary, upgrade)["questions"]
    assert (question["community"], question["ownText"]) == ({"name": "城南社区"}, "2 %")
    with unchanged():
        payload = do(
            house.secretary, "decideUpgrade", upgradeId=upgrade,
            decisions=[{"path": RATE, "choice": "TAKE", "communityId": house.gongsheng}],
        )  # fmt: skip
    assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]


WHOSE = """query($id: ID!, $communityId: ID) { upgrade(id: $id) {
    questions { setOn setBecause oldSetBy oldBecause newSetBy newBecause }
    changes(communityId: $communityId) { path beforeText afterText }
    unfitAgreements { agreement { id } since code }
} }"""


def test_each_of_the_three_values_says_whose_it_is_and_why(house):
    """A layer is set whole: what it only repeats keeps the day and the reason of who said it first."""
    sets(house, {"path": RATE, "value": "0.02"}, reason="利润薄，居民会议通过")
    done(
        house.administrator, "setLayer", "layer { id }", bounds=[], reason="新店多，少免几个月",
        values=[{"path": RATE, "value": "0.02"}, {"path": MONTHS, "value": 12}],
        effectiveFrom="2026-06-16", expectedVersion=1,
    )  # fmt: skip
    document = chengnan()
    document["partners"]["contributions"][0]["rate"] = "0.04"
    version = done(
        house.administrator, "writeVersion", "version { id }", key="chengnan", title="城南",
        document=document, bounds=[], notes="比例提高一个百分点",
    )  # fmt: skip
    upgrade = done(
        house.administrator, "openUpgrade", "upgrade { id }", versionId=version["id"],
        effectiveFrom="2026-06-17",
    )["id"]  # fmt: skip

    [question] = ask(house.administrator, WHOSE, id=upgrade)["upgrade"]["questions"]

    assert question == {
        "setOn": "2026-06-15", "setBecause": "利润薄，居民会议通过",
        "oldSetBy": "车站街道", "oldBecause": "",
        "newSetBy": "车站街道", "newBecause": "比例提高一个百分点",
    }  # fmt: skip


def test_what_it_changes_in_a_community_is_shown(house):
    sets(house, {"path": RATE, "value": "0.02"}, communityId=house.chengnan)
    upgrade = opened(house)
    [question] = read(house.administrator, upgrade)["questions"]
    done(
        house.administrator, "decideUpgrade", "upgrade { id }", upgradeId=upgrade,
        decisions=[{"communityId": house.chengnan, "path": RATE, "choice": "SET", "value": "0.05",
                    "seen": question["seen"]}],
    )  # fmt: skip

    of = lambda **asked: [  # noqa: E731
        (one["path"], one["beforeText"], one["afterText"])
        for one in ask(house.administrator, WHOSE, id=upgrade, **asked)["upgrade"]["changes"]
    ]
    months = ("partners.rent_free_months", "18 months", "12 months")
    assert of() == [(RATE, "3 %", "4 %"), months]
    assert of(communityId=house.chengnan) == [(RATE, "2 %", "5 %"), months]
    assert of(communityId=house.gongsheng) == of()
    assert errors(
        house.administrator, WHOSE, id=upgrade, communityId=ids.encode("Community", uuid7())
    ) == [("NOT_FOUND", "communityId")]


def test_agreements_that_would_no_longer_fit_are_shown_before_it_is_applied(house):
    partner = done(
        house.administrator, "admitPartner", "partner { id }", communityId=house.chengnan,
        name="区人民医院", kind="enterprise",
    )  # fmt: skip
    agreement = done(
        house.administrator, "signAgreement", "agreement { id }", partnerId=partner["id"],
        mode="VISITING", ruleKey="visiting", startsOn="2026-01-01", endsOn="2030-01-01",
    )["id"]  # fmt: skip
    upgrade = opened(house, contributions=chengnan()["partners"]["contributions"][:1])

    found = ask(house.administrator, WHOSE, id=upgrade)["upgrade"]["unfitAgreements"]

    assert found == [
        {"agreement": {"id": agreement}, "since": "2026-06-15", "code": "RULE_UNKNOWN"}
    ]
    [told] = do(house.administrator, "applyUpgrade", upgradeId=upgrade, expectedVersion=1)["errors"]
    assert told["code"] == "AGREEMENTS_CLASH"
    assert "from 2026-01-01 to 2029-12-31" in told["message"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "“Partners › Contributions › Share of takings › Rate” is not decided yet."),
        ("zh-hans", "“合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例”尚未决定。"),
    ],
)
def test_what_is_not_decided_is_called_by_its_name(house, language, told):
    sets(house, {"path": RATE, "value": "0.02"})
    upgrade = opened(house)
    apply = """mutation($input: ApplyUpgradeInput!) { applyUpgrade(input: $input) {
        errors { message field }
    } }"""
    given = {"input": {"upgradeId": upgrade, "expectedVersion": 1}}
    with override(language):
        body = run(tenant_schema, Request(apply, given), house.administrator).body
    [fault] = body["data"]["applyUpgrade"]["errors"]
    assert (fault["message"], fault["field"]) == (told, RATE)


def test_what_was_decided_in_an_upgrade_has_the_reason_of_that_decision(house):
    sets(house, {"path": RATE, "value": "0.02"}, reason="利润薄")
    # The same day, about something else.
    done(
        house.administrator, "setLayer", "layer { id }", bounds=[], reason="改例会日",
        values=[{"path": RATE, "value": "0.02"}, {"path": DAY, "value": 20}],
        effectiveFrom="2026-06-15", expectedVersion=1,
    )  # fmt: skip
    upgrade = opened(house)
    asked = ask(house.administrator, WHOSE, id=upgrade)["upgrade"]["questions"]
    assert [one["setBecause"] for one in asked] == ["利润薄"]
    done(
        house.administrator, "decideUpgrade", "upgrade { id }", upgradeId=upgrade,
        expectedVersion=1, decisions=[
            {"path": RATE, "choice": "SET", "value": "0.035", "reason": "各让一步"},
            {"path": MONTHS, "choice": "SET", "value": 15, "reason": "租期短"},
        ],
    )  # fmt: skip
    done(
        house.administrator, "applyUpgrade", "upgrade { id }", upgradeId=upgrade, expectedVersion=2
    )

    document = chengnan()
    document["partners"]["contributions"][0]["rate"] = "0.05"
    document["partners"]["rent_free_months"] = 6
    document["meetings"]["joint"]["day_of_month"] = 5
    version = done(
        house.administrator, "writeVersion", "version { id }", key="chengnan", title="城南",
        document=document, bounds=[],
    )  # fmt: skip
    third = done(
        house.administrator, "openUpgrade", "upgrade { id }", versionId=version["id"],
        effectiveFrom="2026-06-16",
    )["id"]  # fmt: skip

    asked = ask(house.administrator, WHOSE.replace("setOn", "path setOn"), id=third)["upgrade"]
    assert {one["path"]: one["setBecause"] for one in asked["questions"]} == {
        RATE: "各让一步", MONTHS: "租期短", DAY: "改例会日",
    }  # fmt: skip


def test_a_secretary_sees_no_other_communitys_agreements(house):
    partner = done(
        house.administrator, "admitPartner", "partner { id }", communityId=house.gongsheng,
        name="诊所", kind="enterprise",
    )  # fmt: skip
    done(
        house.administrator, "signAgreement", "agreement { id }", partnerId=partner["id"],
        mode="VISITING", ruleKey="visiting", startsOn="2026-01-01", endsOn="2030-01-01",
    )  # fmt: skip
    upgrade = opened(house, contributions=chengnan()["partners"]["contributions"][:1])
    found = ask(house.administrator, WHOSE, id=upgrade)["upgrade"]["unfitAgreements"]
    assert len(found) == 1
    assert ask(house.secretary, WHOSE, id=upgrade)["upgrade"]["unfitAgreements"] == []
