"""M1, M2, M4: versions are checked, numbered, hashed, immutable, and published with evidence."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.comparison.models import Figure
from linli.errors import Forbidden, NotFound, Refused
from linli.library.models import PublishedVersion
from linli.library.selectors import published_versions
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.actions import adopt_version, publish_version, write_version
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.selectors import versions

from .conftest import BOUNDS, RATE, START, adopt, document, nothing_written, publish, trail, write


def test_a_version_is_numbered_hashed_and_left_in_the_trail(at_street, administrator):
    version = write_version(
        actor=administrator,
        key="chengnan",
        title="城南社区合伙人模式",
        document=document(),
        bounds=BOUNDS,
        notes="第一版",
    )

    version.refresh_from_db()
    assert (version.key, version.number, version.notes) == ("chengnan", 1, "第一版")
    assert (version.author_id, version.author_name) == (at_street.pk, "车站街道")
    assert version.bounds == BOUNDS
    assert version.document["partners"]["contributions"][0]["rate"] == "0.03"
    assert len(version.digest) == 64
    [entry] = trail("models.write_version")
    assert entry.person_id == administrator.person_id
    assert entry.after["digest"] == version.digest


def test_what_differs_is_the_next_version_and_each_key_counts_for_itself(at_street):
    first, second = write(at_street), write(at_street, document(rent_free_months=12))
    other = write(at_street, key="gongsheng")

    assert (first.number, second.number, other.number) == (1, 2, 1)
    assert first.digest == other.digest != second.digest
    assert list(versions(actor=system_actor(at_street))) == [other, second, first]


@pytest.mark.parametrize("rate", ["0.03", "0.030"])
def test_what_does_not_differ_is_no_version(at_street, rate):
    write(at_street)
    same = document()
    same["partners"]["contributions"][0]["rate"] = rate

    with nothing_written(), pytest.raises(Refused) as refused:
        write(at_street, same)

    assert refused.value.code == "VERSION_UNCHANGED"


def test_other_bounds_are_another_version(at_street):
    write(at_street)
    assert write(at_street, bounds={}).number == 2


@pytest.mark.parametrize(
    ("bounds", "code", "field"),
    [
        ({RATE: {"maximum": "0.02"}}, "OUTSIDE_BOUNDS", RATE),
        ({RATE: {"at_most": "0.02"}}, "BOUND_INVALID", RATE),
        ({"partners.rate": {"locked": True}}, "UNKNOWN_PATH", "partners.rate"),
        ([RATE], "NOT_BY_PATH", "bounds"),
    ],
)
def test_bounds_have_a_shape_and_a_place_and_bind_their_author(at_street, bounds, code, field):
    with nothing_written(), pytest.raises(Refused) as refused:
        write(at_street, bounds=bounds)

    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_unknown_key_is_refused_with_its_path(at_street):
    with nothing_written(), pytest.raises(Refused) as refused:
        write(at_street, document(colour="red"))

    assert refused.value.code == "DOCUMENT_INVALID"
    assert [fault.field for fault in refused.value.faults] == ["partners.colour"]


@pytest.mark.parametrize(
    ("key", "title", "field"),
    [("城南", "城南", "key"), ("a" * 61, "城南", "key"), ("chengnan", " ", "title")],
)
def test_a_version_has_a_key_and_a_title(at_street, key, title, field):
    with nothing_written(), pytest.raises(Refused) as refused:
        write_version(
            actor=system_actor(at_street), key=key, title=title, document=document(), bounds={}
        )

    assert (refused.value.code, refused.value.field) == ("VERSION_INVALID", field)


@pytest.mark.parametrize("role", [Role.COMMUNITY_SECRETARY, Role.AUDITOR])
def test_only_who_may_author_writes(at_street, actor_as, role):
    actor = actor_as(at_street, role)

    with nothing_written(), pytest.raises(Forbidden):
        write_version(actor=actor, key="chengnan", title="城南", document=document(), bounds={})


def test_the_database_itself_keeps_a_version_as_it_is(at_street):
    version = ModelVersion.objects.filter(pk=write(at_street).pk)

    for change in (lambda: version.update(number=9), version.delete):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            change()


def test_publishing_takes_along_what_was_measured_here_and_nothing_else(
    at_street, other_street, administrator
):
    version = write(at_street)
    now = timezone.now()
    for tenant, measure, day, value in (
        (at_street, "self_reliance", date(2024, 9, 30), Decimal("0.2")),
        (at_street, "self_reliance", date(2024, 10, 31), Decimal("0.25")),
        (at_street, "needs_met", date(2024, 10, 31), None),
        (other_street, "self_reliance", date(2024, 10, 31), Decimal("0.9")),
    ):
        Figure.objects.create(
            tenant=tenant, measure=measure, as_of=day, value=value, rolled_up_at=now
        )

    published = publish_version(
        actor=administrator, version_id=version.pk, profiles=["ageing"], case_text="一社一策"
    )

    published.refresh_from_db()
    assert published.evidence == {
        "needs_met": {"value": None, "as_of": "2024-10-31"},
        "self_reliance": {"value": "0.250000", "as_of": "2024-10-31"},
    }
    assert {field.name for field in PublishedVersion._meta.get_fields()} == {
        "id", "author", "key", "number", "title", "document", "bounds", "digest", "notes",
        "profiles", "case_text", "evidence", "published_at", "adoptions",
        # Where it came from, and what it was made of.
        "source", "origin_author_id", "origin_name", "imported_by", "imported_at", "package",
        "derived_from", "derivatives",
    }  # fmt: skip
    assert (published.document, published.bounds) == (version.document, version.bounds)
    assert (published.author, published.digest) == (at_street, version.digest)
    [here] = trail("models.publish_version")
    with public_context():
        [entry] = trail("library.publish")
    assert here.person_id == entry.person_id == administrator.person_id


def test_what_is_published_every_tenant_finds_by_the_profile_it_suits(
    at_street, other_city, actor_as
):
    old = publish(at_street, write(at_street), ["ageing", "old_estate"])
    young = publish(at_street, write(at_street, key="rongyuecheng"), ["young"])

    with tenant_context(other_city):
        reader = actor_as(other_city, Role.AUDITOR)
        assert list(published_versions(actor=reader)) == [young, old]
        assert list(published_versions(actor=reader, profile="old_estate")) == [old]
        assert list(published_versions(actor=reader, profile="new_estate")) == []


def test_a_version_is_published_once(at_street):
    version = write(at_street)
    publish(at_street, version)

    with nothing_written(), pytest.raises(Refused) as refused:
        publish(at_street, version)

    assert refused.value.code == "ALREADY_PUBLISHED"


def test_only_its_author_publishes_a_version(running, at_street, other_street):
    published = publish(at_street, running)
    with tenant_context(other_street):
        copy = adopt_version(
            actor=system_actor(other_street), published_id=published.pk, effective_from=START
        ).version
        with nothing_written(), pytest.raises(Refused) as refused:
            publish(other_street, copy)

        assert refused.value.code == "NOT_THE_AUTHOR"
        assert "车站街道" in str(refused.value.message)


def test_a_profile_is_one_of_those_there_are(at_street):
    version = write(at_street)

    with nothing_written(), pytest.raises(Refused) as refused:
        publish(at_street, version, ["rich"])

    assert refused.value.code == "PROFILE_UNKNOWN"
    assert refused.value.data["allowed"] == ["ageing", "young", "old_estate", "new_estate"]


def test_another_tenants_version_does_not_exist_here(at_street, other_street):
    version = write(at_street)

    with tenant_context(other_street):
        for act in (publish, adopt):
            with nothing_written(), pytest.raises(NotFound):
                act(other_street, version)
