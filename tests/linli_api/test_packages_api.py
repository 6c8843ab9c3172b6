"""Packages through the API: whom one believes, fetching a file, bringing it in elsewhere."""

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.library.models import PublishedVersion
from linli.library.signing import fingerprint, public_text, signing_key
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.operating_model.actions import publish_version
from tenants.operating_model.models import Adoption
from tests.support.api import ask, do, done, errors, refused
from tests.support.models import write_chengnan
from tests.support.packages import key_of, package, trust
from tests.support.programs import program

pytestmark = pytest.mark.django_db
HOST = {"host": "linli.localhost"}


@pytest.fixture
def operator(actor_as):
    return actor_as(None, Role.PLATFORM_OPERATOR)


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def published(tenant) -> PublishedVersion:
    with tenant_context(tenant):
        version = write_chengnan(tenant)
        return publish_version(
            actor=system_actor(tenant), version_id=version.pk, profiles=["ageing"]
        )


def test_the_own_key_is_shown_to_who_reads_the_library(actor_as, street, settings):
    reader = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
    public = signing_key().public_key()
    assert ask(reader, "{ signingKey { fingerprint publicKey } }") == {
        "signingKey": {"fingerprint": fingerprint(public), "publicKey": public_text(public)}
    }
    settings.DEVELOPMENT = False
    assert ask(reader, "{ signingKey { fingerprint } }") == {"signingKey": None}


def test_sources_are_added_and_revoked(operator, actor_as, street):
    key = public_text(key_of(1).public_key())
    shown = "source { id name fingerprint publicKey reason revokedAt revokedReason }"
    made = done(operator, "addTrustedSource", shown, name="大同", publicKey=key, reason="核对过")
    assert made | {"id": ""} == {
        "id": "", "name": "大同", "fingerprint": fingerprint(key_of(1).public_key()), "publicKey": key,
        "reason": "核对过", "revokedAt": None, "revokedReason": None,
    }  # fmt: skip
    assert refused(operator, "addTrustedSource", name="大同", publicKey="x") == [
        ("PUBLIC_KEY_INVALID", "publicKey")
    ]

    gone = done(
        operator, "revokeTrustedSource", shown, trustedSourceId=made["id"], reason="钥匙丢了"
    )

    assert (gone["revokedReason"], gone["revokedAt"] is None) == ("钥匙丢了", False)
    reader = actor_as(None, Role.AUDITOR, held_at=street)
    query = "{ trustedSources { totalCount nodes { name revokedReason } } }"
    assert ask(reader, query)["trustedSources"] == {
        "totalCount": 1, "nodes": [{"name": "大同", "revokedReason": "钥匙丢了"}],
    }  # fmt: skip
    assert refused(reader, "revokeTrustedSource", trustedSourceId=made["id"], reason="x") == [
        ("FORBIDDEN", None)
    ]


def test_a_file_is_brought_in_and_adopted(street, administrator):
    trust(1)
    file = package(1)
    shown = "package { publishedId key number digest authorName }"

    made = done(administrator, "importPackage", shown, file=file)

    version = PublishedVersion.objects.get()
    assert made == {
        "publishedId": ids.encode("PublishedVersion", version.pk), "key": "gucheng", "number": 1,
        "authorName": "古城街道", "digest": version.digest,
    }  # fmt: skip
    assert done(administrator, "importPackage", shown, file=file) == made
    adopted = done(
        administrator, "adoptVersion", "adoption { effectiveFrom }",
        publishedId=made["publishedId"], effectiveFrom=timezone.localdate().isoformat(),
        expectedVersion=0, expectedLayerVersion=0,
    )  # fmt: skip
    assert adopted["effectiveFrom"] == timezone.localdate().isoformat()
    with tenant_context(street):
        assert Adoption.objects.get().version.published_id == version.pk


def test_what_is_wrong_is_told_with_its_place(administrator):
    assert refused(administrator, "importPackage", file="{}") == [("PACKAGE_INVALID", None)]
    assert refused(administrator, "importPackage", file=package(1)) == [("SOURCE_UNKNOWN", "file")]
    trust(1)
    found = refused(administrator, "importPackage", file=package(1, title="", number=0))
    assert sorted(found) == [
        ("PACKAGE_INVALID", "content.number"), ("PACKAGE_INVALID", "content.title"),
    ]  # fmt: skip


def test_the_shelf_says_where_it_is_from(street, administrator, actor_as, other_city):
    trust(1, "大同")
    do(administrator, "importPackage", "", file=package(1))
    reader = actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)
    query = """{ publishedVersions { nodes {
        authorName author { slug } source { name } importedByName packageUrl publishedAt
    } } }"""
    [found] = ask(reader, query)["publishedVersions"]["nodes"]
    version = PublishedVersion.objects.get()
    assert found == {
        "authorName": "古城街道", "author": None, "source": {"name": "大同"},
        "importedByName": "车站街道", "publishedAt": "2026-07-01T00:00:00+00:00",
        "packageUrl": f"http://linli.localhost:8000/packages/{version.pk}",
    }  # fmt: skip


class TestDownload:
    def test_who_reads_the_library_fetches_the_file(self, street, client: Client, actor_as):
        version = published(street)
        client.force_login(actor_as(None, Role.AUDITOR, held_at=street).person)

        answer = client.get(f"/packages/{version.pk}", headers=HOST)

        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        assert answer["Content-Disposition"] == 'attachment; filename="chengnan-v1.linli.json"'
        assert answer["Cache-Control"].startswith("max-age=0")
        assert answer.getvalue().decode().startswith('{"content":{"author":{"id":')

    def test_a_program_fetches_it_with_its_token(self, street, client, administrator):
        version = published(street)
        made = program(administrator, "models:read")
        for token, status in ((made.token(), 200), ("none", 401)):
            headers = HOST | {"authorization": f"Bearer {token}"}
            assert client.get(f"/packages/{version.pk}", headers=headers).status_code == status

    def test_a_program_without_the_scope_is_told(self, street, client, administrator):
        version = published(street)
        token = program(administrator, "fund:read").token()
        answer = client.get(
            f"/packages/{version.pk}", headers=HOST | {"authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"] == {"code": "FORBIDDEN"}

    def test_nobody_and_a_stranger_and_nothing(self, street, client, actor_as):
        version = published(street)
        path = f"/packages/{version.pk}"
        assert client.get(path, headers=HOST).status_code == 401
        assert client.post(path, headers=HOST).status_code == 405
        reader = actor_as(None, Role.AUDITOR, held_at=street)
        client.force_login(reader.person)
        assert client.get(f"/packages/{uuid4()}", headers=HOST).status_code == 404
        reader.person.memberships.update(ended_on="2020-02-01")
        assert client.get(path, headers=HOST).status_code == 403

    def test_without_a_key_production_says_so(self, street, client, actor_as, settings):
        version = published(street)
        client.force_login(actor_as(None, Role.AUDITOR, held_at=street).person)
        settings.DEVELOPMENT = False
        answer = client.get(f"/packages/{version.pk}", headers=HOST)
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["extensions"] == {"code": "SIGNING_KEY_MISSING"}

    def test_what_was_brought_in_is_passed_on_as_it_came(self, administrator, client):
        trust(1)
        file = package(1)
        do(administrator, "importPackage", "", file=file)
        client.force_login(administrator.person)
        version = PublishedVersion.objects.get()
        assert client.get(f"/packages/{version.pk}", headers=HOST).getvalue().decode() == file


def test_only_who_publishes_brings_in(street, actor_as):
    trust(1)
    worker = actor_as(street, Role.COMMUNITY_WORKER)
    assert refused(worker, "importPackage", file=package(1)) == [("FORBIDDEN", None)]


def test_a_source_by_its_id(operator):
    source = trust(1)
    query = "query($id: ID!) { trustedSource(id: $id) { name } }"
    found = ask(operator, query, id=ids.encode("TrustedSource", source.pk))
    assert found == {"trustedSource": {"name": "大同"}}
    nothing = ids.encode("TrustedSource", uuid4())
    assert errors(operator, query, id=nothing) == [("NOT_FOUND", "id")]
