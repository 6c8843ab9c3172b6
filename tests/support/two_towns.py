"""Two street offices of different districts, furnished alike, and all that is either's alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.translation import override

from linli.accounts.models import Membership, Person
from linli.accounts.policy import Actor, Client, Role, actor_for
from linli.accounts.roles import DUTIES
from linli.clients.actions import create_personal_token
from linli.ids import uuid7
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from linli_api.execution import Request, run
from linli_api.exports.actions import request_export
from linli_api.exports.models import Export
from linli_api.schema import tenant_schema
from linli_api.types import types_by_model
from tests.support.databases import Database, connect_to, copy_of_template
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.probes import Probe
from tests.support.secrets import Secrets, rows, rows_of_schema, secrets
from tests.support.town import furnish

STREET_ROLES = [role for role in Role if Tenant.Kind.STREET in DUTIES[role].kinds]
# The national list is the same for everybody.
KNOWN_TO_ALL = {"Division"}
HANG_OFF_A_TENANT = (
    "registry_brand",
    "registry_domain",
    "comparison_figure",
    "library_adoptionrecord",
    "library_changerecord",
    "clients_client",
    "clients_personaltoken",
    "trusted_trusteddocument",
)
LAID_DOWN_ABOVE = ("library_adoptionrule", "library_offer")
FAULTS_OF_OURS = {
    "INTERNAL",
    "REQUEST_INVALID",
    "SYNTAX_ERROR",
    "DOCUMENT_TOO_LARGE",
    "DOCUMENT_TOO_DEEP",
}


@dataclass
class Town:
    """A furnished tenant: who can do everything there, its district's administrator at the
    district's own host, and an id of each kind of its objects."""

    tenant: Tenant
    all_powerful: Actor
    above: Actor

    # Of each type the key of one object that is this tenant's and not the other's.
    keys: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Everything that is this tenant's, in its own schema and in the public one."""
        own = [self.tenant.pk, self.tenant.parent_id]
        people = Membership.objects.filter(tenant__in=own).values_list("person_id", flat=True)
        public = [
            *Tenant.objects.filter(pk__in=own).values("id", "slug", "schema_name", "name"),
            *Membership.objects.filter(tenant__in=own).values("id"),
            *Person.objects.filter(pk__in=people).values("id", "username", "name", "email"),
        ]
        hanging = [
            row
            for table in HANG_OFF_A_TENANT
            for row in rows("public", table)
            if row["tenant_id"] in map(str, own)
        ]
        laid_down = [
            # Of an offer, what is offered is for everybody to see.
            {name: value for name, value in row.items() if name != "version_id"}
            for table in LAID_DOWN_ABOVE
            for row in rows("public", table)
            if row["issuer_id"] in map(str, own)
        ]
        clients = {row.get("id") for row in hanging}
        secrets_of_clients = [
            row for row in rows("public", "clients_clientsecret") if row["client_id"] in clients
        ]
        plain = [{name: str(value) for name, value in row.items()} for row in public]
        return [
            *rows_of_schema(self.tenant.schema_name),
            *plain,
            *hanging,
            *laid_down,
            *secrets_of_clients,
        ]


@dataclass
class World:
    ours: Town
    theirs: Town
    our_secrets: Secrets
    their_secrets: Secrets


@contextmanager
def two_towns(session_database: Database) -> Iterator[World]:
    """In a database of their own, to be tried by many tests that leave it as it is."""
    database = copy_of_template(f"linli_test_towns_{os.getpid()}")
    connect_to(database.name)
    yield _build()
    connect_to(session_database.name)
    database.drop()


def _build() -> World:
    ours, theirs = (
        Tenant.objects.select_related("parent__parent").get(slug=slug)
        for slug in ("chezhan", "wenshao")
    )
    furnish(ours, "Ω甲", 141)
    furnish(theirs, "Ψ乙", 271)
    towns = [
        Town(tenant, _all_powerful(tenant, [ours, theirs]), _above(tenant))
        for tenant in (ours, theirs)
    ]
    for town in towns:
        create_personal_token(
            actor=town.all_powerful, name=f"{town.tenant.name}令牌", scopes=["fund:read"],
            tenant=town.tenant,
        )  # fmt: skip
    for town, mark, seed in zip(towns, ("Ω甲", "Ψ乙"), (141, 271), strict=True):
        _export(town, mark, seed)
    told = [town.rows() for town in towns]
    for town, other in (towns, towns[::-1]):
        town.keys.update(_keys(town, other))
    return World(*towns, secrets(told[0], known=told[1]), secrets(told[1], known=told[0]))


def _export(town: Town, mark: str, seed: int) -> None:
    """One of theirs for each to see, as it is when it is done: nobody else sees it."""
    document = f"query($kind: String) {{ partners(kind: $kind) {{ nodes {{ name }} }} }} # {mark}"
    through = replace(town.all_powerful, client=Client(uuid7(), f"{mark}小程序"))
    with tenant_context(town.tenant):
        export = request_export(
            actor=through, document=document, format="csv", variables={"kind": mark}
        )
        Export.objects.filter(pk=export.pk).update(
            status=Export.Status.DONE,
            language=f"en-{mark}",
            rows=1_000_000 + seed,
            total=2_000_000 + seed,
            size=3_000_000 + seed,
            cursor=f"{mark}游标",
            parts=[f"{mark}段"],
            error={"code": f"{mark}_CODE", "message": f"{mark}错", "field": f"{mark}域"},
            finished_at=timezone.now(),
        )


def _keys(town: Town, other: Town) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for type_ in types_by_model(tenant_schema.graphql_schema).values():
        own, others = (_visible(type_, one) for one in (town, other))
        if only := [key for key in own if key not in others]:
            found[type_._meta.name] = only[-1]
    with tenant_context(town.tenant):
        found["LedgerEvent"] = apps.get_model("fund.Posting").objects.last().group_id
    return found | {"Tenant": town.tenant.pk}


def _visible(type_: Any, town: Town) -> list[Any]:
    if type_._meta.name in KNOWN_TO_ALL:
        return []
    with tenant_context(town.tenant):
        return list(type_.rows_for(town.all_powerful).order_by("pk").values_list("pk", flat=True))


def _all_powerful(tenant: Tenant, tenants: list[Tenant]) -> Actor:
    """Every role in both tenants and at the platform: at one host still nothing of the other."""
    person = PersonFactory(name="everybody", username=f"everybody.{tenant.slug}")
    MembershipFactory(person=person, tenant=None, role=Role.PLATFORM_OPERATOR)
    for one in tenants:
        for role in STREET_ROLES:
            MembershipFactory(person=person, tenant=one, role=role)
    return actor_for(person, tenant)


def _above(tenant: Tenant) -> Actor:
    person = PersonFactory(name="district", username=f"district.{tenant.slug}")
    MembershipFactory(person=person, tenant=tenant.parent, role=Role.DISTRICT_ADMINISTRATOR)
    return actor_for(person, tenant.parent)


def ask(
    probe: Probe, document: str, actor: Actor | None, host: Tenant | None, variables: dict
) -> dict[str, Any]:
    """The answer at a tenant's host, or at the platform's (None); never a fault of ours."""
    with override("en"), tenant_context(host) if host else public_context():
        body = run(probe.schema, Request(document, variables), actor).body
    body.pop("extensions", None)  # points: numbers that come from the document alone
    assert not FAULTS_OF_OURS & set(codes(body)), (document, variables, body)
    return body


def codes(body: dict[str, Any]) -> list[str]:
    """Of the errors beside the data, and of those in a mutation's payload and its items."""
    beside = [error["extensions"]["code"] for error in body.get("errors", [])]
    payloads = [one for one in (body.get("data") or {}).values() if isinstance(one, dict)]
    items = [item for payload in payloads for item in payload.get("items") or []]
    told = [error for one in [*payloads, *items] for error in one.get("errors") or []]
    return beside + [error["code"] for error in told]


def own_ids(probe: Probe, town: Town) -> dict[tuple[str, ...], str]:
    """An id of the right kind in every place whose kind is declared."""
    return {
        slot.path: slot.holding(slot.kind, town.keys[slot.kind])
        for slot in probe.slots
        if slot.kind in town.keys
    }
