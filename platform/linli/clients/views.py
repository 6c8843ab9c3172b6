from django.http import HttpRequest, HttpResponse
from oauth2_provider.views import TokenView as LibrarysTokenView


class TokenView(LibrarysTokenView):
    """The library's, without its side door for devices, which passes by the kind of server."""

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return self.authorization_flow_token_response(request)
