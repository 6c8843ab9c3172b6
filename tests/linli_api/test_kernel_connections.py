"""Pages by keyset, and as many statements as the document has relations."""

import re

import graphene
import pytest
from graphql import print_schema

from linli.accounts.policy import Role, system_actor
from linli.registry.models import Division
from linli_api import ids
from linli_api.connections import Connection, Filter
from linli_api.execution import Request, run
from linli_api.fields import ById, Computed, One
from linli_api.guard import MEMBER
from linli_api.inputs import IdOf
from linli_api.schema import assemble
from linli_api.types import Object, extends
from linli_api.viewer.queries import Query as ViewerQuery

ZIBO, ZHANGDIAN = "3703", "370303"


def places(*, actor):
    """Those of Zibo, so that a selector that narrows is what is tried."""
    return Division.objects.filter(code__startswith=ZIBO)


def streets(*, actor):
    return places(actor=actor).filter(level=Division.Level.STREET)


class Place(Object):
    class Meta:
        permission = MEMBER
        model = Division
        selector = places
        orderings = {"CODE": ("code",), "NAME": ("name",), "LEVEL": ("-level", "name")}

    code = graphene.String(required=True)
    name = graphene.String(required=True)
    parent = One(lambda: Place, by="parent_id")
    initial = Computed(
        graphene.String, load=lambda rows, actor: {r.pk: r.name[0] for r in rows if r.level == 9}
    )


@extends(Place)
class PlaceChildren:
    children = Connection(Place, by="parent_id")


class Query:
    place = ById(Place)
    places = Connection(
        Place,
        filters={
            "level": Filter("level", graphene.Int()),
            "parent_id": Filter("parent_id", IdOf("Place", parse=str)),
            "ids": Filter("pk__in", IdOf("Place", many=True, parse=str)),
        },
    )
    streets = Connection(Place, selector=streets)


SCHEMA = assemble([Query, ViewerQuery])
pytestmark = pytest.mark.django_db


def answer(query, actor=None, **variables):
    return run(SCHEMA, Request(query, variables), actor or system_actor(None)).body


def ask(query, actor=None, **variables):
    body = answer(query, actor, **variables)
    assert "errors" not in body, body["errors"]
    return body["data"]


def refusal(query, **variables):
    [error] = answer(query, **variables)["errors"]
    return error["extensions"]


PAGE = """query($first: Int, $after: String, $last: Int, $before: String, $orderBy: PlaceOrder) {
  places(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
    nodes { code } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


def page(**arguments):
    return ask(PAGE, **arguments)["places"]


def codes(connection):
    return [node["code"] for node in connection["nodes"]]


def in_order(*columns):
    return list(places(actor=None).order_by(*columns).values_list("code", flat=True))


ORDERS = {"CODE": ("code",), "NAME": ("name", "code"), "LEVEL": ("-level", "name", "code")}


class TestPages:
    @pytest.mark.parametrize("order", ORDERS)
    def test_walking_forward_meets_every_row_once(self, order):
        found, after = [], None
        while True:
            one = page(first=30, after=after, orderBy=order)
            found += codes(one)
            assert one["pageInfo"]["hasPreviousPage"] == (after is not None)
            if not one["pageInfo"]["hasNextPage"]:
                break
            after = one["pageInfo"]["endCursor"]
        assert found == in_order(*ORDERS[order])

    @pytest.mark.parametrize("order", ORDERS)
    def test_walking_backward_meets_the_same_rows(self, order):
        found, before = [], None
        while True:
            one = page(last=30, before=before, orderBy=order)
            found = codes(one) + found
            assert one["pageInfo"]["hasNextPage"] == (before is not None)
            if not one["pageInfo"]["hasPreviousPage"]:
                break
            before = one["pageInfo"]["startCursor"]
        assert found == in_order(*ORDERS[order])

    def test_a_page_has_20_rows_in_the_first_order_unless_told(self):
        assert codes(page()) == in_order("code")[:20]

    def test_after_and_before_bound_together(self):
        edges = ask("{ places(first: 9) { edges { cursor node { code } } } }")["places"]["edges"]
        between = page(after=edges[2]["cursor"], before=edges[6]["cursor"])
        assert codes(between) == [edge["node"]["code"] for edge in edges[3:6]]

    def test_an_empty_page(self):
        empty = page(first=0)
        assert empty["nodes"] == []
        assert empty["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }

    @pytest.mark.parametrize(
        ("arguments", "code", "field"),
        [
            ({"first": 101}, "LIST_TOO_LONG", "first"),
            ({"first": -1}, "PAGE_INVALID", "first"),
            ({"last": -1}, "PAGE_INVALID", "last"),
            ({"last": 101}, "LIST_TOO_LONG", "last"),
            ({"first": 1, "last": 1}, "PAGE_INVALID", "last"),
            ({"after": "bm9uZQ=="}, "CURSOR_INVALID", "after"),
            ({"before": ""}, "CURSOR_INVALID", "before"),
        ],
    )
    def test_what_makes_no_page_is_refused(self, arguments, code, field):
        assert refusal(PAGE, **arguments) == {"code": code, "field": field}

    def test_a_cursor_of_another_order_is_refused(self):
        cursor = page(first=1, orderBy="NAME")["pageInfo"]["endCursor"]
        assert refusal(PAGE, after=cursor, orderBy="CODE") == {
            "code": "CURSOR_INVALID",
            "field": "after",
        }


class TestFilters:
    def test_they_narrow(self):
        found = ask("{ places(level: 6, first: 100) { nodes { code } totalCount } }")["places"]
        expected = [code for code in in_order("code") if len(code) == 6]
        assert codes(found) == expected
        assert found["totalCount"] == len(expected)

    def test_ids_are_keys(self):
        zhangdian = ids.encode("Place", ZHANGDIAN)
        found = ask(
            "query($p: ID) { places(parentId: $p, first: 1) { nodes { code } } }", p=zhangdian
        )
        assert codes(found["places"]) == ["370303001"]
        found = ask("query($i: [ID!]) { places(ids: $i) { nodes { code } } }", i=[zhangdian])
        assert codes(found["places"]) == [ZHANGDIAN]

    def test_an_id_of_another_type_does_not_exist(self):
        other = ids.encode("Partner", ZHANGDIAN)
        assert refusal(f'{{ places(ids: ["{other}"]) {{ nodes {{ code }} }} }}') == {
            "code": "NOT_FOUND",
            "field": "ids.0",
        }

    def test_a_connection_can_have_a_selector_of_its_own(self):
        assert codes(ask("{ streets(first: 1) { nodes { code } } }")["streets"]) == ["370302001"]


class TestStatements:
    DOCUMENT = """query($first: Int) { places(level: 9, first: $first) { nodes {
        initial
        parent { name children(first: 2) { nodes { code parent { code } } totalCount } }
        again: parent { code }
    } } }"""

    def test_their_number_is_that_of_the_relations(self, django_assert_num_queries):
        ask("{ places { nodes { code } } }")  # the first statement of all sets the search path
        # places, parent, children, their parent, their count; an alias costs nothing more
        for first in (1, 50):
            with django_assert_num_queries(5):
                ask(self.DOCUMENT, first=first)

    def test_each_row_gets_its_own(self):
        for node in ask(self.DOCUMENT, first=100)["places"]["nodes"]:
            district = node["again"]["code"]
            of_district = [c for c in in_order("code") if c.startswith(district) and c != district]
            assert codes(node["parent"]["children"]) == of_district[:2]
            assert node["parent"]["children"]["totalCount"] == len(of_district)
            assert {c["parent"]["code"] for c in node["parent"]["children"]["nodes"]} == {district}

    def test_rows_are_not_counted_unless_asked(self, django_assert_num_queries):
        page()  # the first statement of all sets the search path
        with django_assert_num_queries(1) as statements:
            page()
        assert "COUNT" not in statements.captured_queries[0]["sql"]
        # OFFSET 0 skips nothing: the planner's, so that an answer is made once.
        assert set(re.findall(r"OFFSET \S+", statements.captured_queries[0]["sql"])) <= {
            "OFFSET 0)"
        }

    def test_nested_pages_go_on_after_their_cursor(self):
        query = """query($id: ID!, $after: String, $last: Int) { place(id: $id) {
            children(first: 3, after: $after) { edges { cursor node { code } } pageInfo { hasNextPage } }
            end: children(last: $last) { nodes { code } }
        } }"""
        arguments = {"id": ids.encode("Place", ZHANGDIAN), "last": 2}
        of_district = [c for c in in_order("code") if c.startswith(ZHANGDIAN)][1:]
        first = ask(query, **arguments)["place"]
        assert first["children"]["pageInfo"]["hasNextPage"]
        then = ask(query, **arguments, after=first["children"]["edges"][-1]["cursor"])["place"]
        found = [e["node"]["code"] for p in (first, then) for e in p["children"]["edges"]]
        assert found == of_district[:6]
        assert codes(first["end"]) == of_district[-2:]

    def test_what_the_selector_hides_is_null_also_as_a_relation(self):
        found = ask("{ places(first: 1) { nodes { code parent { code } initial } } }")["places"]
        assert found["nodes"] == [{"code": ZIBO, "parent": None, "initial": None}]


class TestNodes:
    def test_an_id_leads_back_to_its_object(self):
        [node] = ask("{ places(first: 1) { nodes { id } } }")["places"]["nodes"]
        query = "query($id: ID!) { node(id: $id) { id __typename ... on Place { code } } place(id: $id) { code } }"
        assert ask(query, id=node["id"]) == {
            "node": {"id": node["id"], "__typename": "Place", "code": ZIBO},
            "place": {"code": ZIBO},
        }

    @pytest.mark.parametrize(
        "value",
        [
            ids.encode("Place", "110101"),  # there, but hidden by the selector
            ids.encode("Place", "999999"),
            ids.encode("Viewer", ZIBO),
            ids.encode("PlaceConnection", ZIBO),
            "garbage",
        ],
    )
    @pytest.mark.parametrize("field", ["node", "place"])
    def test_what_is_not_there_is_not_found(self, field, value):
        query = f"query($id: ID!) {{ {field}(id: $id) {{ id }} }}"
        assert refusal(query, id=value) == {"code": "NOT_FOUND", "field": "id"}

    def test_a_stranger_is_told_nothing_about_an_id(self, street, other_street, actor_as):
        stranger = actor_as(street, Role.STREET_ADMINISTRATOR, held_at=other_street)
        for value in (ids.encode("Place", ZIBO), ids.encode("Place", "999999"), "garbage"):
            body = answer("query($id: ID!) { node(id: $id) { id } }", stranger, id=value)
            assert body["data"] == {"node": None}
            assert [e["extensions"] for e in body["errors"]] == [{"code": "FORBIDDEN"}]


def test_the_connections_shape():
    assert """type PlaceConnection {
  \"\"\"The rows with their cursors.\"\"\"
  edges: [PlaceEdge!]!

  \"\"\"The rows without their cursors.\"\"\"
  nodes: [Place!]!

  \"\"\"Where this page stands.\"\"\"
  pageInfo: PageInfo!

  \"\"\"Of the whole list; counted when asked.\"\"\"
  totalCount: Int!
}""" in print_schema(SCHEMA.graphql_schema)
