"""What a change of rules would do to running agreements and to past income, through the API."""

import pytest

from linli_api import ids
from tests.support.api import ask, done, errors, refused, statements, unchanged
from tests.support.models import chengnan

pytestmark = pytest.mark.django_db

RATE = "partners.contributions[stationed].rate"
WHAT_IF = """query($draft: Document, $versionId: ID, $communityId: ID, $endsOn: Date!,
        $values: [RuleValueInput!]) {
    whatIf(startsOn: "2026-01-01", endsOn: $endsOn, document: $draft, versionId: $versionId,
            communityId: $communityId, values: $values) {
        problems { code field message }
        wasFen wouldBeFen differenceFen differenceYuan declarations
        partners {
            partner { name } wasFen wouldBeFen differenceFen declarations notWorkedOut notWorkedOutFen
        }
        accounts { code wasFen wouldBeFen differenceFen }
        notWorkedOut { declarationId agreementId partner { name } wasFen code message }
        notWorkedOutCount notWorkedOutFen crossingCount crossingFen
    }
}"""
UNFIT = """query($communityId: ID) { unfitAgreements(communityId: $communityId) {
    agreement { id ruleKey } partner { name } since code message
} }"""
PREVIEW = """query($versionId: ID!) { previewAdoption(versionId: $versionId, effectiveFrom: "2026-06-15") {
    problems { code }
    unfitAgreementCount
    unfitAgreements { agreement { id } partner { name } since code message }
} }"""


@pytest.fixture
def clinic(house):
    """区人民医院 in 城南, 3 % of 1,000,000 fen for May."""
    partner = done(
        house.administrator, "admitPartner", "partner { id }",
        communityId=house.chengnan, name="区人民医院", kind="enterprise",
    )  # fmt: skip
    agreement = done(
        house.administrator, "signAgreement", "agreement { id }", partnerId=partner["id"],
        mode="STATIONED", ruleKey="stationed", startsOn="2026-01-01", endsOn="2030-01-01",
    )  # fmt: skip
    done(
        house.administrator, "declareIncome", "contribution { amountFen }",
        agreementId=agreement["id"], startsOn="2026-05-01", endsOn="2026-06-01",
        incomeFen=1_000_000,
    )  # fmt: skip
    return agreement["id"]


def document(rate="0.05", key="stationed"):
    changed = chengnan()
    changed["partners"]["contributions"][0] |= {"rate": rate, "key": key}
    return changed


def version(house, **given):
    return done(
        house.administrator, "writeVersion", "version { id }", key="next", title="下一版",
        document=document(**given),
    )["id"]  # fmt: skip


def what_if(actor, ends_on="2026-06-01", **given):
    return ask(actor, WHAT_IF, endsOn=ends_on, **given)["whatIf"]


class TestWhatIf:
    def test_a_draft_is_compared_with_what_was(self, house, clinic):
        with unchanged():
            found = what_if(house.administrator, draft=document())

        assert found["partners"] == [
            {
                "partner": {"name": "区人民医院"}, "wasFen": 30_000, "wouldBeFen": 50_000,
                "differenceFen": 20_000, "declarations": 1, "notWorkedOut": 0, "notWorkedOutFen": 0,
            }
        ]  # fmt: skip
        assert {one["code"]: (one["wasFen"], one["wouldBeFen"]) for one in found["accounts"]} == {
            "held:services": (15_000, 25_000),
            "held:property": (12_000, 20_000),
            "held:volunteers": (3_000, 5_000),
        }
        assert (found["differenceFen"], found["differenceYuan"]) == (20_000, "200.00")
        assert (found["problems"], found["notWorkedOut"], found["crossingCount"]) == ([], [], 0)

    def test_what_cannot_be_worked_out_is_told(self, house, clinic):
        found = what_if(house.administrator, draft=document(key="other"))

        [one] = found["notWorkedOut"]
        assert (one["agreementId"], one["code"], one["wasFen"]) == (clinic, "RULE_UNKNOWN", 30_000)
        assert (found["notWorkedOutCount"], found["notWorkedOutFen"]) == (1, 30_000)
        assert (found["declarations"], found["wasFen"], found["accounts"]) == (0, 0, [])

    def test_a_version_with_the_street_s_values_for_one_community(self, house, clinic):
        values = [{"path": RATE, "value": "0.04"}]
        given = {"versionId": version(house), "values": values}
        assert what_if(house.auditor, communityId=house.chengnan, **given)["wouldBeFen"] == 40_000
        assert what_if(house.auditor, communityId=house.gongsheng, **given)["partners"] == []
        assert what_if(house.auditor, ends_on="2026-05-15", **given)["crossingFen"] == 30_000

    def test_why_a_draft_cannot_stand_is_told(self, house, clinic):
        found = what_if(house.administrator, draft=document(rate="5%"))
        assert [(one["code"], one["field"]) for one in found["problems"]] == [
            ("DOCUMENT_INVALID", RATE)
        ]

    def test_what_is_no_question_is_refused(self, house, clinic):
        late = errors(house.administrator, WHAT_IF, endsOn="2026-06-16", draft=document())
        assert late == [("PERIOD_NOT_OVER", "endsOn")]
        none = errors(house.administrator, WHAT_IF, endsOn="2026-06-01")
        assert none == [("ONE_VERSION", "document")]
        denied = errors(house.partner, WHAT_IF, endsOn="2026-06-01", draft=document())
        assert denied == [("FORBIDDEN", None)]

    def test_partners_are_read_together(self, house, clinic):
        given = {"endsOn": "2026-06-01", "draft": document()}
        few = statements(house.administrator, WHAT_IF, **given)
        for number in range(3):
            partner = done(
                house.administrator, "admitPartner", "partner { id }",
                communityId=house.chengnan, name=f"诊所{number}", kind="enterprise",
            )  # fmt: skip
            agreement = done(
                house.administrator, "signAgreement", "agreement { id }", partnerId=partner["id"],
                mode="STATIONED", ruleKey="stationed", startsOn="2026-01-01", endsOn="2030-01-01",
            )  # fmt: skip
            done(
                house.administrator, "declareIncome", "contribution { amountFen }",
                agreementId=agreement["id"], startsOn="2026-05-01", endsOn="2026-06-01",
                incomeFen=1_000_000,
            )  # fmt: skip
        assert statements(house.administrator, WHAT_IF, **given) == few


class TestRunningAgreements:
    def test_the_preview_lists_what_would_no_longer_fit(self, house, clinic):
        preview = ask(house.administrator, PREVIEW, versionId=version(house, key="other"))
        [one] = preview["previewAdoption"]["unfitAgreements"]
        assert (one["agreement"]["id"], one["partner"]["name"]) == (clinic, "区人民医院")
        assert (one["code"], one["since"]) == ("RULE_UNKNOWN", "2026-06-15")
        assert preview["previewAdoption"]["problems"] == []
        assert preview["previewAdoption"]["unfitAgreementCount"] == 1

    def test_it_is_adopted_despite_them_only_by_whoever_says_so_and_why(self, house, clinic):
        given = {
            "versionId": version(house, key="other"), "effectiveFrom": "2026-06-15",
            "expectedVersion": 1,
        }  # fmt: skip
        assert refused(house.administrator, "adoptVersion", **given) == [
            ("AGREEMENTS_CLASH", "despiteAgreements")
        ]
        given["despiteAgreements"] = True
        assert refused(house.administrator, "adoptVersion", **given) == [
            ("REASON_MISSING", "reason")
        ]
        assert ask(house.administrator, UNFIT)["unfitAgreements"] == []
        done(
            house.administrator, "adoptVersion", "adoption { number }", **given, reason="已另行商定"
        )
        [one] = ask(house.administrator, UNFIT)["unfitAgreements"]
        assert one["agreement"] == {"id": clinic, "ruleKey": "stationed"}
        assert ask(house.administrator, UNFIT, communityId=house.gongsheng)["unfitAgreements"] == []
        assert ask(house.secretary, UNFIT)["unfitAgreements"] == [one]

    def test_a_layer_too(self, house, clinic):
        change = {"path": "partners.contributions[stationed].modes", "value": ["visiting"]}
        given = {
            "values": [change], "bounds": [], "effectiveFrom": "2026-06-15", "expectedVersion": 0,
        }  # fmt: skip
        assert refused(house.administrator, "setLayer", **given) == [
            ("AGREEMENTS_CLASH", "despiteAgreements")
        ]
        done(
            house.administrator, "setLayer", "layer { id }", **given, despiteAgreements=True,
            reason="改为流动",
        )  # fmt: skip

    def test_ids_are_of_a_community(self, house):
        wrong = ids.encode("Partner", "019a0000-0000-7000-8000-000000000000")
        assert errors(house.administrator, UNFIT, communityId=wrong) == [
            ("NOT_FOUND", "communityId")
        ]
