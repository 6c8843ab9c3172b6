"""The first pages of both kinds of host, and the steps of the hand-over between them."""

import re
from secrets import token_urlsafe
from typing import cast
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from linli.accounts import hand_over as handing
from linli.accounts.middleware import HostRequest, hostname
from linli.accounts.models import Person
from linli.accounts.policy import Role, actor_for, may_enter
from linli.accounts.selectors import places, region, served_tenants
from linli.accounts.sessions import FAMILY, METHODS, family_of
from linli.errors import Refused
from linli.registry.hosts import tenant_of_host

SECRET_COOKIE = "linli_sign_in"
SECRET_SECONDS = 15 * 60  # as long as allauth lets a log-in take
PLACES_PER_PAGE = 50


@require_safe
def platform_home(request: HttpRequest) -> HttpResponse:
    """For somebody signed in, the tenants they may enter; for everybody else, what Linli is."""
    if not request.user.is_authenticated:
        return render(request, "accounts/welcome.html")
    search = request.GET.get("q", "").strip()
    found = served_tenants(request.user, search=search)
    page = Paginator(found, PLACES_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "accounts/places.html",
        {"places": list(places(request.user, page)), "page": page, "search": search},
    )


@require_safe
def tenant_home(request: HostRequest) -> HttpResponse:
    """Where this is, and who you are here."""
    assert request.tenant is not None  # this page is in the tenants' hosts' urls only
    actor = actor_for(request.user, request.tenant)
    return render(
        request,
        "accounts/tenant_home.html",
        {
            "region": region(request.tenant),
            "roles": [role.label for role in Role if role in {g.role for g in actor.grants}],
            "explorer": bool(actor.grants),
        },
    )


@require_safe
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """At a tenant's host: leave the secret here and ask the platform who this is."""
    target = _safe_path(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return redirect(target)
    secret = token_urlsafe(32)
    question = urlencode({"host": hostname(request), "state": handing.digest(secret)})
    response = redirect(f"{settings.LINLI_PLATFORM_URL}/hand-over/?{question}")
    response.set_signed_cookie(
        SECRET_COOKIE,
        f"{secret} {target}",
        max_age=SECRET_SECONDS,
        path="/sign-in/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_safe
@never_cache
@login_required
def hand_over(request: HttpRequest) -> HttpResponse:
    """At the platform: send a person who may enter a tenant back to its host with a code.

    A host that does not exist and one that they may not enter get the same answer.
    """
    host, state = request.GET.get("host", "").lower(), request.GET.get("state", "")
    if not re.fullmatch("[0-9a-f]{64}", state):
        raise BadRequest("not a digest")
    person, tenant = cast(Person, request.user), tenant_of_host(host)
    if tenant is None or not tenant.is_served or not may_enter(person, tenant):
        return render(request, "accounts/no_entry.html", status=403)
    records = get_authentication_records(request, person)
    code = handing.issue(
        person=person,
        host=host,
        state=state,
        family=str(family_of(request.session)),
        methods=[record.get("type") or record["method"] for record in records],
    )
    return redirect(f"{handing.address(host)}/sign-in/complete?{urlencode({'code': code})}")


@require_safe
@never_cache
def complete_sign_in(request: HttpRequest) -> HttpResponse:
    """At the tenant's host: trade the code and this browser's secret for a session."""
    try:
        cookie = request.get_signed_cookie(SECRET_COOKIE, max_age=SECRET_SECONDS)
        secret, _space, target = str(cookie).partition(" ")
        entering = handing.redeem(
            code=request.GET.get("code", ""), secret=secret, host=hostname(request)
        )
    except (KeyError, BadSignature, Refused):
        return render(request, "accounts/sign_in_expired.html", status=400)
    login(request, entering.person, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[FAMILY] = entering.family
    request.session[METHODS] = entering.methods
    response = redirect(_safe_path(target))
    response.delete_cookie(SECRET_COOKIE, path="/sign-in/")
    return response


@require_POST
def sign_out(request: HostRequest) -> HttpResponse:
    """At a tenant's host this ends that host's session; at the platform, all that came from it."""
    if request.tenant is None:
        get_adapter().logout(request)
    else:
        logout(request)
    messages.success(request, _("You have signed out."))
    return redirect("home")


def _safe_path(target: str) -> str:
    """``target`` if it is a path of this host, otherwise the first page."""
    relative = target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts=None
    )
    return target if relative else "/"
