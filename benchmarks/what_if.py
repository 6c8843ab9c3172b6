"""A year replayed under a draft (M8) against the real contribution run of the same year.

Run as a process of its own on a copy of the benchmarks' data: 2,000 partners, twelve months. The real
run is the product's own engine: it reads the same declarations in the same way, finds the terms of
each (`tenants.partners.terms`), works it out and writes the contributions in bulk, the checks of
foreign keys included, in a transaction that is rolled back. The two are measured in turns. Before
that, both have to come to the same fen under the same rules.
"""

import statistics
import sys
import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.db import connection, transaction

from benchmarks.data import SLUG
from linli.accounts.policy import Actor, system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.fund.what_if import Outcome, what_if
from tenants.fund.what_if.reading import declared_in
from tenants.operating_model.actions import freeze_rules
from tenants.operating_model.models import Adoption
from tenants.operating_model.rulebook import Rulebook
from tenants.partners.actions import declare_income
from tenants.partners.models import Agreement, Contribution
from tenants.partners.terms import terms_of
from tenants.partners.working import Declared, work_out

YEAR, AFTER = date(2025, 1, 1), date(2026, 1, 1)
FREE_MONTH = date(2021, 12, 1), date(2022, 1, 1)  # before the first that is declared
ONE_BY_ONE = 200
GOAL = 1.5


@dataclass(frozen=True)
class Agreed:
    """The terms of an agreement, as the replay reads them too."""

    mode: str
    rule_key: str
    agreed_rate: Decimal | None
    rent_free_months: int
    starts_on: date


def draft() -> dict[str, Any]:
    """The version in force, with another rate."""
    document = in_force()
    for rule in document["partners"]["contributions"]:
        if rule["key"] == "stationed":
            rule["rate"] = "0.04"
    return document


def in_force() -> dict[str, Any]:
    document: dict[str, Any] = Adoption.objects.select_related("version").get().version.document
    return document


def ask(actor: Actor, document: dict[str, Any]) -> Outcome:
    outcome = what_if(actor=actor, starts_on=YEAR, ends_on=AFTER, document=document)
    if outcome.problems or outcome.not_worked_out:
        raise RuntimeError(f"not replayed: {outcome.problems or outcome.not_worked_out[:3]}")
    return outcome


def run_for_real() -> tuple[int, float]:
    """Inside a transaction in which the year has no contributions: what was owed in all, and the
    instant from which on nothing was left to do but to write."""
    book = Rulebook.load()
    made = []
    for row in declared_in(YEAR, AFTER, None):
        agreed = Agreed(
            row.mode, row.rule_key, row.agreed_rate, row.rent_free_months, row.agreed_from
        )
        terms = terms_of(agreed, row.starts_on, row.ends_on, row.community_id, book)
        worked = work_out(
            terms.segments,
            Declared(row.starts_on, row.ends_on, row.income_fen, row.sessions, terms.base),
        )
        made.append(
            Contribution(
                declaration_id=row.pk,
                partner_id=row.partner_id,
                amount_fen=worked.amount_fen,
                lines=list(worked.lines),
                rules=terms.last,
            )
        )
    worked_out = time.perf_counter()
    Contribution.objects.bulk_create(made, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return sum(one.amount_fen for one in made), worked_out


class Undone(Exception):
    """Ends a transaction that is to leave nothing."""


def timed_run() -> tuple[float, float, int]:
    """Seconds, those of them before the writing, and what was owed in all; nothing is left of it."""
    try:
        with transaction.atomic():
            year = {"declaration__starts_on__gte": YEAR, "declaration__ends_on__lte": AFTER}
            Contribution.objects.filter(**year).delete()  # not timed
            began = time.perf_counter()
            owed, worked_out = run_for_real()
            seconds = time.perf_counter() - began
            raise Undone
    except Undone:
        return seconds, worked_out - began, owed


def timed_replay(actor: Actor, document: dict[str, Any]) -> float:
    began = time.perf_counter()
    ask(actor, document)
    return time.perf_counter() - began


def one_by_one(actor: Actor) -> float:
    """Seconds for one declaration by the action, committed, as the median of some."""
    taken = []
    for agreement in Agreement.objects.order_by("pk")[:ONE_BY_ONE]:
        began = time.perf_counter()
        declare_income(
            actor=actor,
            agreement_id=agreement.pk,
            starts_on=FREE_MONTH[0],
            ends_on=FREE_MONTH[1],
            income_fen=1_234_567,
        )
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main(pairs: int) -> None:
    street = Tenant.objects.get(slug=SLUG)
    actor = system_actor(street)
    with tenant_context(street):
        for _first, _after, rules in Rulebook.load().timeline(YEAR, AFTER):
            freeze_rules(rules)  # they are: somebody has declared under them before
        same = ask(actor, in_force())
        _seconds, _before, owed = timed_run()
        if not same.total.was_fen == same.total.would_be_fen == owed:
            raise RuntimeError(f"the replay makes {same.total}, the run {owed}")
        document = draft()
        timed_replay(actor, document)
        replays, runs, unwritten = [], [], []
        for _ in range(pairs):
            replays.append(timed_replay(actor, document))
            seconds, before_writing, _owed = timed_run()
            runs.append(seconds)
            unwritten.append(before_writing)
        ratios = [ours / real for ours, real in zip(replays, runs, strict=True)]
        ratio, single = statistics.median(ratios), one_by_one(actor)
    say(f"what_if: {same.declarations} declarations of {len(same.partners)} partners")
    say(
        f"what_if replay: {statistics.median(replays):.2f} s; real run: {statistics.median(runs):.2f} s, "
        f"of which {statistics.median(unwritten):.2f} s before it writes"
    )
    say(f"what_if replay ÷ real run, pair by pair: {' '.join(f'{one:.2f}' for one in ratios)}")
    say(
        f"what_if for information: declareIncome's action one by one takes {single * 1000:.1f} ms, "
        f"{single * same.declarations:.0f} s for as many"
    )
    say(f"BENCH what_if {ratio:.2f} {GOAL} {'ok' if ratio <= GOAL else 'short'}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
