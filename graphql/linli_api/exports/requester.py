"""Who asked for an export: what they may read when it runs, and when the file is fetched.

An export reads with what its document takes and nothing else: never more than its requester could when
asking, nor than they can when it runs. The file is theirs only as long as they have all of that.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from uuid import UUID

from linli.accounts.policy import Actor, Grant, Permission, Reach
from linli.clients.standing import as_now
from linli.registry.models import Tenant
from linli_api.exports.models import Export

Communities = frozenset[UUID] | None
Scope = dict[str, list[str] | None]


def scope_of(actor: Actor, needed: Collection[Permission] = Permission) -> Scope:
    """What of the permissions the actor has, as an export keeps it: permission → communities, None
    for all."""
    return {
        permission.value: None if where is None else sorted(map(str, where))
        for permission in Permission
        if permission in needed and (where := actor.communities(permission)) != frozenset()
    }


def requester_of(export: Export, tenant: Tenant) -> Actor:
    """The requester as they are now, with no more than they had when they asked."""
    actor = as_now(tenant, person_id=export.person_id, client_id=export.client_id)
    if not actor.grants:
        return actor
    # What takes no permission takes a role here, whatever that permits.
    member = Grant(None, frozenset(), Reach.OWN)
    return replace(actor, grants=(member, *_grants(actor, export.scope)))


def covers(actor: Actor, scope: Scope) -> bool:
    """Whether the actor still has a role here, and may do all that is in the scope."""
    now = scope_of(actor)
    return bool(actor.grants) and all(
        name in now and _meet(_communities(now[name]), _communities(where)) == _communities(where)
        for name, where in scope.items()
    )


def _grants(actor: Actor, scope: Scope) -> Iterator[Grant]:
    for permission in Permission:
        if permission.value not in scope:
            continue
        where = _meet(actor.communities(permission), _communities(scope[permission.value]))
        reach = actor.reach(permission) or Reach.OWN
        for community in (None,) if where is None else where:
            yield Grant(None, frozenset({permission}), reach, community)


def _communities(kept: list[str] | None) -> Communities:
    return None if kept is None else frozenset(map(UUID, kept))


def _meet(one: Communities, other: Communities) -> Communities:
    if one is None or other is None:
        return other if one is None else one
    return one & other
