"""What adopting a version or setting a layer would do, worked out on rows that are not saved.

A preview shows it, an action writes it: both come from here, so they cannot disagree.

When a change may take effect: today or later, for past days keep the rules they had. The one
exception is a tenant's first adoption, with the street's first layer: nothing was in force, so
there is nothing to rewrite, and what partners declare for earlier months needs a rule to be worked
out by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor
from linli.errors import Forbidden, NotFound, Refused
from linli.library.bounds import MOST_PLACES
from linli.library.document import canonical
from linli.library.governing import check_offered, refuse_behind_binding
from linli.library.models import PublishedVersion
from linli.library.selectors import hold, published_version, refuse_withdrawn
from linli.library.written import write_bounds
from linli.registry.models import Tenant
from linli.rules import is_blank
from tenants.communities.models import Community
from tenants.operating_model.dependents import Unfit, unfit
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.rulebook import Rulebook

BELOW = (Layer.Kind.STREET, Layer.Kind.COMMUNITY)


@dataclass(frozen=True)
class Proposal:
    """Rows that are not saved, and the rules without and with them."""

    since: date
    before: Rulebook
    after: Rulebook
    adoption: Adoption | None = None
    layer: Layer | None = None

    def faults(self) -> list[Refused]:
        """Why it cannot stand, what lies below it included; empty if it can."""
        own = str(self.layer.pk) if self.layer else None
        return [told_below(fault, own) for fault in self.after.faults(self.since)]

    def check(self) -> None:
        """Refused with what `faults` gives: the one, or RULES_CLASH with all as causes."""
        faults = self.faults()
        if faults:
            raise rules_clash(faults)

    def unfit(self) -> list[Unfit]:
        """What was agreed and would no longer fit, once the rules themselves can stand."""
        return unfit(self.before, self.after, self.since)

    def check_agreements(self, *, despite: bool, reason: str) -> list[str]:
        """As the function of this name."""
        return check_agreements(self.unfit(), despite=despite, reason=reason)


def check_agreements(found: list[Unfit], *, despite: bool, reason: str) -> list[str]:
    """The ids of the agreements that no longer fit, where that is wanted and has a reason.

    Refused: AGREEMENTS_CLASH with a cause for each of them, REASON_MISSING.
    """
    if found and not despite:
        message = _("Agreements that are running would no longer fit these rules.")
        raise Refused("AGREEMENTS_CLASH", message, causes=[_agreement(one) for one in found])
    if found and is_blank(reason):
        message = _("Say why the rules change although agreements no longer fit them.")
        raise Refused("REASON_MISSING", message, field="reason")
    return [str(one.agreement_id) for one in found]


def despite(unfit: list[str]) -> dict[str, Any]:
    """What the trail keeps of a change that was made although agreements no longer fit."""
    return {"despite_agreements": unfit} if unfit else {}


def propose_adoption(
    book: Rulebook,
    *,
    tenant: Tenant,
    version: ModelVersion,
    effective_from: date,
    values: Mapping[str, Any] | None,
    bounds: Mapping[str, Any] | None,
    reason: str,
) -> Proposal:
    """The version in force from a day on and, if values or bounds are given, the street's layer.

    Refused: TENANT_KIND, CHANGE_BACKDATED, WITHDRAWN unless it is what runs on that day anyway,
    NOTHING_CHANGES, UPGRADE_INSTEAD, NOT_OFFERED, BINDING, BOUND_INVALID, UNKNOWN_PATH.
    """
    refuse_district(tenant)
    if book.adoptions:
        refuse_past(effective_from)
    running = book.adoption(effective_from)
    if not (running and running.version_id == version.pk):
        refuse_withdrawn_copy(version)
    adoption = Adoption(version=version, effective_from=effective_from)
    layer, says_anew = None, values is not None or bounds is not None
    if says_anew:
        layer = street_layer(tenant, values or {}, bounds or {}, effective_from, reason)
        layer = layer if _differs(book, layer) else None
    if running and running.version_id == version.pk and layer is None:
        raise _nothing_changes()
    if running and running.version_id != version.pk:
        _refuse_silent_carrying(book, effective_from, says_anew=says_anew)
    if is_upgrade(book, version, effective_from):
        check_offered(tenant, version, timezone.localdate(), effective_from)
    if not (running and running.version_id == version.pk):
        refuse_behind_binding(tenant, version, effective_from)
    return Proposal(effective_from, book, book.plus(adoption, layer), adoption, layer)


def propose_layer(
    book: Rulebook,
    *,
    tenant: Tenant,
    community: Community | None,
    values: Mapping[str, Any],
    bounds: Mapping[str, Any],
    effective_from: date,
    reason: str,
) -> Proposal:
    """The layer of the street, or of a community of it, from a day on; what is given is all of it.

    Refused: TENANT_KIND, CHANGE_BACKDATED, NO_MODEL_IN_FORCE, NOTHING_CHANGES, BOUND_INVALID,
    UNKNOWN_PATH.
    """
    refuse_district(tenant)
    refuse_past(effective_from)
    book.effective(effective_from)
    _refuse_before_another_version(book, effective_from)
    layer = street_layer(tenant, values, bounds, effective_from, reason)
    if community is not None:
        layer.kind, layer.community, layer.set_by = Layer.Kind.COMMUNITY, community, community.name
    if not _differs(book, layer):
        raise _nothing_changes()
    return Proposal(effective_from, book, book.plus(layer), layer=layer)


def tenant_of(actor: Actor) -> Tenant:
    """The tenant whose rules these are; at the platform's own host there are none. `Forbidden`."""
    if actor.tenant is None:
        raise Forbidden
    return actor.tenant


def version_here(version_id: UUID, field: str = "versionId") -> ModelVersion:
    """An own version or a copy. Refused: NOT_FOUND, naming the input ``field``."""
    version = ModelVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("model version"), field=field)
    return version


def version_to_adopt(
    tenant: Tenant, published_id: UUID | None, version_id: UUID | None, *, to_write: bool = False
) -> ModelVersion:
    """The version that is here, or the copy of the published one, not saved if it is new here.

    ``to_write``: it stays as it is in the library until the transaction ends. Refused: NOT_FOUND,
    ONE_VERSION unless exactly one of the two is named.
    """
    if (published_id is None) == (version_id is None):
        message = _("Name either a published version or one that is here.")
        raise Refused("ONE_VERSION", message, field="versionId")
    if version_id is not None:
        version = version_here(version_id)
        if to_write and version.published_id:
            hold(version.published_id)
        _refuse_hidden_copy(tenant, version)
        return version
    assert published_id is not None
    if to_write:
        hold(published_id)
    published = published_version(published_id, reader=tenant)
    told = {"author_id": published.written_by, "key": published.key, "number": published.number}
    here = ModelVersion.objects.filter(**told).first()
    return here or ModelVersion(
        **told,
        author_name=published.written_by_name,
        title=published.title,
        document=published.document,
        bounds=published.bounds,
        digest=published.digest,
        notes=published.notes,
        published_id=published.pk,
    )


def ran_here(version: ModelVersion) -> bool:
    """Whether it was ever adopted here, be it for a day to come."""
    return Adoption.objects.filter(version=version).exists()


def _refuse_hidden_copy(tenant: Tenant, version: ModelVersion) -> None:
    """A copy that was frozen to be asked for and never ran here is seen as long as the published version
    is. Refused: NOT_FOUND."""
    if version.published_id and not ran_here(version):
        try:
            published_version(version.published_id, reader=tenant)
        except NotFound:
            raise NotFound(_("model version"), field="versionId") from None


def refuse_withdrawn_copy(version: ModelVersion) -> None:
    """Refused: WITHDRAWN, of a copy whose author has taken it back; what runs already goes on."""
    if version.published_id:
        refuse_withdrawn(PublishedVersion.objects.get(pk=version.published_id))


def by_path(given: Any, field: str) -> dict[str, Any]:
    """Values or bounds as they must come: an object of paths. Refused: NOT_BY_PATH,
    TOO_MANY_PLACES."""
    if not isinstance(given, Mapping):
        message = _(
            'Write an object with paths as names, such as {"partners.rent_free_months": 12}.'
        )
        raise Refused("NOT_BY_PATH", message, field=field)
    if len(given) > MOST_PLACES:
        message = _("These are {count} places; at most {most} can be set. Keep what differs.")
        told = format_lazy(message, count=len(given), most=MOST_PLACES)
        raise Refused("TOO_MANY_PLACES", told, field=field, most=MOST_PLACES)
    return dict(given)


def bounds_by_path(given: Any) -> dict[str, Any]:
    """Bounds in their one spelling. Refused: NOT_BY_PATH, TOO_MANY_PLACES, BOUND_INVALID, UNKNOWN_PATH;
    LAYER_REFUSED with causes when they are several."""
    written = write_bounds(by_path(given, "bounds"))
    return {path: bound.plain() for path, bound in written.items()}


def refuse_past(effective_from: date) -> None:
    """Refused: CHANGE_BACKDATED for a day before today."""
    today = timezone.localdate()
    if effective_from < today:
        message = _("A change takes effect today ({today}) or later: past days keep their rules.")
        raise Refused(
            "CHANGE_BACKDATED",
            format_lazy(message, today=today),
            field="effectiveFrom",
            earliest=today.isoformat(),
        )


def rules_clash(faults: list[Refused]) -> Refused:
    """The one fault, or RULES_CLASH with all as causes."""
    if len(faults) == 1:
        return faults[0]
    message = _("Several rules cannot stand together with this change.")
    return Refused("RULES_CLASH", message, causes=faults)


def _agreement(one: Unfit) -> Refused:
    """As the cause of a refusal."""
    message = _(
        "The agreement of {community} that runs from {starts_on} to {last_day} would not fit from {day} "
        "on: {fault} Change it first, or say that the rules change despite it, and why."
    )
    told = format_lazy(
        message,
        community=one.community,
        starts_on=one.starts_on,
        last_day=one.last_day,
        day=one.since,
        fault=one.problem.message,
    )
    return Refused(
        "AGREEMENTS_CLASH",
        told,
        field="despiteAgreements",
        agreement_id=str(one.agreement_id),
        partner_id=str(one.partner_id),
        rule=one.problem.code,
    )


def street_layer(
    tenant: Tenant,
    values: Mapping[str, Any],
    bounds: Mapping[str, Any],
    effective_from: date,
    reason: str,
) -> Layer:
    """The street's own layer from a day on, not saved. Refused: NOT_BY_PATH, TOO_MANY_PLACES,
    BOUND_INVALID, UNKNOWN_PATH."""
    return Layer(
        kind=Layer.Kind.STREET,
        set_by=tenant.name,
        values=by_path(values, "values"),
        bounds=bounds_by_path(bounds),
        effective_from=effective_from,
        reason=reason,
    )


def is_upgrade(book: Rulebook, version: ModelVersion, since: date) -> bool:
    """Whether going over to it is an upgrade: a later version of its author's model than any that was in
    force here by that day, whatever ran in between."""
    ran = [
        one.version.number
        for one in book.adoptions
        if one.effective_from <= since
        and (one.version.author_id, one.version.key) == (version.author_id, version.key)
    ]
    return bool(ran) and version.number > max(ran)


def _differs(book: Rulebook, layer: Layer) -> bool:
    """Whether it sets anything else than what stands in its place on its day."""
    standing = book.layer(layer.kind, layer.community_id, layer.effective_from)
    told = (standing.values, standing.bounds) if standing else ({}, {})
    return canonical(told) != canonical((layer.values, layer.bounds))


def refuse_district(tenant: Tenant) -> None:
    """Refused: TENANT_KIND, for a district runs no communities."""
    if tenant.kind == Tenant.Kind.DISTRICT:
        message = _("A district runs no communities. Issue a policy for the street offices in it.")
        raise Refused("TENANT_KIND", message, kind=tenant.kind)


def _refuse_silent_carrying(book: Rulebook, on: date, *, says_anew: bool) -> None:
    """What was set on one version is not taken to mean the same on another: that is decided place by
    place. A street office that says anew all it sets, be it the same, has decided."""
    own = [
        book.layer(Layer.Kind.COMMUNITY, community_id, on) for community_id in book.communities(on)
    ]
    if not says_anew:
        own.append(book.layer(Layer.Kind.STREET, None, on))
    names = [layer.set_by for layer in own if layer and (layer.values or layer.bounds)]
    if names:
        message = _(
            "{names} have set something on the version in force. Open an upgrade: there each such "
            "place is decided."
        )
        listed = ", ".join(names)
        raise Refused("UPGRADE_INSTEAD", format_lazy(message, names=listed), names=names)


def _refuse_before_another_version(book: Rulebook, since: date) -> None:
    """What is set now would meet a version it was not decided on, on the day that one begins."""
    running = book.adoption(since)
    for planned in book.adoptions:
        day = planned.effective_from
        then = book.adoption(day)
        if day > since and then and running and then.version_id != running.version_id:
            message = _(
                "From {day} on {version} is in force. Set this from that day on, or call the other off "
                "first, by a roll back from that day on."
            )
            raise Refused(
                "LATER_CHANGES",
                format_lazy(message, day=day, version=str(then.version)),
                field="effectiveFrom",
                earliest=day.isoformat(),
            )


def _nothing_changes() -> Refused:
    return Refused("NOTHING_CHANGES", _("This is what is in force on that day already."))


def told_below(fault: Refused, own: str | None = None) -> Refused:
    """The fault, with the name of the layer below that would break it, where it is not the new one."""
    layer = fault.data.get("layer") or {}
    if layer.get("kind") not in BELOW or layer.get("ref") == own:
        return fault
    message = _("This does not fit what {name} has set: {fault}")
    told = [
        Refused(
            "CLASHES_BELOW",
            format_lazy(message, name=layer["name"], fault=one.message),
            field=one.field,
            **one.data | {"layer": layer, "rule": one.code},
        )
        for one in fault.faults
    ]
    return told[0] if len(told) == 1 else Refused(fault.code, fault.message, causes=told)
