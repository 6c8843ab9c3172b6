"""M4: whoever may not see a published version is told that there is none."""

from datetime import date

import pytest

from linli.accounts.policy import Actor, Client, Grant, Permission, Reach, Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.ids import uuid7
from linli.library.actions import change_visibility
from linli.library.models import PublishedVersion
from linli.library.selectors import published_version, published_versions
from linli.library.visibility import sees
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import (
    adopt_version,
    publish_version,
)
from tenants.operating_model.actions import (
    change_visibility as change_here,
)
from tenants.operating_model.models import Adoption, ModelVersion
from tenants.operating_model.selectors import preview_adoption, publication_by_version
from tests.support.models import write_chengnan
from tests.support.rows import rows_unchanged

pytestmark = pytest.mark.django_db


@pytest.fixture
def neighbour(district):
    """Another street office of Zhangdian's."""
    return Tenant.objects.create(
        slug="gongyuan", schema_name="t_gongyuan", name="公园街道", kind="street", parent=district
    )


@pytest.fixture
def units(street, neighbour, district, city, other_street, other_district, other_city):
    return {
        "author": street, "neighbour": neighbour, "district": district, "city": city,
        "street of another district": other_street, "another district": other_district,
        "another city": other_city,
    }  # fmt: skip


SEEN_BY = {
    "private": {"author"},
    "district": {"author", "neighbour", "district"},
    "city": {
        "author", "neighbour", "district", "city", "street of another district", "another district",
    },
    "all": {
        "author", "neighbour", "district", "city", "street of another district", "another district",
        "another city",
    },
}  # fmt: skip


def published(tenant, visibility="all"):
    with tenant_context(tenant):
        return publish_version(
            actor=system_actor(tenant),
            version_id=write_chengnan(tenant).pk,
            profiles=["ageing"],
            visibility=visibility,
        )


@pytest.mark.parametrize("visibility", SEEN_BY)
def test_at_a_tenants_host_it_is_there_for_whom_it_is_meant(units, visibility):
    version = published(units["author"], visibility)

    seen = {
        name
        for name, tenant in units.items()
        if published_versions(actor=system_actor(tenant)).filter(pk=version.pk).exists()
    }
    assert seen == SEEN_BY[visibility]
    assert {name for name, tenant in units.items() if sees(tenant, version)} == seen
    for name, tenant in units.items():
        if name in seen:
            assert published_version(version.pk, reader=tenant) == version
        else:
            with pytest.raises(NotFound):
                published_version(version.pk, reader=tenant)


@pytest.mark.parametrize("visibility", SEEN_BY)
@pytest.mark.parametrize(
    ("role", "at"),
    [
        (Role.AUDITOR, "author"),
        (Role.AUDITOR, "neighbour"),
        (Role.DISTRICT_ADMINISTRATOR, "another district"),
        (Role.STREET_ADMINISTRATOR, "street of another district"),
        (Role.CITY_SUPERVISOR, "another city"),
    ],
)
def test_at_the_platforms_host_by_where_one_has_a_role(units, actor_as, visibility, role, at):
    version = published(units["author"], visibility)
    reader = actor_as(None, role, held_at=units[at])

    assert (version in published_versions(actor=reader)) == (at in SEEN_BY[visibility])


def test_who_has_roles_in_several_tenants_sees_what_any_of_them_sees(units, actor_as):
    here = published(units["author"], "private")
    there = published(units["another city"], "city")
    reader = actor_as(None, Role.AUDITOR, held_at=units["author"])
    assert set(published_versions(actor=reader)) == {here}

    colleague = actor_as(None, Role.AUDITOR, held_at=units["another city"])
    reader.person.memberships.update(person=colleague.person)

    assert set(published_versions(actor=colleague)) == {here, there}


def test_whose_role_reaches_below_sees_what_is_seen_there(units, actor_as):
    version = published(units["author"], "private")
    supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=units["city"])
    assert version in published_versions(actor=supervisor)


def test_a_role_in_one_community_is_enough(units, actor_as):
    version = published(units["author"], "district")
    secretary = actor_as(
        None, Role.COMMUNITY_SECRETARY, held_at=units["neighbour"], community_id=uuid7()
    )
    assert version in published_versions(actor=secretary)


def test_a_role_that_has_ended_is_none(units, actor_as):
    published(units["author"], "private")
    reader = actor_as(None, Role.AUDITOR, held_at=units["author"])
    reader.person.memberships.update(ended_on="2020-02-01")
    assert list(published_versions(actor=reader)) == []


def test_the_platforms_operator_sees_everything_at_the_platform_and_as_the_unit_in_one(
    units, actor_as
):
    version = published(units["author"], "private")
    operator = actor_as(None, Role.PLATFORM_OPERATOR, held_at=None)
    assert version in published_versions(actor=operator)
    there = actor_as(units["another city"], Role.PLATFORM_OPERATOR, held_at=None)
    assert list(published_versions(actor=there)) == []


@pytest.mark.parametrize(
    ("at", "sees"), [("neighbour", True), ("street of another district", False)]
)
def test_a_program_sees_what_its_unit_sees(units, at, sees):
    version = published(units["author"], "district")
    may = frozenset({Permission.LIBRARY_READ})
    client = Client(uuid7(), "小程序", units[at].pk, permissions=may, here=may)
    actor = Actor(None, None, (Grant(None, may, Reach.OWN),), client)
    assert (version in published_versions(actor=actor)) == sees


def test_nobody_adopts_what_they_do_not_see(units, other_street):
    version = published(units["author"], "district")

    with tenant_context(other_street), rows_unchanged("t_wenshao"):
        for act in (adopt_version, preview_adoption):
            with pytest.raises(NotFound) as refused:
                act(
                    actor=system_actor(other_street),
                    published_id=version.pk,
                    effective_from=date(2024, 1, 1),
                )
            assert refused.value.field == "publishedId"


class TestChanging:
    def change(self, tenant, visibility, expected=None):
        with tenant_context(tenant):
            return change_here(
                actor=system_actor(tenant),
                version_id=ModelVersion.objects.get(author_id=tenant.pk).pk,
                visibility=visibility,
                expected_version=expected,
            )

    def test_who_runs_it_keeps_it_and_sees_it_no_more(self, street, other_street):
        version = published(street)
        with tenant_context(other_street):
            copy = adopt_version(
                actor=system_actor(other_street),
                published_id=version.pk,
                effective_from=date(2024, 1, 1),
            ).version

        self.change(street, "district", expected=1)

        version.refresh_from_db()
        assert (version.visibility, version.audience_id) == ("district", street.parent_id)
        reader = system_actor(other_street)
        assert list(published_versions(actor=reader)) == []
        with tenant_context(other_street):
            assert Adoption.objects.get().version == copy
            assert publication_by_version([copy], reader) == {}
        with tenant_context(street):
            own = ModelVersion.objects.get()
            told = publication_by_version([own], system_actor(street))[own.pk]
        assert (told["visibility"], told["version"]) == ("district", 2)

    @pytest.mark.parametrize(
        ("visibility", "expected", "code"),
        [
            ("all", None, "NOTHING_CHANGES"),
            ("city", 2, "VERSION_CONFLICT"),
            ("province", None, "VISIBILITY_INVALID"),
        ],
    )
    def test_what_is_refused_changes_nothing(self, street, visibility, expected, code):
        published(street)
        with rows_unchanged("t_chezhan"), pytest.raises(Refused) as refused:
            self.change(street, visibility, expected)
        assert refused.value.code == code

    def test_a_city_lies_in_no_district(self, city):
        with pytest.raises(Refused) as refused:
            published(city, "district")
        assert PublishedVersion.objects.count() == 0
        assert refused.value.code == "NO_UNIT_ABOVE"

    def test_it_is_its_authors_alone_to_change(self, street, other_street, actor_as):
        version, auditor = published(street), actor_as(street, Role.AUDITOR)
        with rows_unchanged(), pytest.raises(NotFound):
            change_visibility(
                actor=system_actor(other_street),
                author=other_street,
                published_id=version.pk,
                visibility="private",
            )
        with rows_unchanged(), pytest.raises(Forbidden):
            change_visibility(
                actor=auditor,
                author=street,
                published_id=version.pk,
                visibility="private",
            )


def test_the_database_knows_who_an_audience_is_for(street):
    from django.db import IntegrityError, transaction

    version = published(street, "private")
    for told in ({"visibility": "district"}, {"audience_id": street.parent_id}):
        with pytest.raises(IntegrityError, match="published_audience_fits"), transaction.atomic():
            PublishedVersion.objects.filter(pk=version.pk).update(**told)
