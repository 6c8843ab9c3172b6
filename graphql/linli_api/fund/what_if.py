"""A past period under other rules, as the API shows it (M8)."""

from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Permission
from linli_api.batches import together
from linli_api.fields import Bounded, Field, GlobalId, One
from linli_api.guard import INHERITED
from linli_api.inputs import IdOf, WholeDocument, plain
from linli_api.mutation import Error, told
from linli_api.operating_model.inputs import bounds_list, by_path, values_list
from linli_api.partners.types import Partner
from linli_api.scalars import Date, Fen
from linli_api.types import Object
from tenants.fund import what_if as asked

MOST_PARTNERS = 5_000
MOST_ACCOUNTS = 400
MOST_NOT_WORKED_OUT = 1_000

WAS = "What was worked out then, paid or not, in fen."
WOULD_BE = "What the draft makes of the same declarations, in fen."
DIFFERENCE = "What the draft brings more, in fen; less than 0 where it brings less."


class WhatIfPartner(Object):
    """What one partner would have owed."""

    class Meta:
        permission = INHERITED

    partner = One(Partner, by="partner_id", description="Which partner.")
    was_fen = Fen(required=True, description=WAS)
    would_be_fen = Fen(required=True, description=WOULD_BE)
    difference_fen = Fen(required=True, description=DIFFERENCE)
    declarations = graphene.Int(required=True, description="Declarations that are compared.")
    not_worked_out = graphene.Int(
        required=True, description="Declarations that the draft cannot work out; not compared."
    )
    not_worked_out_fen = Fen(required=True, description="What was owed for those, in fen.")


class WhatIfAccount(Object):
    """What one account that holds would have got, over all funds."""

    class Meta:
        permission = INHERITED

    code = graphene.String(required=True, description="The account, such as held:services.")
    was_fen = Fen(
        required=True,
        description="Its part of what was worked out then, by the waterfall of then, arrived or "
        "not, in fen.",
    )
    would_be_fen = Fen(required=True, description="Its part by the waterfall of the draft, in fen.")
    difference_fen = Fen(required=True, description=DIFFERENCE)


class WhatIfNotWorkedOut(Object):
    """A declaration that the draft cannot work out."""

    class Meta:
        permission = INHERITED

    declaration_id = GlobalId("Declaration", by="declaration_id", description="Which one.")
    agreement_id = GlobalId("Agreement", by="agreement_id", description="Under which agreement.")
    partner = One(Partner, by="partner_id", description="Whose.")
    was_fen = Fen(required=True, description="What was owed for it, in fen.")
    code = graphene.String(
        required=True,
        description="Stable, for programs: RULE_UNKNOWN, BASE_DIFFERS, CLASHES_BELOW.",
    )
    message = graphene.String(required=True, description="Why it cannot be worked out.")

    @staticmethod
    def resolve_code(one: asked.NotWorkedOut, info: Any) -> str:
        return one.problem.code

    @staticmethod
    def resolve_message(one: asked.NotWorkedOut, info: Any) -> str:
        return str(one.problem.message)


class WhatIf(Object):
    """What a past period's declarations would have brought under a draft. Nothing is written."""

    class Meta:
        permission = Permission.FUND_READ

    problems = Bounded(
        Error,
        most=1_000,
        description="Why the draft cannot stand here at all; then nothing was replayed. What a community "
        "has set and does not fit is under notWorkedOut, with the code CLASHES_BELOW.",
    )
    open_questions = graphene.Int(
        required=True,
        description="Of an upgrade: how many of its questions are not decided yet. There it was reckoned "
        "with what is set now. Otherwise 0.",
    )
    was_fen = Fen(required=True, description=WAS)
    would_be_fen = Fen(required=True, description=WOULD_BE)
    difference_fen = Fen(required=True, description=DIFFERENCE)
    declarations = graphene.Int(required=True, description="Declarations that are compared.")
    partners = Bounded(
        WhatIfPartner,
        most=MOST_PARTNERS,
        less=_("Ask for one community with communityId."),
        description="Partner by partner, the greatest difference first.",
    )
    accounts = Bounded(
        WhatIfAccount, most=MOST_ACCOUNTS, description="Account by account of the waterfall."
    )
    not_worked_out = Bounded(
        WhatIfNotWorkedOut,
        most=MOST_NOT_WORKED_OUT,
        description="Declarations that the draft cannot work out, and why: they are not part of "
        "what is compared. Of more, the first.",
    )
    not_worked_out_count = graphene.Int(required=True, description="How many these are in all.")
    not_worked_out_fen = Fen(required=True, description="What was owed for all of them, in fen.")
    crossing_count = graphene.Int(
        required=True,
        description="Declarations left out, for only some of their days lie in the period.",
    )
    crossing_fen = Fen(required=True, description="What was owed for those, in fen.")

    @staticmethod
    def resolve_problems(outcome: asked.Outcome, info: Any) -> list[Error]:
        return [error for problem in outcome.problems for error in told(problem)]

    @staticmethod
    def resolve_was_fen(outcome: asked.Outcome, info: Any) -> int:
        return outcome.total.was_fen

    @staticmethod
    def resolve_would_be_fen(outcome: asked.Outcome, info: Any) -> int:
        return outcome.total.would_be_fen

    @staticmethod
    def resolve_difference_fen(outcome: asked.Outcome, info: Any) -> int:
        return outcome.total.difference_fen

    @staticmethod
    def resolve_partners(outcome: asked.Outcome, info: Any) -> list[Any]:
        return together(outcome.partners)

    @staticmethod
    def resolve_not_worked_out(outcome: asked.Outcome, info: Any) -> list[Any]:
        return together(outcome.not_worked_out[:MOST_NOT_WORKED_OUT])

    @staticmethod
    def resolve_not_worked_out_count(outcome: asked.Outcome, info: Any) -> int:
        return len(outcome.not_worked_out)

    @staticmethod
    def resolve_crossing_count(outcome: asked.Outcome, info: Any) -> int:
        return outcome.crossing.declarations

    @staticmethod
    def resolve_crossing_fen(outcome: asked.Outcome, info: Any) -> int:
        return outcome.crossing.was_fen


INPUTS: dict[str, WholeDocument | IdOf] = {
    "document": WholeDocument(
        description="The draft: a whole document, as JSON or as a string that holds JSON."
    ),
    "draft_id": IdOf("Draft", description="Or a draft that is written here, with its bounds."),
    "published_id": IdOf("PublishedVersion", description="Or one of the library."),
    "upgrade_id": IdOf(
        "Upgrade",
        description="Or an open upgrade: the version with all that was decided so far, and what is set "
        "where nothing is decided yet.",
    ),
    "version_id": IdOf("ModelVersion", description="Or a version that is here."),
    "community_id": IdOf("Community", description="Of one community alone."),
}


ARGUMENTS = {
    "starts_on": Date(required=True, description="The first day of the period, which is over."),
    "ends_on": Date(required=True, description="The first day not included."),
    **{name: one.argument() for name, one in INPUTS.items()},
    "values": values_list(
        description="What the street office would set, all of it; left out: as it is today."
    ),
    "bounds": bounds_list(description="What it would narrow, all of it; left out: as it is."),
}


def _resolve(root: None, info: Any, **arguments: Any) -> asked.Outcome:
    given = by_path(plain({**WHAT_IF.args, **INPUTS}, arguments))
    return asked.what_if(actor=info.context.actor, **given)


WHAT_IF = Field(
    WhatIf,
    args=ARGUMENTS,
    resolver=_resolve,
    cost=500,  # every declaration of the period is worked out again
    permission=Permission.FUND_READ,
    description="What a past period's declarations would have brought under other rules: per "
    "partner, per account and in total. Needs to read rules, partners and funds.",
)
