"""The published JSON Schema of operating models (M1)."""

import json
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

from linli.library.document import digest, json_schema


@cache
def _schema() -> tuple[bytes, str]:
    schema = json_schema()
    return json.dumps(schema, ensure_ascii=False, indent=2).encode(), f'"{digest(schema)}"'


@require_safe
@cache_control(public=True, max_age=3600)
@etag(lambda request: _schema()[1])
def document_schema(request: HttpRequest) -> HttpResponse:
    """For editors and other systems, wherever they run: no log-in, any origin."""
    response = HttpResponse(_schema()[0], content_type="application/schema+json")
    response["Access-Control-Allow-Origin"] = "*"
    return response
