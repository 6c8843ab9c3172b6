"""A schema that does not say who may see what does not start; one that does is held to it."""

from types import SimpleNamespace

import graphene
import pytest

from linli.accounts.policy import Permission, Role, system_actor
from linli.registry.models import Tenant
from linli_api.connections import Connection
from linli_api.execution import Request, run
from linli_api.fields import Field
from linli_api.guard import INHERITED, MEMBER, PUBLIC, Undeclared
from linli_api.mutation import Mutation
from linli_api.schema import assemble, build
from linli_api.types import Node, Object, extends


class Secret(Object):
    class Meta:
        permission = Permission.AUDIT_READ

    text = graphene.String()
    part = graphene.Field(lambda: Part)


class Part(Object):
    class Meta:
        permission = INHERITED

    text = graphene.String()
    secret = graphene.Field(Secret)


class Shop(Object):
    class Meta:
        permission = PUBLIC

    text = graphene.String()
    secrets = graphene.List(graphene.NonNull(Secret))


class Query:
    secret = Field(Secret)
    shop = Field(Shop)
    part = Field(Part, permission=MEMBER)
    count = Field(graphene.Int, permission=Permission.FUND_READ)

    ran: list[str] = []

    @staticmethod
    def resolve_secret(root, info):
        Query.ran.append("secret")
        return SimpleNamespace(text="a secret", part=SimpleNamespace(text="a part"))

    @staticmethod
    def resolve_shop(root, info):
        return SimpleNamespace(text="open", secrets=[Secret(text="a secret")])

    @staticmethod
    def resolve_part(root, info):
        return Part(text="a part", secret=Secret(text="a secret"))

    @staticmethod
    def resolve_count(root, info):
        return 7


SCHEMA = assemble([Query])


def ask(query, actor):
    body = run(SCHEMA, Request(query), actor).body
    return body["data"], [
        (error["path"], error["extensions"]["code"]) for error in body.get("errors", [])
    ]


class TestDeclarations:
    def test_a_type_without_permission(self):
        with pytest.raises(Undeclared, match="Type Open declares no permission"):

            class Open(Object):
                text = graphene.String()

    def test_a_plain_graphene_type(self):
        class Bare(graphene.ObjectType):
            text = graphene.String()

        class Leads:
            bare = Field(Bare, permission=MEMBER)

        with pytest.raises(Undeclared, match="Type Bare declares no permission"):
            assemble([Leads])

    def test_a_mutation_without_permission(self):
        with pytest.raises(Undeclared, match="Mutation OpenDoors declares no permission"):

            class OpenDoors(Mutation):
                """Opens them."""

    @pytest.mark.parametrize("type_", [graphene.Int, Part, graphene.List(Part)])
    def test_a_root_field_that_leads_to_nothing_with_a_permission(self, type_):
        class Leads:
            anything = graphene.Field(type_)

        with pytest.raises(Undeclared, match=r"Query\.anything declares no permission"):
            assemble([Leads])

    def test_a_field_that_leads_to_any_type(self):
        class Leads:
            anything = Field(Node)

        with pytest.raises(Undeclared, match=r"Query\.anything"):
            assemble([Leads])

    def test_a_root_field_of_two_domains(self):
        with pytest.raises(TypeError, match="same root field: viewer"):
            build(["viewer", "viewer"], "tenant")

    def test_a_model_without_selector(self):
        with pytest.raises(TypeError, match="no selector"):

            class Unit(Object):
                class Meta:
                    permission = MEMBER
                    model = Tenant

    def test_an_ordering_by_a_column_that_may_be_null(self):
        with pytest.raises(TypeError, match="never null; '-parent' is none"):

            class Unit(Object):
                class Meta:
                    permission = MEMBER
                    model = Tenant
                    selector = Tenant.objects.all
                    orderings = {"PARENT": ("-parent",)}

    def test_two_types_of_one_model(self):
        def unit(name):
            meta = {"permission": MEMBER, "model": Tenant, "selector": Tenant.objects.all}
            return type(name, (Object,), {"Meta": type("Meta", (), meta)})

        class Leads:
            these = Connection(unit("This"))
            those = Connection(unit("That"))

        with pytest.raises(TypeError, match="show the same model"):
            assemble([Leads])

    def test_an_extension_over_an_existing_field(self):
        with pytest.raises(TypeError, match=r"Shop\.text of More exists already"):

            @extends(Shop)
            class More:
                text = graphene.String()


class TestAnonymous:
    @pytest.mark.parametrize("field", ["secret { text }", "part { text }", "count"])
    def test_they_are_told_to_log_in(self, field):
        data, errors = ask(f"{{ {field} }}", None)
        name = field.split()[0]
        assert data == {name: None}
        assert errors == [([name], "UNAUTHENTICATED")]

    def test_they_see_what_is_public_and_nothing_behind_it(self):
        data, errors = ask("{ shop { text secrets { text } } }", None)
        assert data == {"shop": {"text": "open", "secrets": None}}
        assert errors == [(["shop", "secrets"], "UNAUTHENTICATED")]


class TestRoles:
    def test_a_permission_is_checked_before_the_resolver_runs(self, street, actor_as):
        Query.ran.clear()
        data, errors = ask("{ secret { text } }", actor_as(street, Role.COMMUNITY_WORKER))
        assert (data, errors) == ({"secret": None}, [(["secret"], "FORBIDDEN")])
        assert Query.ran == []

    def test_it_is_checked_where_the_type_is_reached_by_a_detour(self, street, actor_as):
        worker = actor_as(street, Role.COMMUNITY_WORKER)
        data, errors = ask("{ part { text secret { text } } }", worker)
        assert data == {"part": {"text": "a part", "secret": None}}
        assert errors == [(["part", "secret"], "FORBIDDEN")]

    def test_an_inherited_part_comes_with_its_whole(self, street, actor_as):
        data, errors = ask("{ secret { part { text } } }", actor_as(street, Role.AUDITOR))
        assert (data, errors) == ({"secret": {"part": {"text": "a part"}}}, [])

    def test_a_fields_own_permission_counts(self, street, actor_as):
        assert ask("{ count }", actor_as(street, Role.AUDITOR)) == ({"count": 7}, [])
        assert ask("{ count }", actor_as(street, Role.PARTNER)) == (
            {"count": None},
            [(["count"], "FORBIDDEN")],
        )

    def test_a_role_elsewhere_is_none_here(self, street, other_street, actor_as):
        stranger = actor_as(street, Role.STREET_ADMINISTRATOR, held_at=other_street)
        for field in ("secret { text }", "part { text }", "count"):
            name = field.split()[0]
            assert ask(f"{{ {field} }}", stranger) == (
                {name: None},
                [([name], "FORBIDDEN")],
            )

    def test_the_system_itself_may_everything(self):
        assert ask("{ count }", system_actor(None)) == ({"count": 7}, [])
