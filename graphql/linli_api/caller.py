"""Who asks at an address that is no ``/graphql``: a file's, a picture's."""

from django.http import HttpRequest

from linli.accounts.policy import Actor, actor_for
from linli.clients import usage
from linli.clients.admission import admit
from linli_api.errors import TokenInvalid, TokenMissing
from linli_api.incoming import bearer_token


def actor_of(request: HttpRequest) -> Actor:
    """By bearer token, with which no cookie counts, or in a session. Raises TokenInvalid, TokenMissing."""
    token = bearer_token(request)
    tenant = request.tenant  # type: ignore[attr-defined]
    if token is None:
        actor = actor_for(request.user, tenant)
        if actor.person is None:
            raise TokenMissing
        return actor
    admitted = admit(token, tenant)
    if admitted is None:
        raise TokenInvalid
    usage.note(admitted)
    return admitted.actor
