"""Registering people, their log-in, giving and ending their roles. Each leaves a row in the trail."""

from datetime import date
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.models import Membership, Person
from linli.accounts.policy import Actor, Permission, Reach, Role, actor_for, covered, standing
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import scopes_for
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.registry.models import Tenant
from linli.rules import check_version, faults_of_fields, save_changes


def register_person(
    *,
    actor: Actor,
    username: str,
    name: str,
    email: str = "",
    phone: str = "",
    password: str | None = None,
    reason: str = "",
) -> Person:
    """Register someone who can log in, once they are given a password or a passkey.

    Needs ``people.grant``. Raises `Refused` USERNAME_TAKEN, EMAIL_TAKEN, PHONE_TAKEN, or
    PERSON_INVALID with one cause for each field that is wrong.
    """
    actor.require(Permission.PEOPLE_GRANT)
    person = Person(
        username=Person.normalize_username(username.strip()).lower(),
        name=name.strip(),
        email=email.strip().lower(),
        phone=phone.strip(),
    )
    _refuse_invalid(person, password)
    person.set_password(password)
    with transaction.atomic():
        try:
            with transaction.atomic():
                person.save(force_insert=True)
        except IntegrityError as error:
            raise _taken(error) from error
        record(
            actor=actor,
            action="accounts.person_registered",
            obj=person,
            before=None,
            after=snapshot(person, "username", "name", "email", "phone", "is_active"),
            reason=reason,
        )
    return person


def set_password(
    *,
    actor: Actor,
    person_id: UUID,
    password: str,
    reason: str = "",
    expected_version: int | None = None,
) -> Person:
    """Give somebody a new password; every browser they are logged in with is logged out.

    Needs ``people.grant`` wherever they have a role. Raises `NotFound`, `Refused` ROLE_ABOVE_REACH,
    VERSION_CONFLICT, ROLE_NOT_HELD, or PERSON_INVALID with what is wrong with the password.
    """
    with transaction.atomic():
        person = _answered_for(actor, person_id)
        check_version(person, expected_version)
        _refuse_invalid(person, password)
        person.set_password(password)
        save_changes(person, ["password"])
        record(
            actor=actor,
            action="accounts.password_set",
            obj=person,
            before=snapshot(person, "password"),  # masked: that it changed is all that is told
            after=snapshot(person, "password"),
            reason=reason,
        )
    return person


def disable_person(
    *, actor: Actor, person_id: UUID, reason: str = "", expected_version: int | None = None
) -> Person:
    """They can no longer log in or do anything; their roles stay as they are.

    Needs ``people.grant`` wherever they have a role. Raises `NotFound`, `Refused` ROLE_ABOVE_REACH,
    VERSION_CONFLICT, ROLE_NOT_HELD, DISABLES_SELF.
    """
    if person_id == actor.person_id:
        message = _("Nobody locks themselves out. Ask another administrator.")
        raise Refused("DISABLES_SELF", message, field="personId")
    return _set_active(actor, person_id, False, reason, expected_version)


def enable_person(
    *, actor: Actor, person_id: UUID, reason: str = "", expected_version: int | None = None
) -> Person:
    """They may log in again. Raises as `disable_person` does."""
    return _set_active(actor, person_id, True, reason, expected_version)


def grant_membership(
    *,
    actor: Actor,
    person_id: UUID,
    role: Role,
    community_id: UUID | None = None,
    starts_on: date | None = None,
    reason: str = "",
) -> Membership:
    """Give a person a role at the tenant the actor stands in (the platform, if in none).

    Needs ``people.grant``. The caller has checked that the community is one of this tenant's,
    since communities live above this package. Raises `Refused` ROLE_DOES_NOT_FIT,
    COMMUNITY_NOT_ALLOWED, ROLE_ABOVE_REACH, ROLE_NOT_HELD, GRANT_TO_SELF, MEMBERSHIP_EXISTS.
    """
    actor.require(Permission.PEOPLE_GRANT)
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        raise NotFound(_("person"), field="personId")
    if person.pk == actor.answers_id:
        raise Refused(
            "GRANT_TO_SELF",
            _("Nobody gives themselves a role. Ask another administrator."),
            field="personId",
        )
    _refuse_unfit(role, actor.tenant, community_id)
    _refuse_above_reach(actor, role)
    _refuse_not_held(actor, role, community_id)
    membership = Membership(
        person=person,
        tenant=actor.tenant,
        role=role,
        community_id=community_id,
        starts_on=starts_on or timezone.localdate(),
        granted_by_id=actor.answers_id,
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                membership.save(force_insert=True)
        except IntegrityError as error:
            if _constraint(error) != "membership_held_once":
                raise
            raise Refused(
                "MEMBERSHIP_EXISTS",
                format_lazy(_("{person} is {role} here already."), person=person, role=role.label),
                field="role",
            ) from error
        record(
            actor=actor,
            action="accounts.membership_granted",
            obj=membership,
            before=None,
            after=snapshot(membership),
            reason=reason,
        )
    return membership


def end_membership(*, actor: Actor, membership_id: UUID, reason: str = "") -> Membership:
    """End a membership of the tenant the actor stands in, from today on.

    Needs ``people.grant``. Raises `Refused` ROLE_ABOVE_REACH, ROLE_NOT_HELD, MEMBERSHIP_ENDED.
    """
    actor.require(Permission.PEOPLE_GRANT)
    with transaction.atomic():
        membership = (
            Membership.objects.select_for_update()
            .filter(pk=membership_id, tenant=actor.tenant)
            .first()
        )
        if membership is None:
            raise NotFound(_("membership"), field="membershipId")
        _refuse_above_reach(actor, Role(membership.role))
        _refuse_not_held(actor, Role(membership.role), membership.community_id)
        if membership.ended_on is not None:
            raise Refused(
                "MEMBERSHIP_ENDED",
                format_lazy(_("It ended on {day} already."), day=membership.ended_on.isoformat()),
                field="membershipId",
            )
        before = snapshot(membership, "ended_on")
        # One that was to start later never comes into force.
        membership.ended_on = max(timezone.localdate(), membership.starts_on)
        membership.save(update_fields=["ended_on"])
        record(
            actor=actor,
            action="accounts.membership_ended",
            obj=membership,
            before=before,
            after=snapshot(membership, "ended_on"),
            reason=reason,
        )
    return membership


def _set_active(
    actor: Actor, person_id: UUID, active: bool, reason: str, expected_version: int | None
) -> Person:
    with transaction.atomic():
        person = _answered_for(actor, person_id)
        check_version(person, expected_version)
        if person.is_active == active:
            return person
        before = snapshot(person, "is_active")
        person.is_active = active
        save_changes(person, ["is_active"])
        record(
            actor=actor,
            action="accounts.person_enabled" if active else "accounts.person_disabled",
            obj=person,
            before=before,
            after=snapshot(person, "is_active"),
            reason=reason,
        )
    return person


def _answered_for(actor: Actor, person_id: UUID) -> Person:
    """Somebody, locked, all of whose roles are the actor's to give: who sets a password could act
    in each of them. Raises `Forbidden`, `NotFound`, `Refused` ROLE_ABOVE_REACH, ROLE_NOT_HELD."""
    actor.require(Permission.PEOPLE_GRANT)
    person = Person.objects.select_for_update(no_key=True).filter(pk=person_id).first()
    if person is None:
        raise NotFound(_("person"), field="personId")
    if actor.client is not None:
        _refuse_stronger(actor, person)
    if actor.reach(Permission.PEOPLE_GRANT) == Reach.EVERYWHERE:
        return person
    within = covered(actor, Permission.PEOPLE_GRANT)
    held = Membership.objects.live().filter(person=person)
    if held.exclude(tenant__in=within).exists():
        message = _("This person also has roles elsewhere. Ask the unit above.")
        raise Refused("ROLE_ABOVE_REACH", message, field="personId")
    for membership in held.select_related("tenant__parent__parent"):
        there = actor_for(actor.person, membership.tenant) if actor.person else actor
        _refuse_above_reach(there, Role(membership.role), field="personId")
    return person


def _refuse_invalid(person: Person, password: str | None) -> None:
    faults = faults_of_fields(person, ["password"])
    if password is not None:
        try:
            validate_password(password, person)
        except ValidationError as error:
            faults["password"] = error.messages
    if faults:
        raise Refused(
            "PERSON_INVALID",
            _("This person cannot be registered as written. Correct the fields named."),
            causes=[
                Refused(f"{field.upper()}_INVALID", " ".join(messages), field=field)
                for field, messages in faults.items()
            ],
        )


def _refuse_unfit(role: Role, tenant: Tenant | None, community_id: UUID | None) -> None:
    duties = DUTIES[role]
    fits = Tenant.Kind(tenant.kind) in duties.kinds if tenant else not duties.kinds
    if not fits:
        place = Tenant.Kind(tenant.kind).label if tenant else _("platform")
        raise Refused(
            "ROLE_DOES_NOT_FIT",
            format_lazy(
                _("The role {role} does not exist at a {place}."), role=role.label, place=place
            ),
            field="role",
            kinds=sorted(duties.kinds),
        )
    if community_id is not None and not duties.by_community:
        raise Refused(
            "COMMUNITY_NOT_ALLOWED",
            format_lazy(
                _("The role {role} is for the whole unit. Leave the community out."),
                role=role.label,
            ),
            field="communityId",
        )


def _refuse_above_reach(actor: Actor, role: Role, *, field: str = "role") -> None:
    """Nobody hands out, or takes away, a role that goes farther than their own."""
    wanted = DUTIES[role].reach
    if actor.tenant is not None and actor.tenant.kind == Tenant.Kind.STREET:
        wanted = Reach.OWN  # nothing lies below a street office
    own = actor.reach(Permission.PEOPLE_GRANT)
    if own is None or own < wanted:
        raise Refused(
            "ROLE_ABOVE_REACH",
            format_lazy(
                _("The role {role} reaches farther than your own. Ask the unit above."),
                role=role.label,
            ),
            field=field,
        )


def _refuse_not_held(actor: Actor, role: Role, community_id: UUID | None) -> None:
    """A program gives, or takes away, no role that may do what it may not: it would have let in
    somebody who does it for it. Of people their reach decides, `_refuse_above_reach`."""
    if actor.client is None:
        return
    missing = actor.short_of(role, community_id=community_id)
    if missing:
        message = _(
            "The role {role} may do what this program may not. It needs the scopes {scopes} too; or "
            "let an administrator do it who has logged in."
        )
        raise Refused(
            "ROLE_NOT_HELD",
            format_lazy(message, role=role.label, scopes=", ".join(scopes_for(missing))),
            field="role",
            permissions=sorted(missing),
        )


def _refuse_stronger(actor: Actor, person: Person) -> None:
    """A program changes the log-in of nobody who may do more than it, now or from some day on, nor
    of the one who answers for it."""
    held = Membership.objects.filter(person=person).exclude(ended_on__lte=timezone.localdate())
    if person.pk == actor.answers_id or any(
        standing(actor, one.tenant).short_of(Role(one.role), community_id=one.community_id)
        for one in held.select_related("tenant__parent__parent")
    ):
        message = _(
            "This person may do more than this program, or answers for it. Let an administrator do "
            "it who has logged in."
        )
        raise Refused("ROLE_NOT_HELD", message, field="personId")


def _taken(error: IntegrityError) -> Exception:
    """The refusal that a uniqueness of `Person` stands for; any other error stays itself."""
    for constraint in Person._meta.constraints:
        if constraint.name == _constraint(error) and constraint.name.endswith("_taken"):
            field = constraint.name.removeprefix("person_").removesuffix("_taken")
            return Refused(
                f"{field.upper()}_TAKEN", constraint.violation_error_message or "", field=field
            )
    return error


def _constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None) or ""
