"""M1, M3, M4: the public shelf: the published schema, and rows nobody changes."""

from datetime import date

import pytest
from django.db import ProgrammingError, transaction

from linli.accounts.policy import Actor, Role
from linli.errors import Forbidden, NotFound, Refused
from linli.ids import uuid7
from linli.library.document import json_schema
from linli.library.models import Policy, PublishedVersion
from linli.library.places import check_possible
from linli.library.selectors import published_version, published_versions

HOST = {"host": "linli.localhost"}
ADDRESS = "/schemas/operating-model-1.json"


def test_the_schema_is_published_at_its_own_id(db, client):
    answer = client.get(ADDRESS, headers=HOST)

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/schema+json")
    assert answer.json() == json_schema()
    assert answer.json()["$id"] == ADDRESS
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_who_has_the_schema_is_not_sent_it_again(db, client):
    tag = client.get(ADDRESS, headers=HOST)["ETag"]

    answer = client.get(ADDRESS, headers={**HOST, "if-none-match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_the_schema_is_only_read(db, client):
    assert client.post(ADDRESS, headers=HOST).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "partners.contributions[stationed].rate",
        "partners.contributions[visiting].fee_fen",
        "partners.contributions[*].rate",
        "partners.contributions[anything]",
        "partners",
        "services.price_classes[low_cost].ceiling_fen",
        "venues.aspects[care].functions[canteen].required",
        "venues.reserved_floor_share",
    ],
)
def test_a_place_that_some_model_has_is_possible(path):
    check_possible(path)


@pytest.mark.parametrize(
    "path",
    [
        "partner",
        "partners.contributions.rate",
        "partners.contributions[stationed].fee",
        "partners.contributions[stationed].modes[stationed]",
        "partners[stationed]",
        "partners.contributions[0].rate",
        "",
    ],
)
def test_a_place_that_no_model_has_is_refused(path):
    with pytest.raises(Refused) as refused:
        check_possible(path)

    assert (refused.value.code, refused.value.field) == ("UNKNOWN_PATH", path)


def test_the_database_keeps_the_shelf_as_it_is(district, street):
    Policy.objects.create(issuer=district, values={}, bounds={}, effective_from=date(2024, 1, 1))
    PublishedVersion.objects.create(
        author=street, key="chengnan", number=1, title="城南", document={}, bounds={}, digest=""
    )

    for model in (Policy, PublishedVersion):
        for change in (lambda m=model: m.objects.update(bounds={}), model.objects.all().delete):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                change()


def test_what_is_not_in_the_library_is_not_found(street):
    with pytest.raises(NotFound):
        published_version(uuid7(), reader=street)


def test_only_who_may_read_the_library_does(street, actor_as):
    assert list(published_versions(actor=actor_as(street, Role.PARTNER))) == []
    with pytest.raises(Forbidden):
        published_versions(actor=Actor(person=None, tenant=street))
