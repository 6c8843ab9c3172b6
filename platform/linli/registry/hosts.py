"""From the host name of a request to the tenant it is for.

Asked by every request, so it is one plain statement, and a row that was seen before is not made
into objects again. What the row says is always fresh. It brings along the stamp of the tenant's rules,
which spares the request to ask for them.
"""

from functools import lru_cache

from linli.registry.models import Tenant
from linli.tenancy.context import connection
from linli.tenancy.postgresql.prepared import Row
from linli.tenancy.postgresql.stamps import stamp

_FIELDS = Tenant._meta.concrete_fields
_LEVELS = ("own", "above", "top")
_OF_TENANTS = len(_LEVELS) * len(_FIELDS)
COLUMNS = ", ".join(
    [*(f'{level}."{field.column}"' for level in _LEVELS for field in _FIELDS), "rules.stamp"]
)
COUNT = _OF_TENANTS + 1
# The tenant of the host $1 with those above it; a purged one is gone for good.
OF_HOST = f"""
    FROM public.registry_domain name
    JOIN public.registry_tenant own ON own.id = name.tenant_id
    LEFT JOIN public.registry_tenant above ON above.id = own.parent_id
    LEFT JOIN public.registry_tenant top ON top.id = above.parent_id
    LEFT JOIN public.registry_rulesstamp rules ON rules.tenant_id = own.id
    WHERE name.domain = $1 AND own.status <> '{Tenant.Status.PURGED.value}'
"""
BY_HOST = f"SELECT {COLUMNS} {OF_HOST}"
HOST_STAMP = stamp("name", *_LEVELS)


def tenant_of_host(host: str) -> Tenant | None:
    """The tenant a host name leads to."""
    row = connection.fetch_prepared(BY_HOST, [host.lower()], qualified=True)
    return tenant_of_row(row) if row else None


def tenant_of_row(row: Row) -> Tenant | None:
    """The tenant in the columns of `BY_HOST`; an object of the caller's own."""
    kept = _tenant(row[:_OF_TENANTS])
    if kept is None:
        return None
    own = _own(kept)
    own.rules_stamp = row[_OF_TENANTS]
    return own


@lru_cache(10_000)
def _tenant(row: Row) -> Tenant | None:
    """A tenant and, as its parents, those above it."""
    if not row or row[0] is None:
        return None
    values = [field.to_python(text) for field, text in zip(_FIELDS, row, strict=False)]
    tenant = Tenant.from_db("default", [field.attname for field in _FIELDS], values)
    tenant.parent = _tenant(row[len(_FIELDS) :])
    return tenant


def _own(kept: Tenant) -> Tenant:
    """What a request does to its tenant is not to be seen by the next."""
    own = Tenant.__new__(Tenant)
    own.__dict__.update(kept.__dict__)
    own._state = type(kept._state)()
    own._state.__dict__.update(kept._state.__dict__, fields_cache=dict(kept._state.fields_cache))
    return own
