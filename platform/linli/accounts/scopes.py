"""What a program may be allowed, and the permissions each of it stands for.

The table is the whole answer to "what does this scope let it do": a client has the permissions of
its scopes where its maker had them, a person's token those that the person has there as well.
Money is cut finer than the rest, so that who pays in never pays out.
"""

from collections.abc import Iterable

from linli.accounts.roles import Permission

P = Permission

SCOPES: dict[str, frozenset[Permission]] = {
    "tenants:read": frozenset({P.TENANTS_READ}),
    "tenants:write": frozenset({P.TENANTS_REQUEST}),
    "tenants:manage": frozenset({P.TENANTS_MANAGE}),
    "people:read": frozenset({P.PEOPLE_READ}),
    "people:write": frozenset({P.PEOPLE_GRANT}),
    "communities:read": frozenset({P.COMMUNITIES_READ}),
    "communities:write": frozenset({P.COMMUNITIES_ONBOARD}),
    "models:read": frozenset({P.MODELS_READ, P.LIBRARY_READ}),
    "models:write": frozenset({P.MODELS_AUTHOR, P.MODELS_PUBLISH, P.LIBRARY_IMPORT}),
    "models:trust": frozenset({P.LIBRARY_TRUST}),
    "models:adopt": frozenset({P.MODELS_ADOPT, P.MODELS_OVERRIDE}),
    "models:approve": frozenset({P.MODELS_APPROVE}),
    "models:policy": frozenset({P.MODELS_ISSUE_POLICY}),
    "partners:read": frozenset({P.PARTNERS_READ}),
    "partners:write": frozenset({P.PARTNERS_ADMIT, P.PARTNERS_SIGN, P.PARTNERS_DECLARE}),
    "partners:receive": frozenset({P.PARTNERS_RECEIVE}),
    "fund:read": frozenset({P.FUND_READ}),
    "fund:write": frozenset({P.FUND_OPEN, P.FUND_PROPOSE}),
    "fund:approve": frozenset({P.FUND_APPROVE}),
    "fund:pay": frozenset({P.FUND_PAY}),
    "fund:reverse": frozenset({P.FUND_REVERSE}),
    "comparison:read": frozenset({P.COMPARISON_READ}),
    "comparison:write": frozenset({P.COMPARISON_REFRESH}),
    "audit:read": frozenset({P.AUDIT_READ}),
    "clients:read": frozenset({P.CLIENTS_READ}),
    "clients:write": frozenset({P.CLIENTS_CREATE, P.CLIENTS_MANAGE}),
    "documents:read": frozenset({P.DOCUMENTS_READ}),
    "documents:write": frozenset({P.DOCUMENTS_TRUST, P.DOCUMENTS_REQUIRE}),
    "events:read": frozenset({P.EVENTS_READ}),
    "webhooks:read": frozenset({P.WEBHOOKS_READ}),
    "webhooks:write": frozenset({P.WEBHOOKS_CREATE}),
    "webhooks:manage": frozenset({P.WEBHOOKS_MANAGE}),
    "introspect": frozenset({P.SCHEMA_INTROSPECT}),
}


def permissions_of(scopes: Iterable[str]) -> frozenset[Permission]:
    """What scopes stand for together; one that is no longer in the table stands for nothing."""
    return frozenset[Permission]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def scopes_with(permission: Permission) -> list[str]:
    return [scope for scope, permissions in SCOPES.items() if permission in permissions]


def scopes_for(permissions: Iterable[Permission]) -> list[str]:
    """The scopes that give all of them, in the order of the table."""
    wanted = frozenset(permissions)
    return [scope for scope, given in SCOPES.items() if given & wanted]
