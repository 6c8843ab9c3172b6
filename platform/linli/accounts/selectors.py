"""What people may read of the tenants, of each other and of the trail."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from linli.accounts.hand_over import address
from linli.accounts.models import Membership, Person
from linli.accounts.policy import (
    Actor,
    Permission,
    Reach,
    Role,
    covered,
    reachable_tenants,
    roles_at,
    tenants_of,
)
from linli.audit.models import Entry
from linli.registry.models import Division, Tenant


@dataclass(frozen=True)
class Place:
    """A tenant someone may enter: as what, and at which address."""

    tenant: Tenant
    roles: list[Role]
    address: str


def served_tenants(person: Person, *, search: str = "") -> QuerySet[Tenant]:
    """The tenants on the air that a person may enter, in the order of the division list.

    ``search`` narrows them to those whose name contains it or whose division code begins with it.
    """
    served = (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED)
    tenants = reachable_tenants(person).filter(status__in=served)
    if search:
        tenants = tenants.filter(Q(name__icontains=search) | Q(division__code__startswith=search))
    return tenants.order_by("division_id", "name").select_related("parent__parent")


def places(person: Person, tenants: Iterable[Tenant]) -> Iterator[Place]:
    """``tenants`` as places: two queries, however many they are."""
    memberships = list(Membership.objects.live().filter(person=person))
    found = list(tenants)
    hosts = dict(
        Tenant.objects.filter(pk__in=[t.pk for t in found], domains__is_primary=True).values_list(
            "pk", "domains__domain"
        )
    )
    for tenant in found:
        if tenant.pk in hosts:
            yield Place(tenant, roles_at(memberships, tenant), address(hosts[tenant.pk]))


def region(tenant: Tenant) -> list[Division]:
    """The division a tenant stands in and those above it, the widest first."""
    chain: list[Division] = []
    division = tenant.division
    while division is not None:
        chain.insert(0, division)
        division = division.parent
    return chain


def tenants(*, actor: Actor) -> QuerySet[Tenant]:
    """At a tenant's host that tenant and those above it; at the platform's every one in which
    anything is permitted to the actor."""
    every = Tenant.objects.all()
    if actor.tenant is not None:
        own = [actor.tenant, *actor.tenant.ancestors()] if actor.grants else []
        return every.filter(pk__in=[tenant.pk for tenant in own])
    if actor.person is not None:
        return reachable_tenants(actor.person)
    if actor.client is not None:
        return tenants_of(actor.client)
    return every if actor.grants else every.none()


def memberships(
    *, actor: Actor, permission: Permission = Permission.PEOPLE_READ
) -> QuerySet[Membership]:
    """Those at the tenants in which the actor has the permission, the ended ones included."""
    every = Membership.objects.all()
    if actor.tenant is not None:
        here = actor.allows(permission)
        return every.filter(tenant=actor.tenant) if here else every.none()
    if actor.reach(permission) == Reach.EVERYWHERE:
        return every
    return every.filter(tenant__in=covered(actor, permission))


def people(*, actor: Actor, permission: Permission = Permission.PEOPLE_READ) -> QuerySet[Person]:
    """Who has, or had, a role where the actor has the permission.

    For who gives out roles, at the platform's host also who has none anywhere yet: registered, and
    nobody's so far.
    """
    known = Q(pk__in=memberships(actor=actor, permission=permission).values("person"))
    if actor.tenant is None:
        if actor.reach(permission) == Reach.EVERYWHERE:
            return Person.objects.all()
        if actor.holds(Permission.PEOPLE_GRANT):
            known |= Q(~Exists(Membership.objects.filter(person=OuterRef("pk"))))
    return Person.objects.filter(known)


def trail(*, actor: Actor) -> QuerySet[Entry]:
    """The audit trail of the schema the actor stands in.

    The platform's own is whole for who reads it everywhere; others see what it says of the tenants
    they audit, and of roles there.
    """
    every = Entry.objects.all()
    if actor.tenant is not None:
        return every if actor.allows(Permission.AUDIT_READ) else every.none()
    if actor.reach(Permission.AUDIT_READ) == Reach.EVERYWHERE:
        return every
    audited = covered(actor, Permission.AUDIT_READ)
    roles = Membership.objects.filter(tenant__in=audited)
    return every.filter(
        Q(object_type=Tenant._meta.label, object_id__in=_as_text(audited))
        | Q(object_type=Membership._meta.label, object_id__in=_as_text(roles))
    )


def name_by_entry(rows: Sequence[Entry], actor: Actor) -> dict[UUID, str]:
    """Who did it, by what they are called now; the trail itself holds no names."""
    people = Person.objects.in_bulk([row.person_id for row in rows if row.person_id])
    return {row.pk: people[row.person_id].name for row in rows if row.person_id in people}


def _as_text(rows: QuerySet) -> QuerySet:
    return rows.annotate(text=Cast("pk", CharField())).values("text")
