"""M2: what was in force on a past day stays what it was, whatever is decided later.

Random decisions on days that go by: versions, drafts, adoptions, upgrades, layers of the street and of a
community, policies from above. After each, every day that was past then must answer as before.
"""

from datetime import date, timedelta
from unittest.mock import patch

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from linli.accounts.policy import system_actor
from linli.errors import Refused
from linli.kept import Kept
from linli.library.document import canonical
from tenants.operating_model import rulebook
from tenants.operating_model.actions import adopt_version
from tenants.operating_model.decisions import Said
from tenants.operating_model.drafts import edit_draft, finish_draft, open_draft
from tenants.operating_model.models import ModelVersion
from tenants.operating_model.policies import land_policies
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.upgrades import apply_upgrade, decide_upgrade, open_upgrade
from tenants.operating_model.upgrading import plan_of
from tests.support.calendar import on_day

from .conftest import MONTHS, RATE, community, document, issue, layer, write

BEGIN = date(2026, 6, 1)
DAYS = [BEGIN + timedelta(days=n) for n in range(-5, 40)]

rates = st.sampled_from(["0.01", "0.02", "0.03", "0.04", "0.05"])
ahead = st.integers(0, 6)
DECISIONS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 24), ahead),
    st.tuples(st.just("draft"), st.integers(0, 24), ahead),
    st.tuples(st.just("adopt"), st.integers(0, 3), ahead),
    st.tuples(st.just("upgrade"), st.integers(0, 3), ahead),
    st.tuples(st.just("street"), rates, ahead),
    st.tuples(st.just("community"), rates, ahead),
    st.tuples(st.just("district"), rates, ahead),
    st.tuples(st.just("district late"), rates, ahead),
)
# How many days go by before each, so that there is a past.
STEPS = st.lists(st.tuples(st.integers(0, 3), DECISIONS), min_size=1, max_size=9)


@pytest.fixture
def place(at_street):
    with on_day(BEGIN):
        made = community(at_street)
        adopt_version(
            actor=system_actor(at_street), version_id=write(at_street).pk,
            effective_from=BEGIN - timedelta(days=3),
        )  # fmt: skip
    return at_street, made


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS)
# A policy that clashed comes into force late, on the day the street makes room for it.
@example([(0, ("street", "0.05", 6)), (0, ("district", "0.03", 0)), (2, ("street", "0.02", 4))])
def test_no_later_decision_changes_what_a_past_day_answers(place, steps):
    tenant, made = place
    today, known = BEGIN, {}
    with transaction.atomic():
        for days, decision in steps:
            today += timedelta(days=days)
            with on_day(today):
                decide(tenant, made, today, *decision)
                now = answers(made)
                past = {place: told for place, told in known.items() if place[1] < today}
                assert {place: now[place] for place in past} == past
                known = now
        transaction.set_rollback(True)


def answers(made):
    """Of every day, for the street and for the community: every value, who set it and what bounds it,
    worked out anew from the rows alone."""
    book = Rulebook.load()
    told = {}
    with patch.object(rulebook, "_rules", Kept(4_000, 3_000_000, lambda rules: rules.weight)):
        for day in DAYS:
            for whose in (None, made.pk):
                try:
                    rules = book.effective(day, whose)
                    told[whose, day] = rules.digest, canonical(rules.raw), rules.in_force
                except Refused as refused:
                    told[whose, day] = refused.code
    return told


def upgrade_to(tenant, version, since):
    """Whatever is asked, what is new is taken."""
    who = system_actor(tenant)
    upgrade = open_upgrade(actor=who, version_id=version.pk, effective_from=since)
    while asked := plan_of(upgrade, tenant).open_questions:
        said = [
            Said(q.path, "take", community_id=c, aspect=q.aspect, seen=q.as_read) for c, q in asked
        ]
        decide_upgrade(actor=who, upgrade_id=upgrade.pk, decisions=said)
    apply_upgrade(actor=who, upgrade_id=upgrade.pk)


def decide(tenant, made, today, what, value, days):
    """What a rule refuses changes nothing; it is tried all the same."""
    who, since = system_actor(tenant), today + timedelta(days=days)
    try:
        with transaction.atomic():
            if what == "write":
                write(tenant, document(rent_free_months=value))
            elif what == "draft":
                newest = ModelVersion.objects.latest("number")
                draft = open_draft(actor=who, version_id=newest.pk)
                edit_draft(actor=who, draft_id=draft.pk, values={MONTHS: value})
                finish_draft(actor=who, draft_id=draft.pk)
            elif what == "adopt":
                version = ModelVersion.objects.order_by("-number")[value]
                adopt_version(actor=who, version_id=version.pk, effective_from=since)
            elif what == "upgrade":
                version = ModelVersion.objects.order_by("-number")[value]
                upgrade_to(tenant, version, since)
            elif what == "street":
                layer(tenant, {RATE: value}, since=since)
            elif what == "community":
                layer(tenant, {RATE: value}, since=since, community=made)
            else:
                issue(tenant.parent, {}, {RATE: {"maximum": value}}, since=since)
                if what == "district late":  # the job that brings it is held up
                    with on_day(today + timedelta(days=2)):
                        land_policies(tenant, actor=who)
                else:
                    land_policies(tenant, actor=who)
    except (Refused, IndexError):
        pass
