"""Who may do what, where: the one object that the API, pages, imports and jobs all ask.

Reach: a role holds at its own tenant; a city's or district's role also in the tenants below, with
the shorter list its duties name; a platform operator's everywhere. A membership of one community
stays inside it. In a suspended tenant everybody may only read (T1).
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Protocol
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.models import Membership, Person
from linli.accounts.roles import DUTIES, READ, Permission, Reach, Role, roles_with
from linli.accounts.scopes import SCOPES, scopes_for
from linli.errors import Forbidden
from linli.registry.models import Tenant

__all__ = [
    "Actor",
    "Client",
    "Grant",
    "Held",
    "Permission",
    "Reach",
    "Role",
    "actor_for",
    "covered",
    "covered_tenants",
    "everywhere",
    "grants_of",
    "grants_of_client",
    "held_at",
    "may_enter",
    "narrowed",
    "reachable_tenants",
    "reaches",
    "roles_at",
    "standing",
    "system_actor",
    "tenants_of",
]


class HeldRole(Protocol):
    """A membership, or as much of one as decides what it gives."""

    @property
    def role(self) -> str: ...

    @property
    def tenant_id(self) -> UUID | None: ...

    @property
    def community_id(self) -> UUID | None: ...


class Held(NamedTuple):
    """A `HeldRole` read without its model."""

    role: str
    tenant_id: UUID | None
    community_id: UUID | None


@dataclass(frozen=True)
class Grant:
    """What one membership gives at the tenant the actor stands in; no role: the system's own, or a
    client's. ``below``: what it gives in every tenant under that one. ``tenant_id``: the tenant it is
    held at; None for the platform's."""

    role: Role | None
    permissions: frozenset[Permission]
    reach: Reach
    community_id: UUID | None = None
    below: frozenset[Permission] = frozenset()
    tenant_id: UUID | None = None


@dataclass(frozen=True)
class Client:
    """The program that asks: an integrator's client, or a person's token. What it may do where the
    actor stands is in the actor's grants already.

    tenant_id: whose client it is, None for a person's token. below: whether it covers the tenants
    under that one. permissions: what its scopes stand for; of a client that acts by itself, here at
    its own tenant and beneath in those under it. answers_id: the person who drew the secret it came
    with.
    """

    id: UUID
    name: str
    tenant_id: UUID | None = None
    below: bool = False
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    here: frozenset[Permission] = frozenset()
    beneath: frozenset[Permission] = frozenset()
    answers_id: UUID | None = None


@dataclass(frozen=True)
class Actor:
    """A person or a client at a tenant's host, or at the platform's (``tenant`` None), or the
    system itself. A person who asks through a token of theirs comes with both."""

    person: Person | None
    tenant: Tenant | None
    grants: tuple[Grant, ...] = field(default=())
    client: Client | None = None

    @cached_property
    def view(self) -> Hashable:
        """What the grants come to, without whose they are and which communities they name."""
        return frozenset(
            (grant.permissions, grant.reach, grant.community_id is None) for grant in self.grants
        )

    @property
    def person_id(self) -> UUID | None:
        return self.person.pk if self.person else None

    @property
    def tenant_id(self) -> UUID | None:
        return self.tenant.pk if self.tenant else None

    @property
    def client_id(self) -> UUID | None:
        return self.client.id if self.client else None

    @property
    def answers_id(self) -> UUID | None:
        """The person behind it: who acts, or drew the secret a client came with. Two clients of
        one person are that person twice."""
        return self.person_id or (self.client.answers_id if self.client else None)

    @property
    def principal_id(self) -> UUID | None:
        """Who answers for what is done: a person, or a client that none answers for. Where two
        must not be one (F5), these are compared."""
        return self.answers_id or self.client_id

    def allows(self, permission: Permission, *, community_id: UUID | None = None) -> bool:
        """Whether it is permitted in the whole tenant, or in the community that is named."""
        return any(
            permission in grant.permissions and grant.community_id in (None, community_id)
            for grant in self.grants
        )

    def require(self, permission: Permission, *, community_id: UUID | None = None) -> None:
        """Raises `Forbidden` where `allows` says no."""
        if not self.allows(permission, community_id=community_id):
            raise self.forbidden(permission)

    def forbidden(self, permission: Permission) -> Forbidden:
        """Says to a program which scope it is that it has not, or has not here, and who gives it."""
        if self.client is None or (self.person and permission in self.client.permissions):
            return Forbidden(permission=permission.value)  # it is the person's role
        scope = scopes_for([permission])[0]
        if self.person:
            message = _("This token has not the scope {scope}, which this takes. Make one with it.")
        elif permission in self.client.permissions:
            message = _(
                "The scope {scope} of this program does not count at this unit. It counts where "
                "whoever made the client held it. It can be given here by: {roles}."
            )
        else:
            message = _(
                "This token has not the scope {scope}, which this takes. Ask for a token with it. "
                "If the client has it not, it can be given to one by: {roles}."
            )
        told = format_lazy(message, scope=scope, roles=lazy(_who_gives, str)(scope, self.tenant))
        return Forbidden(told, permission=permission.value)

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
            raise self.forbidden(permission)

    def held_in(self, permission: Permission) -> list[tuple[UUID, ...]]:
        """The tenants in which a person or a client holds it, be it in one community only; each with
        the units above it. One statement; what a role gives everywhere is not among it (`everywhere`)."""
        chain = held_at(self, permission).values_list("pk", "parent", "parent__parent")
        return [tuple(unit for unit in units if unit) for units in chain.order_by()]

    def held_below(self) -> frozenset[Permission]:
        """What is permitted in every tenant under the one the actor stands in."""
        every = (grant.below for grant in self.grants if grant.community_id is None)
        return frozenset[Permission]().union(*every)

    def held_here(self, *, community_id: UUID | None = None) -> frozenset[Permission]:
        """All that `allows` says yes to."""
        return frozenset(p for p in Permission if self.allows(p, community_id=community_id))

    def short_of(self, role: Role, *, community_id: UUID | None = None) -> frozenset[Permission]:
        """What a role at the tenant the actor stands in gives, there or below, that they do not
        hold there themselves."""
        duties = DUTIES[role]
        lacking = duties.own - self.held_here(community_id=community_id)
        if self.tenant is None or self.tenant.kind != Tenant.Kind.STREET:
            lacking |= duties.below - self.held_below()
        return lacking

    def offices(self, permission: Permission) -> frozenset[UUID | None]:
        """Where whoever acts has it from: the tenants at which it was given to them for the whole of
        this one. A district's administrator has it from the district; the platform is None."""
        return frozenset(
            grant.tenant_id
            for grant in self.grants
            if permission in grant.permissions and grant.community_id is None
        )

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


def _who_gives(scope: str, tenant: Tenant | None) -> str:
    """The roles that may make a client with a scope there."""
    needed = SCOPES[scope] | {Permission.CLIENTS_CREATE}
    roles = [
        role
        for role, duties in DUTIES.items()
        if needed <= duties.own
        and (tenant is None or not duties.kinds or tenant.kind in duties.kinds)
    ]
    return ", ".join(str(role.label) for role in roles)


def actor_for(person: Person | AnonymousUser, tenant: Tenant | None) -> Actor:
    """The person with what their memberships give there.

    At the platform's own host (``tenant`` None) that is what they give at any tenant; what is done
    there to one tenant is checked against that tenant, or narrowed by `covered_tenants`.
    """
    if not isinstance(person, Person) or not person.is_active:
        return Actor(person=None, tenant=tenant)
    memberships = Membership.objects.live().filter(person=person)
    return Actor(person, tenant, grants_of(memberships, tenant))


def system_actor(tenant: Tenant | None) -> Actor:
    """The platform acting by itself, as jobs and set-up do; the trail shows no person."""
    all_of_it = frozenset(Permission)
    everything = Grant(None, all_of_it, Reach.EVERYWHERE, below=all_of_it)
    return Actor(person=None, tenant=tenant, grants=(everything,))


def standing(actor: Actor, tenant: Tenant | None) -> Actor:
    """The same one as they stand at another tenant, or at the platform: with what they hold there."""
    if actor.person is not None:
        there = actor_for(actor.person, tenant)
        grants = narrowed(there.grants, actor.client.permissions) if actor.client else there.grants
    elif actor.client is not None:
        grants = grants_of_client(actor.client, tenant)
    else:
        return system_actor(tenant)
    return replace(actor, tenant=tenant, grants=grants)


def narrowed(grants: Iterable[Grant], permissions: frozenset[Permission]) -> tuple[Grant, ...]:
    """As much of the grants as a person's token lets through."""
    through = (
        replace(grant, permissions=grant.permissions & permissions, below=grant.below & permissions)
        for grant in grants
    )
    return tuple(grant for grant in through if grant.permissions)


def grants_of_client(client: Client, tenant: Tenant | None) -> tuple[Grant, ...]:
    """What a client that acts by itself may do there; nothing where it does not reach.

    At the platform's host, as for people, that is what it may do at any tenant.
    """
    if not reaches(client.tenant_id, client.below, tenant):
        return ()
    if tenant is None:
        permissions = client.here | client.beneath
    else:
        given = client.here if tenant.pk == client.tenant_id else client.beneath
        permissions = _in_force(given, tenant)
    reach = Reach.BELOW if client.below else Reach.OWN
    held = Grant(None, permissions, reach, below=client.beneath, tenant_id=client.tenant_id)
    return (held,) if permissions else ()


def may_enter(person: Person, tenant: Tenant) -> bool:
    """Whether anything at all is permitted to them there."""
    return bool(actor_for(person, tenant).grants)


def roles_at(memberships: Iterable[Membership], tenant: Tenant) -> list[Role]:
    """The roles that reach a tenant, each once, in the order of the list of roles."""
    held = {grant.role for grant in grants_of(memberships, tenant)}
    return [role for role in Role if role in held]


def reaches(owner_id: UUID | None, below: bool, tenant: Tenant | None) -> bool:
    """Whether a client of that owner may ask at a tenant's host: its own, and those under it if it
    covers them. It may at the platform's (None), where it sees no more than these."""
    if tenant is None or tenant.pk == owner_id:
        return True
    return below and owner_id in _above(tenant)


def covered_tenants(person: Person, permission: Permission) -> QuerySet[Tenant]:
    """The tenants in the whole of which a permission is given: what a supervisor compares."""
    memberships = Membership.objects.live().filter(person=person, community_id=None)
    return _reached(
        memberships.filter(role__in=roles_with(permission)),
        memberships.filter(role__in=roles_with(permission, below=True)),
    )


def covered(actor: Actor, permission: Permission) -> QuerySet[Tenant]:
    """The same for an actor, wherever they stand; the system's own covers every tenant."""
    client = actor.client
    if client is not None and permission not in client.permissions:
        return Tenant.objects.none()
    if actor.person is not None:
        return covered_tenants(actor.person, permission)
    if client is not None:
        return tenants_of(client, permission)
    return Tenant.objects.all() if actor.allows(permission) else Tenant.objects.none()


def everywhere(actor: Actor, permission: Permission) -> bool:
    """Whether a role of the platform gives it, or the system itself asks: no tenant is left out."""
    return any(
        grant.reach == Reach.EVERYWHERE and permission in grant.permissions
        for grant in actor.grants
    )


def held_at(actor: Actor, permission: Permission) -> QuerySet[Tenant]:
    """The tenants in which a person or a client has a permission, be it in one community only."""
    client = actor.client
    if client is not None and permission not in client.permissions:
        return Tenant.objects.none()
    if actor.person is not None:
        memberships = Membership.objects.live().filter(person=actor.person)
        return _reached(
            memberships.filter(role__in=roles_with(permission)),
            memberships.filter(community_id=None, role__in=roles_with(permission, below=True)),
        )
    return tenants_of(client, permission) if client is not None else Tenant.objects.none()


def tenants_of(client: Client, permission: Permission | None = None) -> QuerySet[Tenant]:
    """The tenants in which a client that acts by itself may do anything at all, or this."""

    def given(permissions: frozenset[Permission]) -> bool:
        return bool(permissions) if permission is None else permission in permissions

    found = Tenant.objects.none()
    if given(client.here):
        found |= Tenant.objects.filter(Q(pk=client.tenant_id))
    if client.below and given(client.beneath):
        under = Q(parent=client.tenant_id) | Q(parent__parent=client.tenant_id)
        found |= Tenant.objects.filter(under)
    return found


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


def grants_of(memberships: Iterable[HeldRole], tenant: Tenant | None) -> tuple[Grant, ...]:
    """What memberships in force give at a tenant, or at the platform's host."""
    return tuple(_grants(memberships, tenant))


def _grants(memberships: Iterable[HeldRole], tenant: Tenant | None) -> Iterator[Grant]:
    above = _above(tenant)
    for membership in memberships:
        role = Role(membership.role)
        duties = DUTIES[role]
        if tenant is None:
            permissions = duties.own | duties.below
        elif membership.tenant_id in (None, tenant.pk):
            permissions = duties.own
        elif membership.tenant_id in above:
            permissions = duties.below
        else:
            continue
        permissions = _in_force(permissions, tenant)
        if permissions:
            below = duties.below if duties.kinds else duties.own
            held_at = membership.tenant_id
            yield Grant(role, permissions, duties.reach, membership.community_id, below, held_at)


def _above(tenant: Tenant | None) -> set[UUID]:
    return {ancestor.pk for ancestor in tenant.ancestors()} if tenant else set()


def _in_force(permissions: frozenset[Permission], tenant: Tenant | None) -> frozenset[Permission]:
    """In a suspended tenant everybody may only read (T1)."""
    suspended = tenant is not None and tenant.status == Tenant.Status.SUSPENDED
    return permissions & READ if suspended else permissions
