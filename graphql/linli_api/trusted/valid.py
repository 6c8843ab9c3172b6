"""A document that is to be trusted is parsed, measured, validated and priced first."""

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from graphql import GraphQLError

from linli.errors import Refused
from linli_api.documents import Rejected, read
from linli_api.errors import Misfit


def cost_of(text: str) -> int:
    """What its costliest operation costs without variables. Refused: DOCUMENT_NOT_VALID, or what a
    request would be refused with for its size or cost."""
    from linli_api.schema import tenant_schema  # which holds the mutation that calls this

    schema = tenant_schema.graphql_schema
    try:
        document = read(schema, text)
    except Rejected as rejected:
        raise _said(rejected.errors[0]) from rejected
    limit, prices = settings.LINLI_POINTS_A_REQUEST, []
    for name in document.operations:
        cost = document.cost(name)
        if cost is not None:
            prices.append(cost.price({}))
            if prices[-1] > limit:
                raise cost.too_high({}, limit)
    if not prices:
        message = _("The document holds no operation.")
        raise Refused("DOCUMENT_NOT_VALID", message, field="text")
    return max(prices)


def _said(error: GraphQLError) -> Refused:
    cause = error.original_error
    if not isinstance(cause, Misfit):
        assert isinstance(cause, Refused)  # a limit's
        return cause
    message = _("This is no document of this schema: {fault}")
    return Refused("DOCUMENT_NOT_VALID", format_lazy(message, fault=cause.message), field="text")
