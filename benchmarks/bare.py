"""What the API is held against: WSGI, one kept connection a process, and SQL written by hand.

It is sent what Linli is sent, and answers in the same form. PostgreSQL builds the JSON, in one
round trip. It knows no permissions, limits or tenants, and ids are bare keys: this is the least that
serving the query takes, under the same gunicorn.
"""

import json
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.data import SCHEMA
from benchmarks.queries import LAST, PAGE
from linli import database
from linli.ids import encode, uuid7
from linli.money import yuan

OWED = f"""
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_object(
            'id', id, 'amountFen', amount_fen, 'workedOutAt', worked_out_at) ORDER BY id DESC) AS nodes
        FROM (
            SELECT id, amount_fen, worked_out_at FROM partners_contribution
            WHERE partner_id = p.id ORDER BY id DESC LIMIT {LAST}
        ) k
    ) last
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_fen), 0) AS fen FROM partners_contribution
        WHERE partner_id = p.id
    ) owed
"""
OWED_JSON = "'contributions', json_build_object('nodes', last.nodes), 'owedFen', owed.fen"
Q1 = f"""
    SELECT json_build_object('data', json_build_object('partners', json_build_object('nodes',
        json_agg(json_build_object(
            'id', p.id, 'name', p.name, 'community', json_build_object('name', c.name),
            {OWED_JSON}) ORDER BY p.name, p.id))))::text
    FROM (
        SELECT id, name, community_id FROM partners_partner
        WHERE community_id = %s ORDER BY name, id LIMIT {PAGE}
    ) p
    JOIN communities_community c ON c.id = p.community_id
    {OWED}
"""
Q2 = """
    SELECT json_build_object('data', json_build_object('partner', json_build_object(
        'id', p.id, 'name', p.name, 'kind', p.kind, 'isIndividual', p.is_individual,
        'joinedOn', p.joined_on, 'community', json_build_object('id', c.id, 'name', c.name))))::text
    FROM partners_partner p JOIN communities_community c ON c.id = p.community_id
    WHERE p.id = %s
"""
Q3 = """
    SELECT json_build_object('data', json_build_object('contributionMonths', json_agg(
        json_build_object('community', json_build_object('name', c.name),
            'month', month, 'owedFen', fen) ORDER BY month, c.id)))::text
    FROM (
        SELECT p.community_id, date_trunc('month', d.starts_on)::date AS month,
            sum(k.amount_fen) AS fen
        FROM partners_contribution k
        JOIN partners_declaration d ON d.id = k.declaration_id
        JOIN partners_partner p ON p.id = k.partner_id
        WHERE d.starts_on >= %s AND d.starts_on < %s
        GROUP BY 1, 2
    ) summed
    JOIN communities_community c ON c.id = summed.community_id
"""

AGREEMENT = """
    SELECT a.starts_on, a.ends_on, a.agreed_rate, a.rule_key, a.partner_id, p.community_id
    FROM partners_agreement a JOIN partners_partner p ON p.id = a.partner_id
    WHERE a.id = %s FOR NO KEY UPDATE OF a
"""
RULES = """
    SELECT id, digest, content #> '{document,partners,contributions}'
    FROM operating_model_rulesnapshot ORDER BY id DESC LIMIT 1
"""
DECLARATION = """
    INSERT INTO partners_declaration
        (id, agreement_id, starts_on, ends_on, income_fen, sessions, declared_at, sample)
    VALUES (%s, %s, %s, %s, %s, 0, now(), false) RETURNING declared_at
"""
CONTRIBUTION = """
    INSERT INTO partners_contribution
        (id, declaration_id, partner_id, amount_fen, lines, rules_id, worked_out_at)
    VALUES (%s, %s, %s, %s, %s, %s, now())
"""
AUDIT = """
    INSERT INTO audit_entry (id, at, client_id, action, object_type, object_id, after, reason)
    VALUES (%s, now(), %s, 'partners.income_declared', 'partners.Declaration', %s, %s, '')
"""
EVENT = """
    INSERT INTO events_event (type, object_type, object_id, community_id, client_id, data)
    VALUES ('income.declared', 'Declaration', %s, %s, %s, %s)
"""


@cache
def connection() -> psycopg.Connection:
    """Of this process, kept."""
    kept = database.connect("app")
    kept.execute(f"SET search_path TO {SCHEMA}, public")
    kept.execute("SET timezone TO 'Asia/Shanghai'")
    kept.prepare_threshold = 0
    return kept


@cache
def acting_client() -> Any:
    """The one that Linli is asked by."""
    found = connection().execute("SELECT id FROM clients_client ORDER BY id DESC LIMIT 1")
    return found.fetchone()[0]  # type: ignore[index]


def read(statement: str, *parameters: Any) -> bytes:
    [answer] = connection().execute(statement, parameters).fetchone()  # type: ignore[misc]
    return answer.encode()


def declare(agreement: str, startsOn: str, endsOn: str, incomeFen: int) -> bytes:  # noqa: N803
    """The rows that `tenants.partners.actions.declare_income` writes, under the same lock."""
    first, after = date.fromisoformat(startsOn), date.fromisoformat(endsOn)
    declaration, contribution = uuid7(), uuid7()
    with connection().transaction():
        execute = connection().execute
        term = execute(AGREEMENT, [agreement]).fetchone()
        if term is None or not term[0] <= first < after <= min(term[1], date.today()):
            return b'{"errors": [{"message": "refused"}]}'
        rules_id, digest, rules = execute(RULES).fetchone()  # type: ignore[misc]
        rate = term[2] or next(Decimal(rule["rate"]) for rule in rules if rule["key"] == term[3])
        owed = int((incomeFen * rate).quantize(Decimal(1), ROUND_HALF_UP))
        line = {
            "starts_on": startsOn, "ends_on": endsOn, "type": "share", "rule_key": term[3],
            "rule_digest": digest, "rent_free": False, "base": "takings",
            "declared_fen": incomeFen, "base_fen": incomeFen, "rate": str(rate),
            "declared_sessions": 0, "sessions": 0, "fee_fen": None, "amount_fen": owed,
        }  # fmt: skip
        given = [declaration, agreement, first, after, incomeFen]
        [declared_at] = execute(DECLARATION, given).fetchone()  # type: ignore[misc]
        of = [contribution, declaration, term[4]]
        execute(CONTRIBUTION, [*of, owed, Jsonb([line]), rules_id])
        after_it = {
            "id": str(declaration), "agreement_id": agreement, "starts_on": startsOn,
            "ends_on": endsOn, "income_fen": incomeFen, "sessions": 0,
            "declared_at": declared_at.isoformat(), "sample": False,
            "contribution_id": str(contribution), "amount_fen": owed,
        }  # fmt: skip
        execute(AUDIT, [uuid7(), acting_client(), str(declaration), Jsonb(after_it)])
        event = {
            "agreement": encode("Agreement", agreement),
            "contribution": encode("Contribution", contribution),
            "startsOn": startsOn, "endsOn": endsOn, "amountFen": owed, "amountYuan": yuan(owed),
        }  # fmt: skip
        execute(EVENT, [declaration, term[5], acting_client(), Jsonb(event)])
    told = {"contribution": {"id": str(contribution), "amountFen": owed}, "errors": []}
    return json.dumps({"data": {"declareIncome": told}}).encode()


OPERATIONS: dict[str, Callable[..., bytes]] = {
    "Q1": lambda community: read(Q1, community),
    "Q2": lambda id: read(Q2, id),
    "Q3": lambda since, until: read(Q3, since, until),
    "W1": declare,
}


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    answer = OPERATIONS[body["operationName"]](**body["variables"])
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    )
    return [answer]
