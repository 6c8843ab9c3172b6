"""Rules between the fields of a document: each broken once in the model of a real district (M1)."""

import pytest
from django.utils import translation

from linli.errors import Refused
from linli.library import paths
from linli.library.document import parse_document, plain
from onboarding.demo.stage import load

RAW = plain(parse_document(load("pingcheng.yaml")["document"]))
STEPS = "fund.steps"
MOVES = "partners.life.moves"
STATES = "partners.life.states"


def faults(changes):
    """What is said of the document with these values at these paths, by path."""
    raw = RAW
    for path, value in changes.items():
        raw = paths.put(raw, path, value)
    with pytest.raises(Refused) as refused, translation.override("en"):
        parse_document(raw)
    with translation.override("en"):
        return [(cause.field, str(cause.message)) for cause in refused.value.causes]


def title(zh):
    return {"zh": zh}


KINDS = "party_organisation, enterprise, social_organisation, skilled_resident, department, public_interest_team, volunteer"
SHARES = "services, points, reserve"
USES = "activities, repairs, hardship_visits, points_settlement"
STEP_ORDER = "propose, review, consult, vote, submit, approve, pay, receipts, publish, audit"

CASES = {
    "an incentive for a kind that is none": (
        {"partners.incentives[stage].kind": "singer"},
        "partners.incentives[stage].kind",
        f"There is no “singer” in partners.kinds. Choose one of: {KINDS}.",
    ),
    "a checklist for a kind that is none": (
        {"partners.admission[skill].kinds": ["singer"]},
        "partners.admission[skill].kinds",
        f"There is no “singer” in partners.kinds. Choose one of: {KINDS}.",
    ),
    "a mechanism for a kind that is none": (
        {"partners.mechanisms[time_bank].kinds": ["volunteer", "singer"]},
        "partners.mechanisms[time_bank].kinds",
        f"There is no “singer” in partners.kinds. Choose one of: {KINDS}.",
    ),
    "a catalogue of what is not bought": (
        {"partners.mechanisms[service_purchase].form": "time_bank"},
        "partners.mechanisms[service_purchase].catalogue",
        "This only goes with partners.mechanisms[service_purchase].form: service_purchase. "
        "Change that, or leave this out.",
    ),
    "shares of what has none": (
        {"partners.mechanisms[time_bank].residents_share_at_most": "0.3"},
        "partners.mechanisms[time_bank].residents_share_at_most",
        "This only goes with partners.mechanisms[time_bank].form: shares. Change that, or leave "
        "this out.",
    ),
    "more stars than there are": (
        {"partners.incentives[stage].stars_at_least": 6},
        "partners.incentives[stage].stars_at_least",
        "No star level has 6 stars or more. Write at most 5.",
    ),
    "stars where none are given": (
        {"partners.incentives[stage].stars_at_least": 4, "evaluation.stars": []},
        "partners.incentives[stage].stars_at_least",
        "The evaluation has no star levels. Add them, or leave this out.",
    ),
    "a part of utilities that one bears alone": (
        {"partners.agreement.utilities": "partner"},
        "partners.agreement.utilities_partner_share",
        "This only goes with partners.agreement.utilities: shared. Change that, or leave this out.",
    ),
    "rent-free for longer than an agreement runs": (
        {"partners.rent_free_months": 25},
        "partners.rent_free_months",
        "25 is above partners.agreement.longest_term_months, which is 24. Write at most 24, or "
        "raise partners.agreement.longest_term_months.",
    ),
    "a reminder before the agreement begins": (
        {
            "partners.agreement.longest_term_months": 2,
            "partners.agreement.renewal_reminder_days": 56,
            "partners.rent_free_months": 2,
        },
        "partners.agreement.renewal_reminder_days",
        "56 days is as long as an agreement of 2 months. Write at most 55.",
    ),
    "a move from a state that is none": (
        {f"{MOVES}[sign].from_state": "seen"},
        f"{MOVES}[sign].from_state",
        f"There is no “seen” in {STATES}. Choose one of: lead, screened, operating, rectifying, "
        "left.",
    ),
    "a move to a state that is none": (
        {f"{MOVES}[sign].to_state": "seen"},
        f"{MOVES}[sign].to_state",
        f"There is no “seen” in {STATES}. Choose one of: lead, screened, operating, rectifying, "
        "left.",
    ),
    "a move of who has left": (
        {f"{MOVES}[resume].from_state": "left"},
        f"{MOVES}[resume].from_state",
        "A partner in “left” has left for good: no move starts there. Start from one of: lead, "
        "screened, operating, rectifying.",
    ),
    "a move that moves nothing": (
        {f"{MOVES}[resume].to_state": "rectifying"},
        f"{MOVES}[resume].to_state",
        "This move leads to where it starts. Name another state.",
    ),
    "two moves of the same": (
        {f"{MOVES}[resume].to_state": "left"},
        f"{MOVES}[dismiss]",
        f"This is about the same as {MOVES}[resume]. Keep one of them.",
    ),
    "a state that nobody reaches": (
        {f"{MOVES}[rectify]": None},
        f"{STATES}[rectifying]",
        "No move leads to “rectifying” from “lead”, where partners begin. Add one, or take the "
        "state away.",
    ),
    "a state that nobody leaves": (
        {f"{MOVES}[resume]": None, f"{MOVES}[dismiss]": None},
        f"{STATES}[rectifying]",
        "No move leads on from “rectifying”. Add one, or make its phase: ended.",
    ),
    "states without a move": (
        {MOVES: []},
        MOVES,
        "There are states but no moves between them. Add the moves, or take the states away.",
    ),
    "moves without a state": (
        {STATES: [], MOVES: [{**RAW["partners"]["life"]["moves"][0], "to_state": "screened"}]},
        [f"{MOVES}[screen].from_state", f"{MOVES}[screen].to_state"],
        f"There is no “lead” in {STATES}, where nothing stands. Add it there, or leave this out.",
    ),
    "a quorum above the members": (
        {"fund.committee.quorum": 7},
        "fund.committee.quorum",
        "7 is above fund.committee.min_members, which is 5. Write at most 5, or raise "
        "fund.committee.min_members.",
    ),
    "a quorum that can carry nothing": (
        {"fund.committee.counted": "members", "fund.committee.quorum": 3},
        "fund.committee.quorum",
        "With 3 present nothing is carried: fund.committee.majority of all members "
        "(fund.committee.counted) comes to 4. Write at least 4, or count those present.",
    ),
    "fees of partners from whom the fund takes nothing": (
        {"fund.sources[visiting]": None},
        "fund.sources",
        "No source is of the kind “visiting”, by which partners.contributions[per_market_day] would "
        "come in. Add one, or name no source at all, which takes from all.",
    ),
    "the odd fen to a share that is none": (
        {"fund.rest_to": "savings"},
        "fund.rest_to",
        f"There is no “savings” in fund.waterfall. Choose one of: {SHARES}.",
    ),
    "a share for a use that is none": (
        {"fund.waterfall[points].uses": ["points_settlement", "trips"]},
        "fund.waterfall[points].uses",
        f"There is no “trips” in fund.uses. Choose one of: {USES}.",
    ),
    "an earmark for a use that is none": (
        {"fund.earmarks[elderly_care].uses": ["trips"]},
        "fund.earmarks[elderly_care].uses",
        f"There is no “trips” in fund.uses. Choose one of: {USES}.",
    ),
    "a cap of a use that is none": (
        {"fund.caps[repairs_a_year].use": "trips"},
        "fund.caps[repairs_a_year].use",
        f"There is no “trips” in fund.uses. Choose one of: {USES}.",
    ),
    "a reserve of a share that is none": (
        {"fund.reserves[floor].share": "savings"},
        "fund.reserves[floor].share",
        f"There is no “savings” in fund.waterfall. Choose one of: {SHARES}.",
    ),
    "a source for an earmark that is none": (
        {"fund.earmarks": []},
        "fund.sources[elderly].earmark",
        "There is no “elderly_care” in fund.earmarks, where nothing stands. Add it there, or leave "
        "this out.",
    ),
    "a use that nothing pays for": (
        {"fund.waterfall[services].uses": ["repairs"], "fund.waterfall[reserve].uses": ["repairs"]},
        "fund.uses[activities]",
        "No share and no earmark may pay for “activities”. Name it among the uses of one of: "
        f"{SHARES}.",
    ),
    "a cap that the year's never lets anybody reach": (
        {
            "fund.caps[a_month]": {
                "key": "a_month",
                "title": title("每月"),
                "per": "month",
                "use": "repairs",
                "most_fen": 10_000_001,
            }
        },
        "fund.caps[a_month].most_fen",
        "10000001 is above fund.caps[repairs_a_year].most_fen, which is 10000000. Write at most "
        "10000000, or raise fund.caps[repairs_a_year].most_fen.",
    ),
    "a cap of one use that the cap of all never lets anybody reach": (
        {
            "fund.caps[one_repair]": {
                "key": "one_repair",
                "title": title("单笔维修"),
                "per": "application",
                "use": "repairs",
                "most_fen": 2_000_001,
            }
        },
        "fund.caps[one_repair].most_fen",
        "2000001 is above fund.caps[one_application].most_fen, which is 2000000. Write at most "
        "2000000, or raise fund.caps[one_application].most_fen.",
    ),
    "two caps of the same": (
        {
            "fund.caps[another]": {
                "key": "another",
                "title": title("另一上限"),
                "per": "application",
                "most_fen": 1,
            }
        },
        "fund.caps[another]",
        "This is about the same as fund.caps[one_application]. Keep one of them.",
    ),
    "two reserves of one share": (
        {
            "fund.reserves[another]": {
                "key": "another",
                "title": title("另一留存"),
                "share": "reserve",
                "least_fen": 1,
            }
        },
        "fund.reserves[another]",
        "This is about the same as fund.reserves[floor]. Keep one of them.",
    ),
    "who approves pays": (
        {f"{STEPS}[pay].roles": ["charity_cashier", "charity_approver"]},
        f"{STEPS}[pay].roles",
        "charity_approver may both approve and pay. Who proposes, who approves and who pays are "
        "never the same: give them to different roles.",
    ),
    "who proposes approves": (
        {f"{STEPS}[approve].roles": ["community_secretary"]},
        f"{STEPS}[approve].roles",
        "community_secretary may both propose and approve. Who proposes, who approves and who pays "
        "are never the same: give them to different roles.",
    ),
    "who proposes pays": (
        {f"{STEPS}[propose].roles": ["charity_cashier"]},
        f"{STEPS}[pay].roles",
        "charity_cashier may both propose and pay. Who proposes, who approves and who pays are never "
        "the same: give them to different roles.",
    ),
    "partners who propose and vote": (
        {
            f"{STEPS}[propose].roles": ["partner"],
            f"{STEPS}[vote].roles": ["committee_member", "partner"],
        },
        f"{STEPS}[vote].roles",
        "The vote is the committee's: “committee_member” has to be among the roles, and no other but "
        "its chair's. Choose from: committee_member, community_secretary.",
    ),
    "a secretary who votes alone": (
        {f"{STEPS}[vote].roles": ["community_secretary"]},
        f"{STEPS}[vote].roles",
        "The vote is the committee's: “committee_member” has to be among the roles, and no other but "
        "its chair's. Choose from: committee_member, community_secretary.",
    ),
    "nobody pays": (
        {f"{STEPS}[pay]": None},
        STEPS,
        "An application needs exactly one step of the kind “pay”; there are 0.",
    ),
    "approved before it is voted on": (
        {f"{STEPS}[vote].kind": "publish"},
        f"{STEPS}[approve]",
        f"“approve” cannot come after “publish”. The order is: {STEP_ORDER}.",
    ),
    "an auditor who publishes": (
        {f"{STEPS}[publish].roles": ["auditor"]},
        f"{STEPS}[publish].roles",
        "An auditor changes nothing: name the role auditor for audit only.",
    ),
    "a consultation of no days": (
        {"fund.consultation_days": None},
        f"{STEPS}[consult]",
        "This needs fund.consultation_days as well. Add it, or leave this out.",
    ),
    "days of no consultation": (
        {f"{STEPS}[consult]": None},
        "fund.consultation_days",
        "No step is of the kind “consult”. Add one, or leave this out.",
    ),
    "stars that do not ascend": (
        {"evaluation.stars[five].from_score": 80},
        "evaluation.stars[five].from_score",
        "80 is not above evaluation.stars[four].from_score, which is 80. Write more than 80.",
    ),
    "the same stars twice": (
        {"evaluation.stars[four].stars": 3},
        "evaluation.stars[four].stars",
        "3 is not above evaluation.stars[three].stars, which is 3. Write more than 3.",
    ),
    "the most stars below the line": (
        {"evaluation.pass_line": 91},
        "evaluation.pass_line",
        "Below 91 a partner must rectify, one with the most stars too: "
        "evaluation.stars[five].from_score is 90. Write at most 90, or raise "
        "evaluation.stars[five].from_score.",
    ),
    "a form that is none": (
        {"evaluation.criteria[quality].form": "walk"},
        "evaluation.criteria[quality].form",
        "There is no “walk” in evaluation.forms. Choose one of: venue_check.",
    ),
    "a form of what is not inspected": (
        {"evaluation.criteria[quality].source": "records"},
        "evaluation.criteria[quality].form",
        "This only goes with evaluation.criteria[quality].source: inspection. Change that, or "
        "leave this out.",
    ),
    "a form that does not come to 100": (
        {"evaluation.forms[venue_check].checks[safe].points": 30},
        "evaluation.forms[venue_check].checks",
        "The points of a form's lines sum to 100; these sum to 90.",
    ),
    "low-cost that may cost more than the market": (
        {"services.price_classes[market].ceiling_fen": 2999},
        "services.price_classes[low_cost].ceiling_fen",
        "3000 is above services.price_classes[market].ceiling_fen, which is 2999. Write at most 2999, "
        "or raise services.price_classes[market].ceiling_fen.",
    ),
    "a discount on what costs nothing": (
        {"services.discounts[over_80].classes": ["free"]},
        "services.discounts[over_80].classes",
        "What is free costs nothing, so nothing can be taken off. Leave free out.",
    ),
    "a discount in a class that is none": (
        {"services.price_classes[low_cost]": None},
        "services.discounts[over_80].classes",
        "There is no “low_cost” in services.price_classes. Choose one of: free, market.",
    ),
    "a fault that scores as if there were none": (
        {"services.ratings.levels[rude].score": 60},
        "services.ratings.levels[rude].score",
        "“rude” names a fault and scores 60, not less than “fair”, which names none. Write less "
        "than 60.",
    ),
    "a follow-up of no fault": (
        {"services.ratings.levels": []},
        "services.ratings.follow_up_days",
        "No level names a fault, so nothing is followed up. Mark one, or leave this out.",
    ),
    "more points at once than in a month": (
        {"points.earn[volunteering].most_a_month": 9},
        "points.earn[volunteering].points",
        "10 is above points.earn[volunteering].most_a_month, which is 9. Write at most 9, or raise "
        "points.earn[volunteering].most_a_month.",
    ),
    "more points at once than one may hold": (
        {"points.earn[deliberation].points": 5001},
        "points.earn[deliberation].points",
        "5001 is above points.most_held, which is 5000. Write at most 5000, or raise "
        "points.most_held.",
    ),
    "what nobody can ever redeem": (
        {"points.most_held": 199},
        "points.redeem[housekeeping].points",
        "200 is above points.most_held, which is 199. Write at most 199, or raise "
        "points.most_held.",
    ),
    "two worths of a point": (
        {"points.redeem[parking].worth_fen": 300},
        "points.redeem[parking].worth_fen",
        "300 contradicts points.fen_per_point, by which it comes to 200. Write 200, or leave one of "
        "them out.",
    ),
    "a least area above the recommended": (
        {"venues.min_area_m2": 601},
        "venues.min_area_m2",
        "601 is above venues.recommended_area_m2, which is 600. Write at most 600, or raise "
        "venues.recommended_area_m2.",
    ),
    "a function larger than the whole venue": (
        {"venues.aspects[care].functions[day_care].min_area_m2": 601},
        "venues.aspects[care].functions[day_care].min_area_m2",
        "601 is above venues.recommended_area_m2, which is 600. Write at most 600, or raise "
        "venues.recommended_area_m2.",
    ),
    "a least share above the most": (
        {
            "venues.reserved_floor_share": "0.005",
            "venues.reserved_floor_share_at_most": "0.004",
        },
        "venues.reserved_floor_share",
        "0.005 is above venues.reserved_floor_share_at_most, which is 0.004. Write at most 0.004, "
        "or raise venues.reserved_floor_share_at_most.",
    ),
    "a meeting on a date and on a weekday": (
        {"meetings.joint.day_of_month": 25},
        "meetings.joint.weekday",
        "This contradicts meetings.joint.day_of_month. Keep one of them.",
    ),
    "a weekday of no week": (
        {"meetings.joint.week_of_month": None},
        "meetings.joint.weekday",
        "This needs meetings.joint.week_of_month as well. Add it, or leave this out.",
    ),
    "a week without its day": (
        {"meetings.joint.weekday": None},
        "meetings.joint.week_of_month",
        "This needs meetings.joint.weekday as well. Add it, or leave this out.",
    ),
    "a month of the quarter for every month": (
        {"meetings.joint.cadence": "monthly"},
        "meetings.joint.month_of_quarter",
        "This only goes with meetings.joint.cadence: quarterly. Change that, or leave this out.",
    ),
    "two ledgers of one kind": (
        {"needs.ledgers[problems].kind": "needs"},
        "needs.ledgers[problems]",
        "This is about the same as needs.ledgers[needs]. Keep one of them.",
    ),
    "two groups of one colour": (
        {"needs.care_groups[others].colour": "red"},
        "needs.care_groups[others]",
        "This is about the same as needs.care_groups[alone]. Keep one of them.",
    ),
    "rolled out before it is tried": (
        {"onboarding.stages[sum_up].phase": "roll_out"},
        "onboarding.stages[fix_rules].phase",
        "“fix_rules” cannot come after “roll_out”. The order is: pilot, sum_up, fix_rules, "
        "roll_out, keep_running.",
    ),
    "a role that is none": (
        {f"{MOVES}[sign].roles": ["mayor"]},
        f"{MOVES}[sign].roles[0]",
        "Choose one of: city_supervisor, district_administrator, street_administrator, "
        "community_secretary, community_worker, committee_member, charity_approver, "
        "charity_cashier, partner.",
    ),
    "the platform's operator in a step": (
        {f"{STEPS}[review].roles": ["platform_operator"]},
        f"{STEPS}[review].roles[0]",
        "Choose one of: city_supervisor, district_administrator, street_administrator, "
        "community_secretary, community_worker, committee_member, charity_approver, "
        "charity_cashier, partner, auditor.",
    ),
}


@pytest.mark.parametrize(("changes", "where", "sentence"), CASES.values(), ids=CASES)
def test_what_does_not_go_together_is_named_with_what_would_be_right(changes, where, sentence):
    found = faults(changes)
    assert [field for field, _said in found] == ([where] if isinstance(where, str) else where)
    assert found[0][1] == sentence


# What is next to a contradiction and none: these are for people to decide.
FITS = {
    "a quorum of those whom the majority needs": {
        "fund.committee.counted": "members",
        "fund.committee.quorum": 4,
    },
    "a small quorum, of whom the majority is taken": {"fund.committee.quorum": 1},
    "no quorum, whatever the majority": {
        "fund.committee.counted": "members",
        "fund.committee.majority": "all",
        "fund.committee.quorum": None,
    },
    "money from anywhere": {"fund.sources": []},
    "a chair who proposes and votes": {
        f"{STEPS}[vote].roles": ["committee_member", "community_secretary"]
    },
    "stars for who must rectify": {"evaluation.pass_line": 90},
    "one price for low-cost and market": {"services.price_classes[market].ceiling_fen": 3000},
    "a function as large as the venue": {
        "venues.aspects[care].functions[day_care].min_area_m2": 600
    },
    "a function of any size where no area is recommended": {
        "venues.aspects[care].functions[day_care].min_area_m2": 601,
        "venues.recommended_area_m2": None,
    },
}


@pytest.mark.parametrize("changes", FITS.values(), ids=FITS)
def test_what_is_next_to_a_contradiction_is_taken(changes):
    raw = RAW
    for path, value in changes.items():
        raw = paths.put(raw, path, value)
    assert plain(parse_document(raw)) == raw


@pytest.mark.parametrize(
    ("majority", "members", "needed"),
    [
        ("more_than_half", 3, 2),
        ("more_than_half", 7, 4),
        ("two_thirds", 3, 2),
        ("two_thirds", 5, 4),
        ("three_quarters", 5, 4),
        ("three_quarters", 7, 6),
        ("all", 9, 9),
    ],
)
def test_the_quorum_is_at_least_what_carries(majority, members, needed):
    committee = {"min_members": members, "majority": majority, "counted": "members"}
    for quorum in (needed, members):
        parse_document(paths.put(RAW, "fund.committee", {**committee, "quorum": quorum}))
    [(field, said)] = faults({"fund.committee": {**committee, "quorum": needed - 1}})
    assert field == "fund.committee.quorum"
    assert f"Write at least {needed}," in said
