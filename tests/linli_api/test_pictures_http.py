"""Pictures over HTTP: posted at the author's host, fetched by whoever may see the version."""

import json
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from linli.accounts.policy import Role, system_actor
from linli.clients.actions import create_personal_token
from linli.library.models import Picture, Upload
from linli.tenancy.context import public_context, tenant_context
from linli_api.ids import split
from tenants.operating_model.actions import change_visibility, publish_version, withdraw_version
from tenants.operating_model.models import ModelVersion
from tests.linli.library.test_pictures import picture
from tests.support.models import write_chengnan
from tests.support.rows import rows_unchanged

pytestmark = pytest.mark.django_db
HOST = "chezhan.linli.localhost"


def client_of(person=None, host=HOST, **options):
    client = Client(headers={"host": host, "accept-language": "en"}, **options)
    if person:
        client.force_login(person)
    return client


def post(client, content=None, content_type="image/jpeg", **headers):
    with public_context():
        return client.post(
            "/pictures",
            content if content is not None else picture(),
            content_type=content_type,
            headers=headers or None,
        )


def get(client, key, **headers):
    with public_context():
        return client.get(f"/pictures/{key}", headers=headers or None)


def refusal(answer):
    [error] = json.loads(answer.content)["errors"]
    assert error["message"]
    return answer.status_code, error["extensions"]["code"]


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def published(street, administrator):
    answer = post(client_of(administrator.person))
    assert answer.status_code == 201
    kind, key = split(answer.json()["pictureId"])
    assert kind == "Picture"
    with tenant_context(street):
        publish_version(
            actor=administrator,
            version_id=write_chengnan(street).pk,
            profiles=[],
            visibility="district",
            pictures=[{"picture_id": UUID(key), "alt": "食堂", "caption": ""}],
        )
    return key


def test_it_is_taken_in_and_described(street, administrator):
    answer = post(client_of(administrator.person), picture("PNG"), "image/jpeg")

    upload = Upload.objects.get()
    told = answer.json()
    assert split(told.pop("pictureId")) == ("Picture", str(upload.pk))
    assert told == {
        "contentType": "image/png", "width": 300, "height": 200, "size": upload.size,
        "digest": upload.digest,
    }  # fmt: skip
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert upload.tenant == street


def test_a_program_posts_it_with_a_token(street, administrator):
    _token, secret = create_personal_token(
        actor=administrator, name="我的", scopes=["models:write"], tenant=street
    )
    answer = post(client_of(), authorization=f"Bearer {secret}")
    assert answer.status_code == 201
    _token, other = create_personal_token(
        actor=administrator, name="读", scopes=["models:read"], tenant=street
    )
    assert refusal(post(client_of(), authorization=f"Bearer {other}")) == (403, "FORBIDDEN")
    assert refusal(post(client_of(), authorization="Bearer nothing")) == (401, "TOKEN_INVALID")
    assert Upload.objects.count() == 1


def test_a_cookie_alone_is_not_enough(administrator):
    client = client_of(administrator.person, enforce_csrf_checks=True)
    assert refusal(post(client)) == (403, "CSRF_FAILED")
    assert Upload.objects.count() == 0
    with public_context():
        client.get("/")
    token = "a" * 32
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    assert post(client, **{"x-csrftoken": token}).status_code == 201


def test_who_may_not_publish_posts_nothing(street, actor_as, administrator):
    auditor = actor_as(street, Role.AUDITOR).person
    client, stranger = client_of(auditor), client_of()
    with rows_unchanged("t_chezhan"):
        assert refusal(post(client)) == (403, "FORBIDDEN")
        assert refusal(post(stranger)) == (401, "TOKEN_MISSING")


@pytest.mark.parametrize(
    ("content", "content_type", "told"),
    [
        (b"GIF89a", "image/png", (415, "PICTURE_UNREADABLE")),
        (picture(), "application/octet-stream", (415, "PICTURE_UNREADABLE")),
        (picture(), "multipart/form-data; boundary=x", (415, "PICTURE_UNREADABLE")),
        (b"\0" * 8_000_001, "image/png", (413, "PICTURE_TOO_LARGE")),
    ],
    ids=["gif", "octets", "form", "heavy"],
)
def test_what_is_no_picture_is_refused(administrator, content, content_type, told):
    assert refusal(post(client_of(administrator.person), content, content_type)) == told
    assert Upload.objects.count() == 0


def test_a_suspended_unit_takes_none_in(street, administrator):
    client = client_of(administrator.person)
    type(street).objects.filter(pk=street.pk).update(status="suspended")
    assert refusal(post(client)) == (403, "TENANT_SUSPENDED")


def test_it_is_posted_at_a_units_host_only(administrator, actor_as, street):
    person = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street).person
    assert post(client_of(person, "linli.localhost")).status_code == 404


@pytest.mark.parametrize("host", [HOST, "linli.localhost"])
def test_it_is_fetched_at_both_hosts(published, administrator, host):
    answer = get(client_of(administrator.person, host), published)

    kept = Picture.objects.get()
    assert (answer.status_code, answer.content) == (200, bytes(kept.content))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["ETag"] == f'"{kept.digest}"'
    assert "private" in answer["Cache-Control"]
    again = get(
        client_of(administrator.person, host), published, **{"if-none-match": answer["ETag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_whoever_may_not_see_the_version_is_told_there_is_none(
    published, actor_as, district, other_street, street
):
    stranger = actor_as(other_street, Role.STREET_ADMINISTRATOR).person
    assert refusal(get(client_of(), published)) == (401, "TOKEN_MISSING")
    for host in ("linli.localhost", "wenshao.linli.localhost"):
        client = client_of(stranger, host)
        assert refusal(get(client, published)) == (404, "NOT_FOUND")
        tag = f'"{Picture.objects.get().digest}"'
        assert get(client, published, **{"if-none-match": tag}).status_code == 404
    above = actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district).person
    assert get(client_of(above, "linli.localhost"), published).status_code == 200

    with tenant_context(street):
        version = ModelVersion.objects.get()
        change_visibility(actor=system_actor(street), version_id=version.pk, visibility="all")
    assert get(client_of(stranger, "linli.localhost"), published).status_code == 200
    with tenant_context(street):
        withdraw_version(actor=system_actor(street), version_id=version.pk, reason="旧了")
    assert get(client_of(stranger, "linli.localhost"), published).status_code == 200


def test_what_waits_to_be_published_is_no_address(administrator):
    key = split(post(client_of(administrator.person)).json()["pictureId"])[1]
    assert refusal(get(client_of(administrator.person), key)) == (404, "NOT_FOUND")


def test_other_methods_are_told_what_there_is(published, administrator):
    client = client_of(administrator.person)
    with public_context():
        assert refusal(client.post(f"/pictures/{published}")) == (405, "METHOD_NOT_ALLOWED")
        assert refusal(client.get("/pictures")) == (405, "METHOD_NOT_ALLOWED")
