"""A refusal, and the proof that it changed nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.apps import apps
from django.conf import settings

from linli.errors import Refused
from tests.support.rows import rows_unchanged


class Caught:
    """What was refused; filled in when the block ends."""

    refused: Refused

    @property
    def codes(self) -> list[str]:
        return [fault.code for fault in self.refused.faults]

    @property
    def fields(self) -> list[str | None]:
        return [fault.field for fault in self.refused.faults]


@contextmanager
def denied(code: str, field: str | None = None) -> Iterator[Caught]:
    """The block is refused with this code, and no table that a tenant has, seen from the schema of
    the moment, has another row afterwards or another value in one (the trail among them)."""
    before, caught = _everything(), Caught()
    with pytest.raises(Refused) as raised:
        yield caught
    caught.refused = raised.value
    assert caught.refused.code == code, str(caught.refused)
    assert caught.refused.field == field
    assert _everything() == before


@contextmanager
def denied_in_public(code: str, field: str | None = None) -> Iterator[Caught]:
    """The same of what is kept in the public schema."""
    caught = Caught()
    with rows_unchanged("public"), pytest.raises(Refused) as raised:
        yield caught
    caught.refused = raised.value
    assert caught.refused.code == code, str(caught.refused)
    assert caught.refused.field == field


def _everything() -> dict[str, list]:
    apps_of_tenants = (a for a in apps.get_app_configs() if a.name in settings.TENANT_APPS)
    models = [model for app in apps_of_tenants for model in app.get_models()]
    return {m._meta.label: list(m._default_manager.order_by("pk").values_list()) for m in models}
