"""Several people deciding at the same moment: one after the other, and none lost."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections

from linli.errors import Refused
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import freeze_rules
from tenants.operating_model.models import Layer, ModelVersion, RuleSnapshot
from tenants.operating_model.selectors import effective_rules

from .conftest import RATE, TODAY, adopt, community, document, layer, write

EIGHT = 8


def at_once(street, work):
    """``work(i)`` in eight threads with connections of their own, released together."""
    gate = Barrier(EIGHT)

    def run(i):
        try:
            with tenant_context(street):
                gate.wait(timeout=30)
                return work(i)
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(EIGHT) as pool:
        return list(pool.map(run, range(EIGHT)))


def test_versions_written_at_once_are_numbered_without_a_gap(scratch_database):
    street = Tenant.objects.get(slug="chezhan")

    at_once(street, lambda i: write(street, document(rent_free_months=i)).number)

    with tenant_context(street):
        numbers = ModelVersion.objects.order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, EIGHT + 1))


def test_the_same_version_written_at_once_is_written_once(scratch_database):
    street = Tenant.objects.get(slug="chezhan")

    answers = at_once(street, lambda i: write(street).number)

    assert sorted(answers, key=str) == [1] + ["VERSION_UNCHANGED"] * (EIGHT - 1)


def test_a_street_and_its_community_cannot_both_win(scratch_database):
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        adopt(street, write(street))
        chengnan = community(street)

    def work(i):
        if i % 2:
            return layer(street, {RATE: "0.05"}, community=chengnan).kind
        return layer(street, {}, {RATE: {"maximum": "0.04"}}).kind

    answers = at_once(street, work)

    with tenant_context(street):
        assert Layer.objects.count() == 1
        limits = effective_rules(TODAY, chengnan.pk).bound(RATE)
        if "street" in answers:
            assert limits.maximum == "0.04"
            assert sorted(answers) == ["NOTHING_CHANGES"] * 3 + ["OUTSIDE_BOUNDS"] * 4 + ["street"]
        else:
            assert limits.maximum == "0.05"
            assert sorted(answers) == ["CLASHES_BELOW"] * 4 + ["NOTHING_CHANGES"] * 3 + [
                "community"
            ]


def test_equal_rules_frozen_at_once_share_one_row(scratch_database):
    street = Tenant.objects.get(slug="chezhan")
    with tenant_context(street):
        adopt(street, write(street))

    ids = at_once(street, lambda i: freeze_rules(effective_rules(TODAY)).pk)

    assert len(set(ids)) == 1
    with tenant_context(street):
        assert RuleSnapshot.objects.count() == 1
