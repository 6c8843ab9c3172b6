"""Partners are admitted by the kinds of the model in force (P1)."""

from datetime import date

import pytest
from django.utils import timezone

from linli.accounts.policy import system_actor
from linli.audit.models import Entry
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import set_layer
from tenants.partners.actions import admit_partner
from tenants.partners.models import Partner
from tenants.partners.selectors import partners
from tests.support.denials import denied


def test_a_partner_is_admitted_and_the_trail_holds_no_name(house) -> None:
    partner = admit_partner(
        actor=house.secretary,
        community_id=house.chengnan.pk,
        name=" 王阿姨 ",
        kind="skilled_resident",
        is_individual=True,
        joined_on=date(2024, 3, 1),
    )

    kept = Partner.objects.get(pk=partner.pk)
    assert (kept.name, kept.kind, kept.is_individual) == ("王阿姨", "skilled_resident", True)
    assert (kept.community, kept.joined_on, kept.sample) == (
        house.chengnan, date(2024, 3, 1), False,
    )  # fmt: skip
    entry = Entry.objects.get(object_id=str(partner.pk))
    assert (entry.action, entry.person_id) == ("partners.admitted", house.secretary.person_id)
    assert (entry.before, entry.after["name"]) == (None, "…")


def test_a_kind_is_one_of_the_model(house) -> None:
    with denied("KIND_UNKNOWN", "kind") as caught:
        admit_partner(
            actor=house.administrator, community_id=house.chengnan.pk, name="某某", kind="hero"
        )

    assert caught.refused.data["allowed"] == [
        "party_organisation", "enterprise", "social_organisation", "skilled_resident", "department",
    ]  # fmt: skip
    assert "skilled_resident (居民能人)" in str(caught.refused.message)


def test_the_kinds_are_those_of_the_community(house) -> None:
    volunteer = {"key": "volunteer", "title": {"zh": "志愿者"}, "tier": "extended"}
    set_layer(
        actor=house.administrator,
        community_id=house.gongsheng.pk,
        values={"partners.kinds[volunteer]": volunteer},
        bounds={},
        effective_from=timezone.localdate(),
    )

    def admit(community) -> Partner:
        return admit_partner(
            actor=house.administrator, community_id=community.pk, name="红马甲", kind="volunteer"
        )

    assert admit(house.gongsheng).kind == "volunteer"
    with denied("KIND_UNKNOWN", "kind"):
        admit(house.chengnan)


def test_one_name_once_a_community(house) -> None:
    def admit(community) -> Partner:
        return admit_partner(
            actor=house.administrator,
            community_id=community.pk,
            name="区人民医院",
            kind="enterprise",
        )

    admit(house.gongsheng)
    with denied("PARTNER_ADMITTED", "name"):
        admit(house.chengnan)


@pytest.mark.parametrize("name", ["", "  ", "长" * 101])
def test_a_partner_has_a_name(house, name: str) -> None:
    with denied("NAME_INVALID", "name"):
        admit_partner(
            actor=house.administrator, community_id=house.chengnan.pk, name=name, kind="enterprise"
        )


@pytest.mark.parametrize("who", ["auditor", "elsewhere"])
def test_only_who_admits_there_admits(house, who: str) -> None:
    with denied("FORBIDDEN"):
        admit_partner(
            actor=getattr(house, who),
            community_id=house.chengnan.pk,
            name="众福养老",
            kind="social_organisation",
        )


def test_another_tenants_community_is_not_found(house, other_street) -> None:
    with tenant_context(other_street):
        theirs = add_community(
            actor=system_actor(other_street), name="闻韶社区", opened_on=date(2024, 1, 1)
        )

    with denied("NOT_FOUND", "communityId"):
        admit_partner(
            actor=house.administrator, community_id=theirs.pk, name="众福养老", kind="enterprise"
        )


def test_readers_see_the_partners_of_their_communities(house) -> None:
    assert list(partners(actor=house.administrator)) == [house.clinic]
    assert list(partners(actor=house.auditor)) == [house.clinic]
    assert list(partners(actor=house.secretary)) == [house.clinic]
    assert list(partners(actor=house.elsewhere)) == []
