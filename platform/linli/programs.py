"""What a program is told where a person would be shown a page: the API's form of an error."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import get_language_from_request, override
from django.utils.translation import gettext_lazy as _
from django.views.defaults import page_not_found

from linli.errors import Refused

# Whatever is posted there is answered in JSON.
_POSTED = ("/graphql", "/oauth/token", "/pictures", "/packages")
_OF_PROGRAMS = ("/graphql", "/oauth/", "/exports/", "/pictures", "/packages")
_OF_PEOPLE = "/graphql/docs"


def wants_json(request: HttpRequest) -> bool:
    """A program asks the API, gets a token, or brings one; it reads no page."""
    if "HTTP_AUTHORIZATION" in request.META or not request.accepts("text/html"):
        return True
    is_json = request.content_type == "application/json"
    return request.method == "POST" and (is_json or request.path_info in _POSTED)


def refusal(request: HttpRequest, refused: Refused, *, status: int) -> HttpResponse:
    """As the API words its own. The language may not be settled yet."""
    with override(get_language_from_request(request)):
        entry = {"message": str(refused.message), "extensions": {"code": refused.code}}
    options = {"ensure_ascii": False}
    return JsonResponse({"errors": [entry]}, status=status, json_dumps_params=options)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 404 of every host. Where only programs ask, nobody is shown a page."""
    path = request.path_info
    of_programs = path.startswith(_OF_PROGRAMS) and not path.startswith(_OF_PEOPLE)
    if not of_programs and not wants_json(request):
        return page_not_found(request, exception)
    message = _(
        "There is nothing at this address. The API is at /graphql, its pages at /graphql/docs."
    )
    return refusal(request, Refused("PATH_UNKNOWN", message), status=404)
