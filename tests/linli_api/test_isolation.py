"""Nothing of one tenant is told or changed at another's host, or to who has no role there.

Every query and mutation of the tenant schema is found by introspection and tried: with another
tenant's ids, without a role, with a role that does not reach. A field that is added later is tried
without anyone remembering; a type or a column that is added later fails here until
`tests.support.town` plants something in it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from linli.accounts.policy import Actor, Permission, Role, actor_for
from linli.tenancy.context import tenant_context
from linli_api.connections import Connection
from linli_api.execution import Request, run
from linli_api.planner.compiling import declared_fields
from linli_api.schema import tenant_schema
from linli_api.types import types_by_model
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.probes import NOBODY, Probe, Slot, probes
from tests.support.rows import checksums
from tests.support.secrets import Secrets
from tests.support.two_towns import (
    KNOWN_TO_ALL,
    STREET_ROLES,
    Town,
    World,
    ask,
    codes,
    own_ids,
    two_towns,
)

# Columns that hold words of the model or of the product, not of one tenant, and small counts.
COMMON_COLUMNS = {
    "audit.Entry.action",
    "audit.Entry.object_type",
    "communities.Community.opened_on",
    "events.WebhookEndpoint.version",
    "communities.Community.version",
    "communities.Fact.version",
    "events.Delivery.attempts",
    "events.Delivery.position",
    "events.Event.client_id",
    "events.Event.object_type",
    "events.Event.position",
    "events.Event.type",
    "events.WebhookEndpoint.deleted_at",
    "events.WebhookEndpoint.failures",
    "events.WebhookEndpoint.types",
    "exports.Export.scope",
    "fund.Account.code",
    "fund.Fund.opened_on",
    "fund.Posting.happened_on",
    "fund.Spending.account_code",
    "fund.Spending.use",
    "operating_model.Adoption.effective_from",
    "operating_model.Draft.version",
    "operating_model.ChangeRequest.adoptions_seen",
    "operating_model.ChangeRequest.effective_from",
    "operating_model.ChangeRequest.layers_seen",
    "operating_model.ChangeRequest.published_id",
    "operating_model.Layer.effective_from",
    "operating_model.ModelVersion.number",
    "operating_model.Upgrade.effective_from",
    "operating_model.ChangeRequest.despite_agreements",
    "operating_model.ChangeRequest.give_up_later",
    "operating_model.ChangeRequest.upgrade_seen",
    "operating_model.Upgrade.version",
    "operating_model.UpgradeDecision.path",
    "operating_model.UpgradeDecision.decided_by_id",
    "operating_model.UpgradeDecision.community_id",
    "operating_model.Upgrade.opened_by_id",
    "operating_model.ModelVersion.published_id",
    "partners.Agreement.ends_on",
    "partners.Agreement.rent_free_months",
    "partners.Agreement.rule_key",
    "partners.Agreement.starts_on",
    "partners.Declaration.ends_on",
    "partners.Declaration.sessions",
    "partners.Declaration.starts_on",
    "partners.Partner.joined_on",
    "partners.Partner.kind",
    "partners.Partner.version",
}

# What nobody of a street office may do: tried at the district's host, by its administrator.
OF_THE_DISTRICT = {"offerVersion", "withdrawOffer"}

PROBES = probes(tenant_schema)
QUERIES = [probe for probe in PROBES if probe.operation == "query"]
every_probe = pytest.mark.parametrize("probe", PROBES, ids=str)
every_query = pytest.mark.parametrize("probe", QUERIES, ids=str)


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture(autouse=True)
def _rolled_back(world: World) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def schemas(world: World) -> tuple[str, ...]:
    return "public", world.ours.tenant.schema_name, world.theirs.tenant.schema_name


class TestTheWorld:
    """What is tried below would prove nothing if there were nothing to find."""

    def test_every_type_has_an_object(self, world):
        types = types_by_model(tenant_schema.graphql_schema).values()
        named = {type_._meta.name for type_ in types} - KNOWN_TO_ALL
        for town in (world.ours, world.theirs):
            assert named - set(town.keys) == set(), (
                "tests.support.town.furnish plants none of these"
            )

    def test_every_column_tells_one_tenant_from_the_other(self, world):
        alike = set()
        for model in _tenant_models():
            values = []
            for town in (world.ours, world.theirs):
                with tenant_context(town.tenant):
                    found = list(model._default_manager.values())
                values.append({name: _values(found, name) for name in _telling_columns(model)})
            for name in values[0]:
                if not values[1][name] - values[0][name]:
                    alike.add(f"{model._meta.label}.{name}")
        assert alike - COMMON_COLUMNS == set(), "tests.support.town.furnish marks none of these"

    @every_query
    def test_at_home_the_net_catches(self, world, probe):
        """Each query, asked at the other host by who may, tells something that is theirs alone."""
        town, caught = world.theirs, []
        for ids in _each_kind(probe, town):
            for document in probe.documents:
                body = ask(
                    probe, document, town.all_powerful, town.tenant, probe.variables(ids, {})
                )
                caught += world.their_secrets.found_in(body)
        assert caught or probe.name == "viewer"


def _each_kind(probe: Probe, town: Town) -> Iterator[dict[tuple[str, ...], str]]:
    """The right ids; where a kind is not declared, one of each kind in turn."""
    own = own_ids(probe, town)
    open_slots = [slot for slot in probe.slots if slot.path not in own]
    yield own
    for slot in open_slots:
        for kind, key in town.keys.items():
            yield own | {slot.path: slot.holding(kind, key)}


def _tenant_models() -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs():
        if config.name in settings.TENANT_APPS and config.name.startswith(
            ("tenants.", "linli.", "linli_api.")
        ):
            yield from config.get_models()


def _telling_columns(model: type[models.Model]) -> list[str]:
    return [
        field.attname
        for field in model._meta.concrete_fields
        if not field.choices and not isinstance(field, models.BooleanField)
    ]


def _values(found: list[dict[str, Any]], name: str) -> set[str]:
    return {json.dumps(row[name], default=str) for row in found if row[name] not in (None, "")}


class TestAnothersIds:
    """Somebody who may do everything here, and there too, at our host with ids from there."""

    @every_probe
    def test_an_id_from_there_is_an_id_of_nothing(self, world, probe):
        before = checksums(*schemas(world))
        for slot in probe.slots:
            for kind, key in world.theirs.keys.items():
                right = slot.kind in (None, kind)
                for document in probe.documents if right else probe.documents[:1]:
                    self._tell_nothing(world, probe, document, slot, kind, key)
        assert checksums(*schemas(world)) == before

    def _tell_nothing(
        self, world: World, probe: Probe, document: str, slot: Slot, kind: str, key: Any
    ) -> None:
        ours, answers = world.ours, []
        who = ours.above if probe.name in OF_THE_DISTRICT else ours.all_powerful
        for one in (key, NOBODY):
            value = slot.holding(kind, one)
            ids = {slot.path: value}
            variables = probe.variables(ids, ours.keys)
            body = ask(probe, document, who, who.tenant, variables)
            answers.append(json.dumps(body).replace(value, "<id>").replace(str(one), "<id>"))
            assert world.their_secrets.found_in(body) == [], (variables, body)
            told = set(codes(body))
            assert told <= {"NOT_FOUND", "ONE_VERSION"}, (variables, body)
            if probe.operation == "mutation":
                assert told == {"NOT_FOUND"}, (variables, body)
        assert answers[0] == answers[1]

    @every_probe
    def test_without_ids_there_is_nothing_of_theirs(self, world, probe):
        ours, theirs = world.ours, world.theirs
        before = checksums(theirs.tenant.schema_name)
        for ids in ({}, own_ids(probe, ours)):
            for document in probe.documents:
                variables = probe.variables(ids, ours.keys)
                body = ask(probe, document, ours.all_powerful, ours.tenant, variables)
                assert world.their_secrets.found_in(body) == [], (document, body)
        assert checksums(theirs.tenant.schema_name) == before


LISTS = sorted(
    name
    for name, (_attribute, field) in declared_fields(
        tenant_schema.graphql_schema.query_type
    ).items()
    if isinstance(field, Connection)
)
FILTERS = [(probe, slot) for probe in QUERIES if probe.name in LISTS for slot in probe.slots]


def _told(actor: Actor, document: str, **variables: Any) -> Any:
    """The page of the one list, or the codes it is refused with."""
    with tenant_context(actor.tenant):
        body = run(tenant_schema, Request(document, variables), actor).body
    return codes(body) or next(iter(body["data"].values()))


@pytest.mark.parametrize("name", LISTS)
class TestAnothersCursors:
    def test_a_cursor_from_there_is_refused_like_one_that_never_was(self, world, name):
        ours, theirs = world.ours.all_powerful, world.theirs.all_powerful
        ends = f"{{ {name}(first: 1) {{ pageInfo {{ endCursor }} }} }}"
        own, foreign = (_told(one, ends)["pageInfo"]["endCursor"] for one in (ours, theirs))
        for side in ("after", "before"):
            page = f"query($at: String) {{ {name}({side}: $at) {{ nodes {{ id }} }} }}"
            assert isinstance(_told(ours, page, at=own), dict)
            for wrong in (foreign, "bm9uZQ=="):
                assert _told(ours, page, at=wrong) == ["CURSOR_INVALID"]

    def test_nor_is_one_in_a_document_that_was_good_there(self, world, name):
        """What is kept of a document is for all tenants."""
        ours, theirs = world.ours.all_powerful, world.theirs.all_powerful
        ends = f"{{ {name}(first: 1) {{ pageInfo {{ endCursor }} }} }}"
        cursor = _told(theirs, ends)["pageInfo"]["endCursor"]
        document = f'{{ {name}(after: "{cursor}") {{ nodes {{ id }} }} }}'
        for _ in range(2):
            assert isinstance(_told(theirs, document), dict)
            assert _told(ours, document) == ["CURSOR_INVALID"]


@pytest.mark.parametrize(("probe", "slot"), FILTERS, ids=lambda one: str(getattr(one, "path", one)))
def test_a_filter_by_an_id_from_there_finds_what_one_of_nothing_finds(world, probe, slot):
    """No row, and no error: `TestAnothersIds` compares the two, this says what they are."""
    kind = slot.kind or "Partner"  # the trail's is of any
    for key in (world.theirs.keys[kind], NOBODY):
        variables = probe.variables({slot.path: slot.holding(kind, key)}, world.ours.keys)
        for document in probe.documents:
            body = ask(probe, document, world.ours.all_powerful, world.ours.tenant, variables)
            assert "errors" not in body
            [page] = body["data"].values()
            assert not any(page.get(rows) for rows in ("nodes", "edges", "totalCount")), document


class TestWithoutARole:
    """With our own ids, so that nothing but the missing role stands in the way."""

    def test_who_is_not_logged_in(self, world):
        _is_refused_everything(world, None, "UNAUTHENTICATED")

    def test_who_has_no_role_anywhere(self, world):
        _is_refused_everything(world, actor_for(PersonFactory(), world.ours.tenant), "FORBIDDEN")

    def test_who_has_every_role_in_the_other_tenant(self, world):
        person = PersonFactory()
        for role in STREET_ROLES:
            MembershipFactory(person=person, tenant=world.theirs.tenant, role=role)
        _is_refused_everything(world, actor_for(person, world.ours.tenant), "FORBIDDEN")


def _is_refused_everything(world: World, actor: Actor | None, code: str) -> None:
    before = checksums(*schemas(world))
    for probe in PROBES:
        for document, variables in _at_home(probe, world.ours):
            body = ask(probe, document, actor, world.ours.tenant, variables)
            assert set(codes(body)) == {code}, (document, body)
            assert world.our_secrets.found_in(body) == []
            assert _objects(body) <= _refusal_types(probe)
    assert checksums(*schemas(world)) == before


@pytest.mark.parametrize("role", STREET_ROLES)
def test_only_what_the_role_permits_is_told_or_done(world, role):
    person = PersonFactory()
    MembershipFactory(person=person, tenant=world.ours.tenant, role=role)
    actor = actor_for(person, world.ours.tenant)
    before = checksums(*schemas(world))
    for probe in PROBES:
        permitted = all(actor.holds(permission) for permission in _permissions(probe))
        for document, variables in _at_home(probe, world.ours):
            with transaction.atomic():
                body = ask(probe, document, actor, world.ours.tenant, variables)
                transaction.set_rollback(permitted)
            shown = _objects(body) - _refusal_types(probe)
            assert {name for name in shown if not _may_see(actor, name)} == set(), body
            if not permitted:
                assert codes(body) == ["FORBIDDEN"], (document, body)
                assert world.our_secrets.found_in(body) == []
    assert checksums(*schemas(world)) == before


def _at_home(probe: Probe, town: Town) -> Iterator[tuple[str, dict[str, Any]]]:
    """The probe's documents, each with a town's own ids."""
    for document in probe.documents:
        yield document, probe.variables(own_ids(probe, town), town.keys)


def _permissions(probe: Probe) -> list[Permission]:
    """What the field, and the type it leads to, are declared to need."""
    rules = [getattr(probe.declared, "permission", None), _rule_of(probe.type_name)]
    return [rule for rule in rules if isinstance(rule, Permission)]


def _may_see(actor: Actor, type_name: str) -> bool:
    rule = _rule_of(type_name)
    return not isinstance(rule, Permission) or actor.holds(rule)


def _rule_of(type_name: str) -> Any:
    type_: Any = tenant_schema.graphql_schema.type_map[type_name]
    return getattr(getattr(type_, "graphene_type", None)._meta, "permission", None)


def _refusal_types(probe: Probe) -> set[str]:
    """A refused mutation still answers with its payload and the errors in it."""
    return {probe.type_name, "Error"} if probe.operation == "mutation" else set()


def _objects(value: Any) -> set[str]:
    """The types of all objects in an answer."""
    if isinstance(value, dict):
        own = {value["__typename"]} if "__typename" in value else set()
        return own.union(*(_objects(one) for one in value.values()))
    return set().union(*map(_objects, value)) if isinstance(value, list) else set()


@every_query
def test_a_secretary_hears_nothing_of_the_next_community(world, probe):
    with tenant_context(world.ours.tenant):
        own, other = apps.get_model("communities.Community").objects.order_by("name")
    person = PersonFactory()
    limited = {"role": Role.COMMUNITY_SECRETARY, "community_id": own.pk}
    MembershipFactory(person=person, tenant=world.ours.tenant, **limited)
    actor = actor_for(person, world.ours.tenant)
    hidden = Secrets(frozenset({str(other.pk), other.name.removesuffix("社区")}), frozenset())
    town = world.ours
    for ids in _each_kind(probe, town):
        for document in probe.documents:
            body = ask(probe, document, actor, town.tenant, probe.variables(ids, town.keys))
            assert hidden.found_in(body) == [], (document, ids, body)
