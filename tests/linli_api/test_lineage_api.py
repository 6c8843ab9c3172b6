"""M7 through the platform's API: descent, who runs what, and units side by side."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.comparison.models import Figure
from linli.ids import uuid7
from linli.library.models import PublishedVersion
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.operating_model.actions import adopt_version, publish_version, write_version
from tenants.operating_model.decisions import Said
from tenants.operating_model.upgrades import apply_upgrade, decide_upgrade, open_upgrade
from tenants.operating_model.upgrading import plan_of
from tests.support.api import ask, errors, statements
from tests.support.models import chengnan, write_chengnan

pytestmark = pytest.mark.django_db
RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
START = date(2024, 1, 1)
TODAY = timezone.localdate()

LINEAGE = """query($id: ID!, $on: Date, $under: ID) { lineage(versionId: $id, on: $on, underId: $under) {
    on
    versions {
        version { number derivedFrom { number } }
        runnerCount
        runners {
            tenantName tenantKind since changeCount communities changes { path told model here }
        }
    }
} }"""
PEERS = """query($id: ID!, $measures: [String!]!, $under: ID) {
    peers(versionId: $id, measures: $measures, underId: $under) {
        on
        versions { version { number } units medians { measure { key } value text reported } }
        units {
            tenantName version { number } since changes communities
            figures { measure { key } value text missing asOf }
        }
    }
}"""


def publish(tenant, version):
    return publish_version(actor=system_actor(tenant), version_id=version.pk, profiles=["ageing"])


def adopt(tenant, published, since=START, **more):
    with tenant_context(tenant):
        adopt_version(
            actor=system_actor(tenant), published_id=published.pk, effective_from=since, **more
        )


@pytest.fixture
def model(street, other_street) -> list[PublishedVersion]:
    """Two versions of Chezhan's: Wenshao runs the second, with a rate of its own."""
    with tenant_context(street):
        first = publish(street, write_chengnan(street))
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 6
        second = publish(
            street,
            write_version(
                actor=system_actor(street), key="chengnan", title="二", document=changed, bounds={}
            ),
        )
    adopt(street, first)
    adopt(other_street, second, values={RATE: "0.02", MONTHS: 3})
    return [first, second]


@pytest.fixture
def reader(other_city, actor_as):
    """Of a city that has nothing to do with the author's."""
    return actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)


def code(row):
    return ids.encode(type(row).__name__, row.pk)


def test_who_runs_what_and_changed_what(model, reader):
    first, second = model
    runner = {"tenantKind": "STREET", "since": "2024-01-01", "communities": 0}
    expected = {
        "on": TODAY.isoformat(),
        "versions": [
            {
                "version": {"number": 1, "derivedFrom": None},
                "runnerCount": 1,
                "runners": [runner | {"tenantName": "车站街道", "changeCount": 0, "changes": []}],
            },
            {
                "version": {"number": 2, "derivedFrom": {"number": 1}},
                "runnerCount": 1,
                "runners": [
                    runner
                    | {
                        "tenantName": "闻韶街道",
                        "changeCount": 2,
                        "changes": [
                            {"path": RATE, "told": True, "model": "0.03", "here": "0.02"},
                            {"path": MONTHS, "told": True, "model": 6, "here": 3},
                        ],
                    }
                ],
            },
        ],
    }
    for one in (first, second):
        assert ask(reader, LINEAGE, id=code(one))["lineage"] == expected


def test_on_a_day_before_anybody_ran_it(model, reader):
    before = (START - timedelta(days=1)).isoformat()
    found = ask(reader, LINEAGE, id=code(model[0]), on=before)["lineage"]
    assert found["on"] == before
    assert [one["runnerCount"] for one in found["versions"]] == [0, 0]


def test_a_place_too_large_to_be_told(model, reader, street):
    uses = [
        *chengnan()["fund"]["uses"],
        *({"key": f"use_{n}", "title": {"zh": "用途" * 20}} for n in range(40)),
    ]
    adopt(street, model[0], TODAY, values={"fund.uses": uses})
    found = ask(reader, LINEAGE, id=code(model[0]))["lineage"]["versions"][0]["runners"][0]
    assert found["changes"] == [{"path": "fund.uses", "told": False, "model": None, "here": None}]


def test_units_side_by_side(model, street, other_street, city, actor_as):
    for tenant, value in ((street, "0.5325"), (other_street, None)):
        Figure.objects.create(
            tenant=tenant, measure="self_reliance_rate", as_of=START, value=value,
            rolled_up_at=timezone.now(),
        )  # fmt: skip
    supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=city)
    found = ask(
        supervisor, PEERS, id=code(model[1]), measures=["self_reliance_rate", "communities"]
    )
    rate, none = {"measure": {"key": "self_reliance_rate"}}, {"measure": {"key": "communities"}}
    missing = {"value": None, "text": None, "missing": True}
    assert found["peers"]["units"] == [
        {
            "tenantName": "车站街道", "version": {"number": 1}, "since": "2024-01-01",
            "changes": 0, "communities": 0,
            "figures": [
                rate | {"value": "0.5325", "text": "53.25 %", "missing": False, "asOf": "2024-01-01"},
                none | missing | {"asOf": None},
            ],
        },
        {
            "tenantName": "闻韶街道", "version": {"number": 2}, "since": "2024-01-01",
            "changes": 2, "communities": 0,
            "figures": [rate | missing | {"asOf": "2024-01-01"}, none | missing | {"asOf": None}],
        },
    ]  # fmt: skip
    assert found["peers"]["versions"] == [
        {
            "version": {"number": number}, "units": 1,
            "medians": [
                rate | {"value": None, "text": None, "reported": reported},
                none | {"value": None, "text": None, "reported": 0},
            ],
        }
        for number, reported in ((1, 1), (2, 0))
    ]  # fmt: skip


def test_others_figures_are_not_told(model, reader):
    found = ask(reader, PEERS, id=code(model[0]), measures=["communities"])["peers"]
    assert found["units"] == []
    assert [one["units"] for one in found["versions"]] == [1, 1]


def test_what_is_no_question(model, reader, district):
    nothing, wrong = ids.encode("PublishedVersion", uuid7()), ids.encode("Tenant", uuid7())
    version = code(model[0])
    assert errors(reader, LINEAGE, id=nothing) == [("NOT_FOUND", "versionId")]
    assert errors(reader, LINEAGE, id=wrong) == [("NOT_FOUND", "versionId")]
    for under in (wrong, code(district)):
        assert errors(reader, LINEAGE, id=version, under=under) == [("NOT_FOUND", "underId")]
        asked = {"id": version, "measures": ["communities"], "under": under}
        assert errors(reader, PEERS, **asked) == [("NOT_FOUND", "underId")]
    assert errors(reader, PEERS, id=version, measures=[]) == [("MEASURES_INVALID", "measures")]
    assert errors(reader, PEERS, id=version, measures=["x"]) == [("MEASURE_UNKNOWN", "measures.0")]


def test_not_for_who_may_not(model, actor_as, street):
    partner = actor_as(None, Role.PARTNER, held_at=street)
    asked = {"id": code(model[0]), "measures": ["communities"]}
    assert errors(partner, PEERS, **asked) == [("FORBIDDEN", None)]
    assert "lineage" in ask(partner, LINEAGE, id=asked["id"])


def upgrade(tenant, published):
    """What clashes is taken as the new version has it."""
    with tenant_context(tenant):
        actor = system_actor(tenant)
        begun = open_upgrade(actor=actor, published_id=published.pk, effective_from=TODAY)
        said = [
            Said(question.path, "take", community_id=level, aspect=question.aspect)
            for level, question in plan_of(begun, tenant).open_questions
        ]
        decide_upgrade(actor=actor, upgrade_id=begun.pk, decisions=said)
        apply_upgrade(actor=actor, upgrade_id=begun.pk)


def test_statements_do_not_grow_with_the_rows(model, reader, street, other_street):
    few = statements(reader, LINEAGE, id=code(model[0]))
    peers = statements(reader, PEERS, id=code(model[0]), measures=["communities"])
    with tenant_context(street):
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 1
        third = publish(
            street,
            write_version(
                actor=system_actor(street), key="chengnan", title="三", document=changed, bounds={}
            ),
        )
    upgrade(street, third)
    upgrade(other_street, third)
    assert statements(reader, LINEAGE, id=code(model[0])) == few
    assert statements(reader, PEERS, id=code(model[0]), measures=["communities"]) == peers
