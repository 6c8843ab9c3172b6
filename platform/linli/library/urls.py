"""The library's addresses on the platform's host."""

from django.urls import path

from linli.library.document import SCHEMA_ID
from linli.library.views import document_schema

urlpatterns = [path(SCHEMA_ID.removeprefix("/"), document_schema, name="document_schema")]
