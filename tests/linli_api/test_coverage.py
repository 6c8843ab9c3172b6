"""What staff can do, an integrator with the right scope can do: every action has its mutation."""

import ast

from tests.support.databases import ROOT

# Where actions live: verb functions that take who acts.
ROOMS = [
    "platform/linli/*/actions.py",
    "platform/linli/library/packages/actions.py",
    "platform/linli/library/pictures.py",
    "tenants/*/actions.py",
    "tenants/*/actions/*.py",
    "tenants/communities/facts.py",
    "tenants/operating_model/drafts.py",
    "tenants/operating_model/governing.py",
    "tenants/operating_model/requests.py",
    "tenants/operating_model/packages.py",
    "tenants/operating_model/upgrades.py",
    "tenants/operating_model/rolling_back.py",
    "tenants/operating_model/clashes.py",
    "onboarding/*.py",
]
# Reads that stand in such a room.
READS = {"facts", "fund_to_act_on", "pictures_by_version", "refuse_unapproved"}
# Why an action has no mutation of its own.
PART_OF_ANOTHER = {
    "publish": "publish_version in the tenant calls it, for the public schema's half",
    "withdraw": "withdraw_version in the tenant calls it",
    "issue": "issue_policy in the tenant calls it",
    "record_adoption": "adopt_version in the tenant calls it",
    "adopt": "adopt_version calls it, and approve_change",
    "put_upgrade_in_force": "apply_upgrade calls it, and approve_change",
    "begin_upgrade": "open_upgrade calls it, and the job that follows binding offers",
    "tell_upgrade": "the upgrade's own actions call it",
    "undo_upgrade": "roll_back_upgrade calls it, and approve_change",
    "lay_down_rule": "set_adoption_rule in the tenant calls it",
    "make_offer": "offer_version in the tenant calls it",
    "end_offer": "withdraw_offer in the tenant calls it",
    "record_changes": "adopt_version and set_layer in the tenant call it",
    "take_in": "import_package in the tenant calls it",
    "add_picture": "its bytes are posted, with a token too (docs/library.md)",
    "record_event": "the trail's row of the fund's own actions",
    "fill": "resetSandbox and requestSandbox have a job call it",
    "event_of": "the facts that the fund's own actions post under",
}


def actions() -> dict[str, str]:
    """Each public function that takes an ``actor``, and where it stands."""
    found = {}
    for room in ROOMS:
        for path in sorted(ROOT.glob(room)):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    taken = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
                    if "actor" in taken and node.name not in READS:
                        found[node.name] = path.relative_to(ROOT).as_posix()
    return found


def called() -> set[str]:
    """The names of all functions that mutations call."""
    return {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for path in ROOT.glob("graphql/linli_api/*/*mutations.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }


def test_every_action_is_a_mutation_or_says_why_not():
    silent = actions().keys() - called() - PART_OF_ANOTHER.keys()
    assert {name: actions()[name] for name in silent} == {}


def test_no_reason_is_given_for_what_is_a_mutation_or_is_not_there():
    assert PART_OF_ANOTHER.keys() & called() == set()
    assert PART_OF_ANOTHER.keys() <= actions().keys()


def test_the_reader_sees_what_there_is():
    known = {
        "admit_partner",
        "state_fact",
        "request_tenant",
        "register_person",
        "pay_spending",
        "finish_draft",
    }
    assert known <= actions().keys() & called()
