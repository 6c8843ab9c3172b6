"""A fund with money in it, and people and programs who move it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from linli.accounts.policy import Actor, Role, actor_for, system_actor
from linli.clients.actions import create_personal_token
from linli.clients.admission import admit
from linli.tenancy.context import public_context
from tenants.communities.models import Community
from tenants.fund import actions
from tenants.fund.models import Fund, Source, Spending
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.programs import program


@dataclass
class Money:
    treasurer: Actor
    community: Community
    fund: Fund = field(init=False)

    def __post_init__(self) -> None:
        acting = system_actor(self.treasurer.tenant)
        self.fund = actions.open_fund(
            actor=acting, community_id=self.community.pk, host_charity="慈善总会",
            opened_on=date(2024, 1, 1),
        )  # fmt: skip
        actions.record_income(
            actor=acting, fund_id=self.fund.pk, source=Source.DONATION,
            amount_fen=1_000_000, received_on=timezone.localdate(),
        )  # fmt: skip

    def by_client(self, *scopes: str, name: str = "一号") -> Actor:
        with public_context():  # a request leaves the connection there
            token = program(self.treasurer, *scopes, name=name).token()
        return self._admitted(token)

    def by_token(self, *scopes: str) -> Actor:
        _row, token = create_personal_token(
            actor=self.treasurer, name="我的", scopes=scopes, tenant=self.treasurer.tenant
        )
        return self._admitted(token)

    def somebody(self) -> Actor:
        """Somebody else who may all of it."""
        person = PersonFactory()
        for role in (Role.STREET_ADMINISTRATOR, Role.CHARITY_APPROVER, Role.CHARITY_CASHIER):
            MembershipFactory(person=person, tenant=self.treasurer.tenant, role=role)
        return actor_for(person, self.treasurer.tenant)

    def proposed(self, actor: Actor) -> Spending:
        return actions.propose_spending(
            actor=actor, fund_id=self.fund.pk, share="services", use="activities",
            purpose="重阳节", amount_fen=100,
        )  # fmt: skip

    def approve(self, actor: Actor, spending: Spending) -> Spending:
        return actions.approve_spending(actor=actor, spending_id=spending.pk)

    def pay(self, actor: Actor, spending: Spending) -> Spending:
        return actions.pay_spending(
            actor=actor, spending_id=spending.pk, paid_on=timezone.localdate()
        )

    def _admitted(self, token: str) -> Any:
        admitted = admit(token, self.treasurer.tenant)
        assert admitted is not None
        return admitted.actor
