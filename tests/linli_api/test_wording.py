"""What is wrong with a request is said in the caller's language, and no value is said back."""

import re

import pytest
from django.test import Client
from django.utils.translation import override
from graphql import GraphQLError, specified_rules

from linli.accounts.policy import Role
from linli_api.documents import RULES
from linli_api.errors import answers
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from linli_api.wording import worded

pytestmark = pytest.mark.django_db

SECRET = "hunter2"
HAN = re.compile(r"[\u4e00-\u9fff]")
ADMIT = "mutation($i: AdmitPartnerInput!) { admitPartner(input: $i) { errors { code } } }"
FACT = "mutation($i: StateFactInput!) { stateFact(input: $i) { errors { code } } }"
PAGE = "query($n: Int) { partners(first: $n) { nodes { name } } }"

# Each rule of graphql-core, broken: the document and what is said of it.
BROKEN = [
    ("ExecutableDefinitions", "{ __typename } type A { b: Int }", "operations and fragments only"),
    (
        "UniqueOperationNames",
        "query a { __typename } query a { __typename }",
        "a stands here twice.",
    ),
    (
        "LoneAnonymousOperation",
        "{ __typename } query a { __typename }",
        "Of several operations each needs a name.",
    ),
    ("KnownTypeNames", "query($a: Nothing) { __typename }", "There is no type Nothing."),
    (
        "FragmentsOnCompositeTypes",
        "{ ...f } fragment f on Int { __typename }",
        "Int has no fields.",
    ),
    (
        "VariablesAreInputTypes",
        "query($a: Partner) { node(id: $a) { id } }",
        "$a cannot be of type Partner.",
    ),
    (
        "ScalarLeafs",
        "{ viewer }",
        "Say which fields of viewer you want: Viewer is an object.",
    ),
    (
        "ScalarLeafs",
        "{ viewer { name { x } } }",
        "name has no fields to choose from: String! is a plain value.",
    ),
    ("FieldsOnCorrectType", "{ nobody }", "Query has no field nobody."),
    (
        "UniqueFragmentNames",
        "{ ...f } fragment f on Query { __typename } fragment f on Query { __typename }",
        "f stands here twice.",
    ),
    ("KnownFragmentNames", "{ ...f }", "The document defines no fragment f."),
    (
        "NoUnusedFragments",
        "{ __typename } fragment f on Query { __typename }",
        "The fragment f is used nowhere. Leave it out.",
    ),
    (
        "PossibleFragmentSpreads",
        "{ viewer { ... on Partner { name } } }",
        "Nothing here is both Viewer and Partner. Leave the fragment out.",
    ),
    (
        "NoFragmentCycles",
        "{ ...f } fragment f on Query { ...f }",
        "The fragment f contains itself.",
    ),
    (
        "UniqueVariableNames",
        "query($a: ID!, $a: ID!) { node(id: $a) { id } }",
        "$a stands here twice.",
    ),
    (
        "NoUndefinedVariables",
        "{ node(id: $a) { id } }",
        "The operation declares no variable $a.",
    ),
    (
        "NoUnusedVariables",
        "query($a: ID) { __typename }",
        "The variable $a is used nowhere. Leave it out.",
    ),
    ("KnownDirectives", "{ __typename @never }", "There is no directive @never."),
    (
        "KnownDirectives",
        "query @skip(if: true) { __typename }",
        "The directive @skip has no place here.",
    ),
    (
        "UniqueDirectivesPerLocation",
        "{ __typename @skip(if: true) @skip(if: true) }",
        "The directive @skip stands here twice.",
    ),
    (
        "KnownArgumentNames",
        f'{{ viewer(name: "{SECRET}") {{ name }} }}',
        "Query.viewer takes no argument name.",
    ),
    (
        "KnownArgumentNames",
        "{ __typename @skip(if: true, unless: false) }",
        "@skip takes no argument unless.",
    ),
    (
        "UniqueArgumentNames",
        '{ node(id: "a", id: "b") { id } }',
        "id stands here twice.",
    ),
    (
        "ValuesOfCorrectType",
        f'{{ partners(first: "{SECRET}") {{ totalCount }} }}',
        "This is not Int (a whole number of at most 2147483647 either way).",
    ),
    (
        "ValuesOfCorrectType",
        f'{{ declarations(since: "{SECRET}") {{ totalCount }} }}',
        'This is not Date (a day, like "2026-11-24").',
    ),
    (
        "ValuesOfCorrectType",
        "{ partners(orderBy: SIDEWAYS) { totalCount } }",
        "This is not PartnerOrder (NAME | NEWEST | OLDEST).",
    ),
    (
        "ValuesOfCorrectType",
        f'mutation {{ stateFact(input: {{key: "{SECRET}", source: "a"}}) {{ errors {{ code }} }} }}',
        "StateFactInput.value is missing: give Document!.",
    ),
    (
        "ValuesOfCorrectType",
        f'mutation {{ revokeClient(input: {{clientId: "a", pass: "{SECRET}"}})'
        " { errors { code } } }",
        "There is no field pass here.",
    ),
    (
        "ValuesOfCorrectType",
        "{ node(id: null) { id } }",
        "This is not ID! (an id as it was read).",
    ),
    (
        "ProvidedRequiredArguments",
        "{ node { id } }",
        "node needs its argument id, of type ID!.",
    ),
    (
        "ProvidedRequiredArguments",
        "{ __typename @skip }",
        "@skip needs its argument if, of type Boolean!.",
    ),
    (
        "VariablesInAllowedPosition",
        "query($a: Int) { node(id: $a) { id } }",
        "$a is of type Int, and ID! is expected where it is used.",
    ),
    (
        "OverlappingFieldsCanBeMerged",
        f'{{ a: node(id: "{SECRET}") {{ id }} a: node(id: "b") {{ id }} }}',
        "Two fields answer as a. Give one of them another alias.",
    ),
    (
        "UniqueInputFieldNames",
        'mutation { revokeClient(input: {clientId: "a", clientId: "b"}) { errors { code } } }',
        "clientId stands here twice. Keep one.",
    ),
    (
        "MaxIntrospectionDepth",
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "What is asked of the schema nests too deep.",
    ),
]
# There are no subscriptions; see below.
NOT_BROKEN = {"SingleFieldSubscriptions"}


@pytest.fixture
def administrator(house, settings):
    settings.LINLI_INTROSPECTION_OPEN = False
    return house.administrator


def faults(actor, query, operation_name=None, **variables):
    body = run(tenant_schema, Request(query, variables, operation_name), actor).body
    assert "data" not in body
    return [(error["extensions"]["code"], error["message"]) for error in body["errors"]]


def said(actor, query, operation_name=None, **variables):
    found = faults(actor, query, operation_name, **variables)
    assert {code for code, _message in found} == {"REQUEST_INVALID"}
    return [message.partition(" Did you mean")[0] for _code, message in found]


@pytest.mark.parametrize(("rule", "query", "message"), BROKEN)
def test_each_rule_has_its_words(administrator, rule, query, message):
    with override("en"):
        found = said(administrator, query)
    assert any(message in one for one in found), found
    assert SECRET not in str(found)
    with override("zh-hans"):
        assert all(HAN.search(one) for one in said(administrator, query))
    told = run(tenant_schema, Request(query), administrator).body["errors"]
    assert all(error["locations"] for error in told)


def test_no_rule_is_left_out():
    named = {rule for rule, _query, _message in BROKEN} | NOT_BROKEN
    assert named == {rule.__name__.removesuffix("Rule") for rule in specified_rules}
    assert len(RULES) == len(specified_rules)


def test_there_are_no_subscriptions(administrator):
    with override("en"):
        [message] = said(administrator, "subscription { partners { totalCount } }")
    assert message.startswith("Queries and mutations are run, and nothing else.")


VARIABLES = [
    (ADMIT, {}, ["$i is missing: give AdmitPartnerInput! (an object)."]),
    (ADMIT, {"i": None}, ["$i is missing: give AdmitPartnerInput! (an object)."]),
    (ADMIT, {"i": SECRET}, ["$i is not AdmitPartnerInput! (an object)."]),
    (PAGE, {"n": SECRET}, ["$n is not Int (a whole number of at most 2147483647 either way)."]),
    (
        FACT,
        {"i": {"key": {SECRET: 1}, "source": None, SECRET[:3]: 1}},
        [
            "$i.key is not String! (a text).",
            "$i.source may not be null: give String! (a text).",
            "$i.value is missing: give Document! (any JSON whose numbers are finite).",
            "$i has a field hun that StateFactInput does not have.",
        ],
    ),
    (
        "query($o: PartnerOrder) { partners(orderBy: $o) { totalCount } }",
        {"o": SECRET},
        ["$o is not PartnerOrder (NAME | NEWEST | OLDEST)."],
    ),
    (
        "mutation($i: StateFactsInput!) { stateFacts(input: $i) { errors { code } } }",
        {"i": {"items": [{"key": 5, "value": 1, "source": "a"}]}},
        ["$i.items.0.key is not String! (a text)."],
    ),
    (
        "mutation($i: StateFactsInput!) { stateFacts(input: $i) { errors { code } } }",
        {"i": {"items": {"key": 5, "value": 1, "source": "a"}}},
        ["$i.items.key is not String! (a text)."],
    ),
]


@pytest.mark.parametrize(("query", "variables", "messages"), VARIABLES)
def test_variables_are_told_by_their_place_and_type(administrator, query, variables, messages):
    with override("en"):
        found = said(administrator, query, **variables)
    assert sorted(found) == sorted(messages)
    assert SECRET not in str(found)
    with override("zh-hans"):
        assert all(HAN.search(one) for one in said(administrator, query, **variables))


@pytest.mark.parametrize(
    ("query", "variables", "places"),
    [
        (FACT, {"i": {"key": {}, "source": "a"}}, {"i.key", "i.value"}),
        (FACT.replace("$i", "$input"), {"input": {"key": {}, "no": 1}}, {"key", "source", "value", "no"}),
        (PAGE, {"n": "x"}, {"n"}),
        ('{ node(id: null) { id } }', {}, {"id"}),
        ('mutation { stateFact(input: {key: 5, no: 1, value: 1e999}) { errors { code } } }', {},
         {"key", "no", "value", "input"}),  # the last: where source is missing
        ('mutation { stateFact(input: {key: "a", source: "a", value: {a: [{b: 1, b: 2}]}})'
         " { errors { code } } }", {}, {"value.a.0.b"}),
        ('mutation { stateFact(input: {key: "a", source: "a", value: {a: [1, {b: -1e999}]}})'
         " { errors { code } } }", {}, {"value.a.1.b"}),
        # Two faults: what stands there at last has not what stood there before.
        ('mutation { writeVersion(input: {key: "a", title: "a", document: {a: [1, {b: 1, b: 2}], a: []}})'
         " { errors { code } } }", {}, {"document.a[1].b", "document.a"}),
        ('mutation { writeVersion(input: {key: "a", title: "a", document: {a: {b: 1, b: 2}, a: []}})'
         " { errors { code } } }", {}, {"document.a.b", "document.a"}),
    ],
)  # fmt: skip
def test_a_fault_of_an_input_names_its_place(administrator, query, variables, places):
    errors = run(tenant_schema, Request(query, variables), administrator).body["errors"]
    assert {error["extensions"].get("field") for error in errors} == places


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("query a { __typename } query b { __typename }", None, "Name the operation"),
        ("query a { __typename }", SECRET, "no operation of that operationName"),
        ("fragment f on Query { __typename }", None, "used nowhere"),
        ("query($a: Int!) { partners(first: $a) { totalCount } }", None, "$a is missing"),
    ],
)
def test_which_operation_is_meant(administrator, query, name, message):
    with override("en"):
        [found] = said(administrator, query, name)
    assert message in found


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ viewer { name }", "the end of the document at line 1, column 18"),
        ("", "the end of the document at line 1, column 1"),
        ("{ viewer {\n  name } } }", "the sign } at line 2, column 12"),
        ("{ viewer: }", "the sign } at line 1, column 11"),
        ("querry { a }", "the name querry at line 1, column 1"),
        (f'{{ node(id "{SECRET}") {{ id }} }}', "a text at line 1, column 11"),
        (f'{{ node(id: "{SECRET}', "the end of the document"),
        ("{ a(b: 007) }", "a number at line 1, column 9"),
        (f'{{ node(id: "\\u{SECRET}") {{ id }} }}', "the sign \\"),
        ("{" + " a" * 10_001 + "}", "more tokens or comments"),
    ],
)
def test_what_is_no_graphql_is_told_where(administrator, query, message):
    with override("en"):
        [(code, found)] = faults(administrator, query)
    assert code == "SYNTAX_ERROR"
    assert message in found
    assert SECRET not in found
    with override("zh-hans"):
        assert HAN.search(faults(administrator, query)[0][1])


def test_a_fault_found_while_it_runs_is_told_without_its_value(administrator):
    """A default makes the variable fit where null does not."""
    late = f'query($i: ID = "{SECRET}") {{ node(id: $i) {{ id }} }}'
    with override("en"):
        body = run(tenant_schema, Request(late, {"i": None}), administrator).body
    [error] = body["errors"]
    assert error["message"] == "The argument id is missing: give ID!."
    assert (error["path"], error["extensions"]["code"]) == (["node"], "REQUEST_INVALID")


class TestSuggestions:
    """They tell the schema, so only who may ask for it gets them; the document may be the same."""

    QUERY = "{ partnerz { nodes { name } } }"
    VARIABLE = {"i": {"nmae": "x", "kind": "a", "communityId": "x", "joinedOn": "2024-01-01"}}

    def told(self, actor, query=QUERY, variables=None):
        body = run(tenant_schema, Request(query, variables or {}), actor).body
        return [error["message"] for error in body["errors"]]

    @pytest.fixture(autouse=True)
    def production(self, settings):
        settings.LINLI_INTROSPECTION_OPEN = False

    def test_who_may_introspect_is_helped(self, house):
        with override("en"):
            [message] = self.told(house.administrator)
            assert message.startswith("Query has no field partnerz. Did you mean partner")
            told = self.told(house.administrator, ADMIT, self.VARIABLE)
            assert any("has a field nmae" in one and "Did you mean name" in one for one in told)

    @pytest.mark.parametrize("first", [True, False])
    def test_who_may_not_is_not_whoever_asked_before(self, house, first):
        if first:
            self.told(house.administrator)
        for nobody in (house.partner, house.secretary, None):
            for query, variables in [
                (self.QUERY, {}),
                (ADMIT, self.VARIABLE),
                ("{ viewer { permissionz } }", {}),
                ("{ partners(frist: 1) { totalCount } }", {}),
                ("{ partners(orderBy: NAM) { totalCount } }", {}),
                ("query($a: Partnerz) { __typename }", {}),
                ('mutation { revokeClient(input: {client: "a"}) { errors { code } } }', {}),
            ]:
                told = self.told(nobody, query, variables)
                assert told
                assert not [one for one in told if "Did you mean" in one]

    def test_a_document_that_is_to_be_trusted_is_no_way_around(self, house):
        query = """mutation($i: TrustDocumentInput!) {
            trustDocument(input: $i) { errors { code message } } }"""
        answer = run(
            tenant_schema, Request(query, {"i": {"text": self.QUERY}}), house.administrator
        )
        [error] = answer.body["data"]["trustDocument"]["errors"]
        assert error["code"] == "DOCUMENT_NOT_VALID"
        assert "partnerz" in error["message"]
        assert "Did you mean" not in error["message"]


def test_over_http_in_the_language_asked_for(house, actor_as):
    person = actor_as(house.street, Role.STREET_ADMINISTRATOR).person
    told = {}
    for language in ("en", "zh-hans"):
        client = Client(headers={"host": "chezhan.linli.localhost", "accept-language": language})
        client.force_login(person)
        body = {"query": ADMIT, "variables": {"i": {"secretpassword": SECRET}}}
        response = client.post("/graphql", body, content_type="application/json")
        assert response.status_code == 400
        assert SECRET not in response.content.decode()
        told[language] = [error["message"] for error in response.json()["errors"]]
    assert not HAN.search(str(told["en"]))
    assert all(HAN.search(message) for message in told["zh-hans"])


def test_what_graphql_core_says_in_other_words_gets_a_general_sentence():
    with override("en"):
        [entry] = answers([worded(GraphQLError(f"Something new: '{SECRET}'."))])
    assert entry["message"] == "The request does not fit the schema at the place that is named."
