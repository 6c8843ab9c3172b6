"""Which documents a tenant trusts, and whether it runs others. The trail stands in the public
schema, where the rows are."""

from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import record, snapshot
from linli.errors import NotFound, Refused
from linli.rules import check_fields, check_version
from linli.tenancy.context import public_context
from linli.trusted.models import DocumentRule, TrustedDocument


def trust_document(*, actor: Actor, text: str, name: str, cost: int) -> TrustedDocument:
    """Register a document that was found valid; one that is trusted already is answered as it is.

    Refused: NAME_INVALID.
    """
    actor.require(Permission.DOCUMENTS_TRUST)
    digest, tenant_id = sha256(text.encode()).hexdigest(), _tenant_id(actor)
    check_fields(
        TrustedDocument(tenant_id=tenant_id, digest=digest, text=text, name=name, cost=cost)
    )
    with public_context(), transaction.atomic():
        document, is_new = TrustedDocument.objects.get_or_create(
            tenant_id=tenant_id,
            digest=digest,
            withdrawn_at=None,
            defaults={"text": text, "name": name, "cost": cost},
        )
        if is_new:
            record(
                actor=actor,
                action="trusted.document_trusted",
                obj=document,
                before=None,
                after=snapshot(document, "name", "digest", "cost"),
            )
    return document


def withdraw_document(*, actor: Actor, document_id: UUID) -> TrustedDocument:
    """Trust it no longer. Refused: NOT_FOUND, DOCUMENT_WITHDRAWN."""
    actor.require(Permission.DOCUMENTS_TRUST)
    with public_context(), transaction.atomic():
        own = TrustedDocument.objects.select_for_update().filter(tenant_id=_tenant_id(actor))
        document = own.filter(pk=document_id).first()
        if document is None:
            raise NotFound(_("trusted document"), field="trustedDocumentId")
        if document.withdrawn_at is not None:
            message = _("The document was withdrawn before.")
            raise Refused("DOCUMENT_WITHDRAWN", message, field="trustedDocumentId")
        before = snapshot(document, "withdrawn_at")
        document.withdrawn_at = timezone.now()
        document.save(update_fields=["withdrawn_at"])
        record(
            actor=actor,
            action="trusted.document_withdrawn",
            obj=document,
            before=before,
            after=snapshot(document, "withdrawn_at"),
        )
    return document


def require_trusted(
    *, actor: Actor, only_trusted: bool, expected_version: int | None = None
) -> DocumentRule:
    """Whether the tenant's clients may run trusted documents only. Refused: VERSION_CONFLICT,
    NOTHING_CHANGES."""
    actor.require(Permission.DOCUMENTS_REQUIRE)
    with public_context(), transaction.atomic():
        rule = DocumentRule.objects.select_for_update().filter(pk=_tenant_id(actor)).first()
        check_version(rule, expected_version)
        if only_trusted == (rule is not None and rule.only_trusted):
            message = _("That is how it stands already.")
            raise Refused("NOTHING_CHANGES", message, field="onlyTrusted")
        before = snapshot(rule, "only_trusted") if rule else None
        rule = rule or DocumentRule(pk=_tenant_id(actor), version=0)
        rule.version += 1
        rule.only_trusted = only_trusted
        rule.save()
        record(
            actor=actor,
            action="trusted.rule_set",
            obj=rule,
            before=before,
            after=snapshot(rule, "only_trusted"),
        )
    return rule


def _tenant_id(actor: Actor) -> UUID:
    if actor.tenant is None:
        raise RuntimeError("documents are trusted at a tenant's host")
    return actor.tenant.pk
