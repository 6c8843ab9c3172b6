"""A tenant's life: who may ask for one, what fits where, and the moves it can make (T1)."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Refused
from linli.registry import template
from linli.registry.models import Brand, Domain, Tenant
from linli.tenancy.context import current_schema, tenant_context
from onboarding.tenants import (
    archive_tenant,
    brand_tenant,
    request_tenant,
    resume_tenant,
    suspend_tenant,
)

Kind, Status = Tenant.Kind, Tenant.Status


@pytest.fixture
def operator(db: None, actor_as):
    return actor_as(None, Role.PLATFORM_OPERATOR)


def requested(actor, parent: Tenant | None, **given) -> Tenant:
    """Sigebao, a further street of Zhangdian."""
    order = {
        "slug": "sigebao",
        "name": "四宝山街道",
        "kind": Kind.STREET,
        "division_code": "370303008",
        "parent_id": parent.pk if parent else None,
    }
    return request_tenant(actor=actor, **order | given)


def refused(code: str, field: str | None, actor, parent: Tenant | None, **given) -> Refused:
    """The refusal, after which nothing is there that was not before."""
    before = _everything()
    with pytest.raises(Refused) as caught:
        requested(actor, parent, **given)
    assert (caught.value.code, caught.value.field) == (code, field), str(caught.value)
    assert _everything() == before
    return caught.value


def _everything() -> list[list]:
    models = (Tenant, Domain, Entry, ProcrastinateJob)
    return [list(model.objects.order_by("pk").values_list()) for model in models]


def test_a_request_leaves_a_tenant_a_host_a_trace_and_a_job(operator, district: Tenant) -> None:
    tenant = requested(operator, district, reason="pilot")

    kept = Tenant.objects.get(slug="sigebao")
    assert kept == tenant
    assert (kept.status, kept.kind, kept.parent, kept.division_id, kept.locale) == (
        Status.REQUESTED, Kind.STREET, district, "370303008", "zh-hans",
    )  # fmt: skip
    assert kept.schema_name == f"t_{kept.pk.hex}"
    host = Domain.objects.get(tenant=kept)
    assert (host.domain, host.is_primary) == ("sigebao.linli.localhost", True)
    entry = Entry.objects.get(object_id=str(kept.pk))
    assert (entry.action, entry.person_id, entry.reason) == (
        "tenants.requested", operator.person_id, "pilot",
    )  # fmt: skip
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.queue_name, job.args) == (
        "onboarding.jobs.provision_tenant", "owner", {"tenant_id": str(kept.pk)},
    )  # fmt: skip
    assert not template.schema_exists(kept.schema_name)


def test_the_owners_worker_brings_it_on_the_air(scratch_database, client, actor_as) -> None:
    operator = actor_as(None, Role.PLATFORM_OPERATOR)
    tenant = requested(operator, Tenant.objects.get(slug="zhangdian"))
    host = {"host": "sigebao.linli.localhost"}
    assert client.get("/", headers=host).status_code == 503

    worker = scratch_database.run(
        "manage.py", "procrastinate", "worker", "--queues", "owner", "--one-shot"
    )

    assert worker.returncode == 0, worker.stderr
    tenant.refresh_from_db()
    assert tenant.status == Status.ACTIVE
    assert client.get("/", headers=host).status_code == 200
    job = ProcrastinateJob.objects.get(task_name="onboarding.jobs.provision_tenant")
    assert job.status == "succeeded"


def test_from_a_tenants_own_host_the_trace_is_public(district: Tenant, actor_as) -> None:
    administrator = actor_as(district, Role.DISTRICT_ADMINISTRATOR)

    with tenant_context(district):
        before = Entry.objects.count()
        tenant = requested(administrator, district)
        assert (current_schema(), Entry.objects.count()) == (district.schema_name, before)

    assert Entry.objects.get(action="tenants.requested").object_id == str(tenant.pk)


def test_a_district_administrator_asks_for_streets_of_the_district_only(
    district: Tenant, other_district: Tenant, city: Tenant, actor_as
) -> None:
    for actor in (
        actor_as(district, Role.DISTRICT_ADMINISTRATOR),
        actor_as(None, Role.DISTRICT_ADMINISTRATOR, held_at=district),
    ):
        refused("NOT_FOUND", "parentId", actor, other_district, division_code="370305002")
        refused("NOT_FOUND", "parentId", actor, city)
        refused("FORBIDDEN", "parentId", actor, None)
    assert requested(actor, district).parent == district


def test_a_city_supervisor_asks_for_districts_and_their_streets(
    city: Tenant, other_district: Tenant, actor_as
) -> None:
    supervisor = actor_as(city, Role.CITY_SUPERVISOR)

    district = requested(
        supervisor, city, slug="zhoucun", name="周村区", kind=Kind.DISTRICT, division_code="370306"
    )
    street = requested(supervisor, other_district, division_code="370305002")

    assert (district.parent, street.parent) == (city, other_district)


@pytest.mark.parametrize("role", [Role.STREET_ADMINISTRATOR, Role.AUDITOR])
def test_others_ask_for_nothing(street: Tenant, district: Tenant, actor_as, role) -> None:
    refused("FORBIDDEN", None, actor_as(street, role), district)


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "A",
        "Chezhan",
        "che_zhan",
        "-a",
        "a-",
        "a--b",
        "1a",
        "x" * 41,
        "车站",
        "a.b",
        "a\n",
        "a b",
    ],
)
def test_a_slug_is_a_label_of_a_host(operator, district: Tenant, slug: str) -> None:
    refused("SLUG_INVALID", "slug", operator, district, slug=slug)


def test_an_address_is_given_once(operator, district: Tenant, settings) -> None:
    settings.LINLI_PLATFORM_HOSTS = {"linli.localhost", "www.linli.localhost"}

    refused("SLUG_TAKEN", "slug", operator, district, slug="chezhan")
    refused("SLUG_TAKEN", "slug", operator, district, slug="www")
    Domain.objects.create(tenant=district, domain="old.linli.localhost", is_primary=False)
    refused("SLUG_TAKEN", "slug", operator, district, slug="old")


@pytest.mark.parametrize(
    ("kind", "parent", "code"),
    [
        (Kind.STREET, "chezhan", "PARENT_MISMATCH"),
        (Kind.DISTRICT, "zhangdian", "PARENT_MISMATCH"),
        (Kind.CITY, "zibo", "PARENT_MISMATCH"),
    ],
)
def test_a_unit_stands_under_one_above_it(operator, kind, parent: str, code: str) -> None:
    refused(code, "parentId", operator, Tenant.objects.get(slug=parent), kind=kind)


def test_a_street_may_stand_under_a_city_or_under_none(operator, city: Tenant) -> None:
    assert requested(operator, city).parent == city
    alone = requested(operator, None, slug="alone", division_code=None)
    assert (alone.parent, alone.division) == (None, None)


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.ARCHIVED, Status.PURGED])
def test_nothing_new_stands_under_a_closed_unit(operator, district: Tenant, status) -> None:
    district.status = status
    district.save()

    refused("PARENT_NOT_OPEN", "parentId", operator, district)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"division_code": "370303999"}, "DIVISION_UNKNOWN"),
        ({"division_code": ""}, "DIVISION_UNKNOWN"),
        ({"division_code": "370303001007"}, "DIVISION_UNKNOWN"),
        ({"division_code": "370305001"}, "DIVISION_MISMATCH"),  # Linzi's
        ({"division_code": "370303"}, "DIVISION_MISMATCH"),  # a district's
        ({"division_code": "3703"}, "DIVISION_MISMATCH"),
    ],
)
def test_a_division_exists_and_fits(operator, district: Tenant, given: dict, code: str) -> None:
    told = refused(code, "divisionCode", operator, district, **given)

    if code == "DIVISION_MISMATCH":
        assert told.data == {"level": 9, "prefix": "370303"}


def test_a_name_and_a_language_are_checked(operator, district: Tenant) -> None:
    refused("NAME_INVALID", "name", operator, district, name=" ")
    refused("LOCALE_INVALID", "locale", operator, district, locale="xx")


def test_suspend_resume_archive_each_with_its_reason(operator, street: Tenant) -> None:
    for move, status in (
        (suspend_tenant, Status.SUSPENDED),
        (resume_tenant, Status.ACTIVE),
        (suspend_tenant, Status.SUSPENDED),
        (archive_tenant, Status.ARCHIVED),
    ):
        assert move(actor=operator, tenant_id=street.pk, reason=f" {status} ").status == status
        street.refresh_from_db()
        assert street.status == status

    trail = Entry.objects.filter(object_id=str(street.pk)).order_by("pk")
    assert [(e.action, e.before["status"], e.after["status"], e.reason) for e in trail][-4:] == [
        ("tenants.suspended", "active", "suspended", "suspended"),
        ("tenants.active", "suspended", "active", "active"),
        ("tenants.suspended", "active", "suspended", "suspended"),
        ("tenants.archived", "suspended", "archived", "archived"),
    ]
    assert {e.person_id for e in trail.reverse()[:4]} == {operator.person_id}


@pytest.mark.parametrize(
    ("status", "move", "allowed"),
    [
        (Status.ACTIVE, resume_tenant, ["suspended", "archived"]),
        (Status.SUSPENDED, suspend_tenant, ["active", "archived"]),
        (Status.REQUESTED, archive_tenant, []),
        (Status.PROVISIONING, suspend_tenant, []),
        (Status.ARCHIVED, resume_tenant, []),
        (Status.PURGED, archive_tenant, []),
    ],
)
def test_no_other_move_is_made(operator, street: Tenant, status, move, allowed: list) -> None:
    street.status = status
    street.save()
    before = _everything()

    with pytest.raises(Refused) as caught:
        move(actor=operator, tenant_id=street.pk, reason="because")

    assert (caught.value.code, caught.value.data["allowed"]) == ("TENANT_MOVE_REFUSED", allowed)
    assert street.name in str(caught.value.message)
    assert _everything() == before


def test_a_move_needs_a_reason_a_tenant_and_the_operator(
    operator, street: Tenant, district: Tenant, city: Tenant, actor_as
) -> None:
    before = _everything()
    for actor, tenant_id, reason, code in (
        (operator, street.pk, " ", "REASON_MISSING"),
        (operator, operator.person_id, "because", "NOT_FOUND"),
        (system_actor(None), operator.person_id, "because", "NOT_FOUND"),
    ):
        with pytest.raises(Refused, match=code):
            suspend_tenant(actor=actor, tenant_id=tenant_id, reason=reason)
    others = [
        actor_as(street, Role.STREET_ADMINISTRATOR),
        actor_as(district, Role.DISTRICT_ADMINISTRATOR),
        actor_as(None, Role.CITY_SUPERVISOR, held_at=city),
    ]
    for actor in others:
        for tenant_id in (street.pk, operator.person_id):  # there or not, the answer is the same
            with pytest.raises(Refused, match="FORBIDDEN"):
                suspend_tenant(actor=actor, tenant_id=tenant_id, reason="because")
    assert _everything() == before


def test_a_division_has_one_unit(district, operator) -> None:
    requested(operator, district)

    refused("DIVISION_TAKEN", "divisionCode", operator, district, slug="sigebao-2")

    Tenant.objects.filter(slug="sigebao").update(status=Status.ARCHIVED)
    requested(operator, district, slug="sigebao-2")


def test_a_tenant_is_presented_as_the_operator_says(client, street, operator) -> None:
    brand = brand_tenant(
        actor=operator, tenant_id=street.pk, title="车站街道 · 邻里中心", colour="#8a1c1c"
    )

    page = client.get("/", headers={"host": "chezhan.linli.localhost"}).text
    assert "车站街道 · 邻里中心" in page
    assert 'style="--brand: #8a1c1c"' in page
    entry = Entry.objects.get(action="tenants.branded")
    assert (entry.object_id, entry.after["colour"]) == (str(brand.pk), "#8a1c1c")


@pytest.mark.parametrize("colour", ["red", "#12345", "#GGGGGG", "#123456;x", ""])
def test_a_colour_that_is_none_is_refused(street, operator, colour) -> None:
    with pytest.raises(Refused) as caught:
        brand_tenant(actor=operator, tenant_id=street.pk, title="车站", colour=colour)

    assert (caught.value.code, caught.value.field) == ("COLOUR_INVALID", "colour")
    assert Brand.objects.count() == 0


def test_only_the_platform_presents_a_tenant(street, actor_as) -> None:
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)

    with pytest.raises(Refused) as caught:
        brand_tenant(actor=administrator, tenant_id=street.pk, title="车站", colour="#123456")

    assert caught.value.code == "FORBIDDEN"
    assert Brand.objects.count() == 0
