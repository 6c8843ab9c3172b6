"""Processes of the product for the ledger's kill storm, logged in as the application.

    python -m tests.prove.treasury furnish          a street with a fund; prints the ids, as JSON
    python -m tests.prove.treasury work IDS LOG     moves money at random until SIGTERM

What is about to be done is written to the log before it is tried, and how it ended right after: one
line is one write, so what the log says was answered was answered, whatever kills the process.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import django

django.setup()

from django.db import InterfaceError, OperationalError, connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from linli.accounts.models import Person  # noqa: E402
from linli.accounts.policy import Actor, Role, actor_for, system_actor  # noqa: E402
from linli.errors import Refused  # noqa: E402
from linli.registry.models import Tenant  # noqa: E402
from linli.tenancy.context import tenant_context  # noqa: E402
from tenants.communities.actions import add_community  # noqa: E402
from tenants.fund import actions  # noqa: E402
from tenants.fund.models import Posting, Spending  # noqa: E402
from tenants.partners.actions import admit_partner, declare_income, sign_agreement  # noqa: E402
from tests.support.factories import MembershipFactory, PersonFactory  # noqa: E402
from tests.support.models import adopt_chengnan  # noqa: E402

START = date(2024, 1, 1)
PEOPLE = {
    "administrator": Role.STREET_ADMINISTRATOR,
    "approver": Role.CHARITY_APPROVER,
    "cashier": Role.CHARITY_CASHIER,
}
Answer = tuple[str, Any]


def furnish() -> dict[str, str]:
    """Chezhan with a community, its fund, and a contribution of 300,000 yuan that is owed."""
    street = _street()
    for username, role in PEOPLE.items():
        person = PersonFactory(username=username)
        MembershipFactory(person=person, tenant=street, role=role)
    with tenant_context(street):
        system = system_actor(street)
        community = add_community(actor=system, name="城南社区", opened_on=START)
        adopt_chengnan(street, effective_from=START)
        partner = admit_partner(
            actor=system, community_id=community.pk, name="区人民医院", kind="enterprise"
        )
        agreement = sign_agreement(
            actor=system,
            partner_id=partner.pk,
            mode="stationed",
            rule_key="stationed",
            starts_on=START,
            ends_on=date(2034, 1, 1),
        )
        contribution = declare_income(
            actor=system,
            agreement_id=agreement.pk,
            starts_on=START,
            ends_on=date(2025, 1, 1),
            income_fen=1_000_000_000,
        )
        fund = actions.open_fund(
            actor=system, community_id=community.pk, host_charity="淄博市慈善总会", opened_on=START
        )
    return {"fund": str(fund.pk), "contribution": str(contribution.pk)}


class Treasury:
    """One process at work; each kind of move is a method that names itself before it is tried."""

    def __init__(self, ids: dict[str, str], log: Path) -> None:
        self.fund_id, self.contribution_id = UUID(ids["fund"]), UUID(ids["contribution"])
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.name, self.number, self.stopping = log.stem, 0, False
        self.actors: dict[str, Actor] = {}
        self.street: Tenant | None = None

    def work(self) -> None:
        moves = [self.receive, self.receive, self.contribute, self.contribute]
        moves += [self.propose, self.approve, self.pay] * 2 + [self.reverse]
        while not self.stopping:
            try:
                self.street = self.street or _street()
                self.actors = self.actors or {
                    name: actor_for(Person.objects.get(username=name), self.street)
                    for name in PEOPLE
                }
                with tenant_context(self.street):
                    random.choice(moves)()
            except (OperationalError, InterfaceError):
                if connection.is_usable():  # a deadlock, say: not the death of a server
                    raise
                connection.close()
                time.sleep(0.02)

    def receive(self) -> None:
        amount = random.randint(1, 50_000)
        self._try(
            "receive",
            lambda marker: actions.record_income(
                actor=self.actors["cashier"],
                fund_id=self.fund_id,
                source="donation",
                amount_fen=amount,
                received_on=timezone.localdate(),
                note=marker,
            ),
            amount_fen=amount,
        )

    def contribute(self) -> None:
        amount = random.randint(1, 50_000)
        self._try(
            "contribute",
            lambda marker: actions.receive_contribution(
                actor=self.actors["cashier"],
                contribution_id=self.contribution_id,
                amount_fen=amount,
                received_on=timezone.localdate(),
            ),
            amount_fen=amount,
        )

    def propose(self) -> None:
        amount = random.randint(1, 40_000)
        self._try(
            "propose",
            lambda marker: (
                actions.propose_spending(
                    actor=self.actors["administrator"],
                    fund_id=self.fund_id,
                    share=random.choice(["services", "property", "volunteers"]),
                    use="activities",
                    purpose=marker,
                    amount_fen=amount,
                ).pk
            ),
            amount_fen=amount,
        )

    def approve(self) -> None:
        self._try_on(
            "approve",
            Spending.objects.filter(status=Spending.Status.PROPOSED).values_list("pk", flat=True),
            lambda pk, marker: (
                actions.approve_spending(actor=self.actors["approver"], spending_id=pk).pk
            ),
        )

    def pay(self) -> None:
        self._try_on(
            "pay",
            Spending.objects.filter(status=Spending.Status.APPROVED).values_list("pk", flat=True),
            lambda pk, marker: (
                actions.pay_spending(
                    actor=self.actors["cashier"], spending_id=pk, paid_on=timezone.localdate()
                ).pk
            ),
        )

    def reverse(self) -> None:
        """Also what another process is about to reverse, or has reversed since it was looked up."""
        first_legs = [Posting.Kind.INCOME, Posting.Kind.CONTRIBUTION, Posting.Kind.SPENDING]
        open_events = Posting.objects.filter(kind__in=first_legs, reversal=None)
        self._try_on(
            "reverse",
            open_events.values_list("group_id", flat=True),
            lambda group_id, marker: actions.reverse_event(
                actor=self.actors["administrator"], group_id=group_id, reason=marker
            ),
        )

    def _try_on(self, move: str, candidates: Any, act: Callable[[UUID, str], UUID]) -> None:
        found = list(candidates.order_by("?")[:1])
        if found:
            self._try(move, lambda marker: act(found[0], marker), on=str(found[0]))

    def _try(self, move: str, act: Callable[[str], UUID], **told: Any) -> None:
        self.number += 1
        marker = f"{self.name}-{self.number}"
        self._write({"marker": marker, "move": move, **told})
        try:
            self._write({"marker": marker, "done": str(act(marker))})
        except Refused as refused:
            self._write({"marker": marker, "refused": refused.code})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self.log, f"{json.dumps(line)}\n".encode())


def _street() -> Tenant:
    return Tenant.objects.select_related("parent__parent").get(slug="chezhan")


def main(command: str, *arguments: str) -> None:
    if command == "furnish":
        sys.stdout.write(json.dumps(furnish()))
        return
    ids, log = arguments
    treasury = Treasury(json.loads(ids), Path(log))
    signal.signal(signal.SIGTERM, lambda *_: setattr(treasury, "stopping", True))
    treasury.work()


if __name__ == "__main__":
    main(*sys.argv[1:])
