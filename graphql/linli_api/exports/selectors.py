"""Reading exports: each is its requester's alone, and of the program it was asked for through."""

from django.db.models import QuerySet

from linli.accounts.policy import Actor
from linli_api.exports.models import Export


def exports(*, actor: Actor) -> QuerySet[Export]:
    if actor.person_id is None:
        return Export.objects.none()
    own = Export.objects.filter(person_id=actor.person_id)
    return own if actor.client_id is None else own.filter(client_id=actor.client_id)
