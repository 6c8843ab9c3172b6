"""Scopes come by domain, for reading and for writing: what reads never takes a right to write."""

from collections import defaultdict

import pytest

from linli.accounts.roles import READ, Permission
from linli.accounts.scopes import SCOPES

# Domains whose writing scopes have no reading one beside them; say why, should there be any.
WRITTEN_UNREAD: set[str] = set()
# Nobody writes these by a mutation of their own: what is done elsewhere is told in them.
READ_ONLY = {"audit", "events"}
# The schema about itself, for all domains.
OF_NO_DOMAIN = {"introspect"}
# What two domains read by one scope.
TOGETHER = {"models:read": {Permission.MODELS_READ, Permission.LIBRARY_READ}}


def _domains() -> dict[str, set[str]]:
    found = defaultdict(set)
    for scope in SCOPES.keys() - OF_NO_DOMAIN:
        domain, _colon, verb = scope.partition(":")
        found[domain].add(verb)
    return found


def test_each_domain_that_is_written_has_a_scope_that_reads() -> None:
    domains = _domains()
    assert {name for name, verbs in domains.items() if "read" not in verbs} == WRITTEN_UNREAD
    assert {name for name, verbs in domains.items() if verbs == {"read"}} == READ_ONLY


def test_a_scope_reads_or_writes_never_both() -> None:
    for scope in SCOPES.keys() - OF_NO_DOMAIN:
        domain, _colon, verb = scope.partition(":")
        permissions = SCOPES[scope]
        if verb == "read":
            own = {one for one in READ if one.value == f"{domain}.read"}
            assert permissions == TOGETHER.get(scope, own), scope
        else:
            assert permissions.isdisjoint(READ), scope


@pytest.mark.parametrize("side", ["tenant", "platform", "events"])
def test_what_is_shown_takes_a_permission_to_read(side: str) -> None:
    """Types and their fields; a mutation is what takes the right to write."""
    from linli_api.evolution.needs import ANY_ROLE, needs

    reading = {one.value for one in READ} | {ANY_ROLE}
    shown = {
        where: need.permission
        for where, need in needs(side).items()
        if not where.startswith("Mutation.")
    }
    assert shown
    assert {where: one for where, one in shown.items() if one not in reading} == {}
