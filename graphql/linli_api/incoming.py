"""What comes over HTTP, as a `Request`; and refusals of what is none."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from linli.errors import Refused
from linli.registry.models import Tenant
from linli_api import limits
from linli_api.errors import MOST_ERRORS, InvalidRequest
from linli_api.execution import Request
from linli_api.trusted.requests import text_of
from linli_api.wording.misfit import LONGEST_NAME

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
# A string, passed over, or one of the words that Python would take for a number.
_NO_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(NaN|-?Infinity)')
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
        raise InvalidRequest("BODY_TOO_LARGE", _("A request may hold 1 MB at most."))
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
    """Raises InvalidRequest for what is no JSON, saying where, and for text that nothing can store
    or show."""
    text = _text(body)
    try:
        value = _JSON.decode(text)
        # Half a character can only come as an escape; looked for where there is one.
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        message = _("The text holds a NUL or half a character. Type it anew.")
        raise InvalidRequest("TEXT_INVALID", message, field=_half_at(value)) from error
    except json.JSONDecodeError as error:
        message = _("The body is no JSON: it goes wrong at line {line}, column {column}.")
        raise _invalid(message, line=error.lineno, column=error.colno) from error
    except _NoNumber as error:
        raise _where_no_number(text, str(error)) from error
    except RecursionError as error:
        message = _("The body is no JSON that can be read: it nests too deep.")
        raise InvalidRequest("INPUT_TOO_DEEP", message) from error
    except ValueError as error:  # all that is left: an integer that Python refuses to read
        message = _("A number in the body has more than {most} digits.")
        raise _invalid(message, most=sys.get_int_max_str_digits()) from error
    return value


def _half_at(value: Any, path: tuple[str, ...] = ()) -> str | None:
    """The path of the first text in the body that holds half a character, as deep as variables go."""
    if isinstance(value, str):
        return ".".join(path) if _HALF.search(value) else None
    if not isinstance(value, dict | list) or len(path) > limits.VALUE_DEPTH:
        return None
    if isinstance(value, dict) and any(map(_HALF.search, value)):
        return ".".join(path)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = (_half_at(below, (*path, str(name)[:LONGEST_NAME])) for name, below in items)
    return next((one for one in found if one is not None), None)


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


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one key, the last would win in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(iter(Counter(key for key, _value in pairs) - Counter(found.keys())))
        shown = twice[:100].encode(errors="replace").decode()
        raise _invalid(_("The body has the key {key} twice in one object. Keep one."), key=shown)
    return found


class _NoNumber(ValueError):
    """NaN, Infinity or -Infinity, which Python would read."""


def _no_number(word: str) -> None:
    raise _NoNumber(word)


def _where_no_number(text: str, word: str) -> InvalidRequest:
    """It is the first of its kind, or another would have been met before."""
    found = next(one for one in _NO_NUMBER.finditer(text) if one[1])
    line, column = _place(text[: found.start()])
    message = _("{word} at line {line}, column {column} is no JSON. Send null, or leave it out.")
    return _invalid(message, word=word, line=line, column=column)


def _place(before: str) -> tuple[int, int]:
    """Line and column of what comes next, from 1."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _invalid(message: str, **told: Any) -> InvalidRequest:
    return InvalidRequest("REQUEST_INVALID", message.format(**told))


_JSON = json.JSONDecoder(object_pairs_hook=_each_key_once, parse_constant=_no_number)


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
