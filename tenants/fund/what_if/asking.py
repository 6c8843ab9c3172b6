"""Who may ask what, and which rules the question is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import NotFound, Refused
from linli.library.carrying import Question
from linli.library.document import brief, parse_document
from linli.library.layers import Effective
from linli.registry.models import Tenant
from tenants.communities.selectors import community_to_act_on
from tenants.fund.what_if.outcome import Outcome
from tenants.fund.what_if.reading import declared_in
from tenants.fund.what_if.replay import replay
from tenants.operating_model.models import Adoption, Layer, ModelVersion
from tenants.operating_model.policies import arriving
from tenants.operating_model.proposals import (
    bounds_by_path,
    refuse_district,
    rules_clash,
    street_layer,
    tenant_of,
    version_to_adopt,
)
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import drafts, planned_of, upgrades

NEEDED = (Permission.MODELS_READ, Permission.PARTNERS_READ, Permission.FUND_READ)
MOST_DAYS = 3 * 366


def what_if(
    *,
    actor: Actor,
    starts_on: date,
    ends_on: date,
    document: str | bytes | Mapping[str, Any] | None = None,
    draft_id: UUID | None = None,
    version_id: UUID | None = None,
    published_id: UUID | None = None,
    upgrade_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    community_id: UUID | None = None,
) -> Outcome:
    """What the declarations of [starts_on, ends_on) would have brought under other rules (M8).

    These are a document, a draft, a version that is here or a published one, under the layers of today:
    those of city and district, the street's (or ``values`` and ``bounds`` in its place, as
    `adopt_version` takes them) and the communities'; or all that an open upgrade comes to, as far as is
    decided. They count for the whole period. In the communities of which the actor may read rules,
    partners and fund, or one of them; what is declared in a community whose own layer does not fit is
    not worked out. Why nothing at all can be are `problems`; only the question itself is refused:
    `Forbidden`, PERIOD_…, ONE_VERSION, NOT_FOUND.
    """
    for permission in NEEDED:
        actor.require_somewhere(permission)
    tenant = tenant_of(actor)
    reach = _reach(actor, community_id)
    _check_period(starts_on, ends_on)
    named = (document, draft_id, version_id, published_id, upgrade_id)
    if named.count(None) != len(named) - 1 or (upgrade_id and (values, bounds) != (None, None)):
        message = _(
            "Give one of: a document, a draft, a version that is here, a published version, an upgrade; "
            "an upgrade without values and bounds, for it has its own."
        )
        raise Refused("ONE_VERSION", message, field="document")
    today, open_questions = timezone.localdate(), 0
    try:
        refuse_district(tenant)
        if upgrade_id is not None:
            book, asked = _upgraded(actor, upgrade_id)
            open_questions = sum(reach is None or c is None or c in reach for c, _q in asked)
        else:
            version = _version(actor, document, draft_id, version_id, published_id)
            layer = None
            if values is not None or bounds is not None:
                layer = street_layer(tenant, values or {}, bounds or {}, today, "")
            book = draft_rules(_book(tenant), version, layer, today)
        _without_communities(book).effective(today)
    except NotFound:
        raise
    except Refused as refused:
        return Outcome(starts_on, ends_on, problems=list(refused.faults))
    rows = declared_in(starts_on, ends_on, reach)
    outcome = replay(rows, starts_on, ends_on, partial(_rules_of, book, today))
    outcome.open_questions = open_questions
    return outcome


def draft_rules(
    book: Rulebook, version: ModelVersion, layer: Layer | None, today: date
) -> Rulebook:
    """The version under the layers that stand today, ``layer`` in the place of the street's own."""
    adoption = Adoption(version=version, effective_from=today)
    return _standing(book.plus(layer), adoption, today, today)


def _standing(book: Rulebook, adoption: Adoption, on: date, today: date) -> Rulebook:
    """What stands on a day, as if it had begun today."""
    places = dict.fromkeys((row.kind, row.community_id) for row in book.layers)
    layers = (book.layer(*place, on) for place in places)
    adopted = Adoption(version=adoption.version, effective_from=today)
    return Rulebook((adopted,), tuple(_from(row, today) for row in layers if row is not None))


def _from(layer: Layer, day: date) -> Layer:
    begun = copy(layer)
    begun.effective_from = min(layer.effective_from, day)
    return begun


def _upgraded(
    actor: Actor, upgrade_id: UUID
) -> tuple[Rulebook, Sequence[tuple[UUID | None, Question]]]:
    """What an open upgrade comes to on its day, and what of it is not decided yet. Refused: NOT_FOUND, and
    what keeps it from standing."""
    upgrade = upgrades(actor=actor).filter(pk=upgrade_id).first()
    planned = planned_of(upgrade, actor=actor) if upgrade else None
    if planned is None:
        raise NotFound(_("open upgrade"), field="upgradeId")
    if planned.after is None or planned.adoption is None:
        raise rules_clash(list(planned.problems))
    book = _standing(planned.after, planned.adoption, planned.since, timezone.localdate())
    return book, planned.open_questions


def _without_communities(book: Rulebook) -> Rulebook:
    layers = tuple(layer for layer in book.layers if layer.community_id is None)
    return Rulebook(book.adoptions, layers)


def _rules_of(book: Rulebook, today: date, community_id: UUID) -> Effective:
    """Refused: CLASHES_BELOW, naming the community whose own layer does not fit, and why."""
    try:
        return book.effective(today, community_id)
    except Refused as refused:
        layer = book.layer(Layer.Kind.COMMUNITY, community_id, today)
        assert layer is not None  # the rest has been looked at
        message = _("What {community} has set does not fit: {fault}")
        fault = refused.faults[0]
        told = format_lazy(message, community=layer.set_by, fault=fault.message)
        raise Refused("CLASHES_BELOW", told, field=fault.field) from refused


def _book(tenant: Tenant) -> Rulebook:
    book = Rulebook.load()
    # As before a first adoption: the policies from above land with it.
    return book if book.adoptions else book.plus(*arriving(tenant, book))


def _version(
    actor: Actor,
    document: str | bytes | Mapping[str, Any] | None,
    draft_id: UUID | None,
    version_id: UUID | None,
    published_id: UUID | None,
) -> ModelVersion:
    """What it starts from; a document, and a draft with its bounds, as a version that is not saved."""
    tenant = tenant_of(actor)
    bounds: Mapping[str, Any] = {}
    if draft_id is not None:
        draft = drafts(actor=actor).filter(pk=draft_id).first()
        if draft is None:
            raise NotFound(_("draft"), field="draftId")
        document, bounds = draft.document, draft.bounds
    if document is None:
        return version_to_adopt(tenant, published_id, version_id)
    return ModelVersion(
        key="draft",
        number=0,
        document=brief(parse_document(document)),
        bounds=bounds_by_path(bounds),
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
