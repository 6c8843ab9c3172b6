"""Many of one mutation in one: each item answered by itself, or all or none."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from linli.audit.models import Entry
from linli_api import bulk
from linli_api.execution import Request
from linli_api.repeats import run_once
from linli_api.schema import tenant_schema
from tenants.partners.models import Partner
from tests.support.api import ask, do, refused, send

SHOWS = """items { index errors { code field message }
    partner { id name community { name } agreements { nodes { id } } } }"""


def partner(house, name, **more):
    return {"communityId": house.chengnan, "name": name, "kind": "enterprise", **more}


def admit(house, *names, who=None, **more):
    items = [partner(house, name) for name in names]
    return do(who or house.administrator, "admitPartners", SHOWS, items=items, **more)


def outcomes(payload):
    """What came of each: its partner's name, or the codes it was refused with."""
    assert [item["index"] for item in payload["items"]] == list(range(len(payload["items"])))
    return [
        [error["code"] for error in item["errors"]] or (item["partner"] or {}).get("name")
        for item in payload["items"]
    ]


def names():
    return sorted(Partner.objects.values_list("name", flat=True))


class TestEachByItself:
    def test_what_can_be_done_is_done_and_the_rest_is_named(self, house):
        payload = admit(house, "甲", "", "乙", "甲")
        assert payload["errors"] == []
        assert outcomes(payload) == ["甲", ["NAME_INVALID"], "乙", ["PARTNER_ADMITTED"]]
        assert payload["items"][3]["errors"][0]["field"] == "name"
        assert names() == ["乙", "甲"]

    def test_each_is_in_the_trail_as_if_alone(self, house):
        before = Entry.objects.count()
        admit(house, "甲", "乙")
        told = Entry.objects.order_by("id")[before:]
        assert [one.action for one in told] == ["partners.admitted"] * 2

    def test_none_is_nothing(self, house):
        assert admit(house) == {"errors": [], "items": []}

    def test_what_lies_outside_ones_community_is_refused_alone(self, house):
        items = [partner(house, "甲"), partner(house, "乙", communityId=house.gongsheng)]
        payload = do(house.secretary, "admitPartners", SHOWS, items=items)
        assert outcomes(payload) == ["甲", ["FORBIDDEN"]]
        assert names() == ["甲"]


class TestAllOrNone:
    def test_one_refused_keeps_all_out_and_is_named(self, house):
        payload = admit(house, "甲", "", "乙", allOrNone=True)
        [error] = payload["errors"]
        assert error["code"] == "ITEMS_REFUSED"
        assert error["message"].startswith("1 of 3 were refused")
        assert outcomes(payload) == [None, ["NAME_INVALID"], None]
        assert names() == []
        items = [partner(house, "甲"), partner(house, "")]
        given = {"items": items, "allOrNone": True}
        assert refused(house.administrator, "admitPartners", **given) == [("ITEMS_REFUSED", None)]

    def test_all_are_done_if_all_can_be(self, house):
        payload = admit(house, "甲", "乙", allOrNone=True)
        assert payload["errors"] == []
        assert names() == ["乙", "甲"]


class TestRefusedAsAWhole:
    def test_too_many(self, house, monkeypatch):
        monkeypatch.setattr(bulk, "MOST", 2)
        assert outcomes(admit(house, "甲", "乙")) == ["甲", "乙"]
        items = [partner(house, name) for name in ("丙", "丁", "戊")]
        assert refused(house.administrator, "admitPartners", items=items) == [
            ("ITEMS_TOO_MANY", "items")
        ]

    def test_the_wrong_role_is_told_once(self, house):
        items = [partner(house, "丙"), partner(house, "丁")]
        assert refused(house.auditor, "admitPartners", items=items) == [("FORBIDDEN", None)]


def test_a_fault_of_ours_undoes_all(house, monkeypatch):
    whole = Partner.save

    def save(row, **options):
        if row.name == "丙":
            raise RuntimeError("SELECT secret")
        whole(row, **options)

    monkeypatch.setattr(Partner, "save", save)
    document = (
        "mutation($input: AdmitPartnersInput!) { admitPartners(input: $input) { errors { code } } }"
    )
    items = [partner(house, name) for name in ("甲", "丙")]
    body = send(house.administrator, document, input={"items": items})
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INTERNAL"]
    assert names() == []


def test_under_a_key_it_is_done_once(house):
    document = """mutation($input: AdmitPartnersInput!) {
        admitPartners(input: $input) { items { index partner { id } errors { code } } }
    }"""
    request = Request(document, {"input": {"items": [partner(house, n) for n in ("甲", "", "乙")]}})
    first = run_once(tenant_schema, request, house.administrator, "k1")
    second = run_once(tenant_schema, request, house.administrator, "k1")
    assert (first.replayed, second.replayed) == (False, True)
    assert json.dumps(first.body) == json.dumps(second.body)
    assert names() == ["乙", "甲"]


def test_what_the_answer_shows_is_read_together(house):
    def reads(*given):
        with CaptureQueriesContext(connection) as captured:
            admit(house, *given)
        return len([q for q in captured if "ROW_NUMBER" in q["sql"]])

    assert reads("甲") == reads("乙", "丙", "丁") == 1


@pytest.mark.parametrize(
    "name",
    [
        "admitPartners",
        "signAgreements",
        "declareIncomes",
        "addCommunities",
        "updateCommunities",
        "stateFacts",
        "receiveContributions",
        "recordIncomes",
    ],
)
def test_each_that_integrators_need_has_the_one_shape(house, name):
    query = "query($name: String!) { __type(name: $name) { fields { name } inputFields { name } } }"
    payload, given = (
        ask(house.administrator, query, name=name[0].upper() + name[1:] + end)["__type"]
        for end in ("Payload", "Input")
    )
    assert {field["name"] for field in payload["fields"]} == {"items", "errors"}
    assert [field["name"] for field in given["inputFields"]] == ["items", "allOrNone"]
