"""The planner and the executor give one answer: for random documents, every role, both schemas."""

import json
from collections.abc import Iterator
from random import Random
from uuid import uuid4

import pytest
from django.db import transaction

from linli.accounts.policy import Actor, Client, Role, actor_for, standing
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import SCOPES, permissions_of
from linli.tenancy.context import public_context, tenant_context
from linli_api import cursors, ids
from linli_api.documents import Rejected, read
from linli_api.execution import Request, executed
from linli_api.planner import planned_answer
from linli_api.schema import platform_schema, tenant_schema
from linli_api.types import types_by_model
from tenants.communities.facts import Fact
from tests.support.documents import Material, document
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.two_towns import STREET_ROLES, World, two_towns

WORDS = ["城", "社区", "a%b_c\\d", "370303", "", "stationed", 'O\'Hara "x"', "合"]


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture(autouse=True)
def _rolled_back(world: World) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def material(world: World, schema) -> Material:
    """Ids of both towns, and for every ordering of every type cursors of here and one of there."""
    here = world.ours.tenant.pk if schema is tenant_schema else None
    there = world.theirs.tenant.pk
    found_ids, found_cursors = {}, {}
    for model, type_ in types_by_model(schema.graphql_schema).items():
        name = type_._meta.name
        rows = list(model._default_manager.order_by("pk")[:4])
        found_ids[name] = [ids.encode(name, row.pk) for row in rows]
        if key := world.theirs.keys.get(name):
            found_ids[name].append(ids.encode(name, key))
        found_cursors[name] = {}
        for ordering, columns in type_._meta.orderings.items():
            names = [column.removeprefix("-") for column in columns]
            if model._meta.pk.attname not in names:
                names.append(model._meta.pk.attname)
            found_cursors[name][ordering] = [
                cursors.encode(f"{name}:{ordering}", whose, [getattr(row, one) for one in names])
                for row, whose in [*((row, here) for row in rows), *((r, there) for r in rows[:1])]
            ]
    return Material(found_ids, found_cursors, WORDS)


def actors(world: World, tenant, community_id):
    """One of every role there, whole and of one community, and somebody with two roles."""
    made = []
    for role in STREET_ROLES:
        for limit in (None, community_id):
            if limit and not _by_community(role):
                continue
            person = PersonFactory()
            MembershipFactory(
                person=person, tenant=world.ours.tenant, role=role, community_id=limit
            )
            made.append(actor_for(person, tenant))
    person = PersonFactory()
    for role, limit in ((Role.COMMUNITY_SECRETARY, community_id), (Role.CHARITY_CASHIER, None)):
        MembershipFactory(person=person, tenant=world.ours.tenant, role=role, community_id=limit)
    return [*made, actor_for(person, tenant), world.ours.all_powerful]


def supervisors(world: World, at) -> Iterator[Actor]:
    """Everybody above a street office as they stand at it, or at the platform (None): one of every
    role of its district and its city that reaches there, the platform's operator, and a program that
    covers the district."""
    district = world.ours.tenant.parent
    city = district.parent
    held = [
        (role, one) for one in (district, city) for role in Role if one.kind in DUTIES[role].kinds
    ]
    for role, tenant in [*held, (Role.PLATFORM_OPERATOR, None)]:
        person = PersonFactory()
        MembershipFactory(person=person, tenant=tenant, role=role)
        if (actor := actor_for(person, at)).grants:
            yield actor
    reads = permissions_of(scope for scope in SCOPES if scope.endswith(":read"))
    covers = Client(uuid4(), "取数", district.pk, below=True, permissions=reads, beneath=reads)
    yield standing(Actor(None, None, client=covers), at)


def _by_community(role: Role) -> bool:
    return DUTIES[role].by_community


def compare(schema, actor, text: str, variables: dict) -> bool:
    """Whether it was planned; raises where the two answers differ."""
    try:
        parsed = read(schema.graphql_schema, text)
    except Rejected as rejected:
        [error] = rejected.errors
        assert error.original_error, f"{error}\n{text}"
        assert error.original_error.code in ("DOCUMENT_TOO_LARGE", "DOCUMENT_TOO_DEEP"), text
        return False
    with transaction.atomic():
        planned = planned_answer(parsed, None, actor, variables)
    answer = executed(parsed, Request(text, variables), actor)
    if planned is None:
        return False
    assert answer.errors == []
    # As texts, so that keys stand in one order, through all levels.
    told = [json.dumps(json.loads(one), ensure_ascii=False) for one in (planned, answer.data)]
    assert told[0] == told[1], f"{text}\n{variables}\n{planned}\n{answer.data}"
    return True


def test_a_cursor_that_stands_in_the_document_is_planned_where_it_is_good(world: World) -> None:
    """What is kept of the document's arguments is for all tenants, a cursor for one."""
    ours, theirs = world.ours, world.theirs
    with tenant_context(ours.tenant):
        [page] = executed_data(ours, "{ partners(first: 1) { pageInfo { endCursor } } }")
    text = f'{{ partners(after: "{page["pageInfo"]["endCursor"]}") {{ edges {{ cursor }} }} }}'
    for town, good in ((ours, True), (theirs, False), (ours, True)):
        with tenant_context(town.tenant):
            assert compare(tenant_schema, town.all_powerful, text, {}) == good


def executed_data(town, text: str) -> list:
    parsed = read(tenant_schema.graphql_schema, text)
    answer = executed(parsed, Request(text), town.all_powerful)
    return list(json.loads(answer.data).values())


@pytest.mark.parametrize(
    "text",
    [
        "{ facts { nodes { id @skip(if: true) } } }",
        "{ facts { edges { cursor @skip(if: true) node { key @skip(if: true) } } } }",
        "{ facts { pageInfo { endCursor @skip(if: true) } totalCount } }",
        "{ facts(first: 0) { nodes { key } edges { cursor } } }",
        "{ partners { nodes { __typename community { name @skip(if: true) } } } }",
    ],
)
def test_where_nothing_is_left_it_is_empty(world: World, text: str) -> None:
    with tenant_context(world.ours.tenant):
        assert compare(tenant_schema, world.ours.all_powerful, text, {})


def test_whatever_stands_in_a_text_it_is_escaped(world: World) -> None:
    """Every character that JSON escapes, and what people only think it does."""
    odd = "".join(map(chr, range(1, 32))) + '"\\/\u007f\u2028\ufeff{}%s$1\'"' + "😀中"
    with tenant_context(world.ours.tenant):
        Fact.objects.create(key="odd", value=odd, source="\\")
        text = "{ facts(orderBy: OLDEST) { nodes { id key value source } edges { cursor } } }"
        assert compare(tenant_schema, world.ours.all_powerful, text, {})


def test_a_plan_that_is_somebodys_alone_is_made_once_for_each(world: World) -> None:
    text = "{ memberships { nodes { id } } }"
    with tenant_context(world.ours.tenant):
        parsed = read(tenant_schema.graphql_schema, text)
        same = []
        for _ in range(3):
            person = PersonFactory()
            MembershipFactory(
                person=person, tenant=world.ours.tenant, role=Role.STREET_ADMINISTRATOR
            )
            same.append(actor_for(person, world.ours.tenant))
        for actor in same * 2:
            assert planned_answer(parsed, None, actor, {}) is not None
    assert len(parsed.plans[None]._plans) == len(same)


EACH = 400  # documents of a schema; a seed is enough to make one again
ASKING = 3  # of each


@pytest.mark.parametrize("part", range(4))
def test_of_a_tenant(world: World, part: int) -> None:
    with tenant_context(world.ours.tenant):
        street = world.ours.tenant
        people = [
            *actors(world, street, world.ours.keys["Community"]),
            *supervisors(world, street),
        ]
        assert {grant.role for person in people for grant in person.grants} >= set(Role)
        planned = _compare_many(tenant_schema, world, people, part)
    assert planned > ASKING * EACH / 4 / 3


@pytest.mark.parametrize("part", range(2))
def test_of_the_platform(world: World, part: int) -> None:
    with public_context():
        people = [*actors(world, None, None), *supervisors(world, None)]
        planned = _compare_many(platform_schema, world, people, part)
    assert planned > 20


def _compare_many(schema, world: World, people, part: int) -> int:
    """How many were planned."""
    filled, planned = material(world, schema), 0
    for seed in range(part * EACH // 4, (part + 1) * EACH // 4):
        random = Random(seed)
        text, asked = document(schema, filled, random)
        # By several, and with several values, in a row: what is kept of one must not serve another.
        for person in random.sample(people, ASKING):
            planned += sum(compare(schema, person, text, variables) for variables in asked)
    return planned
