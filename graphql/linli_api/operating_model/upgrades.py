"""Upgrades, as the API shows them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import graphene

from linli.accounts.policy import Permission
from linli.errors import Refused
from linli.library import labels, paths
from linli.library.carrying import Aspect
from linli.library.changes import changes
from linli_api.batches import batch_of
from linli_api.communities.types import Community
from linli_api.connections import Connection
from linli_api.fields import Bounded, Field, One
from linli_api.guard import INHERITED
from linli_api.inputs import IdOf, plain
from linli_api.mutation import Error, told
from linli_api.operating_model.inputs import IN_WORDS, LABEL, PATH
from linli_api.operating_model.types import Adoption, Layer, ModelVersion, RuleChange, Shown
from linli_api.scalars import Date, DateTime, Document, choices
from linli_api.types import Object
from tenants.operating_model import models, selectors

UpgradeState = choices(
    models.Upgrade.State,
    "UpgradeState",
    OPEN="It is being decided; the rules are as before.",
    APPLIED="The new version is in force, from its day on.",
    GIVEN_UP="Nobody goes on with it: the version of before stayed in force.",
    ROLLED_BACK="It was in force, and undone from a later day on.",
)
DecisionAspect = choices(
    models.UpgradeDecision.Aspect,
    "DecisionAspect",
    VALUE="What stands in the document there, such as a rate.",
    BOUND="How far those below may move away from what stands there.",
)
DecisionChoice = choices(
    models.UpgradeDecision.Choice,
    "DecisionChoice",
    KEEP="What the street office or the community has set stays.",
    TAKE="What the new version says counts from then on.",
    SET="Something else than any of the three stands there.",
    OPEN="An earlier decision no longer counts; the question is asked again.",
)


COMMUNITY = IdOf("Community", description="Of one community.")


class RuleQuestion(Object):
    """A place at which what is set here meets something new, with its three values."""

    class Meta:
        permission = INHERITED

    community = Field(
        Community,
        permission=Permission.COMMUNITIES_READ,
        description="Whose level it is of; null for the street office's.",
    )
    aspect = graphene.Field(DecisionAspect, required=True, description="What of the place.")
    path = graphene.String(required=True, description=PATH)
    label = graphene.String(required=True, description=LABEL)
    old = Document(description="What stood above until now; null where nothing did.")
    new = Document(description="What stands above from then on; null where nothing does.")
    own = Document(description="What is set here; null where it is taken away.")
    old_text = graphene.String(required=True, description=f"`old` {IN_WORDS}.")
    new_text = graphene.String(required=True, description=f"`new` {IN_WORDS}.")
    own_text = graphene.String(required=True, description=f"`own` {IN_WORDS}.")
    set_by = graphene.String(description="Who set `own`; null where nobody has.")
    set_on = Date(
        description="From which day on: the first of those on which the same has been said since."
    )
    set_because = graphene.String(description="Why, as was said then; may be empty.")
    old_set_by = graphene.String(description="Whose `old` is; null where nothing stood.")
    old_because = graphene.String(
        description="Why: the notes of a version, the reason of a layer; may be empty."
    )
    new_set_by = graphene.String(description="Whose `new` is; null where nothing stands.")
    new_because = graphene.String(
        description="Why: the notes of a version, the reason of a layer; may be empty."
    )
    decision = graphene.Field(
        DecisionChoice, description="What was decided; null where nothing is yet."
    )
    decided_value = Document(description="The value that was set, where SET was chosen.")
    is_open = graphene.Boolean(
        required=True, description="True: nothing is decided, or what is cannot stand."
    )
    problems = Bounded(
        Error, most=100, description="Why what would stand there now cannot; empty where it can."
    )
    seen = graphene.String(
        required=True,
        description="Tells these three values, and what was decided of them, from others; give it with the decision: "
        "QUESTION_CHANGED, and nothing decided, if others meet there by now.",
    )

    @staticmethod
    def resolve_community(asked: selectors.Asked, info: Any) -> Any:
        if asked.community_id is None:
            return None
        return Community.rows_for(info.context.actor).filter(pk=asked.community_id).first()

    @staticmethod
    def resolve_aspect(asked: selectors.Asked, info: Any) -> str:
        return str(asked.question.aspect)

    @staticmethod
    def resolve_path(asked: selectors.Asked, info: Any) -> str:
        return asked.question.path

    @staticmethod
    def resolve_old(asked: selectors.Asked, info: Any) -> Any:
        return asked.question.old

    @staticmethod
    def resolve_new(asked: selectors.Asked, info: Any) -> Any:
        return asked.question.new

    @staticmethod
    def resolve_own(asked: selectors.Asked, info: Any) -> Any:
        return asked.question.own

    @staticmethod
    def resolve_label(asked: selectors.Asked, info: Any) -> str:
        return labels.label(asked.question.path, *asked.documents)

    @staticmethod
    def resolve_old_text(asked: selectors.Asked, info: Any) -> str:
        return _of_question(asked, asked.question.old)

    @staticmethod
    def resolve_new_text(asked: selectors.Asked, info: Any) -> str:
        return _of_question(asked, asked.question.new)

    @staticmethod
    def resolve_own_text(asked: selectors.Asked, info: Any) -> str:
        return _of_question(asked, asked.question.own)

    @staticmethod
    def resolve_set_by(asked: selectors.Asked, info: Any) -> str | None:
        return asked.own.name if asked.own else None

    @staticmethod
    def resolve_set_on(asked: selectors.Asked, info: Any) -> Any:
        return asked.own.since if asked.own else None

    @staticmethod
    def resolve_set_because(asked: selectors.Asked, info: Any) -> str | None:
        return asked.own.reason if asked.own else None

    @staticmethod
    def resolve_old_set_by(asked: selectors.Asked, info: Any) -> str | None:
        return asked.old.name if asked.old else None

    @staticmethod
    def resolve_old_because(asked: selectors.Asked, info: Any) -> str | None:
        return asked.old.reason if asked.old else None

    @staticmethod
    def resolve_new_set_by(asked: selectors.Asked, info: Any) -> str | None:
        return asked.new.name if asked.new else None

    @staticmethod
    def resolve_new_because(asked: selectors.Asked, info: Any) -> str | None:
        return asked.new.reason if asked.new else None

    @staticmethod
    def resolve_decision(asked: selectors.Asked, info: Any) -> str | None:
        decision = asked.question.decision
        return str(decision.choice) if decision else None

    @staticmethod
    def resolve_decided_value(asked: selectors.Asked, info: Any) -> Any:
        return asked.question.decision.value if asked.question.decision else None

    @staticmethod
    def resolve_is_open(asked: selectors.Asked, info: Any) -> bool:
        return asked.question.is_open

    @staticmethod
    def resolve_problems(asked: selectors.Asked, info: Any) -> list[Error]:
        return [error for fault in asked.question.faults for error in told(fault)]

    @staticmethod
    def resolve_seen(asked: selectors.Asked, info: Any) -> str:
        return asked.question.as_read


def _of_question(asked: selectors.Asked, value: Any) -> str:
    return _in_words(asked.question.aspect, asked.question.path, value, asked.documents)


def _in_words(aspect: str, path: str, value: Any, documents: Sequence[Mapping[str, Any]]) -> str:
    """A value, or a bound, of a place in the reader's language."""
    says = labels.bound_label if aspect == Aspect.BOUND else labels.value_label
    return says(path, value, *documents)


class Clash(Object):
    """A policy from above that waits, because it does not fit what is set below it."""

    class Meta:
        permission = INHERITED

    layer = graphene.Field(Layer, required=True, description="The policy, as frozen here.")
    problems = Bounded(Error, most=1_000, description="What it does not fit.")

    questions = Bounded(
        RuleQuestion,
        most=5_000,
        description="The places that do not fit, each with what stands above today, what the policy "
        "lays down, and what is set here; decide them by decideClash.",
    )

    @staticmethod
    def resolve_questions(clash: selectors.Clash, info: Any) -> list[selectors.Asked]:
        return clash.asked

    @staticmethod
    def resolve_problems(clash: selectors.Clash, info: Any) -> list[Error]:
        return [error for problem in clash.problems for error in told(problem)]


class UpgradeDecision(Object):
    """What a person said of one place; never changed. Of several for a place the last counts."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.UpgradeDecision
        selector = selectors.upgrade_decisions

    community = One(Community, by="community_id", description="Null: the street office's place.")
    aspect = graphene.Field(DecisionAspect, required=True, description="What of the place.")
    path = graphene.String(required=True, description=PATH)
    label = graphene.String(required=True, description=LABEL)
    choice = graphene.Field(DecisionChoice, required=True, description="What was said.")
    value = Document(description="What was set, where SET was chosen.")
    old = Document(description="What stood above before, when this was decided.")
    new = Document(description="What the new version brought.")
    own = Document(description="What was set here.")
    value_text = graphene.String(description=f"`value` {IN_WORDS}. Null where SET was not chosen.")
    old_text = graphene.String(required=True, description=f"`old` {IN_WORDS}.")
    new_text = graphene.String(required=True, description=f"`new` {IN_WORDS}.")
    own_text = graphene.String(required=True, description=f"`own` {IN_WORDS}.")
    reason = graphene.String(required=True, description="Why; empty where nobody said.")
    decided_at = DateTime(required=True, description="When.")

    @staticmethod
    def resolve_label(decision: models.UpgradeDecision, info: Any) -> str:
        return labels.label(decision.path, *_documents(decision))

    @staticmethod
    def resolve_value_text(decision: models.UpgradeDecision, info: Any) -> str | None:
        is_set = decision.choice == models.UpgradeDecision.Choice.SET
        return _of_decision(decision, decision.value) if is_set else None

    @staticmethod
    def resolve_old_text(decision: models.UpgradeDecision, info: Any) -> str:
        return _of_decision(decision, decision.old)

    @staticmethod
    def resolve_new_text(decision: models.UpgradeDecision, info: Any) -> str:
        return _of_decision(decision, decision.new)

    @staticmethod
    def resolve_own_text(decision: models.UpgradeDecision, info: Any) -> str:
        return _of_decision(decision, decision.own)


def _of_decision(decision: models.UpgradeDecision, value: Any) -> str:
    return _in_words(decision.aspect, decision.path, value, _documents(decision))


def _documents(decision: models.UpgradeDecision) -> list[Mapping[str, Any]]:
    """The new version's, read once for all rows of a list; and what was set here and stood before,
    each at its place, for an item that the new version has not."""
    batch = batch_of(decision)
    targets = batch.load("target_documents", lambda _rows: selectors.target_documents(batch.rows))
    found = [targets[decision.upgrade_id]]
    for value in (decision.own, decision.old):
        with suppress(Refused):  # no item, or one without its key
            found.append(paths.grow({}, decision.path, value))
    return found


class Upgrade(Object):
    """The way from the version in force to another, decided place by place; one is open at a time."""

    class Meta:
        permission = Permission.MODELS_READ
        model = models.Upgrade
        selector = selectors.upgrades

    version = graphene.Int(
        required=True, description="Counts what was decided; give it as expectedVersion."
    )
    target = One(ModelVersion, by="target_id", description="The version it leads to.")
    effective_from = Date(required=True, description="The first day the new version counts.")
    state = graphene.Field(UpgradeState, required=True, description="What became of it.")
    reason = graphene.String(required=True, description="Why; empty where nobody said.")
    opened_at = DateTime(required=True, description="When it was begun.")
    adoption = One(Adoption, by="adoption_id", description="Null until it is applied.")
    decisions = Connection(
        UpgradeDecision,
        by="upgrade_id",
        description="What was decided of it, by whom it may be seen.",
    )
    questions = Bounded(
        RuleQuestion,
        most=5_000,
        cost=50,
        description="What clashes as the rules stand now, decided or not; none once it is closed.",
    )
    changes = Bounded(
        RuleChange,
        most=5_000,
        cost=50,
        community_id=COMMUNITY.argument(),
        description="What it would change, as far as is decided: for the street office, or for a "
        "community of it with what that has set.",
    )
    problems = Bounded(
        Error,
        most=1_000,
        cost=50,
        description="What stands in the way besides, such as a policy that the new version has no "
        "room for.",
    )

    @staticmethod
    def resolve_questions(upgrade: models.Upgrade, info: Any) -> Sequence[selectors.Asked]:
        return selectors.asked_of(upgrade, actor=info.context.actor)

    @staticmethod
    def resolve_changes(upgrade: models.Upgrade, info: Any, **arguments: Any) -> Sequence[Shown]:
        given = plain({"community_id": COMMUNITY}, arguments)
        sides = selectors.sides_of(upgrade, actor=info.context.actor, **given)
        if sides is None:
            return []
        before, after = sides
        documents = [after.raw, before.raw]
        return [Shown(change, documents) for change in changes(before, after)]

    @staticmethod
    def resolve_problems(upgrade: models.Upgrade, info: Any) -> list[Error]:
        problems = selectors.problems_of_upgrade(upgrade, actor=info.context.actor)
        return [error for fault in problems for error in told(fault)]
