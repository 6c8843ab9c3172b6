"""Changes that another has to approve before they count (M5): asked for, then decided.

Who decides is whoever the rule of the day of the decision names: a second person of the unit, the
district, or the city (`linli.library.governing`). Where the rule names nobody a unit may still ask,
and a second person of it decides. Never the one who asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import Forbidden, NotFound, Refused
from linli.library.governing import rule_for, who_approves
from linli.rules import check_count
from tenants.operating_model.actions import adopt
from tenants.operating_model.closing_requests import close_request, tell_request
from tenants.operating_model.dependents import unfit
from tenants.operating_model.governing import require_reason
from tenants.operating_model.models import Adoption, ChangeRequest, Layer
from tenants.operating_model.policies import arriving
from tenants.operating_model.proposals import (
    BELOW,
    bounds_by_path,
    by_path,
    check_agreements,
    propose_adoption,
    tenant_of,
    version_to_adopt,
)
from tenants.operating_model.rolling_back import plan_to_roll_back, undo_upgrade
from tenants.operating_model.rulebook import Rulebook, decided_at, one_at_a_time
from tenants.operating_model.upgrades import plan_to_apply, put_upgrade_in_force

Kind = ChangeRequest.Kind
State = ChangeRequest.State


def request_adoption(
    *,
    actor: Actor,
    effective_from: date,
    published_id: UUID | None = None,
    version_id: UUID | None = None,
    values: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    reason: str = "",
    despite_agreements: bool = False,
    expected_version: int | None = None,
    expected_layer_version: int | None = None,
) -> ChangeRequest:
    """Ask for what `adopt_version` would do with the same input; another approves it (M5).

    A copy of the version is frozen here, for whoever is to read it. Refused: REQUEST_OPEN while
    another waits, and what `adopt_version` refuses, but for APPROVAL_NEEDED.
    """
    actor.require(Permission.MODELS_ADOPT)
    _somebody(actor)
    tenant = tenant_of(actor)
    with one_at_a_time():
        _refuse_a_second()
        version = version_to_adopt(tenant, published_id, version_id, to_write=True)
        adoptions, layers = Adoption.objects.count(), decided_at((Layer.Kind.STREET, None))
        check_count(adoptions, expected_version)
        check_count(layers, expected_layer_version, field="expectedLayerVersion")
        book = Rulebook.load()
        if not book.adoptions:
            book = book.plus(*arriving(tenant, book))
        proposal = propose_adoption(
            book,
            tenant=tenant,
            version=version,
            effective_from=effective_from,
            values=values,
            bounds=bounds,
            reason=reason,
        )
        proposal.check()
        proposal.check_agreements(despite=despite_agreements, reason=reason)
        if version._state.adding:
            version.save(force_insert=True)
        return _ask(
            actor,
            ChangeRequest(
                kind=Kind.ADOPTION,
                version=version,
                published_id=published_id,
                values=None if values is None else by_path(values, "values"),
                bounds=None if bounds is None else bounds_by_path(bounds),
                effective_from=effective_from,
                reason=reason,
                despite_agreements=despite_agreements,
                adoptions_seen=adoptions,
                layers_seen=layers,
            ),
            "values",
            "bounds",
        )


def request_upgrade(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date | None = None,
    expected_version: int | None = None,
    reason: str = "",
    despite_agreements: bool = False,
) -> ChangeRequest:
    """Ask for what `apply_upgrade` would do with the same input; another approves it (M6).

    All of it has to be decided; what is decided later is another change. Refused: REQUEST_OPEN while
    another waits, and what `apply_upgrade` refuses, but for APPROVAL_NEEDED.
    """
    actor.require(Permission.MODELS_ADOPT)
    _somebody(actor)
    tenant = tenant_of(actor)
    with one_at_a_time():
        _refuse_a_second()
        upgrade, planned = plan_to_apply(
            tenant, upgrade_id, effective_from=effective_from, expected_version=expected_version
        )
        assert planned.after is not None
        check_agreements(
            unfit(planned.before, planned.after, planned.since),
            despite=despite_agreements,
            reason=reason,
        )
        return _ask(
            actor,
            ChangeRequest(
                kind=Kind.UPGRADE,
                version=upgrade.target,
                published_id=upgrade.target.published_id,
                upgrade=upgrade,
                upgrade_seen=upgrade.version,
                effective_from=upgrade.effective_from,
                reason=reason,
                despite_agreements=despite_agreements,
                adoptions_seen=Adoption.objects.count(),
                layers_seen=_layers(),
            ),
            "upgrade",
        )


def request_roll_back(
    *,
    actor: Actor,
    upgrade_id: UUID,
    effective_from: date,
    reason: str = "",
    give_up_later: bool = False,
    despite_agreements: bool = False,
) -> ChangeRequest:
    """Ask for what `roll_back_upgrade` would do with the same input; another approves it (M6).

    Refused: REQUEST_OPEN while another waits, and what `roll_back_upgrade` refuses, but for
    APPROVAL_NEEDED.
    """
    actor.require(Permission.MODELS_ADOPT)
    _somebody(actor)
    tenant = tenant_of(actor)
    with one_at_a_time():
        _refuse_a_second()
        upgrade, planned = plan_to_roll_back(
            tenant, upgrade_id, effective_from=effective_from, give_up_later=give_up_later
        )
        check_agreements(planned.unfit(), despite=despite_agreements, reason=reason)
        return _ask(
            actor,
            ChangeRequest(
                kind=Kind.ROLL_BACK,
                version=upgrade.target,
                upgrade=upgrade,
                upgrade_seen=upgrade.version,
                effective_from=effective_from,
                reason=reason,
                give_up_later=give_up_later,
                despite_agreements=despite_agreements,
                adoptions_seen=Adoption.objects.count(),
                layers_seen=_layers(),
            ),
            "upgrade",
        )


def approve_change(*, actor: Actor, request_id: UUID, reason: str = "") -> ChangeRequest:
    """Say yes to what was asked for: it is done at once, in the same transaction.

    It counts from the day that was asked for, or from today where that is past; only a unit's first
    adoption keeps an earlier day. Everything is checked again as it stands now. Refused: NOT_FOUND,
    REQUEST_DECIDED, WRONG_OFFICE, SAME_PERSON, CHANGED_SINCE_REQUESTED, and what `adopt_version`
    refuses; then the request stays open.
    """
    actor.require(Permission.MODELS_APPROVE)
    with one_at_a_time():
        request = _to_decide(actor, request_id)
        request.adoption = _EFFECTS[Kind(request.kind)](actor, request)
        close_request(actor, request, State.APPROVED, "models.approve_change", reason)
    return request


def return_change(*, actor: Actor, request_id: UUID, reason: str) -> ChangeRequest:
    """Say no, and why; nothing changes, and another may be asked for.

    By who may approve it. Refused: REASON_MISSING, NOT_FOUND, REQUEST_DECIDED, WRONG_OFFICE,
    SAME_PERSON.
    """
    actor.require(Permission.MODELS_APPROVE)
    require_reason(reason)
    with one_at_a_time():
        request = _to_decide(actor, request_id)
        close_request(actor, request, State.RETURNED, "models.return_change", reason)
    return request


def withdraw_request(*, actor: Actor, request_id: UUID, reason: str = "") -> ChangeRequest:
    """Take back what this unit asked for; whoever may ask there may take it back.

    Refused: NOT_FOUND, REQUEST_DECIDED.
    """
    actor.require(Permission.MODELS_ADOPT)
    _somebody(actor)
    with one_at_a_time():
        request = _open(request_id)
        close_request(actor, request, State.WITHDRAWN, "models.withdraw_request", reason)
    return request


def _adopt(actor: Actor, request: ChangeRequest) -> Adoption:
    seen = request.adoptions_seen, request.layers_seen
    now = Adoption.objects.count(), decided_at((Layer.Kind.STREET, None))
    replaces_layer = request.values is not None or request.bounds is not None
    if now[0] != seen[0] or (replaces_layer and now[1] != seen[1]):
        raise _changed_since()
    first, today = now[0] == 0, timezone.localdate()
    return adopt(
        actor=actor,
        effective_from=request.effective_from if first else max(request.effective_from, today),
        published_id=request.published_id,
        version_id=None if request.published_id else request.version_id,
        values=request.values,
        bounds=request.bounds,
        reason=request.reason,
        despite_agreements=request.despite_agreements,
    )


def _upgrade(actor: Actor, request: ChangeRequest) -> Adoption | None:
    assert request.upgrade is not None
    assert request.upgrade_id is not None
    seen = request.adoptions_seen, request.layers_seen, request.upgrade_seen
    if (Adoption.objects.count(), _layers(), request.upgrade.version) != seen:
        raise _changed_since()
    return put_upgrade_in_force(
        actor=actor,
        upgrade_id=request.upgrade_id,
        effective_from=max(request.effective_from, timezone.localdate()),
        reason=request.reason,
        despite_agreements=request.despite_agreements,
    ).adoption


def _roll_back(actor: Actor, request: ChangeRequest) -> Adoption | None:
    assert request.upgrade_id is not None
    if (Adoption.objects.count(), _layers()) != (request.adoptions_seen, request.layers_seen):
        raise _changed_since()
    undo_upgrade(
        actor=actor,
        upgrade_id=request.upgrade_id,
        effective_from=max(request.effective_from, timezone.localdate()),
        reason=request.reason,
        give_up_later=request.give_up_later,
        despite_agreements=request.despite_agreements,
    )
    return Adoption.objects.order_by("decided_at", "id").last()


def _layers() -> int:
    """How many there are of the unit's own and its communities': each is carried over."""
    return Layer.objects.filter(kind__in=BELOW).count()


def _changed_since() -> Refused:
    message = _(
        "The rules here were changed after this had been asked for, so it would undo what was "
        "decided since. Return it, and have it asked for anew."
    )
    return Refused("CHANGED_SINCE_REQUESTED", message, field="requestId")


# What approval brings about, by kind; the adoption that came of it, if one did. The caller holds
# the tenant's rules and has checked who decides.
_EFFECTS: dict[Kind, Callable[[Actor, ChangeRequest], Adoption | None]] = {
    Kind.ADOPTION: _adopt,
    Kind.UPGRADE: _upgrade,
    Kind.ROLL_BACK: _roll_back,
}


def _somebody(actor: Actor) -> UUID:
    """Who answers for it. `Forbidden` to the platform itself, which is not two people."""
    if actor.principal_id is None:
        raise Forbidden
    return actor.principal_id


def _ask(actor: Actor, request: ChangeRequest, *told: str) -> ChangeRequest:
    """Keep what is asked for, and tell it; ``told``: its columns that the trail keeps besides."""
    request.proposed_by_id = _somebody(actor)
    request.save(force_insert=True)
    record(
        actor=actor,
        action="models.request_change",
        obj=request,
        before=None,
        after=snapshot(request, "kind", "version", *told, "effective_from"),
        reason=request.reason,
    )
    tell_request(actor, "change_request.made", request)
    return request


def _refuse_a_second() -> None:
    waiting = ChangeRequest.objects.filter(state=State.PROPOSED).first()
    if waiting is not None:
        message = _(
            "{version} has been asked for and waits for approval. Withdraw that first, or wait "
            "until it is decided."
        )
        raise Refused("REQUEST_OPEN", format_lazy(message, version=str(waiting.version)))


def _open(request_id: UUID) -> ChangeRequest:
    requests = ChangeRequest.objects.select_related("version", "upgrade")
    request = requests.filter(pk=request_id).first()
    if request is None:
        raise NotFound(_("change request"), field="requestId")
    if request.state != State.PROPOSED:
        message = _("This was decided before: it is {state}.")
        raise Refused(
            "REQUEST_DECIDED",
            format_lazy(message, state=State(request.state).label),
            field="requestId",
        )
    return request


def _to_decide(actor: Actor, request_id: UUID) -> ChangeRequest:
    """The open request, if it is this actor's to decide."""
    request = _open(request_id)
    rule = rule_for(tenant_of(actor), timezone.localdate())
    if rule.office.pk not in actor.offices(Permission.MODELS_APPROVE):
        message = _("Your office does not decide on this. It is for: {approver}.")
        raise Refused(
            "WRONG_OFFICE",
            format_lazy(message, approver=who_approves(rule)),
            field="requestId",
            approver=rule.approver.value,
        )
    if _somebody(actor) == request.proposed_by_id:
        message = _("Who asks for a change does not decide on it; ask a colleague.")
        raise Refused("SAME_PERSON", message, field="requestId")
    return request
