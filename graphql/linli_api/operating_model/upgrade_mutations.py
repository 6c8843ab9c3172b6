"""What people decide about moving to another version."""

from typing import Any

import graphene
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.operating_model.inputs import PATH
from linli_api.operating_model.mutations import DESPITE
from linli_api.operating_model.types import Layer
from linli_api.operating_model.upgrades import DecisionAspect, DecisionChoice, Upgrade
from linli_api.scalars import Date, Document
from tenants.operating_model import clashes, rolling_back, upgrades
from tenants.operating_model.decisions import MOST_DECISIONS, Said
from tenants.operating_model.models import UpgradeDecision

SEEN = (
    "The version of the upgrade that was seen: VERSION_CONFLICT, and nothing changed, if there is "
    "a later one by now."
)


class OpenUpgrade(Mutation):
    """Begins to move to another version; nothing changes until applyUpgrade."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    class Input:
        published_id = IdOf("PublishedVersion", description="One of the library; copied here.")
        version_id = IdOf("ModelVersion", description="Or one that is here.")
        effective_from = Date(
            required=True, description="The first day it is to count, today or later."
        )
        reason = graphene.String(required=True, default_value="", description="Why.")

    upgrade = graphene.Field(Upgrade, description="The upgrade, with what clashes.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"upgrade": upgrades.open_upgrade(actor=actor, **values)}


class RuleDecisionInput(graphene.InputObjectType):
    """What is said of one place."""

    community_id = IdOf("Community", description="Left out for the street office's place.")
    aspect = DecisionAspect(
        required=True, default_value=UpgradeDecision.Aspect.VALUE, description="What of the place."
    )
    path = graphene.String(required=True, description=PATH)
    choice = DecisionChoice(required=True, description="What is to stand there.")
    value = Document(
        description="With SET: a JSON value, null to take an item of a list away; of a bound an "
        'object such as {"minimum": "0.01"}.'
    )
    reason = graphene.String(required=True, default_value="", description="Why.")
    seen = graphene.String(
        description="The question's, as it was read. Of a place that is decided already, this or "
        "expectedVersion is needed."
    )


class DecideUpgrade(Mutation):
    """Decides some of what clashes; what is left stays open for later, and for others."""

    class Meta:
        permission = Permission.MODELS_OVERRIDE
        per = "decisions"
        cost = 1

    class Input:
        upgrade_id = IdOf("Upgrade", required=True, description="Which upgrade.")
        decisions = graphene.List(
            graphene.NonNull(RuleDecisionInput),
            required=True,
            description=f"All of them count, or none. At most {MOST_DECISIONS}.",
        )
        expected_version = graphene.Int(description=SEEN)

    upgrade = graphene.Field(Upgrade, description="The upgrade, with what is still open.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        said = [_said(row, index) for index, row in enumerate(values.pop("decisions"))]
        return {"upgrade": upgrades.decide_upgrade(actor=actor, decisions=said, **values)}


class ApplyUpgrade(Mutation):
    """Puts the new version in force with all that was decided, in one piece."""

    class Meta:
        permission = Permission.MODELS_ADOPT
        cost = 50

    class Input:
        upgrade_id = IdOf("Upgrade", required=True, description="Which upgrade.")
        effective_from = Date(
            description="The first day it counts; left out: the day it was opened for."
        )
        expected_version = graphene.Int(required=True, description=SEEN)
        reason = graphene.String(required=True, default_value="", description="Why.")
        despite_agreements = graphene.Boolean(
            required=True, default_value=False, description=DESPITE
        )

    upgrade = graphene.Field(Upgrade, description="The upgrade.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"upgrade": upgrades.apply_upgrade(actor=actor, **values)}


class GiveUpUpgrade(Mutation):
    """Stays with the version in force; what was decided stays on record."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    class Input:
        upgrade_id = IdOf("Upgrade", required=True, description="Which upgrade.")
        reason = graphene.String(required=True, default_value="", description="Why.")

    upgrade = graphene.Field(Upgrade, description="The upgrade.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"upgrade": upgrades.give_up_upgrade(actor=actor, **values)}


class RollBackUpgrade(Mutation):
    """From a day on, exactly what was before the upgrade; past days keep theirs."""

    class Meta:
        permission = Permission.MODELS_ADOPT
        cost = 50

    class Input:
        upgrade_id = IdOf("Upgrade", required=True, description="Which upgrade.")
        effective_from = Date(required=True, description="The first day it counts, today or later.")
        give_up_later = graphene.Boolean(
            required=True,
            default_value=False,
            description="True: what was set on top since may go with it. Else CHANGED_SINCE.",
        )
        despite_agreements = graphene.Boolean(
            required=True, default_value=False, description=DESPITE
        )
        reason = graphene.String(required=True, default_value="", description="Why.")

    upgrade = graphene.Field(Upgrade, description="The upgrade.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"upgrade": rolling_back.roll_back_upgrade(actor=actor, **values)}


class DecideClash(Mutation):
    """Says what gives way to a policy from above that waits, and puts it in force, in one piece."""

    class Meta:
        permission = Permission.MODELS_ADOPT
        cost = 50

    class Input:
        layer_id = IdOf("Layer", required=True, description="Which of the clashes: its layer.")
        decisions = graphene.List(
            graphene.NonNull(RuleDecisionInput),
            required=True,
            description="What no decision names stays as it is set, and has to fit. At most "
            f"{MOST_DECISIONS}.",
        )
        reason = graphene.String(required=True, default_value="", description="Why.")
        despite_agreements = graphene.Boolean(
            required=True, default_value=False, description=DESPITE
        )

    layer = graphene.Field(Layer, description="The policy, in force.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        said = [_said(row, index) for index, row in enumerate(values.pop("decisions"))]
        return {"layer": clashes.decide_clash(actor=actor, decisions=said, **values)}


def _said(row: dict[str, Any], index: int) -> Said:
    if row["choice"] == UpgradeDecision.Choice.SET and "value" not in row:
        message = _("Say what is to stand at {path}; null takes an item of a list away.")
        raise Refused(
            "VALUE_MISSING",
            format_lazy(message, path=row["path"]),
            field=f"decisions.{index}.value",
        )
    return Said(**row)


MUTATIONS = [OpenUpgrade, DecideUpgrade, ApplyUpgrade, GiveUpUpgrade, RollBackUpgrade, DecideClash]
