"""Requests that name a document by its hash (GraphQL over HTTP, Appendix A), and tenants that take
no others from programs."""

from hashlib import sha256

from django.utils.translation import gettext as _

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli.registry.models import Tenant
from linli.trusted import selectors
from linli_api.errors import InvalidRequest


def text_of(tenant: Tenant | None, document_id: str) -> str:
    """The document itself; raises InvalidRequest DOCUMENT_NOT_TRUSTED."""
    text = selectors.text_of(tenant.pk, document_id) if tenant else None
    if text is None:
        message = _("No document is trusted here under this id. Register it with trustDocument.")
        raise InvalidRequest("DOCUMENT_NOT_TRUSTED", message, field="documentId")
    return text


def check_untrusted(tenant: Tenant | None, actor: Actor | None) -> None:
    """For a document that came as text. A person in a session may send any: what they may see is
    theirs to say, and pages and GraphiQL are for people."""
    is_session = actor is not None and actor.client is None
    if tenant is not None and not is_session and selectors.only_trusted(tenant.pk):
        message = _("Programs run trusted documents only here. Send the documentId of one.")
        raise InvalidRequest("DOCUMENT_NOT_TRUSTED", message, field="query")


def check_carried(tenant: Tenant, actor: Actor, document: str, *, field: str) -> None:
    """For a document that another one brings as a value: trusting that one is not trusting this."""
    if selectors.text_of(tenant.pk, f"sha256:{sha256(document.encode()).hexdigest()}") is not None:
        return
    try:
        check_untrusted(tenant, actor)
    except InvalidRequest as refused:
        message = _("Programs run trusted documents only here, in an export too.")
        raise Refused(refused.code, message, field=field) from refused
