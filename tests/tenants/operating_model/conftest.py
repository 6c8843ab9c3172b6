"""Chezhan's street office at work on its rules, and Wenshao's in the next district."""

import json
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Refused
from linli.events.models import Event
from linli.library.models import AdoptionRecord, AdoptionRule, Offer, Policy, PublishedVersion
from linli.tenancy.context import public_context, tenant_context
from tenants.communities.actions import add_community
from tenants.operating_model.actions import (
    adopt_version,
    issue_policy,
    publish_version,
    set_layer,
    write_version,
)
from tenants.operating_model.models import (
    Adoption,
    ChangeRequest,
    Layer,
    ModelVersion,
    RuleSnapshot,
)
from tenants.operating_model.upgrades import apply_upgrade, open_upgrade

RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
DAY = "meetings.joint.day_of_month"
BOUNDS = {RATE: {"minimum": "0.01", "maximum": "0.05"}}
TODAY = timezone.localdate()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
START = date(2024, 1, 1)

_CHENGNAN = Path(__file__).parents[2] / "linli" / "library" / "chengnan.json"


def document(**months):
    """Chengnan's: 3 % of takings, 18 rent-free months, the joint meeting on the 25th."""
    model = json.loads(_CHENGNAN.read_text())
    model["partners"] |= months
    return model


def write(tenant, model=None, bounds=None, key="chengnan"):
    return write_version(
        actor=system_actor(tenant),
        key=key,
        title="城南社区合伙人模式",
        document=model or document(),
        bounds=BOUNDS if bounds is None else bounds,
        notes="第一版",
    )


def publish(tenant, version, profiles=("ageing",)):
    return publish_version(
        actor=system_actor(tenant),
        version_id=version.pk,
        profiles=list(profiles),
        case_text="一社一策",
    )


def adopt(tenant, version, since=START, **more):
    return adopt_version(
        actor=system_actor(tenant), version_id=version.pk, effective_from=since, **more
    )


def upgrade(tenant, version, since):
    """Where nothing is in question: what the street office and communities have set goes with it."""
    who = system_actor(tenant)
    opened = open_upgrade(actor=who, version_id=version.pk, effective_from=since)
    return apply_upgrade(actor=who, upgrade_id=opened.pk)


def layer(tenant, values=None, bounds=None, since=TODAY, community=None, reason=""):
    return set_layer(
        actor=system_actor(tenant),
        community_id=community.pk if community else None,
        values=values or {},
        bounds=bounds or {},
        effective_from=since,
        reason=reason,
    )


def issue(tenant, values=None, bounds=None, since=TODAY, reason=""):
    with tenant_context(tenant):
        return issue_policy(
            actor=system_actor(tenant),
            values=values or {},
            bounds=bounds or {},
            effective_from=since,
            reason=reason,
        )


def community(tenant, name="城南社区"):
    return add_community(actor=system_actor(tenant), name=name, opened_on=START)


def rows():
    """How many rows of each kind there are, here and on the shelf: a refusal adds none."""
    with public_context():
        shelf = [PublishedVersion, AdoptionRecord, Policy, AdoptionRule, Offer, Entry]
        shared = [model.objects.count() for model in shelf]
    here = [ModelVersion, Adoption, Layer, RuleSnapshot, ChangeRequest, Entry, Event]
    return [model.objects.count() for model in here] + shared


@contextmanager
def nothing_written():
    before = rows()
    yield
    assert rows() == before


def trail(action):
    """The entries of one action in this schema, oldest first."""
    return list(Entry.objects.filter(action=action).order_by("id"))


@pytest.fixture
def at_street(street):
    with tenant_context(street):
        yield street


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


@pytest.fixture
def running(at_street):
    """Chezhan on its own version 1 since 1 January 2024."""
    version = write(at_street)
    adopt(at_street, version)
    return version


def changed(street, *, rate="0.04", day=10):
    """Another version of it."""
    model = document()
    model["partners"]["contributions"][0]["rate"] = rate
    model["meetings"]["joint"]["day_of_month"] = day
    return write(street, model)


def refused(work, **given):
    """The code it is refused with; nothing is written."""
    with nothing_written(), pytest.raises(Refused) as told:
        work(**given)
    return told.value.code


@pytest.fixture
def second(running, at_street):
    return changed(at_street)


@pytest.fixture(name="upgrade")
def open_to_second(second, administrator):
    return open_upgrade(actor=administrator, version_id=second.pk, effective_from=TODAY)


@pytest.fixture
def from_the_district(street, district, actor_as):
    return actor_as(street, Role.DISTRICT_ADMINISTRATOR, held_at=district)


@pytest.fixture
def two_versions(street):
    """Chezhan's, both in the library."""
    with tenant_context(street):
        return publish(street, write(street)), publish(street, changed(street))


@pytest.fixture
def wenshao(two_versions, other_street):
    """In the next district, on the first of them."""
    with tenant_context(other_street):
        adopt_version(
            actor=system_actor(other_street),
            published_id=two_versions[0].pk,
            effective_from=START,
        )
        yield other_street
