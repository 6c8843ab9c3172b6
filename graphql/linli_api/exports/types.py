"""Exports, as the API shows them."""

from collections.abc import Sequence
from uuid import UUID

import graphene
from django.urls import reverse

from linli.accounts.hand_over import address
from linli.accounts.policy import Actor
from linli.registry.selectors import host_by_tenant
from linli_api.exports import models, selectors
from linli_api.fields import Computed
from linli_api.guard import MEMBER
from linli_api.mutation import Error
from linli_api.scalars import Bytes, DateTime, Document, choices
from linli_api.types import Object

ExportFormat = choices(
    models.Export.Format,
    "ExportFormat",
    JSONL="One JSON object a line, as the document asks for it, in UTF-8.",
    CSV="One line a row, with a head of the paths, and a byte order mark by which Excel knows UTF-8.",
)
ExportStatus = choices(
    models.Export.Status,
    "ExportStatus",
    QUEUED="It waits for a worker; nothing is written yet.",
    RUNNING="A worker writes the file; `rows` tells how far it is.",
    DONE="The file is whole, and `url` leads to it until it expires.",
    FAILED="It came to an end without a file; `error` says why.",
    CANCELLED="Somebody stopped it; there is no file.",
    EXPIRED="The file was thrown away as its time was up.",
)


def urls(rows: Sequence[models.Export], actor: Actor) -> dict[UUID, str]:
    """Of those that are done, where their file is fetched."""
    assert actor.tenant is not None
    host = host_by_tenant([actor.tenant], actor)[actor.tenant.pk]
    return {
        export.pk: address(host).rstrip("/")
        + reverse("export", urlconf="linli.tenant_urls", args=[export.pk])
        for export in rows
        if export.status == models.Export.Status.DONE
    }


class Export(Object):
    """A list on its way into a file, which is kept for seven days."""

    class Meta:
        permission = MEMBER
        model = models.Export
        selector = selectors.exports
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",)}

    document = graphene.String(required=True, description="The query of what is exported.")
    variables = Document(required=True, description="The query's variables.")
    format = graphene.Field(ExportFormat, required=True, description="What the file holds.")
    status = graphene.Field(ExportStatus, required=True, description="Where it stands.")
    rows = graphene.Int(required=True, description="Rows that are in the file so far.")
    total = graphene.Int(
        description="Rows of the list when it began; null before that. Some may come or go meanwhile."
    )
    size = Bytes(required=True, description="Of the file so far, in bytes.")
    error = graphene.Field(Error, description="Why it failed; null where it did not.")
    url = Computed(
        graphene.String,
        load=urls,
        description="Where the file is fetched, by who asked for it; null until it is done.",
    )
    requested_at = DateTime(required=True, description="When it was asked for.")
    finished_at = DateTime(description="When it was done, failed or was called off.")
    expires_at = DateTime(required=True, description="When the file is thrown away.")
