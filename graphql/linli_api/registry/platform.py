"""What the platform's schema shows of divisions and tenants."""

from typing import Any

import graphene
from django.db.models import Model
from django.utils.translation import gettext as _

from linli.errors import NotFound
from linli.registry import selectors
from linli_api.batches import together
from linli_api.connections import Connection, Filter
from linli_api.fields import ById, Field
from linli_api.inputs import IdOf
from linli_api.registry import mutations
from linli_api.registry.types import Division, DivisionLevel, Tenant, TenantKind, TenantStatus

Name = graphene.String(description="A part of the name.")


class Query:
    division = Field(
        Division,
        code=graphene.Argument(graphene.String, required=True, description="Its code: 370303."),
        description="One place of the national list.",
    )
    divisions = Connection(
        Division,
        filters={
            "parent": Filter("parent_id", graphene.String(description="The code one level up.")),
            "search": Filter("name__icontains", Name),
            "level": Filter("level", DivisionLevel(description="What it is.")),
        },
        description="The national list, down to the street.",
    )
    tenant = ById(Tenant, description="One tenant.")
    tenants = Connection(
        Tenant,
        filters={
            "parent_id": Filter("parent_id", IdOf("Tenant")),
            "kind": Filter("kind", TenantKind(description="What it is.")),
            "status": Filter("status", TenantStatus(description="Where it stands in its life.")),
            "search": Filter("name__icontains", Name),
        },
        description="The tenants in which you may do anything.",
    )

    @staticmethod
    def resolve_division(root: None, info: Any, code: str) -> Model:
        division = selectors.divisions(actor=info.context.actor).filter(pk=code).first()
        if division is None:
            raise NotFound(_("division"), field="code")
        return together([division])[0]


MUTATIONS = [
    mutations.RequestTenant,
    mutations.RequestSandbox,
    mutations.SuspendTenant,
    mutations.ResumeTenant,
    mutations.ArchiveTenant,
    mutations.BrandTenant,
]
