"""Django's database sessions, with the family they belong to (SESSION_ENGINE)."""

from typing import Any, cast
from uuid import UUID, uuid4

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

from linli.accounts.models import Session

HOST = "linli_host"
FAMILY = "linli_family"
METHODS = "linli_methods"


class SessionStore(DatabaseSessionStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        session = cast(Session, super().create_model_instance(data))
        session.family = data.get(FAMILY)
        return session


def family_of(session: SessionBase) -> UUID:
    """The family of a session at the platform, founded when it is first handed over."""
    return UUID(session.setdefault(FAMILY, str(uuid4())))


def end_family(family: str) -> None:
    Session.objects.filter(family=family).delete()
