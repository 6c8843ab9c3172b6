"""Trusted documents, as the API shows them."""

import graphene

from linli.accounts.policy import Permission
from linli.trusted import models, selectors
from linli_api.fields import Computed
from linli_api.guard import INHERITED
from linli_api.inputs import VERSION
from linli_api.registry.types import Tenant
from linli_api.scalars import DateTime
from linli_api.types import Object, extends


class TrustedDocument(Object):
    """A document that may be run by its hash."""

    class Meta:
        permission = Permission.DOCUMENTS_READ
        model = models.TrustedDocument
        selector = selectors.trusted_documents
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",)}

    document_id = graphene.String(
        required=True, description="What a request names it by: sha256: and 64 hexadecimal digits."
    )
    name = graphene.String(required=True, description="What it is called; may be empty.")
    text = graphene.String(required=True, description="The document.")
    cost = graphene.Int(
        required=True, description="What it costs without variables; longer lists cost more."
    )
    trusted_at = DateTime(required=True, description="Since when it is trusted.")
    withdrawn_at = DateTime(description="Since when it is trusted no more; null while it is.")


class DocumentRule(Object):
    """Which documents a tenant runs."""

    class Meta:
        permission = INHERITED

    only_trusted = graphene.Boolean(
        required=True,
        description="True where programs may run trusted documents only. People may run any.",
    )
    version = graphene.Int(required=True, description=f"{VERSION} 0: nothing was ruled yet.")


@extends(Tenant)
class TenantDocuments:
    document_rule = Computed(
        DocumentRule,
        load=selectors.rule_by_tenant,
        required=True,
        description="Which documents it runs.",
    )
