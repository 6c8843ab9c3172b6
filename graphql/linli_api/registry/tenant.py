"""What a tenant's schema shows of itself."""

from typing import Any

from django.db.models import Model

from linli_api.batches import together
from linli_api.fields import Field
from linli_api.registry.mutations import ResetSandbox
from linli_api.registry.types import Tenant


class Query:
    tenant = Field(Tenant, description="The tenant whose host this is.")

    @staticmethod
    def resolve_tenant(root: None, info: Any) -> Model:
        return together([info.context.actor.tenant])[0]


MUTATIONS = [ResetSandbox]
