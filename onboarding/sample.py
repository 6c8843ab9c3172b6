"""What a sandbox holds: a small street office, made up, laid out through the actions.

Filling and refilling are one transaction each: killed anywhere, nothing of it stays, and the same
step or job run again does it whole.
"""

import random
import time
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from linli.accounts.policy import system_actor
from linli.audit.record import Acting
from linli.events.sequencing import go_on_after, last_position, one_at_a_time
from linli.registry.models import Sandbox, Tenant
from linli.tenancy.context import tenant_context
from onboarding.demo.stage import load
from tenants.communities.actions import add_community
from tenants.communities.models import Community
from tenants.fund.actions import open_fund, receive_contribution, record_income
from tenants.operating_model.actions import adopt_version, write_version
from tenants.operating_model.provisioning import freeze_policies
from tenants.partners.actions import admit_partner, declare_income, sign_agreement

_OPENED = date(2025, 1, 1)
_MONTHS = [date(2025, month, 1) for month in range(1, 8)]
_COMMUNITIES = ("甲社区", "乙社区")
_PARTNERS = (
    ("诊所", "enterprise"),
    ("助餐点", "social_organisation"),
    ("书法老师", "skilled_resident"),
)
_BOUNDS = {"partners.contributions[stationed].rate": {"minimum": "0.01", "maximum": "0.05"}}


def fill(tenant: Tenant, actor: Acting | None) -> None:
    """The provisioning step: does nothing for a tenant that is no sandbox, or that is filled."""
    with transaction.atomic():
        sandbox = Sandbox.objects.select_for_update().filter(pk=tenant.pk).first()
        if sandbox is not None and sandbox.filled_at is None:
            _lay_out(tenant)
            _filled(sandbox)


def refill(tenant_id: UUID, asked_at: datetime) -> None:
    """Throw away all rows of a sandbox's schema and fill it anew. As the owner. Positions of events
    go on, so that a cursor of before is good for what comes after.

    Does nothing for one that is suspended or no sandbox, whoever asked, and for one that was filled
    after it was asked for: then an earlier run had done it.
    """
    with transaction.atomic():
        sandbox = (
            Sandbox.objects.select_for_update(of=("self",))
            .select_related("tenant__parent__parent")
            .filter(pk=tenant_id, tenant__status=Tenant.Status.ACTIVE)
            .first()
        )
        if sandbox is None or sandbox.filled_at is None or sandbox.filled_at >= asked_at:
            return
        tables = _tables(sandbox.tenant.schema_name)
        with tenant_context(sandbox.tenant):
            _hold_alone(tables)
            position = last_position()
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)}")
        _lay_out(sandbox.tenant)
        freeze_policies(sandbox.tenant, None)
        with tenant_context(sandbox.tenant):
            go_on_after(position)
        _filled(sandbox)


# What is no data of the sandbox's: a request that is sent twice is done once, a reset too.
KEPT = ["django_migrations", "repeats_keptanswer"]


# Until the first table is ours nobody waits for us, so we may. From then on all have to be before
# PostgreSQL looks for knots, a second after somebody began to wait.
_FIRST_MILLISECONDS = 10_000
_REST_MILLISECONDS = 800
_TRIES = 30
# Where whoever writes begins: what stands in these is locked before what belongs to it.
_BEGINNINGS = ("communities_", "operating_model_", "partners_", "fund_")


def _tables(schema: str) -> list[str]:
    """As they are locked: who comes later waits at the first, and holds none that we want."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, format('%%I.%%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname = %s AND tablename <> ALL(%s) ORDER BY tablename",
            [schema, KEPT],
        )
        found = cursor.fetchall()
    return [qualified for _name, qualified in sorted(found, key=lambda one: _place(one[0]))]


def _place(table: str) -> int:
    return next((n for n, start in enumerate(_BEGINNINGS) if table.startswith(start)), 99)


def _hold_alone(tables: list[str]) -> None:
    """Until the transaction ends nobody else reads or writes them, nor gives events their position.

    Who writes there may hold one table and want another that is held here already. So all are let go
    of again after a moment, and it is tried anew: PostgreSQL would undo their work or ours.
    """
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {_FIRST_MILLISECONDS}")
                cursor.execute(f"LOCK TABLE {tables[0]} IN ACCESS EXCLUSIVE MODE")
                _lock_the_rest(cursor, tables[1:])
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
            return
        except OperationalError as error:
            if not left or not isinstance(error.__cause__, LockNotAvailable):
                raise
        time.sleep(random.uniform(0.02, 0.1))


def _lock_the_rest(cursor: Any, tables: list[str]) -> None:
    """Those that whoever sequences holds too come under the lock that they hold, as with them."""
    ends_at = time.monotonic_ns() + _REST_MILLISECONDS * 10**6

    def wait_no_longer() -> None:
        left = max(1, (ends_at - time.monotonic_ns()) // 10**6)
        cursor.execute(f"SET LOCAL lock_timeout = {left}")

    wait_no_longer()
    with one_at_a_time():
        for table in tables:
            wait_no_longer()
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def _filled(sandbox: Sandbox) -> None:
    sandbox.filled_at = timezone.now()
    sandbox.save(update_fields=["filled_at"])


def _lay_out(tenant: Tenant) -> None:
    """Before policies are frozen: they bind what is decided later, not what is there."""
    acting = system_actor(tenant)
    with tenant_context(tenant):
        version = write_version(
            actor=acting,
            key="sample",
            title="样例运营模式",
            document=load("chengnan.yaml")["document"],
            bounds=_BOUNDS,
            notes="沙箱样例",
        )
        adopt_version(actor=acting, version_id=version.pk, effective_from=_OPENED)
        for name in _COMMUNITIES:
            community = add_community(
                actor=acting,
                name=name,
                opened_on=_OPENED,
                residents=8_000,
                buildings=60,
                operating_cost_fen=12_000_000,
                sample_cost=True,
            )
            _lay_out_fund(tenant, community)


def _lay_out_fund(tenant: Tenant, community: Community) -> None:
    acting = system_actor(tenant)
    fund = open_fund(
        actor=acting,
        community_id=community.pk,
        host_charity="样例慈善总会",
        opened_on=_OPENED,
        sample=True,
    )
    record_income(
        actor=acting, fund_id=fund.pk, source="donation", amount_fen=500_000, received_on=_MONTHS[1]
    )
    for trade, kind in _PARTNERS:
        partner = admit_partner(
            actor=acting,
            community_id=community.pk,
            name=f"{community.name}{trade}",
            kind=kind,
            joined_on=_OPENED,
            sample=True,
        )
        agreement = sign_agreement(
            actor=acting,
            partner_id=partner.pk,
            mode="stationed",
            rule_key="stationed",
            starts_on=_OPENED,
            ends_on=date(2030, 1, 1),
            services=trade,
            sample=True,
        )
        for starts_on, ends_on in pairwise(_MONTHS):
            contribution = declare_income(
                actor=acting,
                agreement_id=agreement.pk,
                starts_on=starts_on,
                ends_on=ends_on,
                income_fen=2_000_000,
                sample=True,
            )
            receive_contribution(
                actor=acting,
                contribution_id=contribution.pk,
                amount_fen=contribution.amount_fen,
                received_on=ends_on,
            )
