"""The traps of schema-per-tenant: each mistake raises instead of writing elsewhere."""

import threading
from datetime import date

import pytest
from django.db import ProgrammingError, connection

from linli.registry.models import Tenant
from linli.tenancy.context import current_schema, public_context, tenant_context
from linli.tenancy.models import CrossedTenants
from tenants.communities.models import Community
from tests.support.databases import Database


def _community(name: str) -> Community:
    return Community.objects.create(name=name, opened_on=date(2024, 1, 1))


def test_a_lazy_queryset_of_one_tenant_does_not_run_in_another(
    street: Tenant, other_street: Tenant
) -> None:
    with tenant_context(street):
        _community("城南社区")
        lazy = Community.objects.all()
    with tenant_context(other_street):
        _community("闻韶社区")
        for use in (list, len, bool, lambda q: q.count(), lambda q: q.exists(), lambda q: q[:1][0]):
            with pytest.raises(CrossedTenants):
                use(lazy)
        with pytest.raises(CrossedTenants):
            lazy.update(name="?")
        with pytest.raises(CrossedTenants):
            lazy.delete()
        with pytest.raises(CrossedTenants):
            list(lazy.values("name"))
        with pytest.raises(CrossedTenants):
            list(lazy.iterator())
        assert [c.name for c in Community.objects.all()] == ["闻韶社区"]
    with tenant_context(street):
        assert [c.name for c in lazy] == ["城南社区"]


def test_a_subquery_of_one_tenant_does_not_run_in_another(
    street: Tenant, other_street: Tenant
) -> None:
    with tenant_context(street):
        lazy = Community.objects.values("pk")
    with tenant_context(other_street), pytest.raises(CrossedTenants):
        list(Community.objects.filter(pk__in=lazy))


def test_an_object_of_one_tenant_is_not_saved_in_another(
    street: Tenant, other_street: Tenant
) -> None:
    with tenant_context(street):
        loaded = Community.objects.get(pk=_community("城南社区").pk)
        fresh = _community("华泰社区")
    with tenant_context(other_street):
        for community in (loaded, fresh):
            with pytest.raises(CrossedTenants):
                community.save()
            with pytest.raises(CrossedTenants):
                community.delete()
        assert Community.objects.count() == 0
    with tenant_context(street):
        loaded.name = "城南"
        loaded.save()
        assert Community.objects.get(pk=loaded.pk).name == "城南"


def test_contexts_nest_and_go_back_even_after_an_error(
    street: Tenant, other_street: Tenant
) -> None:
    with tenant_context(street):
        with pytest.raises(ZeroDivisionError), tenant_context(other_street):
            1 / 0  # noqa: B018
        assert current_schema() == street.schema_name
        with public_context():
            assert current_schema() == "public"
        assert current_schema() == street.schema_name
    assert current_schema() == "public"


def test_a_child_thread_starts_outside_every_tenant(scratch_database: Database) -> None:
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        _community("城南社区")
        seen: list[object] = []

        def look() -> None:
            try:
                seen.append(current_schema())
                list(Community.objects.all())
            except ProgrammingError as error:
                seen.append(type(error))
            finally:
                connection.close()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    assert seen == ["public", ProgrammingError]


def test_two_tenants_alternating_on_one_connection_never_meet(scratch_database: Database) -> None:
    """`SET search_path` is sent once a switch only, so every switch must be seen to work."""
    tenants = [Tenant.objects.get(slug=slug) for slug in ("chezhan", "wenshao")]
    for turn in range(200):
        for tenant in tenants:
            with tenant_context(tenant):
                _community(f"{tenant.slug} {turn}")
    for tenant in tenants:
        with tenant_context(tenant):
            names = set(Community.objects.values_list("name", flat=True))
            assert names == {f"{tenant.slug} {turn}" for turn in range(200)}


def test_a_rolled_back_switch_is_sent_again(scratch_database: Database) -> None:
    from django.db import transaction

    street, other = (Tenant.objects.get(slug=slug) for slug in ("chezhan", "wenshao"))
    with tenant_context(street):
        _community("城南社区")
    with tenant_context(other):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            with tenant_context(street):
                assert Community.objects.count() == 1
                1 / 0  # noqa: B018
        assert Community.objects.count() == 0
