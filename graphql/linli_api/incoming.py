"""What comes over HTTP, as a `Request`; and refusals of what is none."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from math import isfinite
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from linli import sizes
from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api import limits
from linli_api.errors import MOST_ERRORS, InvalidRequest
from linli_api.execution import Request
from linli_api.members import field_at, members
from linli_api.trusted.requests import text_of
from linli_api.wording.types import TOO_LARGE

# Of what was not run; anything else is a 400.
STATUS = {
    "TOKEN_INVALID": 401,
    "TOKEN_MISSING": 401,
    "CSRF_FAILED": 403,
    "FORBIDDEN": 403,
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_SLOW": 408,
    "IDEMPOTENCY_KEY_IN_USE": 409,
    "LENGTH_REQUIRED": 411,
    "BODY_TOO_LARGE": 413,
    "JSON_EXPECTED": 415,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "RATE_LIMITED": 429,
    "TOO_MANY_AT_ONCE": 429,
    "INTERNAL": 500,
    "OVERLOADED": 503,
}
# The seconds after which what was refused may be tried again.
_RETRY_AFTER = {"IDEMPOTENCY_KEY_IN_USE": "1", "TOO_MANY_AT_ONCE": "1", "OVERLOADED": "5"}
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_HALF = re.compile("[\ud800-\udfff]")


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def bearer_token(request: HttpRequest) -> str | None:
    scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check_csrf(request: HttpRequest) -> None:
    """A session's cookie alone must not be enough to write."""
    csrf = _Csrf(lambda _request: HttpResponse())
    csrf.process_request(request)
    if csrf.process_view(request, HttpResponse, (), {}):
        message = _("Send the value of the cookie {cookie} in the header X-CSRFToken.")
        raise InvalidRequest("CSRF_FAILED", message.format(cookie=settings.CSRF_COOKIE_NAME))


def read(request: HttpRequest, tenant: Tenant | None) -> Request:
    """The document in the body; raises InvalidRequest."""
    if request.content_type != "application/json":
        raise InvalidRequest("JSON_EXPECTED", _("Send the document as application/json."))
    length = request.META.get("CONTENT_LENGTH")
    if not length:
        message = _("Send the body in one piece, with its length in the header Content-Length.")
        raise InvalidRequest("LENGTH_REQUIRED", message)
    if not length.isdigit() or int(length) > limits.BODY_BYTES:
        message = _(
            "A request may hold 1 MB at most. Send less at once; of a model's document {most} bytes"
            " at most are kept."
        )
        raise InvalidRequest("BODY_TOO_LARGE", message.format(most=sizes.DOCUMENT))
    return document_in(request.body, lambda document_id: text_of(tenant, document_id))


def document_in(content: bytes, text_of: Callable[[str], str]) -> Request:
    """The document in a body. text_of: finds a trusted one by its id. Raises InvalidRequest."""
    body = _json(content)
    if isinstance(body, list):
        message = _("Several documents at once are not run. Send each in a request of its own.")
        raise InvalidRequest("BATCH_REFUSED", message)
    body = body if isinstance(body, dict) else {}
    query, document_id = body.get("query"), body.get("documentId")
    if [type(one) for one in (query, document_id) if one is not None] != [str]:
        message = _(
            'The body must be one JSON object, each key once: {"query": "…", "variables": {…}}, or'
            ' with "documentId" in place of "query".'
        )
        raise InvalidRequest("REQUEST_INVALID", message)
    variables, name = body.get("variables"), body.get("operationName")
    if not isinstance(variables, dict | None) or not isinstance(name, str | None):
        message = _("variables must be an object and operationName a string.")
        raise InvalidRequest("REQUEST_INVALID", message)
    if document_id is not None:
        return Request(text_of(document_id), variables or {}, name, trusted=True)
    return Request(str(query), variables or {}, name)


def _json(body: bytes) -> Any:
    """Raises InvalidRequest for what is no JSON, saying where, for what Python would read and JSON
    does not know or nothing can keep, and for text that nothing can store or show."""
    text = _text(body)
    try:
        value = _decoded(text)
        # Half a character can only come as an escape; looked for where there is one.
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = _("The text holds a NUL or half a character. Type it anew.")
        raise InvalidRequest("TEXT_INVALID", message, field=_half_in(value)) from error
    except json.JSONDecodeError as error:
        message = _("The body is no JSON: it goes wrong at line {line}, column {column}.")
        raise _invalid(message, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        message = _("The body is no JSON that can be read: it nests too deep.")
        raise InvalidRequest("INPUT_TOO_DEEP", message) from error
    return value


def _decoded(text: str) -> Any:
    try:
        return _STRICT.decode(text)
    except _Wrong:  # it does not know where, which is looked up in all that was sent
        found: dict[int, _Wrong] = {}
        sent = _reader(lambda wrong: found.setdefault(id(wrong.value), wrong).value).decode(text)
        place = next(one for one in members(sent) if id(one.value) in found)
        wrong = found[id(place.value)]
        path = [*place.path, *wrong.members]
        raise InvalidRequest("REQUEST_INVALID", str(wrong), field=field_at(path, sent)) from None


class _Wrong(ValueError):
    """Of a body: what Python would read and must not. value: what stands for it; members: in that, the
    one it is about."""

    def __init__(self, message: str, value: Any = None, *members: str) -> None:
        super().__init__(message)
        self.value = object() if value is None else value
        self.members = members


def _reader(on_wrong: Callable[[_Wrong], Any]) -> json.JSONDecoder:
    """on_wrong: raises it, or gives what is to stand there."""

    def each_once(pairs: list[tuple[str, Any]]) -> Any:
        """Of two values under one key, the last would win in silence."""
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        twice = next(iter(Counter(key for key, _value in pairs) - Counter(found.keys())))
        shown = twice[:100].encode(errors="replace").decode()
        message = _("The body has the key {key} twice in one object. Keep one.")
        return on_wrong(_Wrong(message.format(key=shown), found, twice))

    def no_number(word: str) -> Any:
        message = _(
            "{word} is no JSON. Write a number in digits, or null where nothing is to stand."
        )
        return on_wrong(_Wrong(message.format(word=word)))

    def finite(written: str) -> Any:
        number = json.loads(written)
        return number if isfinite(number) else on_wrong(_Wrong(str(TOO_LARGE)))

    def whole(written: str) -> Any:
        fits = len(written) <= sys.get_int_max_str_digits()
        return int(written) if fits else on_wrong(_Wrong(str(TOO_LARGE)))

    return json.JSONDecoder(
        object_pairs_hook=each_once, parse_constant=no_number, parse_float=finite, parse_int=whole
    )


def _raised(wrong: _Wrong) -> Any:
    raise wrong


_STRICT = _reader(_raised)


def _half_in(sent: Any) -> str | None:
    """Where the first half of a character stands: the text, or the object that has it in a key."""
    places = (one for one in members(sent) if _is_half(one.value))
    return next((field_at(one.path, sent) for one in places), None)


def _is_half(value: Any) -> bool:
    texts = value if isinstance(value, dict) else [value]
    return any(isinstance(one, str) and _HALF.search(one) for one in texts)


def _text(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    if encoding == "utf-8-sig":
        raise _invalid(_("The body begins with a byte order mark. Send it without."))
    if encoding != "utf-8":
        raise _invalid(_("The body is {encoding}. Send it as UTF-8."), encoding=encoding.upper())
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line, column = _place(body[: error.start].decode())
        message = _("The body is not UTF-8: it goes wrong at line {line}, column {column}.")
        raise _invalid(message, line=line, column=column) from error


def _place(before: str) -> tuple[int, int]:
    """Line and column of what comes next, from 1."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _invalid(message: str, **told: Any) -> InvalidRequest:
    return InvalidRequest("REQUEST_INVALID", message.format(**told))


def refusal(refused: Refused, **headers: str) -> HttpResponse:
    after = _RETRY_AFTER.get(refused.code)
    return JsonResponse(
        {"errors": [_entry(fault) for fault in refused.faults[:MOST_ERRORS]]},
        status=STATUS.get(refused.code, 400),
        json_dumps_params={"ensure_ascii": False},
        headers=headers | ({"Retry-After": after} if after else {}),
    )


def _entry(fault: Refused) -> dict[str, Any]:
    where = {"field": fault.field} if fault.field else {}
    return {"message": str(fault.message), "extensions": {"code": fault.code, **where}}
