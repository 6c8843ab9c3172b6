"""Reading exports: each is its requester's alone, a person's or a client's, and through a person's
token only what was asked for with that token."""

from django.db.models import QuerySet

from linli.accounts.policy import Actor
from linli_api.exports.models import Export


def exports(*, actor: Actor) -> QuerySet[Export]:
    if actor.person is None and actor.client is None:
        return Export.objects.none()
    own = Export.objects.filter(person_id=actor.person_id)
    return own if actor.client_id is None else own.filter(client_id=actor.client_id)
