"""The stamp of a tenant's rules: one value, another one whenever the rules differ (adr/0015).

It stands beside the tenant, outside of its schema, so that the statement which finds the tenant of a
request brings it along (`linli.registry.hosts`). Whoever decides about rules moves it in the same
transaction. What it is made of, the tenant's rows, is for `tenants.operating_model` to say.
"""

from linli.tenancy import unit
from linli.tenancy.context import connection, current_schema

_KEPT = """
    SELECT rules.stamp FROM public.registry_rulesstamp rules
    JOIN public.registry_tenant tenant ON tenant.id = rules.tenant_id WHERE tenant.schema_name = $1
"""


def reading(worked_out: str) -> tuple[str, list[str]]:
    """The statement, with its parameters, that tells the stamp as it is now. worked_out: SQL for
    what it is made of, for a tenant whose rules nobody has changed since stamps are kept."""
    return f"SELECT coalesce(({_KEPT}), ({worked_out}))", [current_schema()]


def read(worked_out: str) -> str:
    """Of the tenant we stand in, without a query where it is known already."""
    known = unit.told_of(current_schema())
    return known if known is not None else read_anew(worked_out)


def read_anew(worked_out: str) -> str:
    row = connection.fetch_prepared(*reading(worked_out))
    stamp: str = row[0]
    unit.tell(current_schema(), stamp)
    return stamp


def move(worked_out: str) -> None:
    """To what it comes to now. In the transaction that changed the rules, if anything did."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO public.registry_rulesstamp AS rules (tenant_id, stamp)
            SELECT id, ({worked_out}) FROM public.registry_tenant WHERE schema_name = %s
            ON CONFLICT (tenant_id) DO UPDATE SET stamp = excluded.stamp
            WHERE rules.stamp <> excluded.stamp
            """,
            [current_schema()],
        )
        if cursor.rowcount:
            unit.changed(current_schema())
