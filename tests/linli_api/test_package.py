"""M4: nothing personal travels. Of a unit in which every column has a mark, what is published and all
that the platform shows of it hold none but those of the version itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from linli.accounts.policy import Actor, Role, actor_for, system_actor
from linli.library.models import PublishedVersion
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.ids import encode
from linli_api.schema import platform_schema
from tenants.operating_model.actions import publish_version
from tenants.operating_model.models import ModelVersion
from tests.linli.library.test_pictures import add, told_where
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.probes import probes
from tests.support.secrets import Secrets, leaves, rows, rows_of_schema, secrets
from tests.support.two_towns import Town, ask, two_towns

# Texts that people typed for everybody, each checked before it leaves.
SAID = {"case_text": "一年，食堂开了", "alt": "食堂的门口", "caption": "每天开门"}


# Of a mark, a log-in, a key, a rate: not words of the product, such as the names of columns.
_IS_THEIRS = re.compile(r"Ω|chezhan|^[0-9a-f]{8}-[0-9a-f-]{27}$|^0\.0\d{4}$")


@dataclass
class Published:
    tenant: Tenant
    reader: Actor
    row: PublishedVersion
    # Everything that is the unit's, but for what the whitelist names.
    hidden: Secrets


@pytest.fixture(scope="module")
def published(session_database, django_db_setup, django_db_blocker) -> Iterator[Published]:
    with django_db_blocker.unblock(), two_towns(session_database) as world:
        yield _publish(world.ours)


def _publish(town: Town) -> Published:
    tenant, person = town.tenant, PersonFactory()
    MembershipFactory(
        person=person, tenant=Tenant.objects.get(slug="datong"), role=Role.CITY_SUPERVISOR
    )
    with tenant_context(tenant):
        version = ModelVersion.objects.filter(author_id=tenant.pk).order_by("pk").last()
        assert version is not None
        picture = add(tenant, told_where())
        row = publish_version(
            actor=system_actor(tenant),
            version_id=version.pk,
            profiles=["ageing"],
            case_text=SAID["case_text"],
            evidence_starts_on=date(2025, 1, 2),
            evidence_ends_on=date(2026, 1, 2),
            pictures=[{"picture_id": picture.pk, "alt": SAID["alt"], "caption": SAID["caption"]}],
        )
    own = ("key", "number", "title", "document", "bounds", "notes", "digest")
    known = [
        *(getattr(version, name) for name in own),
        # Of the author as a unit: its name and keys. Of the evidence: the figures themselves.
        *(tenant.name, [str(key) for key in row.under], str(row.pk), row.evidence, str(picture.pk)),
        *SAID.values(),
    ]
    told = secrets(town.rows(), known=known)
    texts = frozenset(filter(_IS_THEIRS.search, told.texts))
    return Published(tenant, actor_for(person, None), row, Secrets(texts, told.numbers))


def test_there_is_something_to_hide(published):
    """A partner's name, a person's, a community's, what somebody earned and agreed."""
    for text in ("Ω甲1诊所", "Ω甲1书记", "Ω甲1社区", "chezhan.street_administrator", "0.03142"):
        assert text in published.hidden.texts, text
    assert {1_000_142, 60_000_142} <= published.hidden.numbers


def test_the_net_catches(published):
    with tenant_context(published.tenant):
        caught = published.hidden.found_in(rows_of_schema(published.tenant.schema_name))
    assert len(caught) > 100


def test_the_rows_on_the_shelf_hold_nothing_of_it(published):
    tables = ("publishedversion", "outcome", "picture")
    shelved = [
        one
        for table in tables
        for one in rows("public", f"library_{table}")
        if one.get("version_id", one["id"]) == str(published.row.pk)
    ]
    assert len(shelved) == 3
    assert published.hidden.found_in(shelved) == []


def test_nor_does_anything_that_the_platform_shows_of_it(published):
    """By every field there is: what is added later is asked for without anyone remembering."""
    key = encode("PublishedVersion", published.row.pk)
    told = 0
    for probe in probes(platform_schema):
        if probe.name in ("publishedVersion", "publishedVersions"):
            ids = {("id",): key} if probe.name == "publishedVersion" else {}
            for document in probe.documents:
                body = ask(probe, document, published.reader, None, probe.variables(ids, {}))
                assert "errors" not in body
                assert published.hidden.found_in(body) == [], document
                told += SAID["case_text"] in leaves(body)
    assert told > 2


def test_nor_does_the_picture_itself(published):
    [picture] = published.row.pictures.all()
    assert "Ω".encode() not in bytes(picture.content)


def test_nor_the_trail_of_the_public_schema(published):
    [entry] = [
        one
        for one in rows("public", "audit_entry")
        if one["action"] == "library.publish" and one["object_id"] == str(published.row.pk)
    ]
    assert published.hidden.found_in(entry) == []
