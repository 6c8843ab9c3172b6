"""Divisions of the country and the tenants that stand in them, as the API shows them."""

import graphene

from linli.accounts import selectors as accounts
from linli.accounts.policy import Permission
from linli.registry import models, selectors
from linli_api.connections import Connection
from linli_api.fields import Column, Computed, One
from linli_api.guard import INHERITED, MEMBER
from linli_api.inputs import VERSION
from linli_api.scalars import DateTime, choices
from linli_api.types import Object

DivisionLevel = choices(
    models.Division.Level,
    "DivisionLevel",
    PROVINCE="2 digits: a province, an autonomous region, or a city under the central government.",
    CITY="4 digits: a prefecture (市), such as Zibo.",
    DISTRICT="6 digits: a district or county (区、县).",
    STREET="9 digits: a street office or a town (街道办事处、镇).",
)
TenantKind = choices(
    models.Tenant.Kind,
    "TenantKind",
    CITY="A city (市): its policies bind all below, and it compares them; a small one runs communities too.",
    DISTRICT="A district or county (区、县): brings street offices on board, and sets policies for them.",
    STREET="A street office or town (街道办事处、镇): runs communities, with their partners and funds.",
)
TenantStatus = choices(
    models.Tenant.Status,
    "TenantStatus",
    REQUESTED="Asked for; nothing of it has been made.",
    PROVISIONING="Its place in the database and its host are being made; it answers nobody yet.",
    ACTIVE="It works: its host answers, reads and writes.",
    SUSPENDED="All can be read at its host, nothing changed.",
    ARCHIVED="Its host answers nobody any more; its data is kept.",
    PURGED="Its data is gone for good; the name is kept for the trail.",
)


class Division(Object):
    """A place of the national statistical list (统计用区划代码), down to the street."""

    class Meta:
        permission = MEMBER
        model = models.Division
        selector = selectors.divisions
        orderings = {"CODE": ("code",)}

    code = graphene.String(
        required=True, description="2 digits for a province, 4 a city, 6 a district, 9 a street."
    )
    name = graphene.String(required=True, description="As the list has it.")
    level = graphene.Field(DivisionLevel, required=True, description="What it is.")
    edition = graphene.Int(required=True, description="The year of the list.")
    parent = One(lambda: Division, by="parent_id", description="The place one level up.")
    children = Connection(
        lambda: Division, by="parent_id", description="The places one level down."
    )


class Brand(Object):
    """How a tenant's pages present it."""

    class Meta:
        permission = INHERITED

    title = graphene.String(required=True, description="The title of its pages.")
    colour = graphene.String(required=True, description="# and six hex digits.")
    version = graphene.Int(required=True, description=VERSION)


class Tenant(Object):
    """A street office, a district or a city on the platform."""

    class Meta:
        permission = Permission.TENANTS_READ
        model = models.Tenant
        selector = accounts.tenants
        orderings = {
            "OLDEST": ("id",),
            "NEWEST": ("-id",),
            "NAME": ("name",),
            "SLUG": ("slug",),
        }

    slug = graphene.String(required=True, description="The first part of its address.")
    name = graphene.String(required=True, description="As people call it: 车站街道.")
    kind = graphene.Field(TenantKind, required=True, description="What it is.")
    status = graphene.Field(TenantStatus, required=True, description="Where it stands in its life.")
    locale = graphene.String(required=True, description="The language of its pages.")
    host = Computed(
        graphene.String, load=selectors.host_by_tenant, description="Its address, without port."
    )
    brand = Computed(
        Brand, load=selectors.brand_by_tenant, description="Null for the house colours."
    )
    is_sandbox = Computed(
        graphene.Boolean,
        required=True,
        load=selectors.sandbox_by_tenant,
        description="Whether it is one to try things out in: made up, and reset by a call.",
    )
    sandbox_filled_at = Computed(
        DateTime,
        load=selectors.filled_by_tenant,
        description="When the sample data of a sandbox was last laid out: a reset is done when this"
        " has changed. Null for what is no sandbox.",
    )
    division = One(Division, by="division_id", description="Where it lies.")
    requested_at = Column(
        DateTime, of="created_at", required=True, description="When it was asked for."
    )
    version = graphene.Int(required=True, description=VERSION)
    parent = One(lambda: Tenant, by="parent_id", description="The district or city it belongs to.")
    children = Connection(
        lambda: Tenant, by="parent_id", description="The tenants that belong to it."
    )
