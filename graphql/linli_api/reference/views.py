"""``/graphql/docs``: the reference of this host's schema, for who may introspect it, and beside it that
of the document of operating models."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from linli.accounts.policy import actor_for
from linli.library.document import SCHEMA_ID
from linli_api.evolution.http import HEADERS, codes
from linli_api.reference.content import sections
from linli_api.reference.document import document_sections
from linli_api.reference.examples import examples
from linli_api.reference.glossary import terms
from linli_api.reference.here import ids_of


@require_safe
@login_required(login_url="sign_in")
def reference(request: HttpRequest) -> HttpResponse:
    side = "platform" if request.tenant is None else "tenant"  # type: ignore[attr-defined]
    here = ids_of(side, actor_for(request.user, request.tenant))  # type: ignore[attr-defined]
    shown = [example.with_ids(here) for example in examples(side)]
    given = {"sections": sections(side), "examples": shown, "terms": terms()}
    given |= {"headers": HEADERS, "codes": codes()}
    return render(request, "linli_api/reference.html", given)


@require_safe
@login_required(login_url="sign_in")
def document_reference(request: HttpRequest) -> HttpResponse:
    """``/graphql/docs/operating-model``: what may stand in an operating model, by its published schema."""
    url = settings.LINLI_PLATFORM_URL.rstrip("/") + SCHEMA_ID
    given = {"sections": document_sections(), "schema_url": url}
    return render(request, "linli_api/document.html", given)
