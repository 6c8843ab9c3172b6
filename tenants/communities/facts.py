"""Published facts about communities and tenants: stated, corrected with trace, read."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.events.emit import emit
from linli.rules import check_fields, check_version, save_changes
from tenants.communities.models import Fact
from tenants.communities.selectors import community_to_act_on


@transaction.atomic
def state_fact(
    *,
    actor: Actor,
    community_id: UUID | None,
    key: str,
    value: Any,
    source: str,
    sample: bool = False,
    expected_version: int | None = None,
) -> Fact:
    """State a fact, or correct it; stating the same again changes nothing.

    Raises `Forbidden`, `NotFound`, `Refused` VERSION_CONFLICT, or the faults of fields.
    """
    actor.require(Permission.COMMUNITIES_ONBOARD, community_id=community_id)
    community = community_to_act_on(community_id) if community_id else None
    stated = {"value": value, "source": source.strip(), "sample": sample}
    check_fields(Fact(community=community, key=key, **stated))
    fact, created = Fact.objects.select_for_update().get_or_create(
        community=community, key=key, defaults=stated
    )
    check_version(None if created else fact, expected_version)
    before = None if created else snapshot(fact, *stated)
    if before == stated:
        return fact
    if before:
        for name, new in stated.items():
            setattr(fact, name, new)
        save_changes(fact, stated)
    record(
        actor=actor, action="communities.state_fact", obj=fact, before=before, after=snapshot(fact)
    )
    emit(
        actor=actor,
        type="fact.stated",
        obj=fact,
        community_id=community_id,
        data={"community": community_id, "key": key, "corrected": not created},
    )
    return fact


def facts(*, actor: Actor) -> QuerySet[Fact]:
    """The facts of the communities the actor reads, and of the tenant for who reads all of it."""
    communities = actor.communities(Permission.COMMUNITIES_READ)
    rows = Fact.objects.all()
    return rows if communities is None else rows.filter(community__in=communities)
