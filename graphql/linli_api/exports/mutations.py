"""Asking for exports."""

from typing import Any

import graphene

from linli.accounts.policy import Actor
from linli_api.exports import actions
from linli_api.exports.types import Export, ExportFormat
from linli_api.guard import MEMBER
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.scalars import Document


class ExportConnection(Mutation):
    """Writes all rows of a list into a file, in the background. What is refused when a page of the
    list is asked for is refused here."""

    class Meta:
        permission = MEMBER

    class Input:
        document = graphene.String(
            required=True,
            description="A query of one list with its nodes, without first and after.",
        )
        variables = Document(description="The query's variables.")
        format = ExportFormat(required=True, description="What the file shall hold.")

    export = graphene.Field(Export, description="The export, queued.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"export": actions.request_export(actor=actor, **values)}


class CancelExport(Mutation):
    """Calls an export off that has not ended, and throws away what there is of its file."""

    class Meta:
        permission = MEMBER

    class Input:
        export_id = IdOf("Export", required=True, description="Which export.")

    export = graphene.Field(Export, description="The export, cancelled.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"export": actions.cancel_export(actor=actor, **values)}
