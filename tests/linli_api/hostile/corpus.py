"""Requests that nobody means well with, made by code: each a name and the body that is sent.

What is hostile is the form: no request here knows anything of the data.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator

Made = Callable[[], bytes]
CORPUS: dict[str, Made] = {}

LEAF = "viewer { name }"
PARTNER = 'partner(id: "x") { name }'


def _hostile(made: Made) -> Made:
    CORPUS[made.__name__] = made
    return made


def _document(query: str, **more: object) -> bytes:
    return json.dumps({"query": query, **more}).encode()


def _spread(names: range, on: str = "Viewer", body: str = "name") -> str:
    return " ".join(f"fragment f{i} on {on} {{ {body} }}" for i in names)


# ── Many of everything ───────────────────────────────────────────────────────────────────────────


@_hostile
def ten_thousand_aliases_at_the_root() -> bytes:
    return _document("{" + " ".join(f"a{i}: {LEAF}" for i in range(10_000)) + "}")


@_hostile
def ten_thousand_aliases_inside() -> bytes:
    return _document("{ viewer {" + " ".join(f"a{i}: name" for i in range(10_000)) + "} }")


@_hostile
def aliases_below_the_limit_of_tokens() -> bytes:
    return _document("{ viewer {" + " ".join(f"a{i}: name" for i in range(2_500)) + "} }")


@_hostile
def one_field_over_and_over() -> bytes:
    return _document("{ viewer {" + " name" * 5_000 + "} }")


@_hostile
def one_object_over_and_over() -> bytes:
    return _document("{ partners { nodes {" + " community { name }" * 1_500 + "} } }")


@_hostile
def repeated_at_every_level() -> bytes:
    inner = "name" + " name" * 9
    for field in ("nodes", "partners", "nodes"):
        inner = " ".join([f"{field} {{ {inner} }}"] * 10)
    return _document("{ communities {" + inner + "} }")


@_hostile
def inline_fragments_side_by_side() -> bytes:
    return _document("{ viewer {" + " ... on Viewer { name }" * 1_500 + "} }")


@_hostile
def inline_fragments_within_each_other() -> bytes:
    return _document("{ viewer {" + "... on Viewer {" * 1_000 + "name" + "}" * 1_002)


@_hostile
def a_flood_of_directives() -> bytes:
    return _document("{ viewer { name " + "@include(if: true) " * 1_200 + "} }")


@_hostile
def a_flood_of_unknown_directives() -> bytes:
    return _document("{ viewer { name " + "".join(f"@d{i} " for i in range(4_000)) + "} }")


@_hostile
def directives_on_the_operation() -> bytes:
    return _document("query " + "@skip(if: true) " * 1_200 + "{ viewer { name } }")


@_hostile
def directives_on_variables() -> bytes:
    return _document("query($a: Int " + "@include(if: true) " * 1_200 + ") { viewer { name } }")


@_hostile
def directives_on_a_fragment() -> bytes:
    flood = "@skip(if: false) " * 1_200
    return _document("{ viewer { ...f } } fragment f on Viewer " + flood + "{ name }")


@_hostile
def directives_on_a_spread() -> bytes:
    flood = "@skip(if: false) " * 1_200
    return _document("{ viewer { ...f " + flood + "} } fragment f on Viewer { name }")


@_hostile
def directives_on_an_inline_fragment() -> bytes:
    return _document("{ viewer { ... " + "@skip(if: false) " * 1_200 + "{ name } } }")


@_hostile
def directives_a_few_at_each_place() -> bytes:
    spreads = "...f @skip(if: false) " * 9
    nest = " ".join(f"fragment f{i} on Viewer @d @d {{ {spreads} }}" for i in range(40))
    for i in range(40):
        nest = nest.replace("...f ", f"...f{i + 1} ", 9)
    return _document("{ viewer { ...f0 } } " + nest + " fragment f40 on Viewer @d { name }")


@_hostile
def unknown_fields() -> bytes:
    return _document("{ viewer {" + " ".join(f"nmae{i}" for i in range(4_000)) + "} }")


@_hostile
def unknown_arguments() -> bytes:
    return _document(
        "{ partners(" + " ".join(f"frist{i}: 1" for i in range(3_000)) + ") { totalCount } }"
    )


@_hostile
def one_argument_over_and_over() -> bytes:
    return _document("{ partners(" + "first: 1 " * 3_000 + ") { totalCount } }")


@_hostile
def conflicting_aliases() -> bytes:
    return _document(
        "{ viewer {" + " ".join("a: name a: permissions" for _ in range(1_200)) + "} }"
    )


@_hostile
def a_thousand_operations() -> bytes:
    return _document(" ".join(f"query q{i} {{ {LEAF} }}" for i in range(1_200)), operationName="q7")


@_hostile
def operations_of_one_name() -> bytes:
    return _document(f"query q {{ {LEAF} }} query q {{ {LEAF} }}", operationName="q")


@_hostile
def unused_variables() -> bytes:
    variables = " ".join(f"$v{i}: Int" for i in range(2_400))
    return _document(f"query({variables}) {{ {LEAF} }}")


@_hostile
def comments() -> bytes:
    return _document("#\n" * 200_000 + f"{{ {LEAF} }}")


@_hostile
def commas() -> bytes:
    return _document("{" + "," * 900_000 + LEAF + "}")


@_hostile
def a_costly_page_of_pages() -> bytes:
    inner = "id"
    for field in ("declarations", "agreements", "partners", "communities"):
        inner = f"{field}(first: 100) {{ nodes {{ {inner} }} }}"
    return _document(f"{{ {inner} }}")


@_hostile
def introspection_in_circles() -> bytes:
    inner = "name"
    for _ in range(6):
        inner = f"fields {{ type {{ {inner} }} }}"
    return _document(f"{{ __schema {{ types {{ {inner} }} }} }}")


@_hostile
def introspection_twenty_times() -> bytes:
    whole = "__schema { types { name fields { name args { name } type { name } } } }"
    return _document("{" + " ".join(f"a{i}: {whole}" for i in range(20)) + "}")


@_hostile
def introspection_under_fragments() -> bytes:
    fields = " ".join(f'a{i}: __type(name: "Viewer") {{ name }}' for i in range(2))
    parts = " ".join(f"fragment f{i} on Query {{ {fields} }}" for i in range(9))
    return _document("{ viewer { name } " + " ".join(f"...f{i}" for i in range(9)) + " } " + parts)


# ── Deep ─────────────────────────────────────────────────────────────────────────────────────────


@_hostile
def a_thousand_levels() -> bytes:
    return _document("{" + "partner { community {" * 500 + "name" + "} }" * 500 + "}")


@_hostile
def four_thousand_braces() -> bytes:
    return _document("{ a " * 4_000)


@_hostile
def a_deep_list() -> bytes:
    return _document("{ partner(id: " + "[" * 4_000 + "]" * 4_000 + ") { name } }")


@_hostile
def a_deep_object() -> bytes:
    return _document("{ partner(id: " + "{a: " * 1_500 + "1" + "}" * 1_500 + ") { name } }")


@_hostile
def a_deep_type() -> bytes:
    return _document("query($a: " + "[" * 4_000 + "Int" + "]" * 4_000 + ") { viewer { name } }")


@_hostile
def two_hundred_and_fifty_levels() -> bytes:
    return _document("{" + "viewer {" * 250 + "name" + "}" * 251)


@_hostile
def two_hundred_and_fifty_inline_fragments() -> bytes:
    return _document("{" + "... on Query {" * 250 + LEAF + "}" * 251)


@_hostile
def lists_and_objects_in_turn() -> bytes:
    return _document("{ partner(id: " + "[{a: " * 200 + "1" + "}]" * 200 + ") { name } }")


@_hostile
def a_deep_default() -> bytes:
    return _document("query($a: ID = " + "[" * 300 + "]" * 300 + ") { partner(id: $a) { name } }")


@_hostile
def a_deep_argument_of_a_directive() -> bytes:
    return _document("query @skip(if: " + "[" * 300 + "]" * 300 + ") { viewer { name } }")


@_hostile
def brackets_without_their_end() -> bytes:
    return _document("{([" * 300_000)


@_hostile
def block_strings_without_their_end() -> bytes:
    return _document('{ a(b: """' + r'\"""' * 100_000)


@_hostile
def deep_only_in_a_text() -> bytes:
    return _document('{ partner(id: "' + "{" * 10_000 + '") { name } } # ' + "[" * 100_000)


@_hostile
def a_list_of_near_misses() -> bytes:
    query = "query($t: [EventType!]) { events(types: $t) { nodes { id } } }"
    return _document(query, variables={"t": ["PARTNER_ADMITTEDD"] * 9_900})


@_hostile
def an_input_of_fields_that_it_has_not() -> bytes:
    query = "mutation($i: UpdatePartnerInput!) { updatePartner(input: $i) { errors { code } } }"
    return _document(query, variables={"i": {f"expectedVersio{n}": 1 for n in range(9_900)}})


@_hostile
def deep_variables() -> bytes:
    deep = '{"a":' * 900 + "1" + "}" * 900
    return b'{"query": "{ viewer { name } }", "variables": ' + deep.encode() + b"}"


@_hostile
def deeper_json_than_python_recurses() -> bytes:
    return (
        b'{"query": "{ viewer { name } }", "variables": {"a": '
        + b"[" * 200_000
        + b"]" * 200_000
        + b"}}"
    )


@_hostile
def a_deep_document_value() -> bytes:
    deep: object = "x"
    for _ in range(400):
        deep = {"a": [deep]}
    query = "mutation($i: StateFactInput!) { stateFact(input: $i) { errors { code } } }"
    return _document(query, variables={"i": {"key": "k", "value": deep, "source": "s"}})


# ── Fragments ────────────────────────────────────────────────────────────────────────────────────


@_hostile
def a_fragment_of_itself() -> bytes:
    return _document("{ viewer { ...f } } fragment f on Viewer { name ...f }")


@_hostile
def a_long_ring_of_fragments() -> bytes:
    ring = " ".join(f"fragment f{i} on Viewer {{ ...f{(i + 1) % 1_000} }}" for i in range(1_000))
    return _document("{ viewer { ...f0 } } " + ring)


@_hostile
def a_long_chain_of_fragments() -> bytes:
    chain = " ".join(f"fragment f{i} on Viewer {{ name ...f{i + 1} }}" for i in range(1_000))
    return _document("{ viewer { ...f0 } } " + chain + " fragment f1000 on Viewer { name }")


@_hostile
def a_bomb_of_fragments() -> bytes:
    bomb = " ".join(f"fragment f{i} on Viewer {{ ...f{i + 1} ...f{i + 1} }}" for i in range(60))
    return _document("{ viewer { ...f0 } } " + bomb + " fragment f60 on Viewer { name }")


@_hostile
def a_bomb_that_is_spread_nowhere() -> bytes:
    bomb = " ".join(f"fragment f{i} on Viewer {{ ...f{i + 1} ...f{i + 1} }}" for i in range(60))
    return _document("{ viewer { name } } " + bomb + " fragment f60 on Viewer { name }")


@_hostile
def every_fragment_beside_every_other() -> bytes:
    spreads = " ".join(f"...f{i}" for i in range(400))
    return _document(f"{{ viewer {{ {spreads} }} }} " + _spread(range(400)))


@_hostile
def fragments_at_the_limit() -> bytes:
    spreads = " ".join(f"...f{i}" for i in range(100))
    return _document(f"{{ viewer {{ {spreads} }} }} " + _spread(range(100)))


@_hostile
def fragments_of_one_name() -> bytes:
    return _document(
        "{ viewer { ...f } } " + " ".join([_spread(range(1))] * 500).replace("f0", "f")
    )


@_hostile
def a_large_fragment_that_is_spread_nowhere() -> bytes:
    return _document("{ viewer { name } } fragment f on Viewer {" + " name" * 5_000 + "}")


# ── Long ─────────────────────────────────────────────────────────────────────────────────────────


@_hostile
def ten_megabytes_of_text() -> bytes:
    return _document('{ partner(id: "' + "x" * 10_000_000 + '") { name } }')


@_hostile
def nearly_a_megabyte_of_text() -> bytes:
    return _document('{ partner(id: "' + "x" * 1_000_000 + '") { name } }')


@_hostile
def nearly_a_megabyte_of_name() -> bytes:
    return _document("{ " + "x" * 1_000_000 + " }")


@_hostile
def nearly_a_megabyte_of_operation_name() -> bytes:
    return _document(f"{{ {LEAF} }}", operationName="x" * 1_000_000)


@_hostile
def a_cursor_without_end() -> bytes:
    return _document('{ partners(after: "' + "A" * 900_000 + '") { totalCount } }')


@_hostile
def a_hundred_thousand_variables() -> bytes:
    return _document(f"{{ {LEAF} }}", variables={f"v{i}": i for i in range(60_000)})


@_hostile
def a_list_of_a_hundred_thousand() -> bytes:
    query = "mutation($i: OnboardCommunitiesInput!) { onboardCommunities(input: $i) { errors { code } } }"
    codes = ["1"] * 100_000
    return _document(query, variables={"i": {"codes": codes, "openedOn": "2024-01-01"}})


@_hostile
def a_block_string() -> bytes:
    return _document('{ partner(id: """' + "\n  x" * 200_000 + '""") { name } }')


# ── Signs ────────────────────────────────────────────────────────────────────────────────────────


@_hostile
def a_byte_order_mark() -> bytes:
    return b"\xef\xbb\xbf" + _document(f"{{ {LEAF} }}")


@_hostile
def a_byte_order_mark_in_the_document() -> bytes:
    return _document("\ufeff" + f"{{ {LEAF} }}")


@_hostile
def null_bytes() -> bytes:
    return _document('{ partner(id: "\0") { name } }\0')


@_hostile
def null_bytes_in_variables() -> bytes:
    query = "query($id: ID!, $k: String) { partner(id: $id) { name } partners(kind: $k) { totalCount } }"
    return _document(query, variables={"id": "\0", "k": "a\0b"})


@_hostile
def half_a_character() -> bytes:
    return rb'{"query": "{ partner(id: \"\ud800\") { name } }"}'


@_hostile
def half_a_character_in_variables() -> bytes:
    query = b"query($id: ID!, $k: String) { partner(id: $id) { name } partners(kind: $k) { totalCount } }"
    return b'{"query": "' + query + rb'", "variables": {"id": "\udfff", "k": "\ud800"}}'


@_hostile
def half_a_character_as_graphql_escape() -> bytes:
    return _document(r'{ partners(kind: "\ud800") { totalCount } }')


@_hostile
def half_a_character_as_operation_name() -> bytes:
    return rb'{"query": "query q { viewer { name } }", "operationName": "\ud800"}'


@_hostile
def null_bytes_as_graphql_escape() -> bytes:
    query = (
        r'{ partners(kind: "\u0000") { totalCount } communities(search: "a\u{0}b") { totalCount } }'
    )
    return _document(query)


@_hostile
def null_bytes_in_every_kind_of_text() -> bytes:
    query = """query($t: String, $i: ID!, $c: ID) {
        partners(kind: $t, after: $t, communityId: $c) { totalCount } node(id: $i) { id }
        auditEntries(action: $t, objectId: $c) { totalCount } partner(id: $i) { id }
    }"""
    return _document(query, variables={"t": "\0", "i": "\0", "c": "\0"})


@_hostile
def signs_beyond_the_first_plane() -> bytes:
    query = "query($t: String, $i: ID!) { partners(kind: $t) { totalCount } node(id: $i) { id } }"
    return _document(query, variables={"t": "\U0001f9e7" * 1_000, "i": "\U0010ffff"})


@_hostile
def half_a_character_as_graphql_escape_in_braces() -> bytes:
    return _document(r'{ partners(kind: "\u{D800}") { totalCount } node(id: "\uDFFF") { id } }')


@_hostile
def signs_that_look_alike() -> bytes:
    return _document("{ vіewer { nаme } }")  # Cyrillic і and а


@_hostile
def text_from_right_to_left() -> bytes:
    return _document('{ partner(id: "\u202e\u2066\u200b\u0000\u2028") { name } }')


@_hostile
def accents_without_end() -> bytes:
    return _document('{ partners(kind: "e' + "\u0301" * 300_000 + '") { totalCount } }')


@_hostile
def beyond_unicode_as_graphql_escape() -> bytes:
    return _document(r'{ partners(kind: "\u{FFFFFFFF}") { totalCount } }')


@_hostile
def no_utf8() -> bytes:
    return b'{"query": "{ viewer { name } } # \xff\xfe\xc0\xaf"}'


@_hostile
def utf16() -> bytes:
    return f'{{"query": "{{ {LEAF} }}"}}'.encode("utf-16")


# ── Values and forms ─────────────────────────────────────────────────────────────────────────────


@_hostile
def a_key_twice() -> bytes:
    return b'{"query": "{ viewer { name } }", "query": "{ viewer { permissions } }"}'


@_hostile
def numbers_beyond_all() -> bytes:
    return b'{"query": "query($n: Int) { partners(first: $n) { totalCount } }", "variables": {"n": 1e999}}'


@_hostile
def a_number_of_many_digits() -> bytes:
    return _document("{ partners(first: " + "9" * 100_000 + ") { totalCount } }")


@_hostile
def a_json_number_of_many_digits() -> bytes:
    return b'{"query": "{ viewer { name } }", "variables": {"n": ' + b"9" * 500_000 + b"}}"


@_hostile
def a_fraction_of_many_digits() -> bytes:
    query = b"query($n: Int) { partners(first: $n) { totalCount } }"
    return b'{"query": "' + query + b'", "variables": {"n": 0.' + b"1" * 500_000 + b"}}"


@_hostile
def not_a_number() -> bytes:
    return b'{"query": "{ viewer { name } }", "variables": {"n": NaN, "m": -Infinity}}'


@_hostile
def negative_pages() -> bytes:
    return _document("{ partners(first: -2147483648) { nodes { name } } }")


@_hostile
def dates_of_no_calendar() -> bytes:
    query = "query($a: Date, $b: Date) { declarations(since: $a, until: $b) { totalCount } }"
    return _document(query, variables={"a": "0000-00-00", "b": "9999-99-99T25:00"})


@_hostile
def the_last_day_of_all() -> bytes:
    query = "query($a: Date, $b: Date) { declarations(since: $a, until: $b) { totalCount } }"
    return _document(query, variables={"a": "0001-01-01", "b": "9999-12-31"})


@_hostile
def a_batch() -> bytes:
    return b"[" + b",".join([_document(f"{{ {LEAF} }}")] * 5_000) + b"]"


@_hostile
def a_batch_of_batches() -> bytes:
    return b"[" * 100_000


@_hostile
def nothing() -> bytes:
    return b""


def _wrong_types() -> Iterator[tuple[str, bytes]]:
    values: list[object] = [None, True, 0, 1.5, "x", [], {}, [None], {"a": None}]
    for number, value in enumerate(values):
        for key in ("query", "variables", "operationName", "documentId", "extensions"):
            body = {"query": f"{{ {LEAF} }}", key: value}
            yield f"wrong_type_{key}_{number}", json.dumps(body).encode()
        query = "query($i: ID!, $n: Int, $d: Date) { partner(id: $i) { id } p: partners(first: $n) { totalCount } declarations(since: $d) { totalCount } }"
        yield (
            f"wrong_type_variable_{number}",
            _document(query, variables={"i": value, "n": value, "d": value}),
        )
        admit = "mutation($i: AdmitPartnerInput!) { admitPartner(input: $i) { errors { code } } }"
        yield f"wrong_type_input_{number}", _document(admit, variables={"i": value})


# What may stand in the key of an id of ours: signs that no column holds, and bytes that are no text.
_KEYS = [b"\0", b"a\0b", b"\xed\xa0\x80", b"\xff\xfe", "\U0001f600".encode(), b"9" * 100, b""]


def _ids_of_keys() -> Iterator[tuple[str, bytes]]:
    query = """query($i: ID!, $c: ID) { node(id: $i) { id } partner(id: $i) { id }
        partners(communityId: $c) { totalCount } }"""
    for kind in ("Partner", "Division", "Nothing"):
        for number, key in enumerate(_KEYS):
            given = b64encode(kind.encode() + b":" + key).decode()
            variables = {"i": given, "c": given}
            yield f"id_of_{kind}_{number}", _document(query, variables=variables)


for _name, _body in (*_wrong_types(), *_ids_of_keys()):
    CORPUS[_name] = lambda body=_body: body
