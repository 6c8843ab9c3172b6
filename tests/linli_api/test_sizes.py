"""No text and no JSON value that the API keeps is without a limit, nor one that nothing can store.

The inputs are found by walking the schemas: in each deed every text and JSON value is given as
something hostile, and is refused with a code; so is every instant, or it is taken.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from graphql import (
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)

from linli import sizes
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.schema import SCHEMAS
from tenants.communities.facts import Fact
from tests.support.api import do, send
from tests.support.deeds import DEEDS, Place
from tests.support.rows import rows_unchanged
from tests.support.two_towns import World, two_towns

TEXTS = ("String", "ID", "Document")
# More than any place takes, and more than any text but a document.
HOSTILE: dict[str, Any] = {
    "vast": "文" * 100_000,
    "large": "文" * 20_000,
    "nul": "a\0b",
    "nul alone": "\0",
}
# Instants at the ends of what Python and PostgreSQL know, and offsets beyond PostgreSQL's.
INSTANTS = [
    "2026-11-25T00:00:00+16:00", "2027-01-01T00:00:00-16:00", "2126-01-01T00:00:00+23:59",
    "2126-01-01T00:00:00-23:59", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01",
    "0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00-23:59", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+23:59",
    "9999-12-31T24:00:00Z", "2126-01-01T00:00:00+24:00", "2126-01-01T00:00:00", "2126-02-30",
    "\0", "", "文" * 1_000,
]  # fmt: skip

# Columns of text or JSON without a limit of their own, and why: what they hold is limited elsewhere.
WORKED_OUT = {
    # Written by us, of what is limited.
    "audit.Entry.before", "audit.Entry.after", "events.Event.data", "events.Delivery.log",
    "operating_model.RuleSnapshot.content", "operating_model.Upgrade.before",
    "operating_model.UpgradeDecision.old", "operating_model.UpgradeDecision.new",
    "operating_model.UpgradeDecision.own", "partners.Contribution.lines",
    "library.PublishedVersion.profiles", "exports.Export.scope", "exports.Export.parts",
    "library.PublishedVersion.ran_in", "library.PublishedVersion.searched",
    "exports.Export.error", "exports.Export.cursor", "repeats.KeptAnswer.answer",
    "events.WebhookEndpoint.secrets",
    # Names of scopes, each once.
    "clients.Client.scope", "clients.Client.scope_here", "clients.Client.scope_below",
    "clients.PersonalToken.scope",
    # No input of the API.
    "registry.SchemaTemplate.sql", "accounts.Session.session_data", "clients.AccessToken.scope",
    "accounts.OneTimeCode.facts", "accounts.CacheEntry.value",
}  # fmt: skip

# What is kept as one document with the values beside it may be as large as a document.
TAKES_DOCUMENTS = {("issuePolicy", "values"), ("editDraft", "values"), ("saveDraft", "bounds")}

OURS = {"linli", "linli_api", "tenants", "onboarding"}


@pytest.fixture(scope="module")
def world(session_database, django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), two_towns(session_database) as made:
        yield made


@pytest.fixture
def place(world: World) -> Iterator[Place]:
    with transaction.atomic(), tenant_context(world.ours.tenant):
        yield Place(world.ours)
        transaction.set_rollback(True)


def leaves(
    type_: Any, path: tuple[Any, ...] = (), *, of: tuple[str, ...] = TEXTS
) -> Iterator[tuple[Any, ...]]:
    """The path of every value of these scalars that an input takes, 0 for each list's first item."""
    inner = get_nullable_type(type_)
    if is_list_type(inner):
        yield from leaves(inner.of_type, (*path, 0), of=of)
    elif is_input_object_type(inner):
        for name, field in inner.fields.items():
            yield from leaves(field.type, (*path, name), of=of)
    elif isinstance(get_named_type(inner), GraphQLScalarType) and inner.name in of:
        yield path


def put(given: Any, type_: Any, path: tuple[Any, ...], value: Any) -> Any:
    """What is given with the value at the path; what has to stand around it is made up."""
    if not path:
        return value
    inner = get_nullable_type(type_)
    if path[0] == 0 and is_list_type(inner):
        first = given[0] if isinstance(given, list) and given else None
        return [put(first, inner.of_type, path[1:], value), *(given or ())[1:]]
    made = dict(given) if isinstance(given, dict) else {"path": "partners"}
    made = {name: one for name, one in made.items() if name in inner.fields}
    made[path[0]] = put(made.get(path[0]), inner.fields[path[0]].type, path[1:], value)
    return made


def schema_of(place: Place, actor: Any) -> Any:
    return SCHEMAS["platform" if actor.tenant is None else "tenant"].graphql_schema


def cases(*scalars: str) -> list[Any]:
    return [
        pytest.param(mutation, deeds[0], id=mutation)
        for mutation, deeds in DEEDS.items()
        if any(
            list(leaves(fields[mutation].args["input"].type, of=scalars))
            for schema in SCHEMAS.values()
            if mutation in (fields := schema.graphql_schema.mutation_type.fields)
        )
    ]


@pytest.mark.parametrize(("mutation", "deed"), cases(*TEXTS))
def test_every_input_refuses_what_it_cannot_keep(place, mutation, deed):
    done = deed(place)
    type_ = schema_of(place, done.actor).mutation_type.fields[mutation].args["input"].type
    for path in leaves(type_):
        for what, value in HOSTILE.items():
            given = put(deepcopy(done.given), type_, path, value)
            with transaction.atomic():
                body = _asked(done.actor, mutation, given)
                transaction.set_rollback(True)
            codes = _codes(body, mutation)
            if what == "large" and (mutation, path[0]) in TAKES_DOCUMENTS:
                continue
            assert codes, (path, what, "was taken")
            assert not {"INTERNAL", "REQUEST_INVALID"} & codes, (path, what, body)


@pytest.mark.parametrize(("mutation", "deed"), cases("DateTime"))
def test_every_instant_is_taken_or_refused_in_words(place, mutation, deed):
    done = deed(place)
    type_ = schema_of(place, done.actor).mutation_type.fields[mutation].args["input"].type
    for path in leaves(type_, of=("DateTime",)):
        for value in INSTANTS:
            with transaction.atomic():
                body = _asked(done.actor, mutation, put(deepcopy(done.given), type_, path, value))
                transaction.set_rollback(True)
            assert "INTERNAL" not in _codes(body, mutation), (path, value, body)


def _asked(actor: Any, mutation: str, given: dict[str, Any]) -> dict[str, Any]:
    shown = "errors { code } items { errors { code } }" if "items" in given else "errors { code }"
    name = mutation[0].upper() + mutation[1:]
    document = f"mutation($i: {name}Input!) {{ {mutation}(input: $i) {{ {shown} }} }}"
    return send(actor, document, i=given)


def _codes(body: dict[str, Any], mutation: str) -> set[str]:
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    payload = (body.get("data") or {}).get(mutation) or {}
    for one in (payload, *payload.get("items", ())):
        codes |= {error["code"] for error in one.get("errors", ())}
    return codes


ARGUMENTS = [
    pytest.param(side, name, argument, id=f"{side}-{name}-{argument}")
    for side, schema in SCHEMAS.items()
    for name, field in schema.graphql_schema.query_type.fields.items()
    for argument, one in field.args.items()
    if get_named_type(one.type).name in TEXTS
]
# Ids of any type whose key nothing can be, and texts that are none.
KEYS = ["\0", "a\0b", "\U0001f600", "文" * 50, "\u202e", "9" * 100, ""]


@pytest.mark.parametrize(("side", "name", "argument"), ARGUMENTS)
def test_every_argument_refuses_what_it_cannot_mean(place, world, side, name, argument):
    actor = place.platform if side == "platform" else place.everybody
    schema = SCHEMAS[side].graphql_schema
    field = schema.query_type.fields[name]
    known = {kind: ids.encode(kind, key) for kind, key in world.ours.keys.items()}
    kinds = [*known, "Division", "Nothing"]
    wrong = [ids.encode(kind, key) for kind in kinds for key in KEYS] + KEYS + ["文" * 1_000]
    declared = ", ".join(f"${one}: {field.args[one].type}" for one in field.args)
    given = ", ".join(f"{one}: ${one}" for one in field.args)
    shown = "" if not hasattr(get_named_type(field.type), "fields") else "{ __typename }"
    document = f"query({declared}) {{ {name}({given}) {shown} }}"
    for value in wrong:
        is_list = is_list_type(get_nullable_type(field.args[argument].type))
        variables = _needed(field, known) | {argument: [value] if is_list else value}
        body = send(actor, document, **variables)
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert "INTERNAL" not in codes, (value, body)
        assert codes or "\0" not in value, (value, "was taken")


def _needed(field: Any, known: dict[str, str]) -> dict[str, Any]:
    values = {"ID": next(iter(known.values())), "Date": "2026-01-01", "String": "x"}
    return {
        name: values[get_named_type(one.type).name]
        for name, one in field.args.items()
        if str(one.type).endswith("!")
    }


@pytest.mark.parametrize(
    "query",
    [
        r'{ division(code: "\u0000") { name } }',
        r'{ divisions(search: "\u0000") { totalCount } }',
        '{ node(id: "RGl2aXNpb246AA==") { id } }',
    ],
)
def test_literals_too(place, query):
    [error] = send(place.platform, query)["errors"]
    assert error["extensions"]["code"] in ("TEXT_INVALID", "NOT_FOUND")


class TestTheDatabase:
    """It holds the limits against whoever writes."""

    def test_every_column_of_text_or_json_has_one(self):
        free = {
            f"{model._meta.app_label}.{model.__name__}.{field.name}"
            for model in apps.get_models()
            if model.__module__.partition(".")[0] in OURS
            for field in model._meta.local_concrete_fields
            if isinstance(field, models.TextField | models.JSONField)
            and not any(
                _is_of(rule, field.name)
                for rule in model._meta.constraints
                if isinstance(rule, models.CheckConstraint)
            )
        }
        assert free == WORKED_OUT

    def test_a_fact_is_refused_by_the_action_and_by_the_database(self, place):
        given = {"communityId": None, "key": "k", "source": "a"}
        fits = "x" * (sizes.VALUE - 2)  # and its quotes
        with rows_unchanged(place.tenant.schema_name):
            answer = do(place.everybody, "stateFact", "fact { key }", value=fits + "x", **given)
        [error] = answer["errors"]
        assert (error["code"], error["field"]) == ("VALUE_INVALID", "value")
        assert "16384 bytes" in error["message"]
        assert do(place.everybody, "stateFact", "fact { key }", value=fits, **given)["fact"]
        with pytest.raises(IntegrityError, match="fact_value_size"), transaction.atomic():
            Fact.objects.filter(key="k").update(value=fits + "x")

    def test_a_reason_is_refused_by_the_action_and_by_the_database(self, place):
        long = "因" * (sizes.REASON + 1)
        community = ids.encode("Community", place.the_fund().community_id)
        given = {"communityId": community, "residents": 77}
        with rows_unchanged(place.tenant.schema_name):
            answer = do(place.everybody, "updateCommunity", "", reason=long, **given)
        assert [(e["code"], e["field"]) for e in answer["errors"]] == [
            ("REASON_TOO_LONG", "reason")
        ]
        with (
            pytest.raises(IntegrityError, match="audit_reason_length"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO audit_entry (id, at, action, object_type, object_id, reason)"
                " VALUES (uuidv7(), now(), 'a', 'b', 'c', %s)",
                [long],
            )


def _is_of(rule: models.CheckConstraint, column: str) -> bool:
    return f"F({column})" in repr(rule.condition)
