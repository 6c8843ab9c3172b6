"""Asking for fresh figures."""

from typing import Any

import graphene
from django.utils.translation import gettext as _

from linli.accounts.policy import Actor, Permission
from linli.accounts.selectors import tenants
from linli.comparison.actions import refresh_comparison
from linli.errors import NotFound
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.registry.types import Tenant
from linli_api.scalars import Date


class RefreshComparison(Mutation):
    """Has the figures of a tenant and all below it worked out anew, as of a day."""

    class Meta:
        permission = Permission.COMPARISON_REFRESH

    class Input:
        under_id = IdOf("Tenant", required=True, description="The tenant.")
        as_of = Date(description="As of which day; today unless told.")

    under = graphene.Field(Tenant, description="The tenant.")
    refreshing = graphene.Int(
        description="How many tenants' figures are being worked out; ask again in a while."
    )

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        under = tenants(actor=actor).filter(pk=values.pop("under_id")).first()
        if under is None:
            raise NotFound(_("tenant"), field="underId")
        count = refresh_comparison(actor=actor, under=under, **values)
        return {"under": under, "refreshing": count}
