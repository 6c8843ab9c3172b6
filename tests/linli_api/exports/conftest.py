"""Chezhan with 250 partners in two communities, and a folder for what is exported."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.core.files.storage import storages

from linli.accounts.policy import Role, system_actor
from linli.tenancy.context import tenant_context
from tenants.communities.actions import add_community
from tenants.partners.models import Partner

NAMES = [f"伙伴{number:03}" for number in range(250)]


@pytest.fixture
def folder(tmp_path, settings):
    settings.STORAGES = settings.STORAGES | {
        "exports": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        }
    }
    yield tmp_path
    # Django forgets what it made of the setting, but not the instance that was asked for.
    storages._storages.pop("exports", None)


def plant(street) -> SimpleNamespace:
    """Works in the street's schema."""
    system = system_actor(street)
    chengnan, gongsheng = (
        add_community(actor=system, name=name, opened_on=date(2024, 1, 1))
        for name in ("城南社区", "工盛社区")
    )
    Partner.objects.bulk_create(
        Partner(
            community=chengnan if number % 2 else gongsheng,
            name=name,
            kind="enterprise",
            joined_on=date(2025, 1, 1),
        )
        for number, name in enumerate(NAMES)
    )
    return SimpleNamespace(street=street, chengnan=chengnan, gongsheng=gongsheng)


@pytest.fixture
def town(street, actor_as, folder):
    with tenant_context(street):
        planted = plant(street)
        planted.administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        planted.secretary = actor_as(
            street, Role.COMMUNITY_SECRETARY, community_id=planted.chengnan.pk
        )
        yield planted
