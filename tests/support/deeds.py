"""Every mutation of both schemas, as somebody would really do it in a furnished town.

A deed makes ready what it needs, then tells who does what, and one way to ask for it that a rule
refuses; where the database has the last word, that one, for it comes when rows are written already.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from django.db.models import Model
from django.utils import timezone
from PIL import Image

from linli.accounts.models import Membership, Person
from linli.accounts.policy import Actor, Role, actor_for, system_actor
from linli.clients import actions as clients
from linli.clients.models import Client
from linli.events import actions as webhooks
from linli.events.models import Delivery, WebhookEndpoint
from linli.library.models import AdoptionRule, Offer, PublishedVersion
from linli.library.pictures import add_picture
from linli.library.signing import public_text
from linli.registry.models import Brand, Sandbox, Tenant
from linli.tenancy.context import tenant_context
from linli.trusted.models import TrustedDocument
from linli_api import ids
from linli_api.exports.actions import request_export
from linli_api.exports.models import Export
from onboarding.tenants import suspend_tenant
from tenants.communities.facts import Fact
from tenants.communities.models import Community
from tenants.communities.national_list import names_in_street
from tenants.fund import actions as fund
from tenants.fund.models import Fund, Posting, Spending
from tenants.operating_model import drafts, requests, upgrades
from tenants.operating_model.actions import publish_version as publish
from tenants.operating_model.actions import write_version
from tenants.operating_model.models import (
    Adoption,
    ChangeRequest,
    Draft,
    Layer,
    ModelVersion,
    Upgrade,
)
from tenants.operating_model.policies import waiting
from tenants.partners.models import Agreement, Contribution, Partner
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.models import chengnan
from tests.support.packages import key_of, package, trust
from tests.support.town import RATE
from tests.support.two_towns import Town

NOWHERE = "999999999999"
MONTHS = "partners.rent_free_months"


@dataclass(frozen=True)
class Deed:
    """wrong: what of the input is given differently to be refused with ``code``. own: everybody
    with a role here does it, with what is theirs. for_members: whoever has a role here may do it,
    so that only a stranger is refused."""

    actor: Actor
    given: dict[str, Any]
    wrong: dict[str, Any]
    code: str
    own: bool = False
    for_members: bool = False


class Place:
    """A town, seen by who does something in it; works in the schema of the tenant."""

    def __init__(self, town: Town) -> None:
        self.tenant = town.tenant
        self.everybody = town.all_powerful
        assert self.everybody.person is not None
        self.platform = actor_for(self.everybody.person, None)
        self.today = timezone.localdate()

    def id(self, row: Model) -> str:
        return ids.encode(type(row).__name__, row.pk)

    def code_of_none(self, kind: str) -> str:
        return ids.encode(kind, uuid4())

    def somebody(self, role: Role, tenant: Tenant | None = None) -> Actor:
        """Who has one role, here or in another tenant, and acts there."""
        where = tenant or self.tenant
        person = PersonFactory()
        MembershipFactory(person=person, tenant=where, role=role)
        return actor_for(person, where)

    def codes_to_come(self) -> list[str]:
        here = set(Community.objects.values_list("division_code", flat=True))
        return [
            code for code in sorted(names_in_street(self.tenant.division_id)) if code not in here
        ]

    def the_fund(self) -> Fund:
        return Fund.objects.exclude(community=None).order_by("pk")[0]

    def approved(self, amount_fen: int) -> Spending:
        spending = fund.propose_spending(
            actor=self.somebody(Role.STREET_ADMINISTRATOR),
            fund_id=self.the_fund().pk,
            share="services",
            use="activities",
            purpose="春节走访",
            amount_fen=amount_fen,
        )
        approver = self.somebody(Role.CHARITY_APPROVER)
        return fund.approve_spending(actor=approver, spending_id=spending.pk)

    def client(self) -> Client:
        return clients.create_client(actor=self.everybody, name="取数", scopes=["fund:read"])[0]

    def running(self) -> ModelVersion:
        """The version in force."""
        adoption = Adoption.objects.order_by("effective_from", "decided_at", "id").last()
        assert adoption is not None
        return adoption.version

    def upgrade(self) -> Upgrade:
        """The one that is being decided."""
        return Upgrade.objects.get(state=Upgrade.State.OPEN)

    def version(self) -> ModelVersion:
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 7
        bounds = {RATE: {"minimum": "0.01", "maximum": "0.05"}}
        return write_version(
            actor=system_actor(self.tenant),
            key="another",
            title="另一个模式",
            document=changed,
            bounds=bounds,
        )


DEEDS: dict[str, list[Callable[[Place], Deed]]] = defaultdict(list)


def _does(mutation: str) -> Callable[[Callable[[Place], Deed]], Callable[[Place], Deed]]:
    def listed(deed: Callable[[Place], Deed]) -> Callable[[Place], Deed]:
        DEEDS[mutation].append(deed)
        return deed

    return listed


# ── Communities ──────────────────────────────────────────────────────────────────────────────────


@_does("addCommunity")
def add_community(place: Place) -> Deed:
    given = {"name": "新社区", "openedOn": "2024-05-01", "residents": 9000}
    return Deed(place.everybody, given, {"divisionCode": NOWHERE}, "DIVISION_UNKNOWN")


@_does("updateCommunity")
def update_community(place: Place) -> Deed:
    one, other = Community.objects.order_by("pk")[:2]
    given = {
        "communityId": place.id(one),
        "sampleCost": not one.sample_cost,
        "reason": "又查了一遍",
    }
    taken = {"divisionCode": other.division_code}
    return Deed(place.everybody, given, taken, "COMMUNITY_ON_BOARD")


@_does("onboardCommunities")
def onboard_communities(place: Place) -> Deed:
    codes = place.codes_to_come()[:3]
    given = {"codes": codes, "openedOn": "2024-05-01"}
    return Deed(place.everybody, given, {"codes": [*codes, NOWHERE]}, "DIVISION_UNKNOWN")


@_does("stateFact")
def state_fact(place: Place) -> Deed:
    given = {"key": "markets.this_year", "value": {"held": 11}, "source": "日报"}
    wrong = {"communityId": place.code_of_none("Community")}
    return Deed(place.everybody, given, wrong, "NOT_FOUND")


@_does("stateFact")
def correct_fact(place: Place) -> Deed:
    known = Fact.objects.filter(community=None).order_by("pk")[0]
    given = {"key": known.key, "value": 12, "source": "更正"}
    wrong = {"communityId": place.code_of_none("Community")}
    return Deed(place.everybody, given, wrong, "NOT_FOUND")


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────


@_does("writeVersion")
def write_first_version(place: Place) -> Deed:
    given = {"key": "new", "title": "新模式", "document": chengnan(), "bounds": []}
    wrong = {"bounds": [{"path": RATE, "maximum": "0.01"}]}
    return Deed(place.everybody, given, wrong, "OUTSIDE_BOUNDS")


@_does("writeVersion")
def write_next_version(place: Place) -> Deed:
    last = ModelVersion.objects.filter(author_id=place.tenant.pk).order_by("-number")[0]
    bounds = [{"path": path, **bound} for path, bound in last.bounds.items()]
    given = {"key": last.key, "title": last.title, "document": chengnan(), "bounds": bounds}
    return Deed(place.everybody, given, {"document": last.document}, "VERSION_UNCHANGED")


def the_draft() -> Draft:
    return Draft.objects.order_by("pk")[0]


@_does("openDraft")
def open_draft(place: Place) -> Deed:
    version = ModelVersion.objects.filter(author_id=place.tenant.pk).order_by("pk")[0]
    given = {"versionId": place.id(version), "title": "下一版"}
    return Deed(place.everybody, given, {"key": "城南"}, "VERSION_INVALID")


@_does("openDraft")
def open_draft_of_nothing(place: Place) -> Deed:
    given = {"key": "another-one", "title": "新写的"}
    return Deed(place.everybody, given, {"title": " "}, "VERSION_INVALID")


@_does("saveDraft")
def save_draft(place: Place) -> Deed:
    draft = the_draft()
    bounds = [{"path": path, **bound} for path, bound in draft.bounds.items()]
    given = {"draftId": place.id(draft), "expectedVersion": draft.version, "document": chengnan()}
    given |= {"bounds": bounds, "title": "第三版", "notes": "租期短了"}
    return Deed(place.everybody, given, {"expectedVersion": 99}, "VERSION_CONFLICT")


@_does("editDraft")
def edit_draft(place: Place) -> Deed:
    draft = the_draft()
    given = {"draftId": place.id(draft), "expectedVersion": draft.version}
    given["values"] = [{"path": RATE, "value": "0.035"}]
    wrong = {"values": [{"path": "partners.rate", "value": "0.035"}]}
    return Deed(place.everybody, given, wrong, "UNKNOWN_PATH")


@_does("discardDraft")
def discard_draft(place: Place) -> Deed:
    draft = the_draft()
    given = {"draftId": place.id(draft), "expectedVersion": draft.version, "reason": "不写了"}
    return Deed(place.everybody, given, {"expectedVersion": 99}, "VERSION_CONFLICT")


@_does("finishDraft")
def finish_draft(place: Place) -> Deed:
    draft = the_draft()
    unfinished = drafts.open_draft(actor=place.everybody, key="unfinished", title="没写完")
    unfinished = drafts.save_draft(
        actor=place.everybody,
        draft_id=unfinished.pk,
        document=chengnan() | {"weather": "晴"},
    )
    given = {"draftId": place.id(draft), "expectedVersion": draft.version}
    wrong = {"draftId": place.id(unfinished), "expectedVersion": unfinished.version}
    return Deed(place.everybody, given, wrong, "DOCUMENT_INVALID")


def _picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (3, 2), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


def _published(place: Place) -> ModelVersion:
    """A version that is in the library."""
    version = ModelVersion.objects.filter(author_id=place.tenant.pk).order_by("pk")[0]
    publish(actor=place.everybody, version_id=version.pk, profiles=["ageing"])
    return version


@_does("publishVersion")
def publish_version(place: Place) -> Deed:
    """One that runs here already, so that it is told who runs the published one."""
    version = ModelVersion.objects.filter(author_id=place.tenant.pk).order_by("pk")[0]
    picture = add_picture(actor=place.everybody, tenant=place.tenant, content=_picture())
    given = {
        "versionId": place.id(version),
        "profiles": ["AGEING"],
        "caseText": "一社一策",
        "visibility": "CITY",
        "evidenceStartsOn": "2025-12-31",
        "evidenceEndsOn": "2026-01-02",
        "pictures": [
            {
                "pictureId": ids.encode("Picture", picture.pk),
                "alt": "食堂",
                "caption": "每天十一点半",
            }
        ],
    }
    return Deed(
        place.everybody, given, {"versionId": place.code_of_none("ModelVersion")}, "NOT_FOUND"
    )


@_does("changeVisibility")
def change_visibility(place: Place) -> Deed:
    given = {
        "versionId": place.id(_published(place)),
        "visibility": "DISTRICT",
        "expectedVersion": 1,
    }
    return Deed(place.everybody, given, {"visibility": "ALL"}, "NOTHING_CHANGES")


@_does("withdrawVersion")
def withdraw_version(place: Place) -> Deed:
    given = {"versionId": place.id(_published(place)), "reason": "请用第二版"}
    return Deed(place.everybody, given, {"reason": " "}, "REASON_MISSING")


@_does("adoptVersion")
def adopt_version(place: Place) -> Deed:
    given = {
        "versionId": place.id(place.running()),
        "effectiveFrom": place.today.isoformat(),
        "values": [{"path": RATE, "value": "0.025"}],
        "expectedVersion": Adoption.objects.count(),
        "expectedLayerVersion": Layer.objects.filter(kind=Layer.Kind.STREET).count(),
        "reason": "利润薄",
    }
    return Deed(
        place.everybody, given, {"values": [{"path": RATE, "value": "0.06"}]}, "OUTSIDE_BOUNDS"
    )


@_does("openUpgrade")
def open_upgrade(place: Place) -> Deed:
    upgrades.give_up_upgrade(actor=place.everybody, upgrade_id=place.upgrade().pk)
    given = {
        "versionId": place.id(place.version()),
        "effectiveFrom": place.today.isoformat(),
        "reason": "跟上新版",
    }
    return Deed(place.everybody, given, {"versionId": place.id(place.running())}, "NOTHING_CHANGES")


@_does("decideUpgrade")
def decide_upgrade(place: Place) -> Deed:
    said = {"path": MONTHS, "choice": "SET", "value": 3, "reason": "新店"}
    given = {"upgradeId": place.id(place.upgrade()), "decisions": [said]}
    wrong = {"decisions": [{"path": MONTHS, "choice": "KEEP"}]}
    return Deed(place.everybody, given, wrong, "NOT_IN_QUESTION")


@_does("applyUpgrade")
def apply_upgrade(place: Place) -> Deed:
    upgrade = place.upgrade()
    given = {
        "upgradeId": place.id(upgrade),
        "expectedVersion": upgrade.version,
        "reason": "居民同意",
    }
    yesterday = (place.today - timedelta(days=1)).isoformat()
    return Deed(place.everybody, given, {"effectiveFrom": yesterday}, "CHANGE_BACKDATED")


@_does("giveUpUpgrade")
def give_up_upgrade(place: Place) -> Deed:
    done = Upgrade.objects.exclude(state=Upgrade.State.OPEN)[0]
    given = {"upgradeId": place.id(place.upgrade()), "reason": "先看看"}
    return Deed(place.everybody, given, {"upgradeId": place.id(done)}, "UPGRADE_CLOSED")


@_does("rollBackUpgrade")
def roll_back_upgrade(place: Place) -> Deed:
    upgrade = upgrades.apply_upgrade(actor=place.everybody, upgrade_id=place.upgrade().pk)
    given = {
        "upgradeId": place.id(upgrade),
        "effectiveFrom": place.today.isoformat(),
        "reason": "居民不同意",
    }
    yesterday = (place.today - timedelta(days=1)).isoformat()
    return Deed(place.everybody, given, {"effectiveFrom": yesterday}, "CHANGE_BACKDATED")


@_does("decideClash")
def decide_clash(place: Place) -> Deed:
    """The district's policy allows 2 %: the street office and each community take what it says."""
    [policy] = waiting()
    given = {
        "layerId": place.id(policy),
        "decisions": [
            {"path": RATE, "choice": "SET", "value": "0.02"},
            *(
                {
                    "communityId": place.id(community),
                    "aspect": aspect,
                    "path": RATE,
                    "choice": "TAKE",
                }
                for community in Community.objects.order_by("pk")
                for aspect in ("VALUE", "BOUND")
            ),
        ],
        "reason": "按区里的意见",
    }
    settled = Layer.objects.filter(state=Layer.State.IN_FORCE)[0]
    return Deed(place.everybody, given, {"layerId": place.id(settled)}, "NOT_FOUND")


@_does("setLayer")
def set_layer(place: Place) -> Deed:
    community = Community.objects.order_by("pk")[0]
    given = {
        "communityId": place.id(community),
        "values": [{"path": RATE, "value": "0.03"}],
        "bounds": [],
        "effectiveFrom": place.today.isoformat(),
        "expectedVersion": Layer.objects.filter(community=community).count(),
    }
    return Deed(
        place.everybody, given, {"values": [{"path": RATE, "value": "0.06"}]}, "OUTSIDE_BOUNDS"
    )


def policies(district: Tenant) -> int:
    """The version of what it lays down."""
    with tenant_context(district):
        return Layer.objects.filter(kind=Layer.Kind.DISTRICT).count()


@_does("issuePolicy")
def issue_policy(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    given = {
        "values": [{"path": "meetings.joint.day_of_month", "value": 10}],
        "bounds": [{"path": RATE, "maximum": "0.045"}],
        "effectiveFrom": place.today.isoformat(),
        "expectedVersion": policies(district),
        "reason": "区里的意见",
    }
    wrong = {"effectiveFrom": "2020-01-01"}
    administrator = place.somebody(Role.DISTRICT_ADMINISTRATOR, district)
    return Deed(administrator, given, wrong, "CHANGE_BACKDATED")


def rules_of(district: Tenant) -> int:
    """The version of how it has those below adopt."""
    return AdoptionRule.objects.filter(issuer=district).count()


@_does("setAdoptionRule")
def set_adoption_rule(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    given = {
        "approver": "DISTRICT",
        "upgrades": "WHEN_OFFERED",
        "effectiveFrom": place.today.isoformat(),
        "expectedVersion": rules_of(district),
        "reason": "先试点",
    }
    wrong = {"effectiveFrom": "2020-01-01"}
    administrator = place.somebody(Role.DISTRICT_ADMINISTRATOR, district)
    return Deed(administrator, given, wrong, "CHANGE_BACKDATED")


@_does("offerVersion")
def offer_version(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    published = PublishedVersion.objects.order_by("pk")[0]
    given = {
        "publishedId": place.id(published),
        "unitIds": [place.id(place.tenant)],
        "effectiveFrom": place.today.isoformat(),
        "note": "先试三个月",
    }
    administrator = place.somebody(Role.DISTRICT_ADMINISTRATOR, district)
    return Deed(administrator, given, {"unitIds": []}, "OFFERED_TO_NOBODY")


@_does("withdrawOffer")
def withdraw_offer(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    given = {
        "offerId": place.id(Offer.objects.filter(issuer=district).order_by("pk")[0]),
        "reason": "有错",
    }
    administrator = place.somebody(Role.DISTRICT_ADMINISTRATOR, district)
    return Deed(administrator, given, {"reason": " "}, "REASON_MISSING")


@_does("requestAdoption")
def request_adoption(place: Place) -> Deed:
    return adopt_version(place)


def asked_for(place: Place) -> ChangeRequest:
    """By somebody else than who decides."""
    return requests.request_adoption(
        actor=place.somebody(Role.STREET_ADMINISTRATOR),
        version_id=place.running().pk,
        effective_from=place.today,
        values={RATE: "0.025"},
    )


def decided(place: Place) -> str:
    return place.id(ChangeRequest.objects.exclude(state="proposed").order_by("pk")[0])


@_does("requestUpgrade")
def request_upgrade(place: Place) -> Deed:
    return apply_upgrade(place)


@_does("requestRollBack")
def request_roll_back(place: Place) -> Deed:
    given = roll_back_upgrade(place).given
    wrong = {"upgradeId": place.code_of_none("Upgrade")}
    return Deed(place.everybody, given, wrong, "NOT_FOUND")


@_does("approveChange")
def approve_change(place: Place) -> Deed:
    given = {"requestId": place.id(asked_for(place)), "reason": "同意"}
    return Deed(place.everybody, given, {"requestId": decided(place)}, "REQUEST_DECIDED")


@_does("returnChange")
def return_change(place: Place) -> Deed:
    given = {"requestId": place.id(asked_for(place)), "reason": "先试点"}
    return Deed(place.everybody, given, {"reason": " "}, "REASON_MISSING")


@_does("withdrawRequest")
def withdraw_request(place: Place) -> Deed:
    given = {"requestId": place.id(asked_for(place)), "reason": "不急"}
    return Deed(place.everybody, given, {"requestId": decided(place)}, "REQUEST_DECIDED")


# ── Packages ─────────────────────────────────────────────────────────────────────────────────────


@_does("importPackage")
def import_package(place: Place) -> Deed:
    trust(7, "临汾")
    return Deed(place.everybody, {"file": package(7)}, {"file": package(8)}, "SOURCE_UNKNOWN")


@_does("addTrustedSource")
def add_trusted_source(place: Place) -> Deed:
    given = {"name": "晋城", "publicKey": public_text(key_of(9).public_key()), "reason": "核对过"}
    return Deed(place.platform, given, {"name": trust(7, "临汾").name}, "SOURCE_NAME_TAKEN")


@_does("revokeTrustedSource")
def revoke_trusted_source(place: Place) -> Deed:
    given = {"trustedSourceId": place.id(trust(7, "临汾")), "reason": "钥匙丢了"}
    wrong = {"trustedSourceId": place.code_of_none("TrustedSource")}
    return Deed(place.platform, given, wrong, "NOT_FOUND")


# ── Partners ─────────────────────────────────────────────────────────────────────────────────────


@_does("admitPartner")
def admit_partner(place: Place) -> Deed:
    known = Partner.objects.order_by("pk")[0]
    given = {
        "communityId": place.id(known.community),
        "name": "合唱老师王芳",
        "kind": "skilled_resident",
        "isIndividual": True,
    }
    return Deed(place.everybody, given, {"name": known.name}, "PARTNER_ADMITTED")


@_does("updatePartner")
def update_partner(place: Place) -> Deed:
    known = Partner.objects.order_by("pk")[0]
    given = {"partnerId": place.id(known), "joinedOn": "2014-12-31", "reason": "写错了"}
    return Deed(place.everybody, given, {"expectedVersion": 99}, "VERSION_CONFLICT")


@_does("signAgreement")
def sign_agreement(place: Place) -> Deed:
    given = {
        "partnerId": place.id(Partner.objects.order_by("pk")[0]),
        "mode": "VISITING",
        "ruleKey": "visiting",
        "startsOn": "2025-01-01",
        "endsOn": "2030-01-01",
    }
    return Deed(place.everybody, given, {"ruleKey": "stationed"}, "RULE_NOT_FOR_MODE")


@_does("declareIncome")
def declare_income(place: Place) -> Deed:
    given = {
        "agreementId": place.id(Agreement.objects.order_by("pk")[0]),
        "startsOn": "2025-05-01",
        "endsOn": "2025-06-01",
        "incomeFen": 5_000_000,
    }
    again = {"startsOn": "2025-03-01", "endsOn": "2025-06-01"}
    return Deed(place.everybody, given, again, "DECLARED_TWICE")


# ── Money ────────────────────────────────────────────────────────────────────────────────────────


@_does("openFund")
def open_fund(place: Place) -> Deed:
    given = {"hostCharity": "淄博市慈善总会", "openedOn": "2024-05-01"}
    open_already = {"communityId": place.id(place.the_fund().community)}
    return Deed(place.everybody, given, open_already, "FUND_OPEN")


@_does("receiveContribution")
def receive_contribution(place: Place) -> Deed:
    given = {
        "contributionId": place.id(Contribution.objects.order_by("pk")[0]),
        "amountFen": 1000,
        "receivedOn": place.today.isoformat(),
    }
    return Deed(place.everybody, given, {"amountFen": 10**12}, "MORE_THAN_OWED")


@_does("recordIncome")
def record_income(place: Place) -> Deed:
    given = {
        "fundId": place.id(place.the_fund()),
        "source": "DONATION",
        "amountFen": 123_456,
        "receivedOn": place.today.isoformat(),
    }
    return Deed(place.everybody, given, {"amountFen": 2**53 - 1}, "AMOUNT_OUT_OF_RANGE")


@_does("proposeSpending")
def propose_spending(place: Place) -> Deed:
    given = {
        "fundId": place.id(place.the_fund()),
        "share": "services",
        "use": "activities",
        "purpose": "重阳节",
        "amountFen": 9900,
    }
    return Deed(place.everybody, given, {"share": "yachts"}, "NOT_IN_MODEL")


@_does("approveSpending")
def approve_spending(place: Place) -> Deed:
    proposed = Spending.objects.filter(status=Spending.Status.PROPOSED).order_by("pk")[0]
    paid = Spending.objects.filter(status=Spending.Status.PAID).order_by("pk")[0]
    given = {"spendingId": place.id(proposed)}
    return Deed(place.everybody, given, {"spendingId": place.id(paid)}, "STEP_OUT_OF_ORDER")


@_does("paySpending")
def pay_spending(place: Place) -> Deed:
    given = {"spendingId": place.id(place.approved(9900)), "paidOn": place.today.isoformat()}
    too_much = {"spendingId": place.id(place.approved(10**13))}
    return Deed(place.everybody, given, too_much, "BALANCE_TOO_LOW")


@_does("reverseEvent")
def reverse_event(place: Place) -> Deed:
    income = Posting.objects.filter(kind=Posting.Kind.INCOME).order_by("pk")
    open_one, gone = (
        income.filter(reversal__isnull=reversed_not)[0].group_id for reversed_not in (True, False)
    )
    first, again = (ids.encode("LedgerEvent", one) for one in (open_one, gone))
    given = {"ledgerEventId": first, "reason": "记错了"}
    return Deed(place.everybody, given, {"ledgerEventId": again}, "ALREADY_REVERSED")


# ── Documents that programs run ───────────────────────────────────────────────────────────────────


@_does("trustDocument")
def trust_document(place: Place) -> Deed:
    given = {"text": "query Own { viewer { name } }", "name": "自己的"}
    return Deed(place.everybody, given, {"text": "{ nobody }"}, "DOCUMENT_NOT_VALID")


@_does("withdrawDocument")
def withdraw_document(place: Place) -> Deed:
    document = TrustedDocument.objects.filter(tenant_id=place.tenant.pk).order_by("pk")[0]
    given = {"trustedDocumentId": place.id(document)}
    wrong = {"trustedDocumentId": place.code_of_none("TrustedDocument")}
    return Deed(place.everybody, given, wrong, "NOT_FOUND")


@_does("requireTrustedDocuments")
def require_trusted_documents(place: Place) -> Deed:
    given, as_it_stands = {"onlyTrusted": True}, {"onlyTrusted": False}
    return Deed(place.everybody, given, as_it_stands, "NOTHING_CHANGES")


# ── Programs ─────────────────────────────────────────────────────────────────────────────────────


@_does("createClient")
def create_client(place: Place) -> Deed:
    given = {"name": "小程序", "scopes": ["partners:read", "partners:write"], "reason": "试点"}
    return Deed(place.everybody, given, {"scopes": ["tenants:manage:all"]}, "SCOPE_UNKNOWN")


@_does("createClient")
def create_client_at_the_platform(place: Place) -> Deed:
    place.client()
    given = {"tenantId": place.id(place.tenant), "name": "另一个", "scopes": ["fund:read"]}
    return Deed(place.platform, given, {"name": "取数"}, "CLIENT_EXISTS")


@_does("addClientSecret")
def add_client_secret(place: Place) -> Deed:
    revoked = clients.revoke_client(actor=place.everybody, client_id=place.client().pk)
    given = {"clientId": place.id(place.client()), "reason": "到期更换"}
    return Deed(place.everybody, given, {"clientId": place.id(revoked)}, "CLIENT_REVOKED")


@_does("revokeClientSecret")
def revoke_client_secret(place: Place) -> Deed:
    given = {"clientSecretId": place.id(place.client().secrets.get()), "reason": "泄露"}
    wrong = {"clientSecretId": place.code_of_none("ClientSecret")}
    return Deed(place.everybody, given, wrong, "NOT_FOUND")


@_does("revokeClient")
def revoke_client(place: Place) -> Deed:
    given = {"clientId": place.id(place.client()), "reason": "停用"}
    wrong = {"clientId": place.code_of_none("Client")}
    return Deed(place.platform, given, wrong, "NOT_FOUND")


@_does("createPersonalToken")
def create_personal_token(place: Place) -> Deed:
    given = {"name": "我的", "scopes": ["partners:read"]}
    return Deed(place.everybody, given, {"scopes": []}, "SCOPES_MISSING", own=True)


@_does("revokePersonalToken")
def revoke_personal_token(place: Place) -> Deed:
    row, _token = clients.create_personal_token(
        actor=place.everybody, name="我的", scopes=["partners:read"], tenant=None
    )
    wrong = {"personalTokenId": place.code_of_none("PersonalToken")}
    return Deed(place.everybody, {"personalTokenId": place.id(row)}, wrong, "NOT_FOUND", own=True)


# ── Webhooks ─────────────────────────────────────────────────────────────────────────────────────


def an_endpoint(place: Place) -> WebhookEndpoint:
    return WebhookEndpoint.objects.order_by("pk")[0]


def no_endpoint(place: Place) -> dict[str, Any]:
    return {"endpointId": place.code_of_none("WebhookEndpoint")}


@_does("createWebhookEndpoint")
def create_webhook_endpoint(place: Place) -> Deed:
    given = {"url": "https://example.org/hook", "types": ["FUND_OPENED", "PARTNER_ADMITTED"]}
    return Deed(place.everybody, given, {"url": "https://127.0.0.1/"}, "URL_INVALID")


@_does("updateWebhookEndpoint")
def update_webhook_endpoint(place: Place) -> Deed:
    given = {"endpointId": place.id(an_endpoint(place)), "types": ["FUND_OPENED"]}
    return Deed(place.everybody, given, {"types": []}, "TYPES_INVALID")


@_does("addWebhookSecret")
def add_webhook_secret(place: Place) -> Deed:
    given = {"endpointId": place.id(an_endpoint(place))}
    return Deed(place.everybody, given, no_endpoint(place), "NOT_FOUND")


@_does("revokeWebhookSecret")
def revoke_webhook_secret(place: Place) -> Deed:
    one = an_endpoint(place)
    webhooks.add_secret(actor=place.everybody, endpoint_id=one.pk)
    given = {
        "endpointId": place.id(one),
        "webhookSecretId": ids.encode("WebhookSecret", one.secrets[0]["id"]),
    }
    return Deed(
        place.everybody,
        given,
        {"webhookSecretId": place.code_of_none("WebhookSecret")},
        "NOT_FOUND",
    )


@_does("pauseWebhookEndpoint")
def pause_webhook_endpoint(place: Place) -> Deed:
    given = {"endpointId": place.id(an_endpoint(place)), "reason": "升级"}
    return Deed(place.everybody, given, no_endpoint(place), "NOT_FOUND")


@_does("resumeWebhookEndpoint")
def resume_webhook_endpoint(place: Place) -> Deed:
    one = an_endpoint(place)
    webhooks.pause_endpoint(actor=place.everybody, endpoint_id=one.pk)
    given = {"endpointId": place.id(one)}
    other, _secret = webhooks.create_endpoint(
        actor=place.everybody, url="https://example.org/", types=["fund.opened"]
    )
    return Deed(place.everybody, given, {"endpointId": place.id(other)}, "ENDPOINT_NOT_PAUSED")


@_does("deleteWebhookEndpoint")
def delete_webhook_endpoint(place: Place) -> Deed:
    one, _secret = webhooks.create_endpoint(
        actor=place.everybody, url="https://example.org/", types=["fund.opened"]
    )
    given = {"endpointId": place.id(one)}
    return Deed(place.everybody, given, no_endpoint(place), "NOT_FOUND")


@_does("sendTestEvent")
def send_test_event(place: Place) -> Deed:
    given = {"endpointId": place.id(an_endpoint(place))}
    return Deed(place.everybody, given, no_endpoint(place), "NOT_FOUND")


@_does("replayEvents")
def replay_events(place: Place) -> Deed:
    since = timezone.now() - timedelta(days=1)
    one, _secret = webhooks.create_endpoint(  # to another one a replay is under way
        actor=place.everybody, url="https://example.org/", types=["fund.opened"]
    )
    given = {"endpointId": place.id(one), "since": since.isoformat()}
    return Deed(place.everybody, given, {"since": "2020-01-01T00:00:00Z"}, "TOO_LONG_AGO")


@_does("replayDelivery")
def replay_delivery(place: Place) -> Deed:
    one = Delivery.objects.order_by("pk")[0]
    given = {"deliveryId": ids.encode("WebhookDelivery", one.pk)}
    nothing = {"deliveryId": place.code_of_none("WebhookDelivery")}
    return Deed(place.everybody, given, nothing, "NOT_FOUND")


# ── Exports ──────────────────────────────────────────────────────────────────────────────────────


@_does("exportConnection")
def export_connection(place: Place) -> Deed:
    given = {"document": "{ partners { nodes { name } } }", "format": "CSV"}
    no_list = {"document": "{ viewer { name } }"}
    return Deed(place.everybody, given, no_list, "EXPORT_DOCUMENT_INVALID", True)


@_does("cancelExport")
def cancel_export(place: Place) -> Deed:
    document = "{ partners { nodes { name } } }"
    export = request_export(actor=place.everybody, document=document, format="csv")
    ended = Export.objects.get(status=Export.Status.DONE)
    return Deed(
        place.everybody,
        {"exportId": place.id(export)},
        {"exportId": place.id(ended)},
        "EXPORT_ENDED",
        for_members=True,
    )


# ── People and tenants, at the platform ──────────────────────────────────────────────────────────


@_does("registerPerson")
def register_person(place: Place) -> Deed:
    given = {
        "username": "wangfang",
        "name": "王芳芳",
        "email": "wangfang@example.org",
        "phone": "+8613800001111",
        "password": "sunlit-harbour-42",
        "reason": "新来的",
    }
    taken = {"username": Person.objects.order_by("pk")[0].username}
    return Deed(place.platform, given, taken, "USERNAME_TAKEN")


@_does("setPassword")
def set_password(place: Place) -> Deed:
    given = {"personId": place.id(PersonFactory()), "password": "sunlit-harbour-42"}
    return Deed(place.platform, given, {"password": "12345678"}, "PASSWORD_INVALID")


@_does("disablePerson")
def disable_person(place: Place) -> Deed:
    own = place.platform.person
    assert own is not None
    given = {"personId": place.id(PersonFactory()), "reason": "离职"}
    return Deed(place.platform, given, {"personId": place.id(own)}, "DISABLES_SELF")


@_does("enablePerson")
def enable_person(place: Place) -> Deed:
    given = {"personId": place.id(PersonFactory(is_active=False)), "reason": "回来了"}
    wrong = {"personId": place.code_of_none("Person")}
    return Deed(place.platform, given, wrong, "NOT_FOUND")


@_does("grantMembership")
def grant_membership(place: Place) -> Deed:
    given = {
        "personId": place.id(PersonFactory()),
        "role": "AUDITOR",
        "tenantId": place.id(place.tenant),
        "startsOn": "2024-05-01",
    }
    auditor = place.somebody(Role.AUDITOR).person
    assert auditor is not None
    return Deed(place.platform, given, {"personId": place.id(auditor)}, "MEMBERSHIP_EXISTS")


@_does("endMembership")
def end_membership(place: Place) -> Deed:
    place.somebody(Role.AUDITOR)
    one = Membership.objects.filter(role=Role.AUDITOR, tenant=place.tenant).order_by("-pk")[0]
    ended = MembershipFactory(
        tenant=place.tenant, role=Role.AUDITOR, ended_on=place.today - timedelta(days=1)
    )
    given = {"membershipId": place.id(one), "reason": "调走了"}
    return Deed(place.platform, given, {"membershipId": place.id(ended)}, "MEMBERSHIP_ENDED")


@_does("requestTenant")
def request_tenant(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    given = {
        "slug": "dongjie",
        "name": "东街街道",
        "kind": "STREET",
        "parentId": place.id(district),
        "reason": "第二批",
    }
    return Deed(place.platform, given, {"slug": place.tenant.slug}, "SLUG_TAKEN")


@_does("requestSandbox")
def request_sandbox(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    given = {"slug": "shashi", "name": "沙箱", "parentId": place.id(district), "reason": "试用"}
    return Deed(place.platform, given, {"slug": place.tenant.slug}, "SLUG_TAKEN")


@_does("resetSandbox")
def reset_sandbox(place: Place) -> Deed:
    """The wrong one is refused for its text: whether it is a sandbox is no input."""
    assert place.tenant.parent is not None
    Sandbox.objects.create(tenant=place.tenant, under=place.tenant.parent)
    return Deed(place.everybody, {"reason": "从头来"}, {"reason": "\0"}, "TEXT_INVALID")


@_does("suspendTenant")
def suspend(place: Place) -> Deed:
    given = {"tenantId": place.id(place.tenant), "reason": "欠费"}
    return Deed(place.platform, given, {"reason": " "}, "REASON_MISSING")


@_does("resumeTenant")
def resume(place: Place) -> Deed:
    suspend_tenant(actor=system_actor(None), tenant_id=place.tenant.pk, reason="欠费")
    district = place.tenant.parent
    assert district is not None
    given = {"tenantId": place.id(place.tenant), "reason": "已付"}
    return Deed(place.platform, given, {"tenantId": place.id(district)}, "TENANT_MOVE_REFUSED")


@_does("archiveTenant")
def archive(place: Place) -> Deed:
    given = {"tenantId": place.id(place.tenant), "reason": "并入别处"}
    return Deed(place.platform, given, {"tenantId": place.code_of_none("Tenant")}, "NOT_FOUND")


@_does("brandTenant")
def brand_first(place: Place) -> Deed:
    district = place.tenant.parent
    assert district is not None
    assert not Brand.objects.filter(tenant=district).exists()
    given = {"tenantId": place.id(district), "title": "邻里", "colour": "#0b6b5b"}
    return Deed(place.platform, given, {"colour": "green"}, "COLOUR_INVALID")


@_does("brandTenant")
def brand_again(place: Place) -> Deed:
    given = {"tenantId": place.id(place.tenant), "title": "邻里", "colour": "#0b6b5b"}
    return Deed(place.platform, given, {"title": "邻" * 101}, "TITLE_INVALID")


@_does("refreshComparison")
def refresh_comparison(place: Place) -> Deed:
    given = {"underId": place.id(place.tenant), "asOf": date(2026, 1, 31).isoformat()}
    tomorrow = place.today + timedelta(days=1)
    return Deed(place.platform, given, {"asOf": tomorrow.isoformat()}, "DAY_IN_FUTURE")


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────


def _many(deed: Callable[[Place], Deed]) -> Callable[[Place], Deed]:
    """The deed as the one item of several, then with a second that is refused."""

    def many(place: Place) -> Deed:
        one = deed(place)
        given = {"items": [one.given], "allOrNone": True}
        wrong = {"items": [one.given, one.given | one.wrong]}
        return Deed(one.actor, given, wrong, "ITEMS_REFUSED")

    return many


for _name, _one in {
    "addCommunities": add_community,
    "updateCommunities": update_community,
    "stateFacts": state_fact,
    "admitPartners": admit_partner,
    "signAgreements": sign_agreement,
    "declareIncomes": declare_income,
    "receiveContributions": receive_contribution,
    "recordIncomes": record_income,
}.items():
    DEEDS[_name].append(_many(_one))
