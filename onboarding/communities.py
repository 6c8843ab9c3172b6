"""Communities from the national list, under their real names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli.registry.models import Division, Tenant
from tenants.communities.actions import add_community, division_fault, refuse_without_communities
from tenants.communities.models import Community
from tenants.communities.national_list import names_in_street


@dataclass(frozen=True)
class Onboarded:
    """What came on board, and what was there already; each in the order of the codes."""

    added: tuple[Community, ...]
    already: tuple[Community, ...]


def onboard_communities(*, actor: Actor, codes: Sequence[str] | None, opened_on: date) -> Onboarded:
    """Bring communities on board by their 12-digit codes, all or none; again, it changes nothing.

    ``codes`` None: every community and village of the tenant's street. Raises `Refused`
    DIVISION_UNKNOWN or DIVISION_ELSEWHERE at ``codes.3`` (CODES_REFUSED when they are several),
    and STREET_UNKNOWN where None names no street.
    """
    actor.require(Permission.COMMUNITIES_ONBOARD)
    refuse_without_communities(actor.tenant)
    assert actor.tenant is not None  # refused just above
    if codes is None:
        wanted = set(_codes_of_street(actor.tenant))
    else:
        _check(codes, actor.tenant)
        wanted = set(codes)
    with transaction.atomic():
        # Two runs at once wait for each other; nobody else is kept waiting.
        Tenant.objects.select_for_update(no_key=True).get(pk=actor.tenant.pk)
        already = tuple(
            Community.objects.filter(division_code__in=wanted).order_by("division_code")
        )
        there = {community.division_code for community in already}
        added = tuple(
            add_community(
                actor=actor,
                name=names_in_street(code[:9])[code],
                division_code=code,
                opened_on=opened_on,
            )
            for code in sorted(wanted - there)
        )
    return Onboarded(added, already)


def _codes_of_street(tenant: Tenant) -> Iterable[str]:
    division = tenant.division
    if division is None or division.level != Division.Level.STREET:
        raise Refused(
            "STREET_UNKNOWN",
            _("This unit has no street's division code. Name the communities by their codes."),
            field="codes",
        )
    return names_in_street(division.code)


def _check(codes: Sequence[str], tenant: Tenant) -> None:
    faults = [
        fault
        for index, code in enumerate(codes)
        if (fault := division_fault(code, tenant, field=f"codes.{index}"))
    ]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        message = _("Some of these codes are wrong, so nothing was changed. Correct those named.")
        raise Refused("CODES_REFUSED", message, field="codes", causes=faults)
