from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.views import TokenView as LibrarysTokenView

from linli.budget.callers import of_address
from linli.budget.headers import headers
from linli.budget.lease import Lease, RateLimited, spend
from linli.clients.oauth import TOKEN_POINTS


class TokenView(LibrarysTokenView):
    """The library's, without its side door for devices, which passes by the kind of server.

    Each request costs its address; one with the right secret also its client, out of the points the
    client asks the API with. So whoever tries secrets uses up what is theirs, not the client's.
    """

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        address = of_address(get_adapter(request).get_client_ip(request))
        try:
            limit = settings.LINLI_POINTS_A_MINUTE_ANONYMOUS
            lease = spend(address, TOKEN_POINTS, limit=limit)
            response = self.authorization_flow_token_response(request)
        except RateLimited as limited:
            lease = limited.lease
            response = _too_many(lease)
        if response.status_code == 401:  # the library names the scheme of tokens
            response["WWW-Authenticate"] = 'Basic realm="oauth/token", charset="UTF-8"'
        for name, value in headers(lease, response.status_code):
            response[name] = value
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        told = {
            "error": "invalid_request",
            "error_description": "Ask for a token by POST, with a form in the body.",
        }
        return JsonResponse(
            told, status=405, headers={"Allow": "POST", "Cache-Control": "no-store"}
        )


def _too_many(lease: Lease) -> HttpResponse:
    """In OAuth's form, whose descriptions are plain ASCII (RFC 6749, section 5.2)."""
    told: dict[str, Any] = {
        "error": "temporarily_unavailable",
        "error_description": (
            f"Too many requests for tokens. Ask again in {lease.seconds_left} seconds, and use a "
            "token for the whole hour that it is good."
        ),
    }
    return JsonResponse(told, status=429, headers={"Cache-Control": "no-store"})
