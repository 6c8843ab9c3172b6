"""A street office in which every table has a row, under a mark that stands nowhere else."""

from dataclasses import replace
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from linli.accounts.policy import Actor, Client, Role, actor_for, system_actor
from linli.clients.actions import create_client
from linli.comparison.models import Figure
from linli.events import actions as webhooks
from linli.events.models import Delivery, WebhookEndpoint
from linli.events.sequencing import sequence
from linli.events.types import event_types
from linli.ids import uuid7
from linli.library.models import PublishedVersion
from linli.registry.models import Brand, Tenant
from linli.repeats.keeping import Asked, keep
from linli.tenancy.context import tenant_context
from linli.trusted.actions import trust_document
from tenants.communities.actions import add_community
from tenants.communities.facts import state_fact
from tenants.communities.models import Community
from tenants.communities.national_list import names_in_street
from tenants.fund import actions as fund
from tenants.operating_model import rolling_back, upgrades
from tenants.operating_model.actions import (
    issue_policy,
    publish_version,
    set_layer,
    write_version,
)
from tenants.operating_model.decisions import Said
from tenants.operating_model.drafts import open_draft, save_draft
from tenants.operating_model.governing import offer_version, set_adoption_rule
from tenants.operating_model.models import ModelVersion, Upgrade
from tenants.operating_model.policies import land_policies
from tenants.operating_model.requests import (
    approve_change,
    request_adoption,
    request_upgrade,
    return_change,
)
from tenants.partners import actions as partners
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.models import chengnan

OPENED = date(2024, 3, 1)
RATE = "partners.contributions[stationed].rate"


def furnish(tenant: Tenant, mark: str, seed: int) -> list[Community]:
    """mark: in every text, as "Ω甲"; seed: three digits in every number. The tenant's own name and
    that of its district become marks too. The communities, each with all that one can have."""
    district = tenant.parent
    assert district is not None
    _mark(district, f"{mark}区")
    _mark(tenant, f"{mark}街道")
    staff = _staff(tenant, mark)
    published = _published_by_the_city(tenant, seed)
    with tenant_context(tenant):
        _run_a_model(tenant, staff[Role.STREET_ADMINISTRATOR], mark, seed)
        _write_on(staff[Role.STREET_ADMINISTRATOR], mark, seed)
        _govern(district, tenant, published, mark)
        _lay_down_a_policy(district, mark)
        land_policies(tenant, actor=system_actor(tenant))
        state_fact(
            actor=_program(staff[Role.STREET_ADMINISTRATOR], mark),
            community_id=None,
            key=f"{mark}.volunteers",
            value={f"{mark}全街": 5_000_000 + seed},
            source=f"{mark}日报",
        )
        _answer_kept(mark, seed)
        made = [
            _community(tenant, staff, code, f"{mark}{number}", seed + number)
            for number, code in enumerate(sorted(names_in_street(tenant.division_id))[:2])
        ]
        _webhook(tenant, mark, seed)
    _public_rows(tenant, mark, seed)
    trust_document(
        actor=staff[Role.STREET_ADMINISTRATOR],
        text=f"query Q{seed} {{ viewer {{ name }} }} # {mark}",
        name=f"{mark}查询",
        cost=8_000_000 + seed,
    )
    return made


def _program(administrator: Actor, mark: str) -> Actor:
    """A client of the street office; here it acts as its administrator's own."""
    client, _secret = create_client(
        actor=administrator,
        name=f"{mark}小程序",
        scopes=["communities:write"],
        reason=f"{mark}试点",
    )
    return replace(administrator, client=Client(client.pk, client.name))


def _mark(tenant: Tenant, name: str) -> None:
    tenant.name = name
    Tenant.objects.filter(pk=tenant.pk).update(name=name)


def _staff(tenant: Tenant, mark: str) -> dict[Role, Actor]:
    staff = {}
    for role in (Role.STREET_ADMINISTRATOR, Role.CHARITY_APPROVER, Role.CHARITY_CASHIER):
        person = PersonFactory(name=f"{mark}{role.label}", username=f"{tenant.slug}.{role.value}")
        MembershipFactory(person=person, tenant=tenant, role=role)
        staff[role] = actor_for(person, tenant)
    return staff


def _answer_kept(mark: str, seed: int) -> None:
    asked = Asked(uuid7(), f"{mark}的键", f"{seed:064d}")
    with transaction.atomic():
        keep(asked, f'{{"data": "{mark}"}}')


def _lay_down_a_policy(district: Tenant, mark: str) -> None:
    """One that clashes with what the street will set, so that it waits there."""
    with tenant_context(district):
        issue_policy(
            actor=system_actor(district),
            values={},
            bounds={RATE: {"maximum": "0.02"}},
            effective_from=timezone.localdate(),
            reason=f"{mark}区政策",
        )


def _published_by_the_city(tenant: Tenant, seed: int) -> PublishedVersion:
    """A version that is for everybody to see, to be offered; nothing in it is the town's."""
    city = tenant.ancestors()[-1]
    document = chengnan()
    document["partners"]["rent_free_months"] = seed % 36
    # Amounts of its own: those of the town's model are the town's.
    document["partners"]["contributions"][1]["fee_fen"] = 500
    document["services"]["price_classes"][1]["ceiling_fen"] = 200
    with tenant_context(city):
        version = write_version(
            actor=system_actor(city), key="guide", title="市级样板", document=document, bounds={}
        )
        return publish_version(actor=system_actor(city), version_id=version.pk, profiles=["ageing"])


def _govern(district: Tenant, tenant: Tenant, published: PublishedVersion, mark: str) -> None:
    """A rule by which the street still decides for itself, and an offer to it."""
    today, system = timezone.localdate(), system_actor(district)
    with tenant_context(district):
        set_adoption_rule(
            actor=system, approver="nobody", upgrades="free", effective_from=today,
            reason=f"{mark}区规定",
        )  # fmt: skip
        offer_version(
            actor=system, published_id=published.pk, unit_ids=[tenant.pk], effective_from=today,
            binding_by=today, note=f"{mark}区推荐",
        )  # fmt: skip


def _run_a_model(tenant: Tenant, administrator: Actor, mark: str, seed: int) -> None:
    """The first of two versions is in force, approved by a second person; the second can be
    previewed, is being upgraded to."""
    system = system_actor(tenant)
    first, second = (
        write_version(
            actor=system,
            key=f"model-{tenant.slug}",
            title=f"{mark}模式{edition}",
            document=_document(f"{mark}活动{edition}"),
            bounds={RATE: {"minimum": f"0.01{seed}", "maximum": f"0.04{seed}"}},
            notes=f"{mark}说明{edition}",
        )
        for edition in ("一", "二")
    )
    person = PersonFactory(name=f"{mark}审批人")
    MembershipFactory(person=person, tenant=tenant, role=Role.STREET_ADMINISTRATOR)
    other = actor_for(person, tenant)
    asked = request_adoption(
        actor=administrator,
        version_id=first.pk,
        effective_from=OPENED,
        values={RATE: f"0.03{seed}"},
        bounds={RATE: {"minimum": f"0.01{seed}"}},
        reason=f"{mark}街道定的",
    )
    approve_change(actor=other, request_id=asked.pk, reason=f"{mark}同意")
    again = request_adoption(
        actor=other,
        version_id=first.pk,
        effective_from=timezone.localdate(),
        values={RATE: f"0.02{seed}"},
        reason=f"{mark}想降低",
    )
    return_change(actor=administrator, request_id=again.pk, reason=f"{mark}先试点")
    for state in ("undone", "open"):
        upgrade = _upgrade(tenant, second, mark, state)
    asked = request_upgrade(
        actor=administrator, upgrade_id=upgrade.pk, reason=f"{mark}想升级", despite_agreements=True
    )
    return_change(actor=other, request_id=asked.pk, reason=f"{mark}再等等")


def _upgrade(tenant: Tenant, target: ModelVersion, mark: str, state: str) -> Upgrade:
    """One that was applied and rolled back, one that is being decided."""
    system, today = system_actor(tenant), timezone.localdate()
    upgrade = upgrades.open_upgrade(
        actor=system, version_id=target.pk, effective_from=today, reason=f"{mark}升级{state}"
    )
    said = Said(
        "fund.uses[activities].title.zh", "set", value=f"{mark}活动{state}", reason=f"{mark}照旧"
    )
    upgrades.decide_upgrade(actor=system, upgrade_id=upgrade.pk, decisions=[said])
    if state == "undone":
        upgrades.apply_upgrade(actor=system, upgrade_id=upgrade.pk)
        rolling_back.roll_back_upgrade(
            actor=system, upgrade_id=upgrade.pk, effective_from=today, reason=f"{mark}退回"
        )
    return upgrade


def _write_on(administrator: Actor, mark: str, seed: int) -> None:
    """A draft of the next version, in which several have written already."""
    last = ModelVersion.objects.order_by("-number")[0]
    draft = open_draft(actor=administrator, version_id=last.pk, title=f"{mark}模式三")
    save_draft(
        actor=administrator,
        draft_id=draft.pk,
        document=_document(f"{mark}活动三"),
        bounds={RATE: {"minimum": f"0.02{seed}"}},
        notes=f"{mark}说明三",
    )


def _document(use: str) -> dict:
    document = chengnan()
    document["fund"]["uses"][0]["title"] = {"zh": use}
    return document


def _community(
    tenant: Tenant, staff: dict[Role, Actor], code: str, mark: str, seed: int
) -> Community:
    administrator = staff[Role.STREET_ADMINISTRATOR]
    community = add_community(
        actor=administrator,
        name=f"{mark}社区",
        opened_on=OPENED,
        division_code=code,
        profile=Community.Profile.AGEING,
        residents=1_000_000 + seed,
        buildings=2_000_000 + seed,
        operating_cost_fen=3_000_000_000_000 + seed,
    )
    person = PersonFactory(name=f"{mark}书记")
    MembershipFactory(
        person=person, tenant=tenant, role=Role.COMMUNITY_SECRETARY, community_id=community.pk
    )
    state_fact(
        actor=administrator,
        community_id=community.pk,
        key=f"{mark}.markets",
        value=[f"{mark}集市", 4_000_000 + seed],
        source=f"{mark}报",
    )
    partner = partners.admit_partner(
        actor=administrator, community_id=community.pk, name=f"{mark}诊所", kind="enterprise"
    )
    agreement = partners.sign_agreement(
        actor=administrator,
        partner_id=partner.pk,
        mode="stationed",
        rule_key="stationed",
        starts_on=date(2025, 1, 1),
        ends_on=date(2030, 1, 1),
        agreed_rate=f"0.03{seed}",
        services=f"{mark}看病",
        spaces=f"{mark}二楼",
        rent_free_months=1,
    )
    contribution = partners.declare_income(
        actor=administrator,
        agreement_id=agreement.pk,
        starts_on=date(2025, 3, 1),
        ends_on=date(2025, 4, 1),
        income_fen=60_000_000 + seed,
        sessions=0,
    )
    set_layer(
        actor=administrator,
        community_id=community.pk,
        values={RATE: f"0.02{seed}"},
        bounds={RATE: {"minimum": f"0.02{seed}", "maximum": "0.029"}},
        effective_from=timezone.localdate(),
        reason=f"{mark}社区定的",
        despite_agreements=True,  # the clinic's is one that no longer fits
    )
    _fund(staff, community, contribution.pk, mark, seed)
    return community


def _fund(staff: dict[Role, Actor], community: Community, owed: object, mark: str, seed: int):
    administrator = staff[Role.STREET_ADMINISTRATOR]
    opened = fund.open_fund(
        actor=administrator,
        community_id=community.pk,
        host_charity=f"{mark}慈善总会",
        opened_on=OPENED,
    )
    day = timezone.localdate() - timedelta(days=1)
    fund.receive_contribution(
        actor=administrator, contribution_id=owed, amount_fen=700_000 + seed, received_on=day
    )
    income = fund.record_income(
        actor=administrator,
        fund_id=opened.pk,
        source="donation",
        amount_fen=8_000_000 + seed,
        received_on=day,
        note=f"{mark}捐款",
    )
    fund.record_income(
        actor=administrator,
        fund_id=opened.pk,
        source="market",
        amount_fen=9_000_000 + seed,
        received_on=day,
        note=f"{mark}集市收入",
    )
    paid, _open = (
        fund.propose_spending(
            actor=administrator,
            fund_id=opened.pk,
            share="services",
            use="activities",
            purpose=f"{mark}{what}",
            amount_fen=amount + seed,
        )
        for what, amount in (("付了的", 10_000), ("没付的", 20_000))
    )
    fund.approve_spending(actor=staff[Role.CHARITY_APPROVER], spending_id=paid.pk)
    fund.pay_spending(actor=staff[Role.CHARITY_CASHIER], spending_id=paid.pk, paid_on=day)
    fund.reverse_event(actor=administrator, group_id=income, reason=f"{mark}记错了")


def _webhook(tenant: Tenant, mark: str, seed: int) -> None:
    """Everything that has happened is delivered to it again; one attempt has failed."""
    made = timezone.now() - timedelta(days=1)
    endpoint, _secret = webhooks.create_endpoint(
        actor=system_actor(tenant),
        url=f"https://{tenant.slug}.example/hook",
        types=[one.name for one in event_types()],
        description=f"{mark}小程序",
    )
    webhooks.pause_endpoint(
        actor=system_actor(tenant), endpoint_id=endpoint.pk, reason=f"{mark}停用"
    )
    webhooks.resume_endpoint(actor=system_actor(tenant), endpoint_id=endpoint.pk)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        state_reason=f"{mark}恢复", failures=1, failing_since=made, hold_until=timezone.now(),
        person_id=uuid7(), client_id=uuid7(),
    )  # fmt: skip
    sequence(tenant.pk)
    webhooks.replay_events(actor=system_actor(tenant), endpoint_id=endpoint.pk, since=made)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        replay_since=made, replay_until=made + timedelta(minutes=1),
        replay_position=5_000_000 + seed, replay_last_position=6_000_000 + seed,
    )  # fmt: skip
    attempt = {"at": made.isoformat(), "status": 500, "milliseconds": 7_000_000 + seed}
    attempt["failure"] = "status"
    Delivery.objects.update(log=[attempt])


def _public_rows(tenant: Tenant, mark: str, seed: int) -> None:
    Brand.objects.create(tenant=tenant, title=f"{mark}邻里", colour=f"#a{seed:05d}")
    Figure.objects.create(
        tenant=tenant,
        measure="communities",
        as_of=date(2026, 1, 1),
        value=f"77{seed}.5",
        rolled_up_at=timezone.now(),
    )
