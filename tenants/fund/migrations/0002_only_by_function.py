"""Accounts and postings are written by one function, and by nothing else (F2)."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL

# A leg: {id, group_id, fund_id, debit, credit, amount_fen, kind, happened_on, posted_by_id, note,
# rules_id, contribution_id, spending_id, reverses_id}; debit and credit are account codes of the
# fund. An account is opened when it is first named. Accounts are locked in the order of their ids,
# so two events never wait for each other in a circle. The CHECKs of the tables do the refusing.
FUND_POST = """
CREATE FUNCTION fund_post(legs jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp
AS $function$
BEGIN
    INSERT INTO fund_account (id, fund_id, code, kind, debits_fen, credits_fen)
    SELECT uuidv7(), named.fund_id, named.code, split_part(named.code, ':', 1), 0, 0
    FROM (
        SELECT leg.fund_id, leg.debit AS code
        FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, debit text)
        UNION
        SELECT leg.fund_id, leg.credit
        FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, credit text)
    ) AS named
    ORDER BY named.fund_id, named.code
    ON CONFLICT (fund_id, code) DO NOTHING;

    PERFORM FROM fund_account AS account
    WHERE EXISTS (
        SELECT FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, debit text, credit text)
        WHERE leg.fund_id = account.fund_id AND account.code IN (leg.debit, leg.credit)
    )
    ORDER BY account.id
    FOR UPDATE;

    INSERT INTO fund_posting (
        id, group_id, debit_id, credit_id, amount_fen, kind, happened_on, recorded_at,
        posted_by_id, note, rules_id, contribution_id, spending_id, reverses_id
    )
    SELECT
        leg.id, leg.group_id, debit.id, credit.id, leg.amount_fen, leg.kind, leg.happened_on,
        statement_timestamp(), leg.posted_by_id, coalesce(leg.note, ''), leg.rules_id,
        leg.contribution_id, leg.spending_id, leg.reverses_id
    FROM jsonb_to_recordset(legs) AS leg(
        id uuid, group_id uuid, fund_id uuid, debit text, credit text, amount_fen bigint,
        kind text, happened_on date, posted_by_id uuid, note text, rules_id uuid,
        contribution_id uuid, spending_id uuid, reverses_id uuid
    )
    JOIN fund_account AS debit ON debit.fund_id = leg.fund_id AND debit.code = leg.debit
    JOIN fund_account AS credit ON credit.fund_id = leg.fund_id AND credit.code = leg.credit;

    UPDATE fund_account AS account
    SET debits_fen = account.debits_fen + moved.debits,
        credits_fen = account.credits_fen + moved.credits
    FROM (
        SELECT side.fund_id, side.code, sum(side.debits) AS debits, sum(side.credits) AS credits
        FROM (
            SELECT leg.fund_id, leg.debit AS code, leg.amount_fen AS debits, 0 AS credits
            FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, debit text, amount_fen bigint)
            UNION ALL
            SELECT leg.fund_id, leg.credit, 0, leg.amount_fen
            FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, credit text, amount_fen bigint)
        ) AS side
        GROUP BY side.fund_id, side.code
    ) AS moved
    WHERE moved.fund_id = account.fund_id AND moved.code = account.code;

    -- The totals speak of today. Money taken out on a day before the account's last one must have
    -- been there on that day, and on each since.
    IF EXISTS (
        SELECT FROM (
            SELECT account.id, min(leg.happened_on) AS since
            FROM jsonb_to_recordset(legs) AS leg(fund_id uuid, debit text, happened_on date)
            JOIN fund_account AS account ON account.fund_id = leg.fund_id AND account.code = leg.debit
            WHERE account.kind = 'held'
            GROUP BY account.id
        ) AS taken
        WHERE EXISTS (
            SELECT FROM fund_posting AS later
            WHERE taken.id IN (later.debit_id, later.credit_id) AND later.happened_on > taken.since
        ) AND EXISTS (
            SELECT FROM (
                SELECT move.day, sum(sum(move.fen)) OVER (ORDER BY move.day) AS balance
                FROM (
                    SELECT happened_on AS day, amount_fen AS fen
                    FROM fund_posting WHERE credit_id = taken.id
                    UNION ALL
                    SELECT happened_on, -amount_fen FROM fund_posting WHERE debit_id = taken.id
                ) AS move
                GROUP BY move.day
            ) AS held
            WHERE held.day >= taken.since AND held.balance < 0
        )
    ) THEN
        RAISE EXCEPTION 'overdrawn on an earlier day'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'account_not_overdrawn_then';
    END IF;
END
$function$
"""


class Migration(migrations.Migration):
    dependencies = [("fund", "0001_initial")]

    operations = [
        TenantSQL(FUND_POST, "DROP FUNCTION fund_post(jsonb)"),
        TenantSQL("REVOKE ALL ON FUNCTION fund_post(jsonb) FROM PUBLIC"),
        TenantSQL("GRANT EXECUTE ON FUNCTION fund_post(jsonb) TO {app}"),
        TenantSQL("REVOKE INSERT, UPDATE, DELETE ON fund_account FROM {app}"),
        TenantSQL("REVOKE INSERT, UPDATE, DELETE ON fund_posting FROM {app}"),
    ]
