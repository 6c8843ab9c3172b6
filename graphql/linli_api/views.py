"""``/graphql`` for people in a browser: GET shows GraphiQL, POST runs a document in their session.

Programs come in by another door (`linli_api.door`).
"""

from typing import Any

import graphene_django.views
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from linli.accounts.policy import actor_for
from linli_api import graphiql
from linli_api.errors import InvalidRequest, TokenMissing
from linli_api.incoming import check_csrf, refusal
from linli_api.responding import refuse, respond


# Exempt from the middleware only: `check_csrf` does the same and answers in JSON.
@method_decorator(csrf_exempt, name="dispatch")
class GraphQLView(graphene_django.views.GraphQLView):
    """The host decides the schema: a tenant's or the platform's.

    What graphene-django's view would do with a request is replaced: no documents in addresses or
    forms, no batches, no words of exceptions.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if graphiql.wanted(request):
            return graphiql.page(request)
        if request.method != "POST":
            message = _("Send the document by POST, as JSON.")
            return refusal(InvalidRequest("METHOD_NOT_ALLOWED", message), Allow="POST")
        in_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        try:
            if "HTTP_AUTHORIZATION" in request.META and not in_session:  # of another scheme
                raise TokenMissing
            check_csrf(request)
        except InvalidRequest as refused:
            missing = refused if in_session else TokenMissing()
            return refuse(request, missing, **getattr(missing, "headers", {}))
        tenant, person = request.tenant, request.user  # type: ignore[attr-defined]
        if not person.is_authenticated:
            return respond(request, tenant, None, None)
        return respond(request, tenant, actor_for(person, tenant), person.pk)
