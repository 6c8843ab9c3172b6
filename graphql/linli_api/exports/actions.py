"""Asking for an export, and calling it off."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.tenancy.context import current_schema
from linli_api.documents import Rejected, read
from linli_api.errors import Misfit
from linli_api.exports import jobs
from linli_api.exports.document import paged
from linli_api.exports.models import Export
from linli_api.exports.requester import scope_of
from linli_api.exports.run import ask
from linli_api.exports.schema import own_schema
from linli_api.exports.selectors import exports
from linli_api.trusted.requests import check_carried

KEPT = timedelta(days=7)
AT_ONCE = 5


@transaction.atomic
def request_export(
    *, actor: Actor, document: str, format: str, variables: dict[str, Any] | None = None
) -> Export:
    """Takes it on if its first page could be read now; a worker does the rest."""
    assert actor.tenant is not None
    given = variables or {}
    if not isinstance(given, dict):
        message = _("variables must be an object, by the names of the document's variables.")
        raise Refused("VARIABLES_INVALID", message, field="variables")
    _check_document(document)
    check_carried(actor.tenant, actor, document, field="document")
    schema = own_schema().graphql_schema
    pages = paged(schema, document, given)
    # Not a row of it is read: what is refused is told now, not in a job.
    ask(actor, pages, given, exportFirst=0)
    pages.longest_page(schema, given)
    _wait_for_ones_turn(actor)
    _check_few(actor)
    export = Export.objects.create(
        document=document,
        variables=given,
        format=format,
        language=get_language() or "",
        person_id=actor.person_id,
        client_id=actor.client_id,
        scope=scope_of(actor, pages.permissions(schema, given)),
        expires_at=timezone.now() + KEPT,
    )
    after = snapshot(export, "document", "format")
    record(actor=actor, action="exports.requested", obj=export, before=None, after=after)
    jobs.defer(jobs.write_export, actor.tenant, export)
    jobs.defer(jobs.forget_export, actor.tenant, export, at=export.expires_at)
    return export


@transaction.atomic
def cancel_export(*, actor: Actor, export_id: UUID) -> Export:
    export = exports(actor=actor).select_for_update().filter(pk=export_id).first()
    if export is None:
        raise NotFound(_("export"), field="exportId")
    if export.status not in Export.UNFINISHED:
        message = _("The export has ended: {status}. There is nothing to call off.")
        raise Refused(
            "EXPORT_ENDED",
            format_lazy(message, status=Export.Status(export.status).label),
            field="exportId",
        )
    before = snapshot(export, "status")
    export.status, export.finished_at = Export.Status.CANCELLED, timezone.now()
    export.save(update_fields=["status", "finished_at"])
    after = snapshot(export, "status")
    record(actor=actor, action="exports.cancelled", obj=export, before=before, after=after)
    assert actor.tenant is not None
    jobs.defer(jobs.forget_export, actor.tenant, export)
    return export


def _wait_for_ones_turn(actor: Actor) -> None:
    """Until this transaction ends, nobody else asks for the same person or client: the count holds."""
    requester = f"exports of {actor.person_id or actor.client_id} in {current_schema()}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [requester])


def _check_few(actor: Actor) -> None:
    if exports(actor=actor).filter(status__in=Export.UNFINISHED).count() >= AT_ONCE:
        message = _("You have {most} exports on their way. Wait for one, or call one off.")
        raise Refused("TOO_MANY_EXPORTS", format_lazy(message, most=AT_ONCE))


def _check_document(document: str) -> None:
    try:
        read(own_schema().graphql_schema, document)
    except Rejected as rejected:
        cause = rejected.errors[0].original_error
        assert isinstance(cause, Refused)  # a limit's, or in our words
        code = "EXPORT_DOCUMENT_INVALID" if isinstance(cause, Misfit) else cause.code
        raise Refused(code, cause.message, field="document") from rejected
