"""What the district and the city above lay down about how a unit adopts and upgrades (M5, M6).

Where both have laid something down, the stricter of the two counts: a city may demand more than the
district does, and a district more than the city. A unit with nobody above it decides for itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused
from linli.library.models import AdoptionRecord, AdoptionRule, Offer, PublishedVersion
from linli.library.visibility import sees, visible_in
from linli.registry.models import Tenant

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Approver, Upgrades = AdoptionRule.Approver, AdoptionRule.Upgrades


@dataclass(frozen=True)
class Rule:
    """What binds a unit on a day: each of the two with who laid it down, None where nobody did.

    office: the unit whose people approve; the unit itself where the second person of it does, and
    where nobody needs to.
    """

    approver: AdoptionRule.Approver
    approver_by: Tenant | None
    office: Tenant
    upgrades: AdoptionRule.Upgrades
    upgrades_by: Tenant | None


def approval_needed(tenant: Tenant, day: date) -> Rule | None:
    """The rule by which another must approve what the unit decides on a day; None: nobody need."""
    rule = rule_for(tenant, day)
    return None if rule.approver == Approver.NOBODY else rule


def rule_for(tenant: Tenant, day: date) -> Rule:
    """What binds a unit on a day; where nobody above has laid anything down, it is free."""
    above = tenant.ancestors()
    laid_down = in_force(above, day)
    approver, approver_by = Approver.NOBODY, None
    upgrades, upgrades_by = Upgrades.FREE, None
    for issuer in above:  # the nearest first: of two that demand the same, it is the one named
        rule = laid_down.get(issuer.pk)
        if rule is None:
            continue
        if approver_by is None or _stricter(Approver, rule.approver, approver):
            approver, approver_by = Approver(rule.approver), issuer
        if upgrades_by is None or _stricter(Upgrades, rule.upgrades, upgrades):
            upgrades, upgrades_by = Upgrades(rule.upgrades), issuer
    office = _office(tenant, above, approver)
    return Rule(approver, approver_by, office, upgrades, upgrades_by)


def in_force(issuers: list[Tenant], day: date) -> dict[UUID, AdoptionRule]:
    """Of each issuer that has laid one down, the rule that counts on a day."""
    if not issuers:
        return {}
    rules = AdoptionRule.objects.filter(issuer__in=issuers, effective_from__lte=day)
    order = ("effective_from", "laid_down_at", "id")
    return {rule.issuer_id: rule for rule in rules.order_by(*order)}


def offers_for(tenant: Tenant, day: date) -> QuerySet[Offer]:
    """What is offered to a unit on a day by those above it, the newest first; withdrawn ones not."""
    standing = Q(withdrawn_on=None) | Q(withdrawn_on__gt=day)
    offers = Offer.objects.filter(standing, made_to(tenant), effective_from__lte=day)
    return offers.select_related("version", "issuer").order_by("-id")


def versions_run_by(unit_ids: Collection[UUID], day: date) -> dict[UUID, PublishedVersion]:
    """The published version that each unit runs on a day, as the library was told."""
    told = AdoptionRecord.objects.filter(tenant__in=unit_ids, effective_from__lte=day)
    order = ("effective_from", "id")
    last = {row.tenant_id: row.version for row in told.select_related("version").order_by(*order)}
    return {unit_id: version for unit_id, version in last.items() if version is not None}


def is_behind(unit: Tenant, running: Mapping[UUID, PublishedVersion], offer: Offer) -> bool:
    """Whether a unit that an offer is made to runs an earlier version of its model and could have this
    one; ``running`` as `versions_run_by`."""
    version, offered = running.get(unit.pk), offer.version
    return (
        (offer.units is None or unit.pk in offer.units)
        and version is not None
        and (version.written_by, version.key) == (offered.written_by, offered.key)
        and version.number < offered.number
        and sees(unit, offered)
    )


def made_to(tenant: Tenant) -> Q:
    """The offers of those above a unit that are made to it."""
    above = [issuer.pk for issuer in tenant.ancestors()]
    return Q(issuer__in=above) & (Q(units=None) | Q(units__contains=[tenant.pk]))


class AnyVersion(Protocol):
    """A version of somebody's model, published or a copy of it."""

    @property
    def author_id(self) -> UUID: ...

    @property
    def key(self) -> str: ...

    @property
    def number(self) -> int: ...


def check_offered(tenant: Tenant, version: AnyVersion, today: date, day: date) -> None:
    """That a unit may upgrade to this version from ``day`` on, by the rule of ``today``.

    Refused: NOT_OFFERED where only what is offered may be upgraded to, and this is not. What the
    unit wrote itself needs no offer.
    """
    if version.author_id == tenant.pk:
        return
    rule = rule_for(tenant, today)
    if rule.upgrades == Upgrades.FREE:
        return
    assert rule.upgrades_by is not None
    offered = offers_for(tenant, day)
    if not offered.filter(_of_model(version), version__number=version.number).exists():
        message = _(
            "{issuer} has laid down that you upgrade only to versions that were offered to you, and "
            "{version} is not offered for {day}. See what is offered, or ask them for it."
        )
        raise Refused(
            "NOT_OFFERED",
            format_lazy(message, issuer=rule.upgrades_by.name, version=str(version), day=day),
            field="effectiveFrom",
            laid_down_by=rule.upgrades_by.name,
        )


def refuse_behind_binding(tenant: Tenant, version: AnyVersion, day: date) -> None:
    """That nobody above has made a later version of the same model binding by ``day``: the unit would be
    upgraded to it again. Refused: BINDING."""
    later = offers_for(tenant, day).filter(
        _of_model(version),
        version__number__gt=version.number,
        version__withdrawn_at=None,
        version__in=visible_in(tenant).values("pk"),
        binding_by__lte=day,
    )
    if (offer := later.first()) is not None:
        message = _(
            "{issuer} has made {version} binding from {binding_by} on, so no earlier version of it can be "
            "in force then. Ask them to withdraw the offer."
        )
        raise Refused(
            "BINDING",
            format_lazy(
                message,
                issuer=offer.issuer.name,
                version=str(offer.version),
                binding_by=offer.binding_by,
            ),
            field="effectiveFrom",
            laid_down_by=offer.issuer.name,
        )


def _of_model(version: AnyVersion) -> Q:
    """The offers of versions of the same model, whether it was published here or came as a file."""
    author = Q(version__author=version.author_id) | Q(version__origin_author_id=version.author_id)
    return author & Q(version__key=version.key)


def may_bind(issuer: Tenant, tenant: Tenant, day: date) -> bool:
    """Whether what an issuer made binding needs no further yes: not where a unit above the issuer has laid
    down that it approves what is adopted here."""
    rule = approval_needed(tenant, day)
    return rule is None or rule.office not in issuer.ancestors()


def who_approves(rule: Rule) -> StrOrPromise:
    """As a sentence names them: 张店区, or a second person of the unit."""
    above = rule.approver in (Approver.DISTRICT, Approver.CITY)
    return rule.office.name if above else Approver.SECOND_PERSON.label


def _office(tenant: Tenant, above: list[Tenant], approver: AdoptionRule.Approver) -> Tenant:
    """The district is what stands right above; the city, what stands at the top."""
    if approver == Approver.DISTRICT:
        return above[0]
    return above[-1] if approver == Approver.CITY else tenant


def _stricter(
    of: type[AdoptionRule.Approver] | type[AdoptionRule.Upgrades], one: str, other: str
) -> bool:
    return of.values.index(one) > of.values.index(other)
