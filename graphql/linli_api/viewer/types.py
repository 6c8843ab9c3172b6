import graphene

from linli.accounts.policy import Actor, Permission
from linli_api.fields import Bounded
from linli_api.guard import INHERITED
from linli_api.types import Object


class Viewer(Object):
    """Who is asking: a person, or a client."""

    class Meta:
        permission = INHERITED

    name = graphene.String(required=True, description="What they are called.")
    permissions = Bounded(
        graphene.String,
        most=200,
        description="What they may do at this host, be it in one community only: partners.admit.",
    )

    def resolve_name(self: Actor, info: object) -> str:
        asking = self.person or self.client
        return asking.name if asking else ""

    def resolve_permissions(self: Actor, info: object) -> list[str]:
        return sorted(permission.value for permission in Permission if self.holds(permission))
