"""What a district or a city has made binding: it applies itself where nothing has to be decided (M6).

Only an upgrade of the model that a unit runs already. Where something clashes, running agreements
would no longer fit, or something is planned for later days, the upgrade is opened for its day and waits
for a person: nothing that was set here gives way by itself, binding or not, and no plan of the unit or
a community moves the day.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, system_actor
from linli.errors import Refused
from linli.library.governing import is_behind, may_bind, offers_for, versions_run_by
from linli.library.models import Offer
from linli.library.visibility import visible_in
from linli.registry.models import Tenant
from tenants.operating_model.closing_requests import withdraw_overtaken
from tenants.operating_model.models import Upgrade
from tenants.operating_model.rulebook import Rulebook, one_at_a_time
from tenants.operating_model.upgrades import begin_upgrade, give_up_upgrade, put_upgrade_in_force


def follow_offers(tenant: Tenant) -> Upgrade | None:
    """Apply the binding offer that is due here, or open it for people to decide; again: goes on where
    it was left. None where nothing is due, or an upgrade to another model is being decided.

    An upgrade to another version of the same model that is being decided is given up for it, with the
    reason on record; what was decided of it stays there.
    """
    with one_at_a_time():
        book = Rulebook.load()
        offer = _due_here(tenant, book)
        if offer is None:
            return None
        actor = system_actor(tenant)
        upgrade = _taken_up(actor, offer)
        if upgrade is None:
            return None
        if not may_bind(offer.issuer, tenant, timezone.localdate()):
            return upgrade  # for people to ask for: who stands above the issuer says yes
        try:
            with transaction.atomic():
                # From today on, whatever day was chosen for it before it became binding.
                applied = put_upgrade_in_force(
                    actor=actor,
                    upgrade_id=upgrade.pk,
                    effective_from=timezone.localdate(),
                    reason=upgrade.reason,
                )
                withdraw_overtaken(actor)
                return applied
        except Refused:  # for people to decide, and told by the upgrade itself
            return upgrade


def _taken_up(actor: Actor, offer: Offer) -> Upgrade | None:
    """The open upgrade to what is offered, begun now where there is none; None where it cannot be."""
    upgrade = Upgrade.objects.filter(state=Upgrade.State.OPEN).select_related("target").first()
    model = offer.version.written_by, offer.version.key
    if upgrade is not None:
        target = upgrade.target
        if (target.author_id, target.key) != model:
            return None
        if target.number == offer.version.number:
            return upgrade
    told = format_lazy(
        _("{issuer} has made {version} binding from {day} on."),
        issuer=offer.issuer.name,
        version=str(offer.version),
        day=offer.binding_by,
    )
    reason = str(told)
    try:
        with transaction.atomic():
            if upgrade is not None:
                give_up_upgrade(actor=actor, upgrade_id=upgrade.pk, reason=reason)
            return begin_upgrade(
                actor=actor,
                published_id=offer.version_id,
                effective_from=timezone.localdate(),
                reason=reason,
                before_later=True,
            )
    except Refused:  # such as a version that the unit does not see
        return None


def units_to_follow() -> Iterator[Tenant]:
    """The tenants that a binding offer which is due has not been taken up by, as the library knows."""
    today = timezone.localdate()
    due = Offer.objects.filter(
        Q(withdrawn_on=None) | Q(withdrawn_on__gt=today),
        effective_from__lte=today,
        binding_by__lte=today,
        version__withdrawn_at=None,
    )
    seen = set()
    for offer in due.select_related("version", "issuer"):
        below = list(offer.issuer.descendants())
        running = versions_run_by([unit.pk for unit in below], today)
        for unit in below:
            if unit.pk not in seen and unit.is_served and is_behind(unit, running, offer):
                seen.add(unit.pk)
                yield unit


def _due_here(tenant: Tenant, book: Rulebook) -> Offer | None:
    """Of the binding offers that are due, the one of the latest version of the model that runs."""
    today = timezone.localdate()
    running = book.adoption(today)
    if running is None:
        return None
    runs = running.version
    due = [
        offer
        for offer in offers_for(tenant, today).filter(
            binding_by__lte=today,
            version__withdrawn_at=None,
            version__in=visible_in(tenant).values("pk"),
        )
        if (offer.version.written_by, offer.version.key) == (runs.author_id, runs.key)
        and offer.version.number > runs.number
    ]
    return max(due, key=lambda offer: offer.version.number, default=None)
