"""A tenant's life (T1): requested, suspended, resumed, archived; each with who and why."""

import re
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission, Reach, covered
from linli.audit.record import record, snapshot
from linli.errors import Forbidden, NotFound, Refused
from linli.registry.models import Brand, Division, Domain, Tenant
from linli.registry.provisioning import set_status
from linli.rules import check_fields, check_version, is_blank, save_changes, upheld
from linli.tenancy.context import public_context
from onboarding.jobs import provision_tenant

Kind, Status = Tenant.Kind, Tenant.Status

# A label of a host name. No two hyphens together: "xn--" would be read as another script.
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_SLUG = 40
# What may stand above what; a unit whose superior is not on board yet stands alone.
_ABOVE = {
    Kind.STREET: (Kind.DISTRICT, Kind.CITY),
    Kind.DISTRICT: (Kind.CITY,),
    Kind.CITY: (),
}
_LEVEL = {
    Kind.CITY: Division.Level.CITY,
    Kind.DISTRICT: Division.Level.DISTRICT,
    Kind.STREET: Division.Level.STREET,
}
_OPEN = (Status.REQUESTED, Status.PROVISIONING, Status.ACTIVE)
# The moves a person makes, by the state they lead to; provisioning makes the others.
_MOVES = {
    Status.SUSPENDED: (Status.ACTIVE,),
    Status.ACTIVE: (Status.SUSPENDED,),
    Status.ARCHIVED: (Status.ACTIVE, Status.SUSPENDED),
}


def request_tenant(
    *,
    actor: Actor,
    slug: str,
    name: str,
    kind: Tenant.Kind,
    parent_id: UUID | None,
    division_code: str | None,
    locale: str = settings.LANGUAGE_CODE,
    reason: str = "",
) -> Tenant:
    """Ask for a tenant at ``<slug>.<platform host>``; a job of the owner's makes it.

    By the platform operator, or by an administrator above it. Raises `Forbidden`, `NotFound` for a
    parent that is not the actor's, `Refused` SLUG_INVALID, SLUG_TAKEN, PARENT_MISMATCH,
    PARENT_NOT_OPEN, DIVISION_UNKNOWN, DIVISION_MISMATCH, DIVISION_TAKEN, or the faults of fields.
    """
    actor.require_somewhere(Permission.TENANTS_REQUEST)
    kind = Kind(kind)
    _check_slug(slug)
    with public_context(), transaction.atomic():
        parent = _parent(actor, kind, parent_id)
        tenant = Tenant(
            slug=slug,
            name=name.strip(),
            kind=kind,
            parent=parent,
            division=_division(kind, parent, division_code),
            locale=locale,
        )
        tenant.schema_name = f"t_{tenant.pk.hex}"
        check_fields(tenant)
        with upheld(
            registry_tenant_slug_key=lambda: _slug_taken(slug),
            registry_domain_domain_key=lambda: _slug_taken(slug),
            tenant_division_once=lambda: _division_taken(tenant),
        ):
            tenant.save(force_insert=True)
            Domain.objects.create(tenant=tenant, domain=host_of(slug), is_primary=True)
        record(
            actor=actor,
            action="tenants.requested",
            obj=tenant,
            before=None,
            after=snapshot(tenant),
            reason=reason,
        )
        provision_tenant.defer(tenant_id=str(tenant.pk))
    return tenant


def suspend_tenant(
    *, actor: Actor, tenant_id: UUID, reason: str, expected_version: int | None = None
) -> Tenant:
    """active → suspended: everybody may read, nobody may write."""
    return _move(actor, tenant_id, Status.SUSPENDED, reason, expected_version)


def resume_tenant(
    *, actor: Actor, tenant_id: UUID, reason: str, expected_version: int | None = None
) -> Tenant:
    """suspended → active."""
    return _move(actor, tenant_id, Status.ACTIVE, reason, expected_version)


def archive_tenant(
    *, actor: Actor, tenant_id: UUID, reason: str, expected_version: int | None = None
) -> Tenant:
    """active or suspended → archived: its host answers no more, its data stays."""
    return _move(actor, tenant_id, Status.ARCHIVED, reason, expected_version)


def brand_tenant(
    *,
    actor: Actor,
    tenant_id: UUID,
    title: str,
    colour: str,
    expected_version: int | None = None,
) -> Brand:
    """How the tenant's pages present it: a title, and a colour as # and six hex digits.

    At the platform, by its operator or a client of the operator's. Raises `NotFound`, `Refused` COLOUR_INVALID,
    VERSION_CONFLICT, or the faults of fields.
    """
    actor.require(Permission.TENANTS_MANAGE)
    if not re.fullmatch("#[0-9a-f]{6}", colour):
        message = _("A colour is written as # and six of the digits 0-9 and a-f, as in #0b6b5b.")
        raise Refused("COLOUR_INVALID", message, field="colour")
    with public_context(), transaction.atomic():
        tenant = _managed(actor, tenant_id)
        known = Brand.objects.filter(tenant=tenant).first()  # under the tenant's lock
        check_version(known, expected_version)
        before = snapshot(known) if known else None
        brand = known or Brand(tenant=tenant)
        brand.title, brand.colour = title.strip(), colour
        check_fields(brand)
        if known:
            save_changes(brand, ["title", "colour"])
        else:
            brand.save(force_insert=True)
        record(
            actor=actor, action="tenants.branded", obj=brand, before=before, after=snapshot(brand)
        )
    return brand


def host_of(slug: str) -> str:
    return f"{slug}.{settings.LINLI_PLATFORM_HOST}"


def _move(
    actor: Actor,
    tenant_id: UUID,
    to: Tenant.Status,
    reason: str,
    expected_version: int | None,
) -> Tenant:
    """At the platform, by its operator or a client of the operator's. Raises `NotFound`, `Refused`
    REASON_MISSING, VERSION_CONFLICT, TENANT_MOVE_REFUSED with the moves there are."""
    actor.require(Permission.TENANTS_MANAGE)
    if is_blank(reason):
        raise Refused("REASON_MISSING", _("Say why: the reason is kept."), field="reason")
    with public_context(), transaction.atomic():
        tenant = _managed(actor, tenant_id)
        check_version(tenant, expected_version)
        if tenant.status not in _MOVES[to]:
            raise _move_refused(tenant)
        set_status(tenant, to, actor=actor, reason=reason.strip())
    return tenant


def _managed(actor: Actor, tenant_id: UUID) -> Tenant:
    """Locked: what is decided about a tenant is decided one by one."""
    theirs = covered(actor, Permission.TENANTS_MANAGE).values("pk")
    tenant = Tenant.objects.select_for_update().filter(pk=tenant_id, pk__in=theirs).first()
    if tenant is None:
        raise NotFound(_("tenant"), field="tenantId")
    return tenant


def _check_slug(slug: str) -> None:
    if len(slug) > _LONGEST_SLUG or _SLUG.fullmatch(slug) is None:
        raise Refused(
            "SLUG_INVALID",
            format_lazy(
                _(
                    "A slug is part of the address: at most {longest} small letters, digits and "
                    "single hyphens, a letter first, as in chezhan or dong-jie-2."
                ),
                longest=_LONGEST_SLUG,
            ),
            field="slug",
        )
    if host_of(slug) in settings.LINLI_PLATFORM_HOSTS:
        raise _slug_taken(slug)


def _parent(actor: Actor, kind: Tenant.Kind, parent_id: UUID | None) -> Tenant | None:
    if parent_id is None:
        if actor.reach(Permission.TENANTS_REQUEST) != Reach.EVERYWHERE:
            raise Forbidden(
                _("Only the platform operator opens a unit that stands under none."),
                field="parentId",
                permission=Permission.TENANTS_REQUEST.value,
            )
        return None
    parent = covered(actor, Permission.TENANTS_REQUEST).filter(pk=parent_id).first()
    if parent is None:
        raise NotFound(_("tenant"), field="parentId")
    if parent.kind not in _ABOVE[kind]:
        raise Refused(
            "PARENT_MISMATCH",
            format_lazy(
                _("A {kind} cannot stand under a {parent}."),
                kind=kind.label,
                parent=Kind(parent.kind).label,
            ),
            field="parentId",
            allowed=list(_ABOVE[kind]),
        )
    if parent.status not in _OPEN:
        raise Refused(
            "PARENT_NOT_OPEN",
            format_lazy(
                _("{parent} is {status}; nothing new can stand under it."),
                parent=parent.name,
                status=Status(parent.status).label,
            ),
            field="parentId",
        )
    return parent


def _division(kind: Tenant.Kind, parent: Tenant | None, code: str | None) -> Division | None:
    if code is None:
        return None
    division = Division.objects.filter(pk=code).first()
    if division is None:
        raise Refused(
            "DIVISION_UNKNOWN",
            format_lazy(
                _("There is no division {code} in the national list. Correct it or leave it out."),
                code=code[:20],
            ),
            field="divisionCode",
        )
    level = _LEVEL[kind]
    prefix = (parent.division_id or "") if parent else ""
    if division.level != level or not code.startswith(prefix):
        raise Refused(
            "DIVISION_MISMATCH",
            format_lazy(
                _(
                    "{code} {name} does not fit: a {kind} has {level} digits, here starting “{prefix}”."
                ),
                code=code,
                name=division.name,
                kind=kind.label,
                level=level.value,
                prefix=prefix,
            ),
            field="divisionCode",
            level=level.value,
            prefix=prefix,
        )
    return division


def _slug_taken(slug: str) -> Refused:
    return Refused(
        "SLUG_TAKEN",
        format_lazy(_("The address {host} is taken. Choose another slug."), host=host_of(slug)),
        field="slug",
    )


def _division_taken(tenant: Tenant) -> Refused:
    assert tenant.division is not None  # only units with a division can meet
    return Refused(
        "DIVISION_TAKEN",
        format_lazy(
            _("There is a unit for {code} {name} already. Use that one, or archive it first."),
            code=tenant.division.code,
            name=tenant.division.name,
        ),
        field="divisionCode",
    )


def _move_refused(tenant: Tenant) -> Refused:
    allowed = [to for to, froms in _MOVES.items() if tenant.status in froms]
    return Refused(
        "TENANT_MOVE_REFUSED",
        format_lazy(
            _("{tenant} is {status}. From there it can become: {allowed}."),
            tenant=tenant.name,
            status=Status(tenant.status).label,
            allowed=format_lazy(
                ", ".join("{}" for _to in allowed) or "–", *(t.label for t in allowed)
            ),
        ),
        field="tenantId",
        status=tenant.status,
        allowed=[to.value for to in allowed],
    )
