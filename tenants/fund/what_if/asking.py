"""Who may ask what, and which rules the question is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.library.document import brief, parse_document
from linli.registry.models import Tenant
from tenants.communities.selectors import community_to_act_on
from tenants.fund.what_if.outcome import Outcome
from tenants.fund.what_if.reading import declared_in
from tenants.fund.what_if.replay import replay
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.policies import arriving
from tenants.operating_model.proposals import (
    refuse_district,
    street_layer,
    tenant_of,
    told_below,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook

NEEDED = (Permission.MODELS_READ, Permission.PARTNERS_READ, Permission.FUND_READ)
MOST_DAYS = 3 * 366


def what_if(
    *,
    actor: Actor,
    starts_on: date,
    ends_on: date,
    document: str | bytes | Mapping[str, Any] | None = None,
    version_id: UUID | None = None,
    published_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    community_id: UUID | None = None,
) -> Outcome:
    """What the declarations of [starts_on, ends_on) would have brought under a draft (M8).

    The draft is a document, a version that is here or a published one, under the layers of today:
    those of city and district, the street's (or ``values`` and ``bounds`` in its place, as
    `adopt_version` takes them) and the communities'. It counts for the whole period. In the
    communities of which the actor may read rules, partners and fund, or one of them. Why the draft
    cannot stand here are `problems`, by name where the actor may read the rules; only the question
    itself is refused: `Forbidden`, PERIOD_…, ONE_VERSION, NOT_FOUND.
    """
    for permission in NEEDED:
        actor.require_somewhere(permission)
    tenant = tenant_of(actor)
    reach = _reach(actor, community_id)
    _check_period(starts_on, ends_on)
    today = timezone.localdate()
    try:
        refuse_district(tenant)
        version = _version(tenant, document, version_id, published_id)
        layer = None
        if values is not None or bounds is not None:
            layer = street_layer(tenant, values or {}, bounds or {}, today, "")
        book = draft_rules(_book(tenant), version, layer, today)
    except Refused as refused:
        if refused.code in ("ONE_VERSION", "NOT_FOUND"):
            raise
        return Outcome(starts_on, ends_on, problems=list(refused.faults))
    if problems := _problems(actor, book, layer, today):
        return Outcome(starts_on, ends_on, problems=problems)
    rows = declared_in(starts_on, ends_on, reach)
    return replay(rows, starts_on, ends_on, lambda community: book.effective(today, community))


def draft_rules(
    book: Rulebook, version: ModelVersion, layer: Layer | None, today: date
) -> Rulebook:
    """The version under the layers that stand today, ``layer`` in the place of the street's own."""
    places = dict.fromkeys((row.kind, row.community_id) for row in book.layers)
    standing = {place: book.layer(*place, today) for place in places}
    if layer is not None:
        standing[layer.kind, None] = layer
    adoption = Adoption(version=version, effective_from=today)
    return Rulebook((adoption,), tuple(row for row in standing.values() if row is not None))


def _problems(actor: Actor, book: Rulebook, layer: Layer | None, today: date) -> list[Refused]:
    """Why the draft cannot stand. What communities have set whose rules the actor may not read is
    looked at apart, so that nothing of it is told but that it does not fit."""
    reach = actor.communities(Permission.MODELS_READ)
    readable = Rulebook(
        book.adoptions,
        tuple(
            row
            for row in book.layers
            if reach is None or row.community_id is None or row.community_id in reach
        ),
    )
    faults = readable.faults(today)
    own = str(layer.pk) if layer else None
    problems = [told_below(fault, own) for fault in faults]
    if reach is not None and len(book.faults(today)) > len(faults):
        message = _("This does not fit what is set in communities whose rules you may not read.")
        problems.append(Refused("CLASHES_BELOW", message))
    return problems


def _book(tenant: Tenant) -> Rulebook:
    book = Rulebook.load()
    # As before a first adoption: the policies from above land with it.
    return book if book.adoptions else book.plus(*arriving(tenant, book))


def _version(
    tenant: Tenant,
    document: str | bytes | Mapping[str, Any] | None,
    version_id: UUID | None,
    published_id: UUID | None,
) -> ModelVersion:
    """What the draft starts from; a document as a version that is not saved."""
    if [document, version_id, published_id].count(None) != 2:
        message = _("Give one of: a document, a version that is here, a published version.")
        raise Refused("ONE_VERSION", message, field="document")
    if document is None:
        return version_to_adopt(tenant, published_id, version_id)
    return ModelVersion(
        key="draft",
        number=0,
        document=brief(parse_document(document)),
        bounds={},
        author_id=tenant.pk,
        author_name=tenant.name,
    )


def _reach(actor: Actor, community_id: UUID | None) -> frozenset[UUID] | None:
    """The communities of which the actor may read all that is told, or the one asked for; None for
    every one. Refused: NOT_FOUND for one that is not among them."""
    reach: frozenset[UUID] | None = None
    for permission in NEEDED:
        own = actor.communities(permission)
        if own is not None:
            reach = own if reach is None else reach & own
    if community_id is None:
        return reach
    if reach is not None and community_id not in reach:
        raise NotFound(_("community"), field="communityId")
    return frozenset({community_to_act_on(community_id).pk})


def _check_period(starts_on: date, ends_on: date) -> None:
    if ends_on <= starts_on:
        message = _("It must end after it starts; the end is the first day not included.")
        raise Refused("PERIOD_INVALID", message, field="endsOn")
    if (ends_on - starts_on).days > MOST_DAYS:
        message = _("Ask for {most} days at most at a time.")
        raise Refused("PERIOD_TOO_LONG", format_lazy(message, most=MOST_DAYS), field="endsOn")
    today = timezone.localdate()
    if ends_on > today:
        message = _("The period is not over. It may end on {today} (not included) at the latest.")
        told = format_lazy(message, today=today.isoformat())
        raise Refused("PERIOD_NOT_OVER", told, field="endsOn", latest=today.isoformat())
