"""Asking for an export: what is taken, what is refused at once, what is called off."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.exports.actions import AT_ONCE
from linli_api.exports.document import paged
from linli_api.exports.models import Export
from linli_api.exports.schema import own_schema
from tests.support.api import ask, do, done, refused, send, unchanged

PARTNERS = "{ partners { nodes { name } } }"
MANY = 16


def asked(actor, document=PARTNERS, **more):
    given = {"document": document, "format": "JSONL"} | more
    return done(
        actor, "exportConnection", "export { id status rows total url error { code } }", **given
    )


def test_it_is_queued_with_its_two_jobs(town):
    export = asked(town.administrator)
    assert export.pop("id")
    assert export == {"status": "QUEUED", "rows": 0, "total": None, "url": None, "error": None}
    write, forget = ProcrastinateJob.objects.order_by("pk")
    assert write.task_name.endswith("write_export")
    assert write.scheduled_at is None
    assert forget.task_name.endswith("forget_export")
    assert forget.scheduled_at == Export.objects.get().expires_at


@pytest.mark.parametrize(
    "document",
    [
        "{ viewer { name } }",
        "{ nobody { nodes { name } } }",
        "{ partners { totalCount } }",
        "{ partners { edges { node { name } } } }",
        "{ partners { ...P } } fragment P on PartnerConnection { nodes { name } }",
        "{ partners { nodes { name } } communities { nodes { name } } }",
        "{ ...Q } fragment Q on Query { partners { nodes { name } } }",
        "{ partners(first: 5) { nodes { name } } }",
        '{ partners(after: "x") { nodes { name } } }',
        "{ partners { nodes { name } nodes { kind } } }",
        "{ partners { nodes { nothing } } }",
        "{ partners { nodes } }",
        "mutation { suspendTenant { errors { code } } }",
        "query A { partners { nodes { name } } } query B { viewer { name } }",
        "fragment P on Partner { name }",
        "{ partners { nodes { name ",
        "",
    ],
)
def test_only_a_list_can_be_exported(town, document):
    faults = refused(town.administrator, "exportConnection", document=document, format="CSV")
    assert faults == [("EXPORT_DOCUMENT_INVALID", "document")]


def test_what_a_page_would_refuse_is_refused_at_once(town, actor_as):
    partner = actor_as(town.street, Role.PARTNER)
    assert refused(partner, "exportConnection", document=PARTNERS, format="CSV") == [
        ("FORBIDDEN", None)
    ]
    of_kind = "query($kind: String!) { partners(kind: $kind) { nodes { name } } }"
    for variables in ({}, {"kind": 5}):
        given = {"document": of_kind, "variables": variables, "format": "CSV"}
        assert refused(town.administrator, "exportConnection", **given) == [
            ("REQUEST_INVALID", "kind")
        ]
    deep = (
        "{ partners { nodes { "
        + "community { partners { nodes { " * 8
        + "id"
        + " } } }" * 8
        + " } } }"
    )
    assert refused(town.administrator, "exportConnection", document=deep, format="CSV") == [
        ("DOCUMENT_TOO_DEEP", "document")
    ]
    wrong = {"document": PARTNERS, "variables": [1], "format": "CSV"}
    assert refused(town.administrator, "exportConnection", **wrong) == [
        ("VARIABLES_INVALID", "variables")
    ]


@pytest.mark.parametrize(
    "document",
    [
        "{ partners { nodes @skip(if: true) { name } } }",
        "{ partners @include(if: false) { nodes { name } } }",
        "query($no: Boolean = false) { partners { nodes @include(if: $no) { name } } }",
        "query($exportAfter: String) { communities(search: $exportAfter) { nodes { name } } }",
        "query($exportFirst: Int) { communities { nodes { partners(first: $exportFirst) { nodes"
        " { name } } } } }",
    ],
)
def test_what_it_adds_itself_is_left_to_it(town, document):
    assert refused(town.administrator, "exportConnection", document=document, format="CSV") == [
        ("EXPORT_DOCUMENT_INVALID", "document")
    ]
    assert Export.objects.count() == 0


def deep(fields: str, first: int = 100) -> str:
    return f"""{{ communities {{ nodes {{ partners(first: {first}) {{ nodes {{
        agreements(first: 100) {{ nodes {{ {fields} }} }} }} }} }} }} }}"""


def test_a_row_that_is_too_much_is_refused_at_once(town, settings):
    """Be it for its points or for all that it holds."""
    columns = "id startsOn endsOn mode ruleKey"
    asked(town.administrator, deep(columns))
    for document in (deep(f"{columns} services"), deep("partner { community { name } }")):
        with unchanged():
            assert refused(
                town.administrator, "exportConnection", document=document, format="CSV"
            ) == [("COST_TOO_HIGH", "document")]
    settings.LINLI_POINTS_A_REQUEST = 100
    assert refused(
        town.administrator, "exportConnection", document=deep(columns), format="CSV"
    ) == [("COST_TOO_HIGH", "document")]


@pytest.mark.parametrize(
    ("points", "document", "size"),
    [
        (5_000, PARTNERS, 100),
        # A row: 1 + 10 + 100 × (1 + 10); beside it 2, and 1 for every 10 rows.
        (5_000, deep("id"), 4),
        (5_000, deep("id", first=40), 11),  # a row: 1 + 4 + 40 × (1 + 10)
        (500, deep("id", first=40), 1),
        (448, deep("id", first=40), 1),
        (62, "{ partners { nodes { community { name } } } }", 54),
    ],
)
def test_a_page_is_as_long_as_it_may_cost(settings, points, document, size):
    settings.LINLI_POINTS_A_REQUEST = points
    schema = own_schema().graphql_schema
    assert paged(schema, document, {}).longest_page(schema, {}) == size


def test_a_document_with_its_paging_fields_is_taken_as_it_is(town):
    asked(town.administrator, "{ partners { totalCount pageInfo { endCursor } nodes { name } } }")


def test_nobody_fills_the_queue(town, actor_as):
    for _ in range(AT_ONCE):
        asked(town.administrator)
    assert refused(town.administrator, "exportConnection", document=PARTNERS, format="CSV") == [
        ("TOO_MANY_EXPORTS", None)
    ]
    asked(town.secretary)


def test_nor_does_who_asks_many_times_at_once(scratch_database, actor_as):
    street = Tenant.objects.get(slug="chezhan")
    administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
    gate = Barrier(MANY)

    def ask_for_one(_):
        try:
            gate.wait(timeout=30)
            faults = do(administrator, "exportConnection", document=PARTNERS, format="CSV")
            return [fault["code"] for fault in faults["errors"]]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as pool:
        answers = list(pool.map(ask_for_one, range(MANY)))
    assert answers.count([]) == AT_ONCE
    assert answers.count(["TOO_MANY_EXPORTS"]) == MANY - AT_ONCE
    with tenant_context(street):
        assert Export.objects.count() == AT_ONCE


def test_each_sees_their_own(town):
    mine = asked(town.administrator)["id"]
    theirs = asked(town.secretary)["id"]
    listed = ask(town.administrator, "{ exports { totalCount nodes { id document } } }")["exports"]
    assert listed == {"totalCount": 1, "nodes": [{"id": mine, "document": PARTNERS}]}
    [error] = send(town.administrator, "query($id: ID!) { export(id: $id) { id } }", id=theirs)[
        "errors"
    ]
    assert error["extensions"]["code"] == "NOT_FOUND"
    assert refused(town.administrator, "cancelExport", exportId=theirs) == [
        ("NOT_FOUND", "exportId")
    ]


def test_it_is_called_off_once(town):
    export = asked(town.administrator)["id"]
    off = done(town.administrator, "cancelExport", "export { status finishedAt }", exportId=export)
    assert off["status"] == "CANCELLED"
    assert off["finishedAt"]
    assert refused(town.administrator, "cancelExport", exportId=export) == [
        ("EXPORT_ENDED", "exportId")
    ]
