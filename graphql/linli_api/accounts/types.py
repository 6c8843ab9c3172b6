"""People and their roles, as administrators see them in the API."""

import graphene

from linli.accounts import models, selectors
from linli.accounts.policy import Permission, Role
from linli_api.connections import Connection
from linli_api.fields import Column, GlobalId, One
from linli_api.inputs import VERSION
from linli_api.registry.types import Tenant
from linli_api.scalars import Date, choices
from linli_api.types import Object

RoleName = choices(
    Role,
    "Role",
    PLATFORM_OPERATOR="Runs the service for all units: brings them on board, reads, touches no money.",
    CITY_SUPERVISOR="Of a city (市级督导): compares the units below it, issues policies, publishes what works.",
    DISTRICT_ADMINISTRATOR="Of a district (区级管理员): brings street offices on board, issues policies for them.",
    STREET_ADMINISTRATOR="Answers for a street office (街道管理员): its rules, people, programs, partners, fund.",
    COMMUNITY_SECRETARY="Leads a community (社区书记): its partners and its own rules, and proposes spending.",
    COMMUNITY_WORKER="Does a community's daily work (社区工作者): admits partners, declares their income.",
    COMMITTEE_MEMBER="Sits on the committee (基金管委会) that reviews what is asked of a fund; reads.",
    CHARITY_APPROVER="Says yes or no, for the charity (慈善总会), to what a fund is to pay; never pays it.",
    CHARITY_CASHIER="Pays for the charity (慈善总会) what another approved, and confirms what has arrived.",
    PARTNER="Runs a service in a community (社区合伙人): sees where, and the rules it works under.",
    AUDITOR="Reads everything (审计), there and in the units below, and changes nothing.",
    INTEGRATOR="For a program (接口对接方): a unit's daily work, but no money and nobody's rights.",
)


class Person(Object):
    """Someone who logs in; shown to who may see roles where the person has one."""

    class Meta:
        permission = Permission.PEOPLE_READ
        model = models.Person
        selector = selectors.people

    username = graphene.String(required=True, description="What they log in with.")
    name = graphene.String(required=True, description="What they are called.")
    email = Column(
        graphene.String, of="email", blank_is_null=True, description="Null where not given."
    )
    phone = Column(
        graphene.String, of="phone", blank_is_null=True, description="Null where not given."
    )
    is_active = graphene.Boolean(required=True, description="Whether they may log in.")
    version = graphene.Int(required=True, description=VERSION)
    memberships = Connection(
        lambda: Membership, by="person_id", description="Their roles, where you may see them."
    )


class Membership(Object):
    """A role of one person at one tenant, or in one community of it, or at the platform itself."""

    class Meta:
        permission = Permission.PEOPLE_READ
        model = models.Membership
        selector = selectors.memberships

    person = One(Person, by="person_id", description="Who.")
    tenant = One(Tenant, by="tenant_id", description="Where; null for the platform itself.")
    role = graphene.Field(RoleName, required=True, description="As what.")
    community_id = GlobalId(
        "Community",
        by="community_id",
        description="Set where the role is limited to one community.",
    )
    starts_on = Date(required=True, description="The first day.")
    ended_on = Date(description="The first day no longer; null while it runs.")
    granted_by = One(Person, by="granted_by_id", description="Who gave it.")
