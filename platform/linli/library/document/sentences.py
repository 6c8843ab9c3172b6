"""What is said of faults that rules of ours find; of the others the schema says what is allowed.

Each says what is wrong and what would be right. Paths stand in them as they are written.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SENTENCES = {
    "blank": _("There is nothing to see here. Write what people are to read, or leave it out."),
    "repeated": _("“{value}” stands here twice. Keep one of them."),
    "sum_short": _(
        "These must sum to exactly 1; the {name} values sum to {sum}: {off} is missing."
    ),
    "sum_over": _("These must sum to exactly 1; the {name} values sum to {sum}: {off} too much."),
    "rate": _('A rate is a decimal fraction as text. Write "{right}" in place of {value}.'),
    "odd": _("This must be an odd number, so that a vote cannot tie."),
    "free_ceiling": _("What is free costs nothing: leave the ceiling out or make it 0."),
    "repeated_function": _(
        "The function “{value}” already stands under {other}. Keep one of them."
    ),
    "unknown": _("There is no “{value}” in {place}. Choose one of: {allowed}."),
    "unknown_none": _(
        "There is no “{value}” in {place}, where nothing stands. Add it there, or leave this out."
    ),
    "only_with": _("This only goes with {other}: {allowed}. Change that, or leave this out."),
    "above": _(
        "{value} is above {other}, which is {most}. Write at most {most}, or raise {other}."
    ),
    "below": _("{value} is not above {other}, which is {least}. Write more than {least}."),
    "differs": _(
        "{value} contradicts {other}, by which it comes to {right}. Write {right}, or leave one of them out."
    ),
    "either_or": _("This contradicts {other}. Keep one of them."),
    "needs": _("This needs {other} as well. Add it, or leave this out."),
    "same_again": _("This is about the same as {other}. Keep one of them."),
    "checks_sum": _("The points of a form's lines sum to 100; these sum to {sum}."),
    "no_stars": _("No star level has {value} stars or more. Write at most {most}."),
    "no_stars_at_all": _("The evaluation has no star levels. Add them, or leave this out."),
    "unpaid_use": _(
        "No share and no earmark may pay for “{value}”. Name it among the uses of one of: {allowed}."
    ),
    "move_from_end": _(
        "A partner in “{value}” has left for good: no move starts there. Start from one of: {allowed}."
    ),
    "move_nowhere": _("This move leads to where it starts. Name another state."),
    "unreached": _(
        "No move leads to “{value}” from “{start}”, where partners begin. Add one, or take the state away."
    ),
    "no_way_out": _("No move leads on from “{value}”. Add one, or make its phase: ended."),
    "no_move": _(
        "There are states but no moves between them. Add the moves, or take the states away."
    ),
    "step_missing": _(
        "An application needs exactly one step of the kind “{value}”; there are {count}."
    ),
    "order": _("“{value}” cannot come after “{other}”. The order is: {allowed}."),
    "two_pairs_of_eyes": _(
        "{roles} may both {one} and {other}. Who proposes, who approves and who pays are never the same: give them to different roles."
    ),
    "only_audits": _("An auditor changes nothing: name the role auditor for audit only."),
    "needs_step": _("No step is of the kind “{value}”. Add one, or leave this out."),
    "free_discount": _("What is free costs nothing, so nothing can be taken off. Leave free out."),
    "no_fault_level": _(
        "No level names a fault, so nothing is followed up. Mark one, or leave this out."
    ),
    "reminder": _(
        "{value} days is as long as an agreement of {months} months. Write at most {most}."
    ),
    "fault_scores_well": _(
        "“{value}” names a fault and scores {score}, not less than “{other}”, which names none. Write less than {least}."
    ),
    "parts_owe_more": _(
        "At most {value} fen, but the parts owe at least {least} fen together: {others}. Write at least {least}, or lower theirs."
    ),
    "parts_owe_less": _(
        "At least {value} fen, but the parts owe at most {most} fen together: {others}. Write at most {most}, or raise theirs."
    ),
    "not_taken": _(
        "No source is of the kind “{value}”, by which {others} would come in. Add one, or name no source at all, which takes from all."
    ),
    "quorum_carries_nothing": _(
        "With {value} present nothing is carried: fund.committee.majority of all members (fund.committee.counted) comes to {least}. Write at least {least}, or count those present."
    ),
    "committee_votes": _(
        "The vote is the committee's: “{value}” has to be among the roles, and no other but its chair's. Choose from: {allowed}."
    ),
    "stars_below_the_line": _(
        "Below {value} a partner must rectify, one with the most stars too: {other} is {most}. Write at most {most}, or raise {other}."
    ),
}
