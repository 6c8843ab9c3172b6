"""M1, M2, M4: versions are checked, numbered, hashed, immutable, and published with evidence."""

import pytest
from django.db import ProgrammingError, transaction

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.library.selectors import published_versions
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import adopt_version, write_version
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.selectors import versions

from .conftest import BOUNDS, RATE, START, adopt, document, nothing_written, publish, trail, write

FEE = "partners.contributions[*].fee_fen"


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


def test_bounds_in_another_spelling_are_no_version(at_street):
    first = write(at_street, bounds={RATE: {"minimum": "0.010"}, FEE: {"maximum": "60000"}})
    assert first.bounds == {RATE: {"minimum": "0.01"}, FEE: {"maximum": 60000}}
    with nothing_written(), pytest.raises(Refused) as refused:
        write(at_street, bounds={RATE: {"minimum": "0.01"}, FEE: {"maximum": 60000}})
    assert refused.value.code == "VERSION_UNCHANGED"


def test_a_bound_of_what_cannot_stand_there_is_no_version(at_street):
    wrong = {"partners.contributions[*].rates": {"maximum": "0.05"}, RATE: {"maximum": "5%"}}
    with nothing_written(), pytest.raises(Refused) as refused:
        write(at_street, bounds=wrong)
    told = {(one.code, one.field) for one in refused.value.faults}
    assert told == {("UNKNOWN_PATH", "partners.contributions[*].rates"), ("BOUND_INVALID", RATE)}


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
