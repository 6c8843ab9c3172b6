"""Who decides about what a unit adopts, as the API shows it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import graphene

from linli.accounts.policy import Permission
from linli.library import models as library
from linli.library import selectors as shelf
from linli.library.bounds import MOST_PLACES
from linli.library.governing import Rule
from linli_api.batches import batch_of
from linli_api.fields import Bounded, Computed, GlobalId, One
from linli_api.guard import INHERITED
from linli_api.library.types import RuleBound, bounds_of
from linli_api.operating_model.types import Adoption, ModelVersion, RuleValue, values_of
from linli_api.operating_model.upgrades import Upgrade
from linli_api.scalars import Date, DateTime, choices
from linli_api.types import Object
from tenants.operating_model import models, selectors

MOST_UNITS = 2_000

Approver = choices(
    library.AdoptionRule.Approver,
    "Approver",
    NOBODY="The unit decides for itself, and it counts at once.",
    SECOND_PERSON="Another person of the same unit than the one who asks, who may approve there.",
    DISTRICT="An administrator of the district (区); where there is none, of what stands above.",
    CITY="A supervisor of the city (市), whichever district (区) lies between.",
)
Upgrades = choices(
    library.AdoptionRule.Upgrades,
    "Upgrades",
    FREE="To each later version, as soon as its author has published it.",
    WHEN_OFFERED="Only to versions that the district or the city has offered to the unit.",
)


class AdoptionRule(Object):
    """What a city or a district laid down about how the units below it adopt, from a day on."""

    class Meta:
        permission = Permission.MODELS_READ
        model = library.AdoptionRule
        selector = shelf.adoption_rules
        orderings = {"EFFECTIVE": ("effective_from", "laid_down_at"), "NEWEST": ("-id",)}

    version = Computed(
        graphene.Int,
        load=shelf.number_by_rule,
        required=True,
        description="Counts what this issuer laid down, from 1 on; give the highest to "
        "setAdoptionRule as expectedVersion.",
    )
    issuer_name = graphene.String(required=True, description="Who laid it down.")
    approver = graphene.Field(Approver, required=True, description="Who approves.")
    upgrades = graphene.Field(
        Upgrades, required=True, description="To which versions a unit may upgrade."
    )
    effective_from = Date(required=True, description="The first day it counts.")
    reason = graphene.String(required=True, description="Why; empty where nobody said.")
    laid_down_at = DateTime(required=True, description="When this was decided.")

    @staticmethod
    def resolve_issuer_name(rule: library.AdoptionRule, info: Any) -> str:
        return rule.issuer.name


class AdoptionRuleInForce(Object):
    """What binds this unit on a day: of what the district and the city say, the stricter."""

    class Meta:
        permission = INHERITED

    approver = graphene.Field(Approver, required=True, description="Who approves.")
    approver_set_by = graphene.String(description="Who laid that down; null: nobody did.")
    office_name = graphene.String(
        required=True, description="The unit whose people approve; this one where nobody need."
    )
    upgrades = graphene.Field(Upgrades, required=True, description="What may be upgraded to.")
    upgrades_set_by = graphene.String(description="Who laid that down; null: nobody did.")

    @staticmethod
    def resolve_approver_set_by(rule: Rule, info: Any) -> str | None:
        return rule.approver_by.name if rule.approver_by else None

    @staticmethod
    def resolve_office_name(rule: Rule, info: Any) -> str:
        return rule.office.name

    @staticmethod
    def resolve_upgrades_set_by(rule: Rule, info: Any) -> str | None:
        return rule.upgrades_by.name if rule.upgrades_by else None


class Offer(Object):
    """A version of the library that a city or a district offers to units below it."""

    class Meta:
        permission = Permission.MODELS_READ
        model = library.Offer
        selector = shelf.offers
        orderings = {
            "NEWEST": ("-id",),
            "OLDEST": ("id",),
            "EFFECTIVE": ("effective_from",),
        }

    issuer_name = graphene.String(required=True, description="Who offers it.")
    published_id = GlobalId(
        "PublishedVersion", by="version_id", required=True, description="For adoptVersion."
    )
    key = graphene.String(required=True, description="The model's.")
    number = graphene.Int(required=True, description="Of the version.")
    title = graphene.String(required=True, description="What its author calls the version.")
    to_all = graphene.Boolean(
        required=True, description="True: to all units below, those that come later too."
    )
    unit_names = Bounded(
        graphene.String,
        most=MOST_UNITS,
        required=False,
        description="To whom, null where to all; a unit sees its own name only.",
    )
    effective_from = Date(required=True, description="The first day it may be taken up.")
    binding_by = Date(
        description="The day by which it has to be applied; null: it may be declined."
    )
    behind_names = Bounded(
        graphene.String,
        most=MOST_UNITS,
        required=False,
        description="Who still runs an earlier version of the model though this is binding by now; a "
        "unit sees at most its own name. Null where it does not bind yet, or no more.",
    )
    note = graphene.String(required=True, description="What the issuer says to it; may be empty.")
    offered_at = DateTime(required=True, description="When it was made.")
    withdrawn_on = Date(description="From which day on it counts no more; null while it counts.")
    withdrawn_reason = graphene.String(required=True, description="Why; empty while it counts.")

    @staticmethod
    def resolve_issuer_name(offer: library.Offer, info: Any) -> str:
        return offer.issuer.name

    @staticmethod
    def resolve_key(offer: library.Offer, info: Any) -> str:
        return offer.version.key

    @staticmethod
    def resolve_number(offer: library.Offer, info: Any) -> int:
        return offer.version.number

    @staticmethod
    def resolve_title(offer: library.Offer, info: Any) -> str:
        return offer.version.title

    @staticmethod
    def resolve_to_all(offer: library.Offer, info: Any) -> bool:
        return offer.units is None

    @staticmethod
    def resolve_unit_names(offer: library.Offer, info: Any) -> list[str] | None:
        def load(rows: list[Any]) -> Mapping[UUID, list[str]]:
            return shelf.units_by_offer(rows, info.context.actor)

        return batch_of(offer).load("unit_names", load).get(offer.pk)

    @staticmethod
    def resolve_behind_names(offer: library.Offer, info: Any) -> list[str] | None:
        def load(rows: list[Any]) -> Mapping[UUID, list[str]]:
            return shelf.behind_by_offer(rows, info.context.actor)

        return batch_of(offer).load("behind_names", load).get(offer.pk)


class ChangeRequest(Object):
    """A change of the rules that waits until another has approved it, or how it was decided."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.ChangeRequest
        selector = selectors.change_requests
        orderings = {"NEWEST": ("-id",), "OLDEST": ("id",)}

    kind = graphene.Field(
        choices(
            models.ChangeRequest.Kind,
            "ChangeKind",
            ADOPTION="A version is to be run from a day on, with the unit's own values.",
            ROLL_BACK="An upgrade that was put in force is to be undone from a day on.",
            UPGRADE="An upgrade whose clashes have been decided is to be put in force.",
        ),
        required=True,
        description="What approval brings about.",
    )
    version = One(ModelVersion, by="version_id", description="The version, as a copy of it here.")
    published_id = GlobalId(
        "PublishedVersion",
        by="published_id",
        description="Where it was asked for out of the library.",
    )
    upgrade = One(
        Upgrade,
        by="upgrade_id",
        description="The upgrade that is to be applied, with what was decided of it; null for an "
        "adoption.",
    )
    give_up_later = graphene.Boolean(
        required=True,
        description="Of a roll back. True: what was set on top since may go with it.",
    )
    despite_agreements = graphene.Boolean(
        required=True,
        description="True: agreements that are running and would no longer fit do not hold it up.",
    )
    values = Bounded(
        RuleValue,
        most=MOST_PLACES,
        required=False,
        description="What the street office is to set; null: as it is.",
    )
    bounds = Bounded(
        RuleBound,
        most=MOST_PLACES,
        required=False,
        description="What it is to narrow; null: as it is.",
    )
    effective_from = Date(required=True, description="The first day it is to count.")
    reason = graphene.String(required=True, description="Why; empty where nobody said.")
    state = graphene.Field(
        choices(
            models.ChangeRequest.State,
            "ChangeState",
            PROPOSED="It waits for approval; nothing has changed.",
            APPROVED="It was approved and done; adoption is what came of it.",
            RETURNED="It was declined, and decisionReason says why.",
            WITHDRAWN="Those who asked took it back, or nothing could come of it any more.",
        ),
        required=True,
        description="How far it has come.",
    )
    proposed_at = DateTime(required=True, description="When it was asked for.")
    decided_at = DateTime(description="When it was decided; null while it waits.")
    decision_reason = graphene.String(required=True, description="Why so; empty where nobody said.")
    adoption = One(
        Adoption,
        by="adoption_id",
        description="What came of it. Its day is that of the approval where the one asked for was "
        "past by then.",
    )

    @staticmethod
    def resolve_values(request: models.ChangeRequest, info: Any) -> list[dict[str, Any]] | None:
        return _or_none(request.values, values_of)

    @staticmethod
    def resolve_bounds(request: models.ChangeRequest, info: Any) -> list[dict[str, Any]] | None:
        return _or_none(request.bounds, bounds_of)


def _or_none(by_path: Mapping[str, Any] | None, listed: Any) -> list[dict[str, Any]] | None:
    return None if by_path is None else listed(by_path)
