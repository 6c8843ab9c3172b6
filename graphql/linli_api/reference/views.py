"""``/graphql/docs``: the reference of this host's schema, for who may introspect it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from linli_api.reference.content import sections
from linli_api.reference.examples import examples
from linli_api.reference.glossary import terms


@require_safe
@login_required(login_url="sign_in")
def reference(request: HttpRequest) -> HttpResponse:
    side = "platform" if request.tenant is None else "tenant"  # type: ignore[attr-defined]
    given = {"sections": sections(side), "examples": examples(side), "terms": terms()}
    return render(request, "linli_api/reference.html", given)
