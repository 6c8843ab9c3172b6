"""Bringing communities on board and keeping their figures."""

from contextlib import AbstractContextManager
from datetime import date
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit
from linli.money import MAX_FEN
from linli.registry.models import Division, Tenant
from linli.rules import camel_case, check_fields, check_version, save_changes, upheld
from tenants.communities.models import Community
from tenants.communities.national_list import names_in_street


class CommunityChanges(TypedDict, total=False):
    """What may be changed of a community; what is left out stays. None: not known."""

    name: str
    division_code: str | None
    profile: str
    residents: int | None
    buildings: int | None
    operating_cost_fen: int | None
    sample_cost: bool


def add_community(
    *,
    actor: Actor,
    name: str,
    opened_on: date,
    division_code: str | None = None,
    profile: str = "",
    residents: int | None = None,
    buildings: int | None = None,
    operating_cost_fen: int | None = None,
    sample_cost: bool = False,
) -> Community:
    """Bring one community on board. Its cost is in fen a year; figures are None where not known.

    Raises `Refused` COMMUNITY_ON_BOARD, DIVISION_UNKNOWN, DIVISION_ELSEWHERE, NO_COMMUNITIES_HERE,
    or the faults of fields.
    """
    actor.require(Permission.COMMUNITIES_ONBOARD)
    refuse_without_communities(actor.tenant)
    community = Community(
        name=name.strip(),
        division_code=division_code,
        profile=profile,
        residents=residents,
        buildings=buildings,
        operating_cost_fen=operating_cost_fen,
        opened_on=opened_on,
        sample_cost=sample_cost,
    )
    _check(community, actor.tenant)
    with transaction.atomic():
        with _upheld(community):
            community.save(force_insert=True)
        record(
            actor=actor,
            action="communities.added",
            obj=community,
            before=None,
            after=snapshot(community),
        )
        emit(
            actor=actor,
            type="community.added",
            obj=community,
            community_id=community.pk,
            data={"opened_on": opened_on, "division_code": division_code},
        )
    return community


def update_community(
    *,
    actor: Actor,
    community_id: UUID,
    expected_version: int | None = None,
    reason: str = "",
    **changes: Unpack[CommunityChanges],
) -> Community:
    """Correct what is known of a community. What changes nothing leaves no trace.

    Raises as `add_community` does, `NotFound`, and `Refused` VERSION_CONFLICT.
    """
    actor.require(Permission.COMMUNITIES_ONBOARD, community_id=community_id)
    with transaction.atomic():
        community = Community.objects.select_for_update().filter(pk=community_id).first()
        if community is None:
            raise NotFound(_("community"), field="communityId")
        check_version(community, expected_version)
        before = snapshot(community, *changes)
        for field, value in changes.items():
            setattr(community, field, value.strip() if isinstance(value, str) else value)
        after = snapshot(community, *changes)
        if after == before:
            return community
        _check(community, actor.tenant)
        with _upheld(community):
            save_changes(community, changes)
        record(
            actor=actor,
            action="communities.updated",
            obj=community,
            before=before,
            after=after,
            reason=reason,
        )
        emit(
            actor=actor,
            type="community.updated",
            obj=community,
            community_id=community.pk,
            data={
                "changed": sorted(camel_case(name) for name in after if after[name] != before[name])
            },
        )
    return community


def refuse_without_communities(tenant: Tenant | None) -> None:
    """A district's communities live in the tenants of its street offices."""
    if tenant is None or tenant.kind == Tenant.Kind.DISTRICT:
        raise Refused(
            "NO_COMMUNITIES_HERE",
            _("Communities belong to a street office, or to a small city. Go to its address."),
        )


def division_fault(code: str, tenant: Tenant | None, *, field: str) -> Refused | None:
    """Why a community of this tenant cannot carry a division code, or None if it can."""
    own = tenant.division if tenant else None
    known = len(code) == 12 and Division.objects.filter(pk=code[:9]).exists()
    if own is not None and known and not code.startswith(own.code):
        return Refused(
            "DIVISION_ELSEWHERE",
            format_lazy(
                _("{code} lies elsewhere: the codes of {name} start with {prefix}."),
                code=code,
                name=own.name,
                prefix=own.code,
            ),
            field=field,
            prefix=own.code,
        )
    if not known or code not in names_in_street(code[:9]):
        return Refused(
            "DIVISION_UNKNOWN",
            format_lazy(
                _(
                    "There is no community {code} in the national list. Correct its 12 digits, or "
                    "leave the code out if the community is newer than the list."
                ),
                code=code[:20],
            ),
            field=field,
        )
    return None


def _check(community: Community, tenant: Tenant | None) -> None:
    code = community.division_code
    if code is not None and (fault := division_fault(code, tenant, field="divisionCode")):
        raise fault
    check_fields(community)


def _upheld(community: Community) -> AbstractContextManager[None]:
    return upheld(
        community_code_once=lambda: Refused(
            "COMMUNITY_ON_BOARD",
            format_lazy(
                _("The community {code} is on board already. Change that one instead."),
                code=community.division_code,
            ),
            field="divisionCode",
        ),
        community_cost_range=lambda: Refused(
            "AMOUNT_OUT_OF_RANGE",
            format_lazy(_("An amount is from 0 to {maximum} fen."), maximum=MAX_FEN),
            field="operatingCostFen",
        ),
    )
