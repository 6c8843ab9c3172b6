"""Partners, what was agreed with them and what they owe, as the API shows it."""

from collections.abc import Iterable
from datetime import date
from types import SimpleNamespace
from typing import Any

import graphene
from django.db.models import F

from linli.accounts.policy import Permission
from linli_api.batches import together
from linli_api.communities.types import Community
from linli_api.connections import Connection
from linli_api.fields import Bounded, One, Total
from linli_api.guard import INHERITED
from linli_api.inputs import VERSION
from linli_api.operating_model.types import AdoptionPreview, RuleSnapshot
from linli_api.operating_model.upgrades import Upgrade
from linli_api.scalars import Date, DateTime, Fen, Rate, choices
from linli_api.types import Object, extends
from tenants.operating_model import models as rule_models
from tenants.operating_model.dependents import Unfit
from tenants.operating_model.selectors import Preview, unfit_of
from tenants.partners import models, selectors
from tenants.partners.working import explain

AgreementMode = choices(
    models.Agreement.Mode,
    "AgreementMode",
    STATIONED="The partner has a room of its own in the community (常驻).",
    VISITING="The partner comes by the session, and has no room (流动).",
)
UtilitiesBearer = choices(
    models.Agreement.Bearer,
    "UtilitiesBearer",
    PARTNER="Whoever runs the service in the room pays them.",
    COMMUNITY="They are paid for the partner, as a part of what is lent.",
)

MOST_UNFIT = 1_000
SAMPLE = "True for made-up sample data, false for what really happened."
END = "The first day that is not included."


class Partner(Object):
    """Someone who runs a service in a community's room (社区合伙人)."""

    class Meta:
        permission = Permission.PARTNERS_READ
        model = models.Partner
        selector = selectors.partners
        orderings = {"NAME": ("name",), "NEWEST": ("-id",), "OLDEST": ("id",)}

    community = One(Community, by="community_id", description="Where it is a partner.")
    name = graphene.String(required=True, description="Who it is.")
    kind = graphene.String(required=True, description="Key of one of the model's partner kinds.")
    is_individual = graphene.Boolean(
        required=True, description="True for a person, false for an organisation or a group."
    )
    joined_on = Date(required=True, description="Since when.")
    sample = graphene.Boolean(required=True, description=SAMPLE)
    version = graphene.Int(required=True, description=VERSION)
    agreements = Connection(
        lambda: Agreement, by="partner_id", description="What was agreed with it."
    )
    contributions = Connection(
        lambda: Contribution, by="partner_id", description="What it owes, by declaration."
    )
    owed_fen = Total(
        Fen,
        summed=selectors.contributions,
        by="partner_id",
        amount=F("amount_fen"),
        required=True,
        description="All that it was worked out to owe so far, paid or not, in fen.",
    )


class Agreement(Object):
    """What a partner and its community agreed, for a term (合作协议)."""

    class Meta:
        permission = Permission.PARTNERS_READ
        model = models.Agreement
        selector = selectors.agreements
        orderings = {"STARTS": ("starts_on",), "NEWEST": ("-id",), "OLDEST": ("id",)}

    partner = One(Partner, by="partner_id", description="With whom.")
    mode = graphene.Field(AgreementMode, required=True, description="How it is engaged.")
    rule_key = graphene.String(
        required=True, description="Key of the model's contribution rule that applies."
    )
    agreed_rate = Rate(description="The rate agreed here; null where the rule's own applies.")
    services = graphene.String(required=True, description="What it offers, and how well.")
    spaces = graphene.String(required=True, description="The rooms it is lent.")
    utilities_borne_by = graphene.Field(
        UtilitiesBearer, required=True, description="Who pays for water, power and heating."
    )
    rent_free_months = graphene.Int(
        required=True, description="Months from the start in which nothing is owed."
    )
    starts_on = Date(required=True, description="The first day of the term.")
    ends_on = Date(required=True, description=END)
    sample = graphene.Boolean(required=True, description=SAMPLE)
    declarations = Connection(
        lambda: Declaration, by="agreement_id", description="What was declared under it."
    )


class Declaration(Object):
    """What a partner declares for a period: its income, its sessions, or both."""

    class Meta:
        permission = Permission.PARTNERS_READ
        model = models.Declaration
        selector = selectors.declarations
        # By the day, as `since` and `until` ask: one index serves both.
        orderings = {"OLDEST": ("starts_on",), "NEWEST": ("-starts_on",)}

    agreement = One(Agreement, by="agreement_id", description="Under which agreement.")
    starts_on = Date(required=True, description="The first day of the period.")
    ends_on = Date(required=True, description=END)
    income_fen = Fen(required=True, description="Income of the rule's base, in fen.")
    sessions = graphene.Int(required=True, description="Sessions held.")
    declared_at = DateTime(required=True, description="When it was declared.")
    sample = graphene.Boolean(required=True, description=SAMPLE)
    contribution = One(
        lambda: Contribution, back="declaration_id", description="What is owed for it."
    )


class ContributionLine(Object):
    """One step of how a contribution was worked out: days under one rule."""

    class Meta:
        permission = INHERITED

    explanation = graphene.String(
        required=True, description="The step as a sentence, in the reader's language."
    )
    starts_on = Date(required=True, description="The first of its days.")
    ends_on = Date(required=True, description=END)
    rule_key = graphene.String(required=True, description="Key of the contribution rule.")
    rule_digest = graphene.String(
        required=True, description="Digest of all rules in force on the last of these days."
    )
    rent_free = graphene.Boolean(required=True, description="True: nothing is owed.")
    base = graphene.String(
        required=True, description="What a share is taken of: takings, net_income or profit."
    )
    declared_fen = Fen(required=True, description="What was declared for the whole period, in fen.")
    base_fen = Fen(required=True, description="The part that falls on these days, in fen.")
    rate = Rate(description="The share; null where the rule is none, or has several by bands.")
    declared_sessions = graphene.Int(
        required=True, description="Sessions declared for the whole period."
    )
    sessions = graphene.Int(required=True, description="Those that fall on these days.")
    fee_fen = Fen(description="The fee of one session, or of one year where it is fixed, in fen.")
    part_of = graphene.String(description="Key of the combined rule that this one counts in.")
    minimum_fen = Fen(description="The least for these days, in fen; null where there is none.")
    maximum_fen = Fen(description="The most for these days, in fen; null where there is none.")
    amount_fen = Fen(
        required=True,
        description="What this adds to what is owed, in fen; less than 0 where the maximum of "
        "combined rules takes some off.",
    )

    @staticmethod
    def resolve_explanation(line: dict[str, Any], info: Any) -> str:
        return str(explain(line))

    @staticmethod
    def resolve_starts_on(line: dict[str, Any], info: Any) -> date:
        return date.fromisoformat(line["starts_on"])

    @staticmethod
    def resolve_ends_on(line: dict[str, Any], info: Any) -> date:
        return date.fromisoformat(line["ends_on"])


class Contribution(Object):
    """What a partner owes the fund for a declaration, worked out line by line (反哺)."""

    class Meta:
        permission = Permission.PARTNERS_READ
        model = models.Contribution
        selector = selectors.contributions

    declaration = One(Declaration, by="declaration_id", description="What it is owed for.")
    partner = One(Partner, by="partner_id", description="Who owes it.")
    amount_fen = Fen(required=True, description="What is owed in all, in fen.")
    lines = Bounded(ContributionLine, most=1_000, description="How it was worked out.")
    rules = One(
        RuleSnapshot,
        by="rules_id",
        description="The rules of the period's last day; a line names those of its own last day.",
    )
    worked_out_at = DateTime(required=True, description="When it was worked out.")


class ContributionMonth(Object):
    """What the partners of one community owe for the periods that start in one month."""

    class Meta:
        permission = Permission.PARTNERS_READ

    community = One(Community, by="community_id", description="Whose partners.")
    month = Date(required=True, description="The first day of the month.")
    owed_fen = Fen(required=True, description="What they owe in all, in fen.")
    declarations = graphene.Int(required=True, description="For how many declarations.")


class UnfitAgreement(Object):
    """An agreement that does not fit the rules: its rule is gone, its rate out of bounds, or more."""

    class Meta:
        permission = Permission.PARTNERS_READ

    agreement = One(Agreement, by="agreement_id", description="Which agreement.")
    partner = One(Partner, by="partner_id", description="With whom.")
    since = Date(required=True, description="The first day on which it does not fit.")
    code = graphene.String(
        required=True, description="Stable, for programs: RULE_UNKNOWN, OUTSIDE_BOUNDS."
    )
    message = graphene.String(required=True, description="Why it does not fit.")


def unfit_agreements(found: Iterable[Unfit]) -> list[Any]:
    """As rows that ask for their agreements and partners together."""
    return together(
        SimpleNamespace(
            pk=one.agreement_id,
            agreement_id=one.agreement_id,
            partner_id=one.partner_id,
            since=one.since,
            code=one.problem.code,
            message=str(one.problem.message),
        )
        for one in found
    )


@extends(AdoptionPreview)
class PreviewedAgreements:
    unfit_agreements = Bounded(
        UnfitAgreement,
        most=MOST_UNFIT,
        description="Running agreements that would no longer fit: adoptVersion is refused with "
        "AGREEMENTS_CLASH unless it is told to go on despite them. Of more, the first.",
    )
    unfit_agreement_count = graphene.Int(
        required=True, description="How many agreements would no longer fit."
    )

    @staticmethod
    def resolve_unfit_agreements(preview: Preview, info: Any) -> list[Any]:
        return unfit_agreements(preview.unfit[:MOST_UNFIT])

    @staticmethod
    def resolve_unfit_agreement_count(preview: Preview, info: Any) -> int:
        return len(preview.unfit)


@extends(Upgrade)
class UpgradedAgreements:
    unfit_agreements = Bounded(
        UnfitAgreement,
        most=MOST_UNFIT,
        cost=50,
        description="Running agreements that would no longer fit, once all is decided: applyUpgrade is "
        "refused with AGREEMENTS_CLASH unless it is told to go on despite them. Of more, the first.",
    )

    @staticmethod
    def resolve_unfit_agreements(upgrade: rule_models.Upgrade, info: Any) -> list[Any]:
        found = unfit_of(upgrade, actor=info.context.actor)
        return unfit_agreements(found[:MOST_UNFIT])


@extends(Community)
class CommunityPartners:
    partners = Connection(
        Partner, by="community_id", description="Who runs services in this community."
    )
