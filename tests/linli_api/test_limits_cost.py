"""What a request costs: each kind of field, list sizes, variables, fragments, directives."""

import pytest
from django.test import Client
from graphql import OperationDefinitionNode, parse, validate

from linli.accounts.policy import Role
from linli_api.limits import cost as costs
from linli_api.limits.cost import LIST_ROWS, compile_cost
from linli_api.pages import DEFAULT, LONGEST
from linli_api.schema import platform_schema, tenant_schema

STREET = "chezhan.linli.localhost"


def compiled(document, schema=tenant_schema, name=None):
    built, parsed = schema.graphql_schema, parse(document)
    assert not validate(built, parsed)
    operations = [one for one in parsed.definitions if isinstance(one, OperationDefinitionNode)]
    [operation] = [one for one in operations if name is None or one.name.value == name]
    return compile_cost(built, parsed, operation)


def price(document, schema=tenant_schema, name=None, **variables):
    return compiled(document, schema, name).price(variables)


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ __typename }", 1),  # nothing is free
        ("{ viewer { name permissions } }", 1),
        ('{ partner(id: "x") { name joinedOn } }', 1),
        ('{ partner(id: "x") { name community { name } } }', 2),
        ("{ partners { nodes { name } } }", 1 + 2),  # and a point for ten rows
        ("{ partners { edges { cursor node { name } } pageInfo { endCursor } } }", 1 + 2),
        ("{ partners { totalCount } }", 2),
        ("{ partners { totalCount nodes { community { name } } } }", 2 + 2 + DEFAULT),
        ("{ partners(first: 3) { nodes { community { name } } } }", 1 + 1 + 3),
        ("{ partners(last: 3) { edges { node { community { name } } } } }", 1 + 1 + 3),
        ("{ partners(first: 10) { nodes { name } } }", 1 + 1),
        ("{ partners(first: 11) { nodes { name } edges { cursor } } }", 1 + 2 + 2),
        ("{ partners(first: 100) { pageInfo { endCursor } } }", 1),
        ("{ partners(first: 0) { nodes { community { name } } } }", 1),
        ("{ partners(first: null) { nodes { community { name } } } }", 1 + 2 + DEFAULT),
        # More than a page may hold is refused as such when it runs.
        ("{ partners(first: 1000) { nodes { community { name } } } }", 1 + 10 + LONGEST),
        (
            "{ partners(first: 3) { nodes { agreements(first: 5) { nodes { id } } } } }",
            1 + 1 + 3 * (1 + 1),
        ),
        (
            "{ partners(first: 3) { nodes { agreements(first: 5) { totalCount"
            " nodes { partner { name } } } } } }",
            1 + 1 + 3 * (1 + 1 + 1 + 5),
        ),
        # Ten thousand rows without a relation; and JSON, which may be large, a point each.
        (
            "{ communities(first: 100) { nodes { partners(first: 100) { nodes { name } } } } }",
            1 + 10 + 100 * (1 + 10),
        ),
        ("{ facts(first: 100) { nodes { key value } } }", 1 + 10 + 100),
        ("{ events(first: 10) { nodes { data body } } }", 1 + 1 + 10 * 2),
        ("{ __schema { types { name fields { name } } } }", 1_000),
        ('{ __type(name: "Partner") { name } }', 50),
    ],
)
def test_fields_cost_what_their_kind_does(document, points):
    assert price(document) == points


def test_another_list_counts_as_long_as_it_declares():
    comparison = '{ comparison(measure: "m", underId: "x") { rows { tenant { name } } } }'
    assert price(comparison, platform_schema) == 1 + LIST_ROWS


def test_mutations_cost_more_and_some_by_the_item():
    document = """mutation($input: OnboardCommunitiesInput!, $codes: [String!]) {
        onboardCommunities(input: $input) { errors { code } }
        listed: onboardCommunities(input: {openedOn: "2024-05-01", codes: ["1", "2"]}) {
            errors { code }
        }
        inside: onboardCommunities(input: {openedOn: "2024-05-01", codes: $codes}) {
            errors { code }
        }
    }"""
    points = price(document, input={"codes": ["1"] * 7}, codes=["1"] * 5)
    assert points == 10 * (7 + 2 + 5)
    assert price(document, input={}) == 10 * (LIST_ROWS + 2 + LIST_ROWS)
    admit = "mutation($i: AdmitPartnerInput!) { admitPartner(input: $i) { errors { code } } }"
    assert price(admit, i={}) == 10


def test_a_mutation_of_many_costs_by_the_item_and_so_does_what_it_answers():
    document = """mutation($i: AdmitPartnersInput!, $of: [AdmitPartnerInput!]!) {
        admitPartners(input: $i) { ...P }
        inside: admitPartners(input: {items: $of}) { errors { code } }
    } fragment P on AdmitPartnersPayload { items { index partner { owedFen } } }"""
    assert price(document, i={"items": [{}] * 7}, of=[{}] * 3) == 7 * (5 + 1 + 1) + 3 * 5


PAGED = """query($n: Int = 7, $m: Int, $with: Boolean = false, $without: Boolean!) {
    partners(first: $n) { nodes {
        community @include(if: $with) { name }
        agreements(first: $m) @skip(if: $without) { nodes { partner { name } } }
    } }
}"""


@pytest.mark.parametrize(
    ("variables", "points"),
    [
        ({"without": True}, 1 + 1),
        ({"without": True, "with": True}, 1 + 1 + 7),
        ({"without": True, "with": True, "n": 3}, 1 + 1 + 3),
        ({"without": True, "with": True, "n": 3.0}, 1 + 1 + 3),  # GraphQL takes it for 3
        ({"without": True, "with": True, "n": None}, 1 + 2 + DEFAULT),
        ({"without": False}, 1 + 1 + 7 * (1 + 2 + DEFAULT)),
        ({"without": False, "m": 2}, 1 + 1 + 7 * (1 + 1 + 2)),
        ({"without": False, "n": 10**30, "m": -5}, 1 + 10 + LONGEST),
    ],
)
def test_variables_count_with_their_values(variables, points):
    assert price(PAGED, **variables) == points


def test_literal_directives_count_too():
    document = "{ partners { nodes { community @%s(if: %s) { name } } } }"
    assert price(document % ("skip", "true")) == 1 + 2
    assert price(document % ("skip", "false")) == 1 + 2 + DEFAULT
    assert price(document % ("include", "true")) == 1 + 2 + DEFAULT
    assert price(document % ("include", "false")) == 1 + 2


def test_a_fragment_counts_wherever_it_is_spread():
    document = """
        query($n: Int) {
            few: partners(first: $n) { ...page }
            many: partners(first: 50) { ...page ... on PartnerConnection { ...page } }
        }
        fragment page on PartnerConnection { nodes { ...partner } }
        fragment partner on Partner { community { name } }
    """
    assert price(document, n=2) == (1 + 1 + 2) + (1 + 2 * 5 + 50 * 2)


def test_of_several_operations_the_one_that_runs_counts():
    document = "query a { viewer { name } } query b { partners { totalCount } }"
    assert (price(document, name="a"), price(document, name="b")) == (1, 2)


def test_what_nodes_may_be_counts_together():
    document = '{ node(id: "x") { id ... on Partner { community { name } } } }'
    assert price(document) == 2


def test_compiling_a_bomb_takes_no_more_steps_than_its_text(monkeypatch):
    """Fragments that double at each level, with a variable at the bottom: nothing can be folded."""
    levels = 40
    fragments = "".join(
        f"fragment f{i} on Partner {{ ...f{i + 1} ...f{i + 1} }}" for i in range(levels)
    )
    document = (
        f"query($x: Boolean!) {{ partner(id: 1) {{ ...f0 }} }} {fragments}"
        f" fragment f{levels} on Partner {{ community @include(if: $x) {{ name }} }}"
    )
    steps = []
    counts = costs.Part.counts
    monkeypatch.setattr(costs.Part, "counts", lambda *a: steps.append(1) or counts(*a))
    bomb = compiled(document)
    assert bomb.price({"x": True}) == 1 + 2**levels
    assert len(steps) < 4 * levels


def test_without_variables_pricing_looks_at_nothing():
    assert compiled("{ partners { nodes { community { name } } } }").whole.fixed == 1 + 2 + DEFAULT
    assert compiled(PAGED).whole.fixed is None


class TestOverHttp:
    @pytest.fixture
    def client(self, street, actor_as):
        client = Client(headers={"host": STREET, "accept-language": "en"})
        client.force_login(actor_as(street, Role.AUDITOR).person)
        return client

    def ask(self, client, query, **variables):
        body = {"query": query, "variables": variables}
        return client.post("/graphql", body, content_type="application/json")

    def test_an_answer_says_what_it_cost(self, client):
        answer = self.ask(client, "{ partners(first: 3) { nodes { community { name } } } }").json()
        told = answer["extensions"]["cost"]
        assert (told["requested"], told["limit"]) == (5, 5000)

    def test_too_high_names_the_costliest_field(self, client):
        nested = """query($n: Int!) { partners(first: $n) { totalCount nodes {
            community { name }
            has: agreements(first: 100) { nodes { declarations(first: 1) { nodes { id } } } }
        } } }"""
        assert self.ask(client, nested, n=10).json()["extensions"]["cost"][
            "requested"
        ] == 2 + 1 + 10 * (1 + 1 + 10 + 100 * (1 + 1))
        response = self.ask(client, nested, n=100)
        assert response.status_code == 400
        [error] = response.json()["errors"]
        assert error["extensions"] == {
            "code": "COST_TOO_HIGH",
            "field": "partners.nodes.agreements.nodes.declarations.nodes",
            "cost": 2 + 10 + 100 * (1 + 1 + 10 + 100 * (1 + 1)),
            "limit": 5000,
        }
        assert "21212" in error["message"]
        assert "10000" in error["message"]
