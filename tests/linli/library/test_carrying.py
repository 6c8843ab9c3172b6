"""An upgrade of one layer: what is taken, what is kept, what a person is asked (M6)."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from linli.library import paths
from linli.library.bounds import parse_bounds
from linli.library.carrying import Answer, Aspect, carry
from linli.library.changes import differences
from linli.library.document import parse_document, plain
from linli.library.layers import LayerSpec, check_result, stack, under, with_values
from linli.library.limits import violations
from linli.library.merging import Choice, Decision
from tests.support.models_at_random import (
    AUTHOR,
    CHANGE,
    CHENGNAN,
    MONTHS,
    RATE,
    layers,
    models,
    own_changes,
    stands,
)

MANY = settings(deadline=None)  # as many as the profile says (tests/conftest.py)


@st.composite
def upgrades(draw, with_own=True):
    """Rules, what was set on them, and the rules that follow."""
    before = draw(models())
    after = draw(models(before.raw))
    own = draw(layers(before))
    return before, after, own


def answered(carried, choose):
    """An answer to each open question, as `choose` says of it."""
    return {q.place: Answer(choose(q), q.seen) for q in carried.questions if q.is_open}


def taking(question):
    return Decision(Choice.TAKE)


def settled(before, after, own, choose, answers=None):
    """Answers until nothing is open; each round answers what is."""
    answers = dict(answers or {})
    for _round in range(12):
        carried = carry(own, before=before, after=after, answers=answers)
        if not any(q.is_open for q in carried.questions):
            return carried, answers
        answers |= answered(carried, choose)
    raise AssertionError([q for q in carried.questions if q.is_open])


@MANY
@given(upgrades())
def test_without_anything_set_here_it_is_the_new_version(upgrade):
    """M6 (a)."""
    before, after, own = upgrade
    carried = carry(replace(own, values={}, bounds={}), before=before, after=after, answers={})
    assert carried.values == {}
    assert carried.questions == carried.problems == ()
    assert carried.state.raw == after.raw


@MANY
@given(upgrades())
def test_with_nothing_new_above_it_is_what_it_was(upgrade):
    """M6 (b): to the letter, what repeats the model as well."""
    before, _after, own = upgrade
    carried = carry(own, before=before, after=before, answers={})
    assert list(carried.values.items()) == list(own.values.items())
    assert carried.bounds == own.bounds
    assert carried.questions == carried.problems == ()
    assert carried.state.raw == under(before, own).raw


@MANY
@given(upgrades(), st.data())
def test_nothing_that_was_set_is_lost_without_a_decision(upgrade, data):
    """M6 (c), with some questions answered and some not, in several rounds."""
    before, after, own = upgrade
    answers = {}
    for _round in range(3):
        carried = carry(own, before=before, after=after, answers=answers)
        for question in carried.questions:
            if question.is_open and data.draw(st.booleans()):
                choice = data.draw(st.sampled_from([Choice.KEEP, Choice.TAKE]))
                answers[question.place] = Answer(Decision(choice), question.seen)
    carried = carry(own, before=before, after=after, answers=answers)
    given_up = [
        q.path
        for q in carried.questions
        if q.decision is not None and q.decision.choice != Choice.KEEP
    ]
    asked = [q.path for q in carried.questions if q.faults]
    # While something is open nothing is applied: then it stands in what would be.
    result = with_values(after, carried.values)[0] if carried.is_open else carried.state.raw
    written = with_values(before, own.values)[0]
    for path, value in own_changes(before, own).items():
        if any(paths.related(path, other) for other in [*given_up, *asked]):
            continue
        # With the members that a document writes out besides, or as it was written.
        as_written = paths.get(written, path) if paths.exists(written, path) else None
        assert stands(result, path, value) or stands(result, path, as_written), (path, value)
    for path, bound in own.bounds.items():
        if path not in given_up:
            assert carried.bounds.get(path) == bound


@MANY
@given(upgrades())
def test_what_is_new_and_meets_nothing_is_taken(upgrade):
    before, after, own = upgrade
    carried = carry(own, before=before, after=after, answers={})
    met = [*own.values, *(question.path for question in carried.questions)]
    for change in differences(before.raw, after.raw):
        if not any(paths.related(change.path, path) for path in met):
            assert stands(carried.state.raw, change.path, change.after), change


@MANY
@given(upgrades())
def test_taking_what_is_new_settles_every_question(upgrade):
    before, after, own = upgrade
    carried, _answers = settled(before, after, own, taking)
    assert carried.problems == ()
    check_result(carried.state)


@MANY
@given(upgrades(), st.data())
def test_what_is_settled_lies_within_every_bound(upgrade, data):
    """M6 (e): whatever people answer, nothing outside a bound counts as settled."""
    before, after, own = upgrade

    def choose(question):
        if question.decision is not None:
            return Decision(Choice.TAKE)  # what they said did not fit
        choice = data.draw(st.sampled_from([Choice.KEEP, Choice.TAKE]))
        return Decision(choice)

    carried, _answers = settled(before, after, own, choose)
    if carried.is_open:
        return
    check_result(carried.state)
    assert list(violations(carried.state.raw, carried.state.in_force)) == []
    relaid = under(after, replace(own, values=carried.values, bounds=carried.bounds))
    assert relaid.raw == carried.state.raw


@MANY
@given(upgrades(), CHANGE)
def test_a_person_may_say_something_of_any_place(upgrade, change):
    before, after, own = upgrade
    path, value = change
    answers = {(Aspect.VALUE, path): Answer(Decision(Choice.SET, value), "")}
    carried = carry(own, before=before, after=after, answers=answers)
    if not carried.is_open:
        found = carried.state.raw
        if value is None and not paths.exists(found, path):
            return  # taken away
        # Said again it changes nothing: it stands there, in the one spelling of all documents.
        assert plain(parse_document(paths.put(found, path, value))) == found


def pay(**more):
    return {"key": "stationed", "title": {"zh": "按场次"}, "modes": ["stationed"]} | more


def ruled(document=None):
    """The rules of an author, and their raw document."""
    return stack(parse_document(document or CHENGNAN), {}, base=AUTHOR)


def test_what_was_set_of_a_part_of_what_was_set_stays():
    """The item of another form, and of it one field anew: both were said, both stay."""
    item = {"partners.contributions[stationed]": pay(type="per_session", fee_fen=900)}
    fee = {"partners.contributions[stationed].fee_fen": 500}
    before, after = ruled(), ruled(paths.put(plain(parse_document(CHENGNAN)), MONTHS, 6))
    for values in (item | fee, fee | {MONTHS: 12} | item):
        carried = carry(
            LayerSpec("street", "新华街道", values), before=before, after=before, answers={}
        )
        assert list(carried.values.items()) == list(values.items())
    carried = carry(
        LayerSpec("street", "新华街道", item | fee), before=before, after=after, answers={}
    )
    assert paths.get(carried.state.raw, "partners.contributions[stationed].fee_fen") == 500
    assert paths.get(carried.state.raw, MONTHS) == 6


def test_what_is_set_within_what_is_set_stays_where_it_is():
    """A rule put in the place of another one, and its fee set by a path of its own."""
    before = stack(parse_document(CHENGNAN), {}, base=AUTHOR)
    place = "partners.contributions[stationed]"
    rule = {"key": "stationed", "title": {"zh": "按场次"}, "type": "per_session"}
    values = {place: {**rule, "modes": ["stationed"], "fee_fen": 900}, f"{place}.fee_fen": 500}
    own = LayerSpec("street", "新华街道", values=values)
    after = stack(parse_document(paths.put(CHENGNAN, f"{place}.rate", "0.04")), {}, base=AUTHOR)

    same_above = carry(own, before=before, after=before, answers={})
    assert list(same_above.values.items()) == list(values.items())
    changed = carry(own, before=before, after=after, answers={})
    assert [question.path for question in changed.questions] == [place]
    assert changed.state.value(f"{place}.fee_fen") == 500
    taken = carry(own, before=before, after=after, answers=answered(changed, taking))
    assert (taken.values, taken.is_open) == ({}, False)


def test_what_was_put_in_a_list_and_changed_there_stays_as_it_is():
    """A layer has set the whole list, and by other paths that one item of it is to go, another renamed."""
    steps = [{"key": key, "title": {"zh": key}} for key in "abc"]
    place = "meetings.deliberation.steps"
    before, after = ruled(), ruled(paths.put(plain(parse_document(CHENGNAN)), MONTHS, 6))
    for values in (
        {place: steps, f"{place}[b]": None, f"{place}[a].title.zh": "甲"},
        {f"{place}[a].title.zh": "甲", f"{place}[b]": None, MONTHS: 12, place: steps},
    ):
        own = LayerSpec("street", "新华街道", values)
        carried = carry(own, before=before, after=before, answers={})
        assert list(carried.values.items()) == list(values.items())
        carried = carry(own, before=before, after=after, answers={})
        found = [(step["key"], step["title"]["zh"]) for step in paths.get(carried.state.raw, place)]
        assert found == [("a", "甲"), ("c", "c")]


def test_what_was_taken_away_and_something_new_names_is_asked_about():
    """The kind was given up here; an incentive of the new version is for it."""
    place = "partners.kinds[department]"
    before = ruled()
    after = ruled(paths.put(before.raw, "partners.incentives[exposure].kind", "department"))
    own = LayerSpec("street", "新华街道", {place: None, MONTHS: 12})

    carried = carry(own, before=before, after=after, answers={})

    [question] = carried.questions
    assert (question.path, question.own, carried.problems) == (place, None, ())
    assert question.new == paths.get(after.raw, place)
    assert [fault.field for fault in question.faults] == ["partners.incentives[exposure].kind"]
    # Those below see the rest of what was set here meanwhile.
    assert carried.state.value(MONTHS) == 12
    taken = carry(own, before=before, after=after, answers=answered(carried, taking))
    assert (taken.values, taken.is_open) == ({MONTHS: 12}, False)


def test_what_is_taken_and_does_not_fit_a_bound_set_here_puts_the_bound_in_question():
    before = ruled()
    after = ruled(paths.put(before.raw, RATE, "0.01"))
    own = LayerSpec("street", "新华街道", {RATE: "0.04"}, parse_bounds({RATE: {"minimum": "0.03"}}))
    [asked] = carry(own, before=before, after=after, answers={}).questions
    answers = {asked.place: Answer(Decision(Choice.TAKE), asked.seen)}

    carried = carry(own, before=before, after=after, answers=answers)

    value, bound = carried.questions
    assert (value.place, value.is_open) == ((Aspect.VALUE, RATE), False)
    assert (bound.place, bound.is_open) == ((Aspect.BOUND, RATE), True)
    assert [fault.code for fault in bound.faults] == ["OUTSIDE_BOUNDS"]
    answers[bound.place] = Answer(Decision(Choice.TAKE), bound.seen)
    carried = carry(own, before=before, after=after, answers=answers)
    assert (carried.values, carried.bounds, carried.is_open) == ({}, {}, False)
    assert carried.state.raw == after.raw
