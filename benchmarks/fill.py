"""Run as a process of its own, logged in as the owner, on a copy of the tests' template.

One street office with 20 communities, 2,000 partners with an agreement each, and 50 months of
declarations with what is owed for them: 100,000 contributions. The rules are real (adopted by the
actions), so that the next declaration is worked out as in production; the mass of rows is written
by a few statements, in the form in which the actions write them.
"""

from datetime import date
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.data import INTEGRATOR, PASSWORD, SLUG  # noqa: E402
from linli.accounts.actions import grant_membership, register_person  # noqa: E402
from linli.accounts.policy import Role, system_actor  # noqa: E402
from linli.registry.models import Tenant  # noqa: E402
from linli.tenancy.context import tenant_context  # noqa: E402
from tenants.communities.actions import add_community  # noqa: E402
from tenants.operating_model.actions import freeze_rules  # noqa: E402
from tenants.operating_model.models import RuleSnapshot  # noqa: E402
from tenants.operating_model.selectors import effective_rules  # noqa: E402
from tests.support.models import adopt_chengnan  # noqa: E402

COMMUNITIES, PARTNERS, MONTHS = 20, 2_000, 50
# The rules and the agreements are older than the first declaration: the months before it are free
# for the declarations that a run writes.
RULES_FROM, FIRST_DECLARED = date(1990, 1, 1), date(2022, 1, 1)

PARTNER_ROWS = """
    INSERT INTO partners_partner (id, community_id, name, kind, is_individual, joined_on, sample)
    SELECT uuidv7(make_interval(mins => n - 4000000)), c.id,
           (ARRAY['口腔诊所', '老年食堂', '托育园', '书画班', '理发店', '合唱团', '家电维修'])[1 + mod(n, 7)] || to_char(n, 'FM0000') || '号',
           (ARRAY['enterprise', 'social_organisation', 'skilled_resident'])[1 + mod(n, 3)],
           mod(n, 3) = 2, date '2015-01-01' + n, true
    FROM generate_series(1, %(partners)s) n
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM communities_community) c
      ON c.place = 1 + mod(n, %(communities)s)
"""
AGREEMENT_ROWS = """
    INSERT INTO partners_agreement (id, partner_id, mode, rule_key, services, spaces,
        utilities_borne_by, rent_free_months, starts_on, ends_on, sample)
    SELECT uuidv7(interval '-3 years'), id, 'stationed', 'stationed', '每周五天开放', '一楼两间',
           'partner', 0, %(rules_from)s, date '2050-01-01', true
    FROM partners_partner
"""
# Month after month, so that keys, days and the rows' places in the table go together as they do
# where people declare month after month. In fen: from 1,000.00 to 200,000.00 yuan a month.
DECLARATION_ROWS = """
    INSERT INTO partners_declaration
        (id, agreement_id, starts_on, ends_on, income_fen, sessions, declared_at, sample)
    SELECT uuidv7(declared_at - now()), agreement_id, starts_on, ends_on,
           100000 + hashint8extended(serial, 7) & 16777215, 0, declared_at, true
    FROM (
        SELECT a.id AS agreement_id, month::date AS starts_on,
               (month + interval '1 month')::date AS ends_on,
               (month + interval '1 month') AT TIME ZONE 'Asia/Shanghai'
                   + make_interval(secs => 30000 + 100 * row_number() OVER (PARTITION BY month))
                   AS declared_at,
               row_number() OVER () AS serial
        FROM partners_agreement a
        CROSS JOIN generate_series(timestamp '2022-01-01', timestamp '2022-01-01'
            + make_interval(months => %(months)s - 1), '1 month') month
        ORDER BY month
    ) declared
    ORDER BY declared_at
"""
# What tenants.partners.working makes of it: 3 % of takings, half a fen upwards, in one line.
CONTRIBUTION_ROWS = """
    INSERT INTO partners_contribution (id, declaration_id, partner_id, amount_fen, lines, rules_id, worked_out_at)
    SELECT uuidv7(d.declared_at - now() + interval '1 millisecond'), d.id, a.partner_id, owed,
           jsonb_build_array(jsonb_build_object(
               'starts_on', d.starts_on, 'ends_on', d.ends_on, 'type', 'share',
               'rule_key', 'stationed', 'rule_digest', %(digest)s, 'rent_free', false,
               'base', 'takings', 'declared_fen', d.income_fen, 'base_fen', d.income_fen,
               'rate', '0.03', 'declared_sessions', 0, 'sessions', 0, 'fee_fen', NULL,
               'amount_fen', owed)),
           %(rules)s, d.declared_at
    FROM partners_declaration d
    JOIN partners_agreement a ON a.id = d.agreement_id,
    LATERAL (SELECT round(d.income_fen * 0.03)::bigint AS owed) worked
    ORDER BY d.declared_at
"""
# PostGraphile's own way to a value beside the columns is a function of the row; sums are in none of
# its presets. A view with the sums, joined by a smart tag, was tried: it made Q1 four times slower.
FOR_POSTGRAPHILE = """
    CREATE FUNCTION partners_partner_owed_fen(one partners_partner) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(amount_fen), 0)::bigint FROM partners_contribution
            WHERE partner_id = one.id)
"""


def fill() -> None:
    street = Tenant.objects.get(slug=SLUG)
    system = system_actor(street)
    person = register_person(
        actor=system, username=INTEGRATOR, name="接口对接方", password=PASSWORD
    )
    grant_membership(actor=system, person_id=person.pk, role=Role.INTEGRATOR)
    with tenant_context(street):
        for number in range(1, COMMUNITIES + 1):
            add_community(
                actor=system, name=f"第{number:02}社区", opened_on=RULES_FROM, residents=10_000
            )
        adopt_chengnan(street, effective_from=RULES_FROM)
        _rows(freeze_rules(effective_rules(timezone.localdate())))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")


def _rows(rules: RuleSnapshot) -> None:
    given: dict[str, Any] = {
        "communities": COMMUNITIES,
        "partners": PARTNERS,
        "months": MONTHS,
        "rules_from": RULES_FROM,
        "digest": rules.digest,
        "rules": rules.pk,
    }
    with connection.cursor() as cursor:
        for statement in (PARTNER_ROWS, AGREEMENT_ROWS, DECLARATION_ROWS, CONTRIBUTION_ROWS):
            cursor.execute(statement, given)
        cursor.execute(FOR_POSTGRAPHILE)


if __name__ == "__main__":
    fill()
