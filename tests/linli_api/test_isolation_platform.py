"""At the platform's host nobody hears of tenants that are not theirs.

The same nets as in `test_isolation`, cast by people of Datong for what is Zibo's. The library and
the national list are for everybody.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from linli.accounts.policy import Actor, Role, actor_for
from linli.clients.actions import create_client, create_personal_token
from linli.library.document import json_schema
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.ids import encode, split
from linli_api.schema import platform_schema
from linli_api.types import types_by_model
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.probes import NOBODY, Probe, probes
from tests.support.rows import checksums
from tests.support.secrets import Secrets, secrets
from tests.support.two_towns import World, ask, codes, two_towns

FOR_EVERYBODY = {"Division", "PublishedVersion", "TrustedSource", "VersionComparison"}
# About no unit; and of versions in the library, where neither town has put any.
OF_NOBODY = {"viewer", "measures", "operatingModelSchema", "signingKey", "lineage", "peers"}
PROBES = probes(platform_schema)
every_probe = pytest.mark.parametrize("probe", PROBES, ids=str)
every_query = pytest.mark.parametrize(
    "probe", [probe for probe in PROBES if probe.operation == "query"], ids=str
)


_IS_THEIRS = re.compile(r"[ΩΨ]|chezhan|wenshao|zhangdian|linzi|^[0-9a-f]{8}-[0-9a-f-]{27}$")


@dataclass
class Platform:
    """Somebody of Datong with an id of each kind of theirs, and what is Zibo's."""

    outsider: Actor
    own: dict[str, Any]
    operator: Actor
    theirs: dict[str, Any]
    secrets: Secrets
    schemas: tuple[str, ...]


@pytest.fixture(scope="module")
def platform(session_database, django_db_setup, django_db_blocker) -> Iterator[Platform]:
    with django_db_blocker.unblock(), two_towns(session_database) as world:
        yield _look_from_datong(world)


def _look_from_datong(world: World) -> Platform:
    datong = Tenant.objects.get(slug="datong")
    pingcheng = Tenant.objects.create(
        slug="pingcheng", schema_name="t_pingcheng", name="平城区", kind="district", parent=datong
    )
    person, colleague = PersonFactory(), PersonFactory()
    for tenant, role in [
        (datong, Role.CITY_SUPERVISOR),
        (datong, Role.STREET_ADMINISTRATOR),
        (datong, Role.AUDITOR),
        (pingcheng, Role.DISTRICT_ADMINISTRATOR),
    ]:
        MembershipFactory(person=person, tenant=tenant, role=role)
    job = MembershipFactory(person=colleague, tenant=pingcheng, role=Role.AUDITOR)
    MembershipFactory(
        person=(operator := PersonFactory()), tenant=None, role=Role.PLATFORM_OPERATOR
    )
    actors = actor_for(person, None), actor_for(operator, None)
    client, _secret = create_client(
        actor=actor_for(person, pingcheng), name="平城小程序", scopes=["fund:read"]
    )
    token, _secret = create_personal_token(
        actor=actors[0], name="我的", scopes=["fund:read"], tenant=None
    )
    create_personal_token(
        actor=actors[1], name="运营", scopes=["fund:read"], tenant=world.theirs.tenant
    )
    return Platform(
        outsider=actors[0],
        own={
            "Tenant": pingcheng.pk,
            "Person": colleague.pk,
            "Membership": job.pk,
            "Client": client.pk,
            "ClientSecret": client.secrets.get().pk,
            "PersonalToken": token.pk,
        },
        operator=actors[1],
        theirs=_hidden_keys(*actors, world),
        secrets=_told_of_zibo(world),
        schemas=("public", *(town.tenant.schema_name for town in (world.ours, world.theirs))),
    )


def _told_of_zibo(world: World) -> Secrets:
    """Ids, marks, addresses and log-in names; words such as "stationed" are the product's, and what
    the published schema gives as an example is everybody's."""
    told = secrets([*world.ours.rows(), *world.theirs.rows()], known=[json_schema()])
    city = str(world.ours.tenant.parent.parent_id)
    return Secrets(frozenset({city, *filter(_IS_THEIRS.search, told.texts)}), told.numbers)


def _hidden_keys(outsider: Actor, operator: Actor, world: World) -> dict[str, Any]:
    """Of each type an object that the operator sees and the outsider does not."""
    found = {}
    for type_ in types_by_model(platform_schema.graphql_schema).values():
        hidden = type_.rows_for(operator).exclude(pk__in=type_.rows_for(outsider).values("pk"))
        if type_._meta.name not in FOR_EVERYBODY:
            found[type_._meta.name] = hidden.order_by("pk").values_list("pk", flat=True).last()
    found["Tenant"] = world.theirs.tenant.parent_id  # a district: it has tenants to compare
    found["Membership"], found["Person"] = (
        apps.get_model("accounts.Membership")
        .objects.filter(tenant=world.theirs.tenant, person__name__startswith="Ψ")
        .values_list("pk", "person")[0]
    )
    with tenant_context(world.theirs.tenant):
        found["Community"] = apps.get_model("communities.Community").objects.first().pk
    return found


@pytest.fixture(autouse=True)
def _rolled_back(platform: Platform) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_every_type_has_an_object(platform):
    assert [kind for kind, key in platform.theirs.items() if key is None] == []


@every_query
def test_the_net_catches(platform, probe):
    """Each query, asked by the operator, tells something of Zibo's."""
    caught = []
    for ids in _each_kind(probe, platform.theirs):
        for document in probe.documents:
            body = ask(probe, document, platform.operator, None, probe.variables(ids, {}))
            caught += platform.secrets.found_in(body)
    about_everybody = probe.type_name.removesuffix("Connection") in FOR_EVERYBODY
    assert caught or about_everybody or probe.name in OF_NOBODY


def _each_kind(probe: Probe, keys: dict[str, Any]) -> Iterator[dict[tuple[str, ...], str]]:
    yield {}
    for slot in probe.slots:
        for kind, key in keys.items():
            if slot.kind in (None, kind):
                yield {slot.path: slot.holding(kind, key)}


@every_probe
def test_an_id_of_theirs_is_an_id_of_nothing(platform, probe):
    before = checksums(*platform.schemas)
    for ids in _each_kind(probe, platform.theirs):
        nothing = {path: _of_nothing(value) for path, value in ids.items()}
        for document in probe.documents if ids else ():
            answers = []
            for given in (ids, nothing):
                variables = probe.variables(given, platform.own)
                body = ask(probe, document, platform.outsider, None, variables)
                assert platform.secrets.found_in(body) == [], (variables, body)
                told = set(codes(body))
                assert told <= {"NOT_FOUND", "FORBIDDEN"}, (variables, body)
                assert told or probe.operation == "query", (variables, body)
                answers.append(json.dumps(body))
            assert answers[0] == answers[1]
    assert checksums(*platform.schemas) == before


def _of_nothing(value: str) -> str:
    """The same kind of id, of an object that does not exist."""
    parts = split(value)
    assert parts is not None
    return encode(parts[0], NOBODY)


@every_probe
def test_without_ids_there_is_nothing_of_theirs(platform, probe):
    before = checksums(*platform.schemas[1:])
    for ids in ({}, _own_ids(probe, platform.own)):
        for document in probe.documents:
            with transaction.atomic():
                variables = probe.variables(ids, platform.own)
                body = ask(probe, document, platform.outsider, None, variables)
                transaction.set_rollback(True)
            assert platform.secrets.found_in(body) == [], (document, body)
    assert checksums(*platform.schemas[1:]) == before


def _own_ids(probe: Probe, own: dict[str, Any]) -> dict[tuple[str, ...], str]:
    return {s.path: s.holding(s.kind, own[s.kind]) for s in probe.slots if s.kind in own}


@pytest.mark.parametrize("logged_in", [False, True])
def test_without_a_role_nothing_is_told_and_nothing_done(platform, logged_in):
    actor = actor_for(PersonFactory(), None) if logged_in else None
    before = checksums(*platform.schemas)
    for probe in PROBES:
        variables = probe.variables(_own_ids(probe, platform.theirs), platform.theirs)
        for document in probe.documents:
            body = ask(probe, document, actor, None, variables)
            assert platform.secrets.found_in(body) == [], (document, body)
            refusal = "FORBIDDEN" if logged_in else "UNAUTHENTICATED"
            if probe.operation == "mutation":
                assert codes(body) == [refusal], (document, body)
            else:
                assert set(codes(body)) <= {refusal, "NOT_FOUND"}
    assert checksums(*platform.schemas) == before
