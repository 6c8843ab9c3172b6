"""What there is to be permitted, the twelve roles, and the table between them.

Roles are fixed; what a unit may configure is data, and roles are not among it. The table is the
whole answer to "who may do what": `linli.accounts.policy` only adds who holds which role where.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from django.db import models
from django.utils.translation import gettext_lazy as _

from linli.registry.models import Tenant

CITY, DISTRICT, STREET = Tenant.Kind.CITY, Tenant.Kind.DISTRICT, Tenant.Kind.STREET


class Permission(models.TextChoices):
    """Named ``domain.verb``; whatever ends in ``.read`` changes nothing, nor does introspection."""

    TENANTS_READ = "tenants.read"
    TENANTS_REQUEST = "tenants.request"
    TENANTS_MANAGE = "tenants.manage"
    PEOPLE_READ = "people.read"
    PEOPLE_GRANT = "people.grant"
    COMMUNITIES_READ = "communities.read"
    COMMUNITIES_ONBOARD = "communities.onboard"
    MODELS_READ = "models.read"
    MODELS_AUTHOR = "models.author"
    MODELS_ADOPT = "models.adopt"
    MODELS_APPROVE = "models.approve"
    MODELS_OVERRIDE = "models.override"
    MODELS_ISSUE_POLICY = "models.issue_policy"
    MODELS_PUBLISH = "models.publish"
    LIBRARY_READ = "library.read"
    LIBRARY_IMPORT = "library.import"
    LIBRARY_TRUST = "library.trust"
    PARTNERS_READ = "partners.read"
    PARTNERS_ADMIT = "partners.admit"
    PARTNERS_SIGN = "partners.sign"
    PARTNERS_DECLARE = "partners.declare"
    PARTNERS_RECEIVE = "partners.receive"
    FUND_READ = "fund.read"
    FUND_OPEN = "fund.open"
    FUND_PROPOSE = "fund.propose"
    FUND_APPROVE = "fund.approve"
    FUND_PAY = "fund.pay"
    FUND_REVERSE = "fund.reverse"
    COMPARISON_READ = "comparison.read"
    COMPARISON_REFRESH = "comparison.refresh"
    AUDIT_READ = "audit.read"
    SCHEMA_INTROSPECT = "schema.introspect"
    DOCUMENTS_READ = "documents.read"
    DOCUMENTS_TRUST = "documents.trust"
    DOCUMENTS_REQUIRE = "documents.require"
    CLIENTS_READ = "clients.read"
    CLIENTS_CREATE = "clients.create"
    CLIENTS_MANAGE = "clients.manage"
    EVENTS_READ = "events.read"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_CREATE = "webhooks.create"
    WEBHOOKS_MANAGE = "webhooks.manage"


class Role(models.TextChoices):
    """What somebody is at a tenant; which permissions that gives is fixed."""

    PLATFORM_OPERATOR = "platform_operator", _("platform operator")
    CITY_SUPERVISOR = "city_supervisor", _("city supervisor")
    DISTRICT_ADMINISTRATOR = "district_administrator", _("district administrator")
    STREET_ADMINISTRATOR = "street_administrator", _("street administrator")
    COMMUNITY_SECRETARY = "community_secretary", _("community party secretary")
    COMMUNITY_WORKER = "community_worker", _("community worker")
    COMMITTEE_MEMBER = "committee_member", _("fund committee member")
    CHARITY_APPROVER = "charity_approver", _("host charity approver")
    CHARITY_CASHIER = "charity_cashier", _("host charity cashier")
    PARTNER = "partner", _("partner")
    AUDITOR = "auditor", _("auditor")
    INTEGRATOR = "integrator", _("integrator")


class Reach(IntEnum):
    """How far a role goes from the tenant it is held at."""

    OWN = 0
    BELOW = 1
    EVERYWHERE = 2


@dataclass(frozen=True)
class Duties:
    """What a role may do, and where.

    kinds: the tenants it can be held at; none means it is held at the platform itself.
    own: permissions in the tenant it is held at (everywhere, for a role of the platform).
    below: permissions in the tenants under that one.
    by_community: whether it can be limited to one community of its tenant.
    """

    kinds: frozenset[Tenant.Kind]
    own: frozenset[Permission]
    below: frozenset[Permission] = frozenset()
    by_community: bool = False

    @property
    def reach(self) -> Reach:
        if not self.kinds:
            return Reach.EVERYWHERE
        return Reach.BELOW if self.below else Reach.OWN


P = Permission
READ = frozenset(p for p in Permission if p.value.endswith(".read")) | {P.SCHEMA_INTROSPECT}
# What everyone who works in a tenant sees of it. Who has which role, the trail, the programs that may
# enter, where they are told of what happens, and the schema are for those who answer for it.
STAFF = READ - {
    P.PEOPLE_READ,
    P.AUDIT_READ,
    P.CLIENTS_READ,
    P.WEBHOOKS_READ,
    P.SCHEMA_INTROSPECT,
}
# A small city may run communities itself, so it can have the staff of a street office.
RUNS_COMMUNITIES = frozenset({STREET, CITY})
ANY_TENANT = frozenset(Tenant.Kind)
# For whoever answers for the programs that a unit lets in. A program trusts no documents itself.
TRUSTS = (P.DOCUMENTS_TRUST, P.DOCUMENTS_REQUIRE)
# Makes programs that do what they may do themselves, and looks after those of their own making.
ENTRUSTS = (P.CLIENTS_READ, P.CLIENTS_CREATE)
# From above: who gives out roles below sees them, and has programs of its own told of what happens
# there; the unit's other endpoints and their secrets stay the unit's.
OVERSEES = (P.PEOPLE_READ, P.PEOPLE_GRANT, P.WEBHOOKS_READ, P.WEBHOOKS_CREATE)


def _may(sees: frozenset[Permission], *does: Permission) -> frozenset[Permission]:
    return sees | frozenset(does)


DUTIES: dict[Role, Duties] = {
    # Runs the service for others: brings units on board and helps them, never touches their
    # partners or their money.
    Role.PLATFORM_OPERATOR: Duties(
        kinds=frozenset(),
        own=_may(
            READ,
            P.TENANTS_REQUEST,
            P.TENANTS_MANAGE,
            P.PEOPLE_GRANT,
            P.COMMUNITIES_ONBOARD,
            P.LIBRARY_IMPORT,
            P.LIBRARY_TRUST,
            P.COMPARISON_REFRESH,
            *ENTRUSTS,
        ),
    ),
    Role.CITY_SUPERVISOR: Duties(
        kinds=frozenset({CITY}),
        own=_may(
            READ,
            P.TENANTS_REQUEST,
            P.PEOPLE_GRANT,
            P.MODELS_AUTHOR,
            P.MODELS_APPROVE,
            P.MODELS_ISSUE_POLICY,
            P.MODELS_PUBLISH,
            P.LIBRARY_IMPORT,
            P.COMPARISON_REFRESH,
            *TRUSTS,
            P.CLIENTS_CREATE,
            P.CLIENTS_MANAGE,
            P.WEBHOOKS_CREATE,
            P.WEBHOOKS_MANAGE,
        ),
        below=_may(STAFF, P.TENANTS_REQUEST, P.MODELS_APPROVE, *OVERSEES),
    ),
    Role.DISTRICT_ADMINISTRATOR: Duties(
        kinds=frozenset({DISTRICT}),
        own=_may(
            READ,
            P.TENANTS_REQUEST,
            P.PEOPLE_GRANT,
            P.MODELS_AUTHOR,
            P.MODELS_APPROVE,
            P.MODELS_ISSUE_POLICY,
            P.MODELS_PUBLISH,
            P.LIBRARY_IMPORT,
            P.COMPARISON_REFRESH,
            *TRUSTS,
            P.CLIENTS_CREATE,
            P.CLIENTS_MANAGE,
            P.WEBHOOKS_CREATE,
            P.WEBHOOKS_MANAGE,
        ),
        below=_may(STAFF, P.TENANTS_REQUEST, P.MODELS_APPROVE, *OVERSEES, P.COMMUNITIES_ONBOARD),
    ),
    Role.STREET_ADMINISTRATOR: Duties(
        kinds=RUNS_COMMUNITIES,
        own=_may(
            READ,
            P.PEOPLE_GRANT,
            P.COMMUNITIES_ONBOARD,
            P.MODELS_AUTHOR,
            P.MODELS_ADOPT,
            P.MODELS_APPROVE,
            P.MODELS_OVERRIDE,
            P.MODELS_PUBLISH,
            P.LIBRARY_IMPORT,
            P.PARTNERS_ADMIT,
            P.PARTNERS_SIGN,
            P.PARTNERS_DECLARE,
            P.PARTNERS_RECEIVE,
            P.FUND_OPEN,
            P.FUND_PROPOSE,
            P.FUND_REVERSE,
            P.COMPARISON_REFRESH,
            *TRUSTS,
            P.CLIENTS_CREATE,
            P.CLIENTS_MANAGE,
            P.WEBHOOKS_CREATE,
            P.WEBHOOKS_MANAGE,
        ),
    ),
    Role.COMMUNITY_SECRETARY: Duties(
        kinds=RUNS_COMMUNITIES,
        own=_may(
            STAFF,
            P.MODELS_OVERRIDE,
            P.PARTNERS_ADMIT,
            P.PARTNERS_SIGN,
            P.PARTNERS_DECLARE,
            P.FUND_PROPOSE,
        ),
        by_community=True,
    ),
    Role.COMMUNITY_WORKER: Duties(
        kinds=RUNS_COMMUNITIES,
        own=_may(STAFF, P.PARTNERS_ADMIT, P.PARTNERS_DECLARE),
        by_community=True,
    ),
    Role.COMMITTEE_MEMBER: Duties(kinds=RUNS_COMMUNITIES, own=STAFF, by_community=True),
    # The charity holds the money: one of its people approves, another pays (F5), and what came in
    # is confirmed by the one who sees the bank account.
    Role.CHARITY_APPROVER: Duties(
        kinds=RUNS_COMMUNITIES,
        own=_may(STAFF, P.FUND_APPROVE, P.FUND_REVERSE, *ENTRUSTS),
    ),
    Role.CHARITY_CASHIER: Duties(
        kinds=RUNS_COMMUNITIES,
        own=_may(STAFF, P.FUND_PAY, P.PARTNERS_RECEIVE, *ENTRUSTS),
    ),
    # Nothing links a log-in to a partner's record yet, so a partner sees what all partners may:
    # where it is and the rules it works under, no other partner and no money.
    Role.PARTNER: Duties(
        kinds=RUNS_COMMUNITIES,
        own=frozenset({P.TENANTS_READ, P.COMMUNITIES_READ, P.MODELS_READ, P.LIBRARY_READ}),
        by_community=True,
    ),
    Role.AUDITOR: Duties(kinds=ANY_TENANT, own=READ, below=READ),
    # A machine's role: the day's work, but no one's money and no one's rights.
    Role.INTEGRATOR: Duties(
        kinds=ANY_TENANT,
        own=_may(
            STAFF,
            P.COMMUNITIES_ONBOARD,
            P.PARTNERS_ADMIT,
            P.PARTNERS_SIGN,
            P.PARTNERS_DECLARE,
            P.SCHEMA_INTROSPECT,
        ),
    ),
}


def roles_with(permission: Permission, *, below: bool = False) -> Iterable[Role]:
    """The roles that carry a permission, at their own tenant or in those below it."""
    return [r for r, d in DUTIES.items() if permission in (d.below if below else d.own)]
