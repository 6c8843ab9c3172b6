"""The page GraphiQL: for people who are logged in, and made of nothing but what this host serves."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

# The editor writes its own style elements; nothing else comes from inside the page.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def wanted(request: HttpRequest) -> bool:
    """A browser's GET. A program's gets told to POST."""
    return (
        request.method == "GET"
        and request.get_preferred_type(["application/json", "text/html"]) == "text/html"
    )


def page(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("sign_in"))
    response = render(request, "linli_api/graphiql.html")
    response["Content-Security-Policy"] = POLICY
    return response
