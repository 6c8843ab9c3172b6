"""The one way into a tenant's schema.

django-tenants' ``with tenant:`` keeps the previous tenant on the class, so it leaks between
threads; it is banned by lint, and these functions take its place.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import db

connection: Any = db.connection  # django-tenants' own: its type knows nothing of schemas


def current_schema() -> str:
    """The schema the connection of this thread works in; ``public`` when in no tenant."""
    return connection.schema_name


@contextmanager
def tenant_context(tenant: Any) -> Iterator[None]:
    """Work in the schema of ``tenant``; whatever happens inside, go back to where we were."""
    previous = connection.tenant
    connection.set_tenant(tenant)
    try:
        yield
    finally:
        connection.set_tenant(previous)


@contextmanager
def public_context() -> Iterator[None]:
    """Work in the public schema for a while, for example to write the library from a tenant."""
    previous = connection.tenant
    connection.set_schema_to_public()
    try:
        yield
    finally:
        connection.set_tenant(previous)
