"""Who may do what, where: the one object that the API, pages, imports and jobs all ask.

Reach: a role holds at its own tenant; a city's or district's role also in the tenants below, with
the shorter list its duties name; a platform operator's everywhere. A membership of one community
stays inside it. In a suspended tenant everybody may only read (T1).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from linli.accounts.models import Membership, Person
from linli.accounts.roles import DUTIES, READ, Permission, Reach, Role, roles_with
from linli.errors import Forbidden
from linli.registry.models import Tenant

__all__ = [
    "Actor",
    "Client",
    "Grant",
    "Permission",
    "Reach",
    "Role",
    "actor_for",
    "covered",
    "covered_tenants",
    "may_enter",
    "reachable_tenants",
    "roles_at",
    "system_actor",
]


@dataclass(frozen=True)
class Grant:
    """What one membership gives at the tenant the actor stands in; no role: the system's own."""

    role: Role | None
    permissions: frozenset[Permission]
    reach: Reach
    community_id: UUID | None = None


@dataclass(frozen=True)
class Client:
    """The program that asks: an integrator's client, or a person's token. What it may do is in the
    actor's grants already."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Actor:
    """A person or a client at a tenant's host, or at the platform's (``tenant`` None), or the
    system itself. A person who asks through a token of theirs comes with both."""

    person: Person | None
    tenant: Tenant | None
    grants: tuple[Grant, ...] = field(default=())
    client: Client | None = None

    @property
    def person_id(self) -> UUID | None:
        return self.person.pk if self.person else None

    @property
    def client_id(self) -> UUID | None:
        return self.client.id if self.client else None

    @property
    def principal_id(self) -> UUID | None:
        """Who answers for what is done: the person, or a client that acts by itself. Where two
        must not be one (F5), these are compared."""
        return self.person_id or self.client_id

    def allows(self, permission: Permission, *, community_id: UUID | None = None) -> bool:
        """Whether it is permitted in the whole tenant, or in the community that is named."""
        return any(
            permission in grant.permissions and grant.community_id in (None, community_id)
            for grant in self.grants
        )

    def require(self, permission: Permission, *, community_id: UUID | None = None) -> None:
        """Raises `Forbidden` where `allows` says no."""
        if not self.allows(permission, community_id=community_id):
            raise Forbidden(permission=permission.value)

    def communities(self, permission: Permission) -> frozenset[UUID] | None:
        """The communities in which it is permitted: None for all of the tenant, empty for none."""
        limits = {g.community_id for g in self.grants if permission in g.permissions}
        if None in limits:
            return None
        return frozenset(limit for limit in limits if limit is not None)

    def holds(self, permission: Permission) -> bool:
        """Whether it is permitted anywhere in the tenant, be it in one community only."""
        return self.communities(permission) != frozenset()

    def require_somewhere(self, permission: Permission) -> None:
        """Raises `Forbidden` where `holds` says no: asked before a row is looked up, so that what
        lies outside the actor's communities is then not found, whether it exists or not."""
        if not self.holds(permission):
            raise Forbidden(permission=permission.value)

    def reach(self, permission: Permission) -> Reach | None:
        """The farthest of the grants that give it tenant-wide; None without any."""
        return max(
            (
                grant.reach
                for grant in self.grants
                if permission in grant.permissions and grant.community_id is None
            ),
            default=None,
        )


def actor_for(person: Person | AnonymousUser, tenant: Tenant | None) -> Actor:
    """The person with what their memberships give there.

    At the platform's own host (``tenant`` None) that is what they give at any tenant; what is done
    there to one tenant is checked against that tenant, or narrowed by `covered_tenants`.
    """
    if not isinstance(person, Person) or not person.is_active:
        return Actor(person=None, tenant=tenant)
    memberships = Membership.objects.live().filter(person=person)
    return Actor(person, tenant, tuple(_grants(memberships, tenant)))


def system_actor(tenant: Tenant | None) -> Actor:
    """The platform acting by itself, as jobs and set-up do; the trail shows no person."""
    everything = Grant(None, frozenset(Permission), Reach.EVERYWHERE)
    return Actor(person=None, tenant=tenant, grants=(everything,))


def may_enter(person: Person, tenant: Tenant) -> bool:
    """Whether anything at all is permitted to them there."""
    return bool(actor_for(person, tenant).grants)


def roles_at(memberships: Iterable[Membership], tenant: Tenant) -> list[Role]:
    """The roles that reach a tenant, each once, in the order of the list of roles."""
    held = {grant.role for grant in _grants(memberships, tenant)}
    return [role for role in Role if role in held]


def covered_tenants(person: Person, permission: Permission) -> QuerySet[Tenant]:
    """The tenants in the whole of which a permission is given: what a supervisor compares."""
    memberships = Membership.objects.live().filter(person=person, community_id=None)
    return _reached(
        memberships.filter(role__in=roles_with(permission)),
        memberships.filter(role__in=roles_with(permission, below=True)),
    )


def covered(actor: Actor, permission: Permission) -> QuerySet[Tenant]:
    """The same for an actor, wherever they stand; the system's own covers every tenant."""
    if actor.person is not None:
        return covered_tenants(actor.person, permission)
    return Tenant.objects.all() if actor.allows(permission) else Tenant.objects.none()


def reachable_tenants(person: Person) -> QuerySet[Tenant]:
    """The tenants in which anything is permitted to them, be it in one community only."""
    memberships = Membership.objects.live().filter(person=person)
    return _reached(memberships, memberships.filter(role__in=[r for r in Role if DUTIES[r].below]))


def _reached(here: QuerySet[Membership], from_above: QuerySet[Membership]) -> QuerySet[Tenant]:
    """A region tree has three levels at most, so "below" is one or two steps up to a parent."""
    if here.filter(tenant=None).exists():
        return Tenant.objects.all()
    above = from_above.values("tenant")
    return Tenant.objects.filter(
        Q(pk__in=here.values("tenant")) | Q(parent__in=above) | Q(parent__parent__in=above)
    )


def _grants(memberships: Iterable[Membership], tenant: Tenant | None) -> Iterator[Grant]:
    above = {ancestor.pk for ancestor in tenant.ancestors()} if tenant else set()
    for membership in memberships:
        duties = DUTIES[Role(membership.role)]
        if tenant is None:
            permissions = duties.own | duties.below
        elif membership.tenant_id in (None, tenant.pk):
            permissions = duties.own
        elif membership.tenant_id in above:
            permissions = duties.below
        else:
            continue
        if tenant is not None and tenant.status == Tenant.Status.SUSPENDED:
            permissions &= READ
        if permissions:
            yield Grant(Role(membership.role), permissions, duties.reach, membership.community_id)
