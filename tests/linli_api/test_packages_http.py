"""Packages over HTTP: posted to a unit's host as they are, with pictures and larger than a request to
`/graphql` may be."""

import json
import os
import threading
from io import BytesIO

import pytest
from django.conf import settings as django_settings
from django.test import Client
from PIL import Image

from linli.accounts.policy import Role, system_actor
from linli.clients.actions import create_personal_token
from linli.library.models import PACKAGE_BYTES, PackageFile, Picture, PublishedVersion
from linli.library.pictures import add_picture
from linli.registry.models import Sandbox, Tenant
from linli.tenancy.context import public_context, tenant_context
from linli_api import ids, limits
from linli_api.packages import views
from tenants.operating_model.actions import publish_version
from tests.support.api import done
from tests.support.gunicorn import gunicorn
from tests.support.models import write_chengnan
from tests.support.packages import content, key_of, package, picture, pixels, sign, trust
from tests.support.rows import rows_unchanged

HOST = "chezhan.linli.localhost"
MIB = 1_048_576


def client_of(person=None, host=HOST, **options):
    client = Client(headers={"host": host, "accept-language": "en"}, **options)
    if person:
        client.force_login(person)
    return client


def post(client, file, content_type="application/json", **headers):
    with public_context():
        return client.post("/packages", file, content_type=content_type, headers=headers or None)


def refusals(answer):
    errors = json.loads(answer.content)["errors"]
    assert all(error["message"] for error in errors)
    told = [error["extensions"] for error in errors]
    return answer.status_code, [(one["code"], one.get("field")) for one in told]


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def client(administrator):
    return client_of(administrator.person)


def photo(side):
    """A JPEG that cannot be made much smaller."""
    out = BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)).save(out, "JPEG")
    return picture(out.getvalue(), width=side, height=side)


@pytest.mark.django_db
class TestBringingIn:
    def test_it_tells_what_the_mutation_tells(self, client, administrator):
        trust(1)
        file = package(1)

        answer = post(client, file)

        assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
        shown = "package { publishedId key number digest authorName }"
        assert answer.json() == done(administrator, "importPackage", shown, file=file)
        version = PublishedVersion.objects.get()
        assert answer.json()["publishedId"] == ids.encode("PublishedVersion", version.pk)
        again = post(client, file)
        assert (again.status_code, again.json()) == (200, answer.json())
        assert PublishedVersion.objects.count() == PackageFile.objects.count() == 1

    def test_one_that_no_request_to_the_api_could_hold(self, client):
        trust(1)
        file = package(1, pictures=[photo(1_100) for _ in range(5)])
        assert len(file) > 2 * max(limits.BODY_BYTES, django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

        assert post(client, file).status_code == 201

        version = PublishedVersion.objects.get()
        assert version.pictures.count() == 5
        with public_context():
            headers = {"host": "linli.localhost"}
            passed_on = client.get(f"/packages/{version.pk}", headers=headers)
        assert passed_on.getvalue().decode() == file
        assert int(passed_on["Content-Length"]) == len(file.encode())

    def test_its_pictures_are_shown_to_who_sees_the_version(self, client, other_street, actor_as):
        trust(1)
        post(client, package(1))
        kept = Picture.objects.get()
        elsewhere = actor_as(other_street, Role.STREET_ADMINISTRATOR).person
        for host in ("linli.localhost", "wenshao.linli.localhost"):
            with public_context():
                answer = client_of(elsewhere, host).get(f"/pictures/{kept.pk}")
            assert (answer.status_code, answer.content) == (200, bytes(kept.content))
            assert answer["Content-Type"] == "image/jpeg"
        assert client_of().get(f"/pictures/{kept.pk}").status_code == 401

    def test_one_that_an_editor_put_a_mark_before(self, client):
        trust(1)
        assert post(client, b"\xef\xbb\xbf" + package(1).encode()).status_code == 201

    def test_a_program_posts_it_with_a_token(self, street, administrator):
        trust(1)
        for scope, told in (("models:read", 403), ("models:write", 201)):
            _token, secret = create_personal_token(
                actor=administrator, name=scope, scopes=[scope], tenant=street
            )
            answer = post(client_of(), package(1), authorization=f"Bearer {secret}")
            assert answer.status_code == told
        assert refusals(post(client_of(), package(1), authorization="Bearer nothing")) == (
            401, [("TOKEN_INVALID", None)],
        )  # fmt: skip

    def test_a_cookie_alone_is_not_enough(self, administrator):
        trust(1)
        client = client_of(administrator.person, enforce_csrf_checks=True)
        with rows_unchanged():
            assert refusals(post(client, package(1))) == (403, [("CSRF_FAILED", None)])
        token = "a" * 32
        client.cookies[django_settings.CSRF_COOKIE_NAME] = token
        assert post(client, package(1), **{"x-csrftoken": token}).status_code == 201

    def test_who_may_not(self, street, actor_as, client, monkeypatch):
        monkeypatch.setattr(views, "_sent", None)  # told before anything is taken in
        trust(1)
        worker = client_of(actor_as(street, Role.COMMUNITY_WORKER).person)
        with rows_unchanged():
            assert refusals(post(worker, package(1))) == (403, [("FORBIDDEN", None)])
            assert refusals(post(client_of(), package(1))) == (401, [("TOKEN_MISSING", None)])
        Tenant.objects.filter(pk=street.pk).update(status="suspended")
        with rows_unchanged():
            assert refusals(post(client, package(1))) == (403, [("TENANT_SUSPENDED", None)])

    def test_a_sandbox_brings_nothing(self, street, district, client):
        trust(1)
        Sandbox.objects.create(tenant=street, under=district)
        with rows_unchanged():
            assert refusals(post(client, package(1))) == (400, [("SANDBOX_STAYS_INSIDE", None)])

    @pytest.mark.parametrize(
        ("file", "told"),
        [
            (package(1).replace("第一版", "第二版"), (400, [("PACKAGE_TAMPERED", None)])),
            (package(1, pictures=[picture()]).replace("每天开门", "每天关门"), (400, [("PACKAGE_TAMPERED", None)])),
            (package(2), (400, [("SOURCE_UNKNOWN", "file")])),
            (package(1, pictures=[picture(), picture(pixels()[:99])]), (400, [("PACKAGE_INVALID", "content.pictures.1.content")])),
            (package(1, pictures=[picture(), picture(pixels() + b"13800138000")]), (400, [("PICTURE_NOT_BARE", "content.pictures.1.content")])),
            (package(1, pictures=[picture(width=0, height=0)]), (400, [("PACKAGE_INVALID", "content.pictures.0.width"), ("PACKAGE_INVALID", "content.pictures.0.height")])),
            (b"\xff\xfe{}", (400, [("PACKAGE_INVALID", None)])),
            (b"\x89PNG\r\n", (400, [("PACKAGE_INVALID", None)])),
            (b"{" * 100_000, (400, [("PACKAGE_INVALID", None)])),
            (b'{"format": "linli-package", "format_version": 9}', (400, [("PACKAGE_TOO_NEW", "format_version")])),
        ],
        ids=["text", "caption", "stranger", "cut", "more", "sides", "bytes", "picture", "deep", "new"],
    )  # fmt: skip
    def test_what_is_wrong_is_told_with_its_places(self, client, file, told):
        trust(1)
        with rows_unchanged():
            assert refusals(post(client, file)) == told

    def test_what_is_too_large_is_not_read(self, client, monkeypatch):
        monkeypatch.setattr(views, "_sent", None)
        assert refusals(post(client, b" " * (PACKAGE_BYTES + 1))) == (
            413, [("PACKAGE_TOO_LARGE", None)],
        )  # fmt: skip

    def test_of_another_kind_or_length(self, client):
        for kind in ("text/plain", "application/zip", "multipart/form-data; boundary=x"):
            assert refusals(post(client, package(1), kind)) == (415, [("JSON_EXPECTED", None)])
        with public_context():
            answer = client.post(
                "/packages", package(1), content_type="application/json", CONTENT_LENGTH=""
            )
        assert refusals(answer) == (411, [("LENGTH_REQUIRED", None)])

    def test_one_that_did_not_come_whole(self, client):
        trust(1)
        with public_context(), rows_unchanged():
            answer = client.post(
                "/packages",
                content_type="application/json",
                **{"wsgi.input": BytesIO(package(1).encode()), "CONTENT_LENGTH": "9000000"},
            )
        assert refusals(answer) == (408, [("BODY_TOO_SLOW", None)])

    def test_it_is_posted_and_at_a_units_host(self, administrator, street, client, actor_as):
        with public_context():
            assert refusals(client.get("/packages")) == (405, [("METHOD_NOT_ALLOWED", None)])
        person = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street).person
        answer = post(client_of(person, "linli.localhost"), package(1))
        assert refusals(answer) == (404, [("PATH_UNKNOWN", None)])


@pytest.mark.django_db
class TestOneAtATime:
    @pytest.fixture(autouse=True)
    def _taken(self, settings):
        settings.LINLI_READ_SECONDS = 0.05
        with views._one_at_a_time():
            yield

    def test_who_comes_meanwhile_is_told(self, client):
        trust(1)
        with rows_unchanged():
            answer = post(client, package(1))
        assert refusals(answer) == (503, [("OVERLOADED", None)])
        assert answer["Retry-After"] == "5"

    def test_so_is_who_fetches_one(self, street, client):
        with tenant_context(street):
            version = publish_version(
                actor=system_actor(street), version_id=write_chengnan(street).pk, profiles=[]
            )
        with public_context():
            answer = client.get(f"/packages/{version.pk}", headers={"host": "linli.localhost"})
        assert refusals(answer) == (503, [("OVERLOADED", None)])


@pytest.mark.django_db
def test_a_version_whose_pictures_no_file_can_hold(street, client, monkeypatch):
    upload = add_picture(actor=system_actor(street), tenant=street, content=pixels())
    with tenant_context(street):
        version = publish_version(
            actor=system_actor(street),
            version_id=write_chengnan(street).pk,
            profiles=[],
            pictures=[{"picture_id": upload.pk, "alt": "食堂", "caption": ""}],
        )
    headers = {"host": "linli.localhost"}
    with public_context():
        assert client.get(f"/packages/{version.pk}", headers=headers).status_code == 200
        monkeypatch.setattr("linli.library.packages.writing.PACKAGE_BYTES", 1_000)
        answer = client.get(f"/packages/{version.pk}", headers=headers)
    assert refusals(answer) == (422, [("PACKAGE_TOO_LARGE", None)])
    assert "1000 bytes" in answer.json()["errors"][0]["message"]


def test_several_large_ones_at_once_fill_no_memory(scratch_database, actor_as):
    """As the product serves: through the loop, of which a body is more than it takes in ahead."""
    trust(1)
    administrator = actor_as(Tenant.objects.get(slug="chezhan"), Role.STREET_ADMINISTRATOR)
    pictures = [photo(1_500) for _ in range(12)]
    files = [sign(content(key=f"m{n}", pictures=pictures), key_of(1)) for n in range(3)]
    assert all(15_000_000 < len(file) < PACKAGE_BYTES for file in files)
    answers = []
    with (
        gunicorn(scratch_database, LINLI_READ_SECONDS="60") as served,
        served.browser(administrator.person, HOST) as browser,
    ):

        def send(file):
            headers = {"Content-Type": "application/json"}
            answers.append(browser.post("/packages", content=file.encode(), headers=headers))

        send(files[0])
        before = served.memory()
        most = 0
        threads = [threading.Thread(target=send, args=(file,)) for file in files[1:] * 2]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most = max(most, served.memory())
            threads[0].join(0.05)
        for _ in range(4):
            send(files[0])
        # Nothing is kept of it either, by none of the threads.
        assert served.memory() - before < 60 * MIB
        assert most - before < 200 * MIB

    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [201] * 3
    assert PublishedVersion.objects.filter(author=None).count() == 3
