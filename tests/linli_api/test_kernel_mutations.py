"""A mutation answers with its payload; what is refused leaves everything as it was."""

import logging

import graphene
import pytest
from django.db import IntegrityError
from django.utils.translation import override
from graphql import print_schema

from linli.accounts.policy import Permission, Role, system_actor
from linli.errors import NotFound, Refused
from linli.registry.models import Division, Tenant
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.guard import MEMBER
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.schema import assemble
from linli_api.types import Object
from linli_api.viewer.queries import Query

pytestmark = pytest.mark.django_db


def places(*, actor):
    return Division.objects.all()


class Place(Object):
    class Meta:
        permission = Permission.AUDIT_READ
        model = Division
        selector = places
        orderings = {"CODE": ("code",)}

    name = graphene.String(required=True)


class RenamePlace(Mutation):
    """Gives a place another name."""

    class Meta:
        permission = Permission.COMMUNITIES_ONBOARD

    class Input:
        place_id = IdOf("Place", parse=str, required=True)
        name = graphene.String(required=True)
        then = graphene.String(description="What goes wrong afterwards.")

    place = graphene.Field(Place)

    @classmethod
    def act(cls, *, actor, place_id, name, then=None):
        place = Division.objects.filter(pk=place_id).first()
        if place is None:
            raise NotFound("place", field="placeId")
        place.name = name
        place.save()
        if then == "refuse":
            first = Refused("NAME_TAKEN", "The name is taken.", field="name")
            second = Refused("NAME_UGLY", "The name is ugly.", field="name")
            raise Refused("SEVERAL", "Several faults.", causes=[first, second])
        if then == "constraint":
            Tenant.objects.filter(slug="zibo").update(parent=Tenant.objects.get(slug="datong"))
        if then == "unnamed constraint":
            Division.objects.filter(pk=place_id).update(level=-1)
        if then == "fault":
            raise RuntimeError("SELECT secret FROM /etc/passwd")
        return {"place": place}


class Ping(Mutation):
    """Takes nothing and does nothing."""

    class Meta:
        permission = MEMBER

    @classmethod
    def act(cls, *, actor):
        return {}


SCHEMA = assemble([Query], [RenamePlace, Ping])
RENAME = """mutation($input: RenamePlaceInput!) {
  renamePlace(input: $input) { place { name } errors { code field message } }
}"""
ZIBO = ids.encode("Place", "3703")


def send(actor, **values):
    with override("en"):
        return run(SCHEMA, Request(RENAME, {"input": values}), actor).body


def rename(actor, **values):
    body = send(actor, **values)
    assert "errors" not in body, body["errors"]
    return body["data"]["renamePlace"]


def faults(payload):
    assert payload["place"] is None
    assert Division.objects.get(pk="3703").name == "淄博市"
    return [(error["code"], error["field"]) for error in payload["errors"]]


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def test_it_is_done_and_shown(administrator):
    assert rename(administrator, placeId=ZIBO, name="齐都") == {
        "place": {"name": "齐都"},
        "errors": [],
    }
    assert Division.objects.get(pk="3703").name == "齐都"


def test_what_may_be_written_but_not_read_is_written_and_not_shown(street, actor_as):
    body = send(actor_as(street, Role.INTEGRATOR), placeId=ZIBO, name="齐都")
    assert body["data"] == {"renamePlace": {"place": None, "errors": []}}
    assert [e["extensions"]["code"] for e in body["errors"]] == ["FORBIDDEN"]
    assert Division.objects.get(pk="3703").name == "齐都"


class TestRefusals:
    def test_several_faults_are_named_one_by_one_and_nothing_is_changed(self, administrator):
        payload = rename(administrator, placeId=ZIBO, name="齐都", then="refuse")
        assert faults(payload) == [("NAME_TAKEN", "name"), ("NAME_UGLY", "name")]
        assert payload["errors"][0]["message"] == "The name is taken."

    def test_a_named_constraint_speaks_for_itself(self, administrator):
        payload = rename(administrator, placeId=ZIBO, name="齐都", then="constraint")
        assert faults(payload) == [("TENANT_CITY_HAS_NO_PARENT", None)]
        assert payload["errors"][0]["message"] == "A city stands at the top: it has no parent."

    @pytest.mark.parametrize(
        "value", [ids.encode("Place", "0"), ids.encode("Partner", "3703"), "?"]
    )
    def test_an_id_of_nothing(self, administrator, value):
        payload = rename(administrator, placeId=value, name="齐都")
        assert faults(payload) == [("NOT_FOUND", "placeId")]

    def test_text_that_no_database_holds(self, administrator):
        assert faults(rename(administrator, placeId=ZIBO, name="\0")) == [("TEXT_INVALID", "name")]

    def test_the_wrong_role(self, street, actor_as):
        auditor = actor_as(street, Role.AUDITOR)
        assert faults(rename(auditor, placeId=ZIBO, name="齐都")) == [("FORBIDDEN", None)]

    def test_nobody(self):
        assert faults(rename(None, placeId=ZIBO, name="齐都")) == [("UNAUTHENTICATED", None)]

    def test_a_suspended_unit_is_read_only_and_tells_only_its_own(
        self, street, other_street, actor_as
    ):
        street.status = Tenant.Status.SUSPENDED
        street.save()
        own = actor_as(street, Role.STREET_ADMINISTRATOR)
        stranger = actor_as(street, Role.STREET_ADMINISTRATOR, held_at=other_street)
        assert faults(rename(own, placeId=ZIBO, name="齐都")) == [("TENANT_SUSPENDED", None)]
        assert faults(rename(stranger, placeId=ZIBO, name="齐都")) == [("FORBIDDEN", None)]
        assert run(SCHEMA, Request("{ viewer { permissions } }"), own).body["data"]["viewer"]


class TestFaultsOfOurs:
    @pytest.mark.parametrize("then", ["fault", "unnamed constraint"])
    def test_the_answer_holds_a_reference_and_the_log_the_rest(self, administrator, then, caplog):
        with caplog.at_level(logging.ERROR, logger="linli_api.errors"):
            body = send(administrator, placeId=ZIBO, name="齐都", then=then)
        [error] = body["errors"]
        reference = error["extensions"].pop("reference")
        assert error["extensions"] == {"code": "INTERNAL"}
        assert error["path"] == ["renamePlace"]
        for secret in ("SELECT", "passwd", "check", "level", "Traceback"):
            assert secret not in str(body)
        [record] = caplog.records
        assert reference in record.getMessage()
        assert isinstance(record.exc_info[1], RuntimeError | IntegrityError)
        assert Division.objects.get(pk="3703").name == "淄博市"


def test_wrong_variables_are_the_clients_fault(administrator):
    body = send(administrator, placeId=ZIBO, nmae="齐都")
    assert {e["extensions"]["code"] for e in body["errors"]} == {"REQUEST_INVALID"}
    assert "data" not in body


def test_a_mutation_without_input():
    body = run(SCHEMA, Request("mutation { ping { errors { code } } }"), system_actor(None)).body
    assert body["data"] == {"ping": {"errors": []}}


def test_a_mutations_shape():
    sdl = print_schema(SCHEMA.graphql_schema)
    assert (
        """  \"\"\"Gives a place another name.\"\"\"
  renamePlace(
    \"\"\"What is to be done.\"\"\"
    input: RenamePlaceInput!
  ): RenamePlacePayload!"""
        in sdl
    )
    assert "ping: PingPayload!" in sdl
    assert (
        """  \"\"\"
  Why it was refused, and nothing changed; empty: it is done. At most 100.
  \"\"\"
  errors: [Error!]!
  place: Place
}"""
        in sdl
    )
