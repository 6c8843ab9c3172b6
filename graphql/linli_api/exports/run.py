"""Writes an export page by page, by the same way as any request of its requester.

Nothing but the row says how far it is, so whoever takes over from a killed worker goes on from there.
Two that believe they have it do no harm: a part counts only for the one who moves the row on.
"""

import logging
import time
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api.execution import Request, run
from linli_api.exports import files, formats
from linli_api.exports.document import Paged, paged
from linli_api.exports.models import Export
from linli_api.exports.requester import requester_of, scope_of
from linli_api.exports.schema import own_schema

logger = logging.getLogger(__name__)

PART_BYTES = 1024 * 1024
PART_SECONDS = 1  # then what there is is kept, so that the row tells how far it is


@dataclass(frozen=True)
class Page:
    nodes: list[dict[str, Any]]
    cursor: str
    more: bool
    total: int | None


@dataclass(frozen=True)
class Part:
    """Some pages, as they go into the file. last: there is nothing after it."""

    content: bytes
    rows: int
    cursor: str
    last: bool
    total: int | None


def write_out(tenant: Tenant, export_id: UUID) -> None:
    mine = Export.objects.filter(pk=export_id)
    for export in mine.filter(status=Export.Status.QUEUED):
        scope = scope_of(requester_of(export, tenant))
        mine.filter(status=Export.Status.QUEUED).update(status=Export.Status.RUNNING, scope=scope)
    while running := mine.filter(status=Export.Status.RUNNING).first():
        _go_on(tenant, running)


def _go_on(tenant: Tenant, export: Export) -> None:
    with override(export.language):
        try:
            _keep(export, _next_part(tenant, export))
        except Refused as refused:
            _fail(export, refused)
        except Exception:
            reference = uuid4().hex[:12]
            logger.exception("reference %s: export %s", reference, export.pk)
            message = _("This is our fault, not yours. Quote the reference when you report it.")
            _fail(export, Refused("INTERNAL", f"{message} ({reference})"))


def ask(actor: Actor, document: Paged, variables: dict[str, Any], **paging: Any) -> Page:
    """One page, shorter where its rows are large; raises the first refusal among its errors."""
    given = {"exportAfter": None, "exportCount": False, **paging}
    answer = run(own_schema(), Request(document.query, variables | given), actor).body
    for error in answer.get("errors", ()):
        told = error["extensions"]
        code, rows = told["code"], given["exportFirst"]
        if code == "ANSWER_TOO_LARGE" and rows > 1:
            return ask(actor, document, variables, **(given | {"exportFirst": rows // 2}))
        raise Refused(code, error["message"], field=told.get("field"))
    connection = answer["data"][document.field]
    info = connection["pageInfo"]
    return Page(
        connection["nodes"],
        info["endCursor"] or "",
        info["hasNextPage"],
        connection.get("totalCount"),
    )


def _next_part(tenant: Tenant, export: Export) -> Part:
    schema = own_schema().graphql_schema
    document = paged(schema, export.document, export.variables)
    size = document.longest_page(schema, export.variables)
    begins = not export.parts
    content = bytearray(formats.head(export.format, document.columns) if begins else b"")
    part = Part(b"", 0, export.cursor, False, export.total)
    until = time.monotonic() + PART_SECONDS
    while (
        not part.last and len(content) < PART_BYTES and (not part.rows or time.monotonic() < until)
    ):
        page = ask(
            requester_of(export, tenant),
            document,
            export.variables,
            exportFirst=size,
            exportAfter=part.cursor or None,
            exportCount=begins and not part.rows,
        )
        for node in page.nodes:
            content += formats.line(export.format, document.columns, node)
        part = replace(
            part,
            rows=part.rows + len(page.nodes),
            cursor=page.cursor or part.cursor,
            last=not page.more,
            total=part.total if page.total is None else page.total,
        )
    return replace(part, content=bytes(content))


def _keep(export: Export, part: Part) -> None:
    name = files.keep(export, part.content)
    done = {"status": Export.Status.DONE, "finished_at": timezone.now()} if part.last else {}
    moved_on = Export.objects.filter(
        pk=export.pk, status=Export.Status.RUNNING, rows=export.rows, cursor=export.cursor
    ).update(
        rows=export.rows + part.rows,
        total=part.total,
        cursor=part.cursor,
        parts=[*export.parts, name],
        size=export.size + len(part.content),
        **done,
    )
    if not moved_on:  # cancelled, or somebody else did
        files.drop(export, name)


def _fail(export: Export, refused: Refused) -> None:
    fault = refused.faults[0]
    error = {"code": fault.code, "message": str(fault.message), "field": fault.field}
    failed = Export.objects.filter(pk=export.pk, status=Export.Status.RUNNING)
    failed.update(status=Export.Status.FAILED, error=error, finished_at=timezone.now())
