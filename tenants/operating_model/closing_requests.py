"""How a change request ends: one way, whoever decides; and by itself, when nothing can come of it (M5)."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor
from linli.audit.record import record, snapshot
from linli.events.emit import emit
from tenants.operating_model.models import Adoption, ChangeRequest, Upgrade

_DECISION = ("state", "decided_by_id", "decided_at", "decision_reason", "adoption")
State = ChangeRequest.State


def close_request(
    actor: Actor, request: ChangeRequest, state: ChangeRequest.State, action: str, reason: str
) -> None:
    """Write down and tell what became of it; its ``adoption`` stands there already, if one came of it."""
    before = snapshot(request, "state")
    request.state, request.decision_reason = state, reason.strip()
    request.decided_by_id, request.decided_at = actor.principal_id, timezone.now()
    request.save(update_fields=_DECISION)
    record(
        actor=actor,
        action=action,
        obj=request,
        before=before,
        after=snapshot(request, "state", "adoption"),
        reason=reason,
    )
    tell_request(actor, f"change_request.{state}", request)


def withdraw_overtaken(actor: Actor) -> None:
    """Take back what waits for approval, if what was just done by another way has settled it.

    For actions that close an upgrade or put a version in force without that approval: a binding offer,
    somebody who may since the rule was changed, or who gives the upgrade up.
    """
    waiting = ChangeRequest.objects.select_related("version", "upgrade")
    request = waiting.filter(state=State.PROPOSED).first()
    if request is None:
        return
    given_up = request.upgrade is not None and request.upgrade.state == Upgrade.State.GIVEN_UP
    if given_up:
        reason = _("The upgrade that this asked for was given up.")
    elif request.adoptions_seen != Adoption.objects.count():
        reason = _("Another version was put in force since this was asked for.")
    else:
        return
    close_request(actor, request, State.WITHDRAWN, "models.withdraw_request", str(reason))


def tell_request(actor: Actor, type: str, request: ChangeRequest) -> None:
    """The event of something that happened to it."""
    emit(
        actor=actor,
        type=type,
        obj=request,
        data={
            "kind": request.kind,
            "state": request.state,
            "version": request.version_id,
            "effective_from": request.effective_from,
            "adoption": request.adoption_id,
        },
    )
