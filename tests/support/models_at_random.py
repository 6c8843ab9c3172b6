"""Operating models, and what is set on top of them, at random: all valid, much of it touching."""

import json
from pathlib import Path

from hypothesis import strategies as st

from linli.errors import Refused
from linli.library import paths
from linli.library.bounds import Origin, parse_bounds
from linli.library.changes import differences
from linli.library.document import parse_document, plain
from linli.library.layers import LayerSpec, check_result, stack, under
from linli.library.merging import same

CHENGNAN = json.loads((Path(__file__).parents[1] / "linli/library/chengnan.json").read_text())
RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
AUTHOR = Origin("model", "车站街道")
_FUNDING = {"甲": None, "乙": "0.8", "丙": "1"}


def _titled(key, text, **more):
    return {"key": key, "title": {"zh": text}, **more}


def _item(holder, keys, make):
    """An item of a list added, changed or taken away."""
    change = st.tuples(st.sampled_from(keys), st.none() | st.sampled_from("甲乙丙"))
    return change.map(
        lambda told: (
            f"{holder}[{told[0]}]",
            None if told[1] is None else make(told[0], told[1]),
        )
    )


def _fixed(path, values):
    return st.tuples(st.just(path), st.sampled_from(values))


def _shares(*parts):
    keys = ("services", "property", "volunteers", "repairs")
    return [_titled(k, "份额", share=p) for k, p in zip(keys, parts, strict=False)]


# One change: a path and what is to stand there. Few paths and few values, so that two meet often.
CHANGE = st.one_of(
    _fixed(MONTHS, [0, 6, 12, 18, 24]),
    _fixed(RATE, ["0.01", "0.02", "0.03", "0.04", "0.05"]),
    _fixed("partners.contributions[visiting].fee_fen", [0, 3000, 5000, 8000]),
    _fixed("partners.contributions[stationed].title", [{"zh": t} for t in "甲乙丙"]),
    _fixed(
        "partners.contributions[stationed]",
        [
            _titled("stationed", "按比例", type="share", modes=["stationed"], base="profit", rate="0.02"),
            _titled("stationed", "按场次", type="per_session", modes=["stationed"], fee_fen=900),
        ],
    ),
    _fixed("partners.contributions[stationed].fee_fen", [500, 900]),
    _item("evaluation.stars", ["one", "two", "three"], lambda key, text: _titled(
        key, text, stars={"one": 1, "two": 2, "three": 3}[key],
        from_score={"one": 60, "two": 75, "three": 90}[key], funding_share=_FUNDING[text])),
    _fixed("evaluation.stars[two].from_score", [70, 75, 80, 95]),
    _fixed("partners.incentives[exposure].stars_at_least", [None, 1, 2]),
    _item("fund.caps", ["once", "monthly"], lambda key, text: _titled(
        key, text, per="application" if key == "once" else "month",
        most_fen={"甲": 100_000, "乙": 200_000, "丙": 300_000}[text],
        use="activities" if text == "丙" else None)),
    _fixed("fund.caps[once].most_fen", [100_000, 150_000, 250_000]),
    _item("partners.admission", ["licence", "credit"], lambda key, text: _titled(
        key, text, required=text != "乙", kinds=["enterprise"] if text == "丙" else [])),
    _fixed("partners.admission[licence].kinds", [[], ["enterprise"], ["department"]]),
    _fixed("partners.admission[licence].required", [True, False]),
    _fixed("evaluation.pass_line", [50, 60, 70]),
    _fixed("evaluation.criteria[service_quality].title.zh", ["质量", "服务"]),
    _fixed("evaluation.criteria[service_quality].weight", ["0.5", "0.6", "0.7"]),
    _fixed(
        "evaluation.criteria",
        [
            [_titled("service_quality", "质量", weight="1")],
            [
                _titled("service_quality", "质量", weight="0.5"),
                _titled("openness", "公开", weight="0.5"),
            ],
        ],
    ),
    _fixed("fund.waterfall", [_shares("0.5", "0.5"), _shares("0.2", "0.3", "0.5"), _shares("1")]),
    _fixed("fund.waterfall[services].title.zh", ["服务", "服务群众"]),
    _fixed("fund.waterfall", [_shares("0.5", "0.4", "0.1")[::way] for way in (1, -1)]),
    _fixed("meetings.deliberation.steps", [
        [_titled(key, key) for key in keys] for keys in ("abc", "bac", "cba", "adbc", "bc", "ceab")]),
    _fixed("meetings.deliberation.steps[a].title.zh", ["甲", "乙"]),
    _fixed("meetings.deliberation.steps[b]", [None, _titled("b", "乙")]),
    _fixed("fund.committee.min_members", [3, 5, 7]),
    _fixed("meetings.joint.day_of_month", [None, 5, 10, 25]),
    _fixed("services.price_classes[low_cost].ceiling_fen", [None, 1000, 2000, 3000]),
    _item("partners.mechanisms", ["service_purchase", "co_space", "time_bank"], _titled),
    _item("fund.uses", ["repairs", "activities", "study"], _titled),
    _item("venues.aspects[care].functions", ["canteen", "nursery", "gym"],
          lambda key, text: _titled(key, text, required=text == "甲")),
    _item("venues.aspects", ["care", "culture"], lambda key, text: _titled(
        key, text, functions=[_titled(f"{key}_room", text, required=True)])),
    _item("partners.incentives", ["exposure", "honours"],
          lambda key, text: _titled(key, text, kind="enterprise" if text == "甲" else "department")),
    _item("partners.kinds", ["department", "volunteer"],
          lambda key, text: _titled(key, text, tier="extended")),
)  # fmt: skip

_BOUND = st.one_of(
    st.tuples(
        st.just(RATE),
        st.sampled_from([("0.01", "0.05"), ("0.02", "0.04"), ("0.03", "0.05"), ("0.01", "0.03")]),
    ).map(lambda b: (b[0], {"minimum": b[1][0], "maximum": b[1][1]})),
    st.tuples(st.just(MONTHS), st.sampled_from([6, 12, 18, 24])).map(
        lambda b: (b[0], {"maximum": b[1]})
    ),
    _fixed("partners.contributions[*].fee_fen", [{"maximum": 5000}, {"maximum": 9000}]),
    _fixed("meetings.joint.day_of_month", [{"one_of": [5, 10, 25]}, {"one_of": [10, 25, None]}]),
    _fixed("fund.committee", [{"locked": True}]),
    _fixed("fund.uses[repairs]", [{"locked": True}]),
    _fixed("fund.caps[*].most_fen", [{"maximum": 150_000}, {"maximum": 250_000}]),
    _fixed("partners.admission[*].required", [{"locked": True}]),
)


# What somebody may bound who does not know the model: looser than its author, or of what is not there.
_UNSEEN = st.one_of(
    st.tuples(
        st.sampled_from([RATE, "partners.contributions[*].rate"]),
        st.sampled_from(
            [{"minimum": "0"}, {"maximum": "0.06"}, {"minimum": "0.01", "maximum": "1"}]
        ),
    ),
    _fixed(MONTHS, [{"maximum": 60}, {"one_of": [0, 6, 12, 18, 24, 36]}]),
    _fixed("meetings.joint.day_of_month", [{"one_of": [1, 5, 10, 20, 25, None]}]),
    _fixed("partners.contributions[elsewhere].rate", [{"maximum": "0.05"}, {"locked": True}]),
    _fixed("partners.contributions[visiting].rate", [{"maximum": "0.05"}, {"locked": True}]),
    _fixed("fund.caps[once].most_fen", [{"maximum": 900_000}]),
)


@st.composite
def documents(draw, start=None):
    """A valid document, some changes away from another."""
    document = start or plain(parse_document(CHENGNAN))
    for path, value in draw(st.lists(CHANGE, max_size=6)):
        try:
            document = plain(parse_document(paths.put(document, path, value)))
        except Refused:
            continue
    return document


@st.composite
def models(draw, start=None):
    """What an author wrote, as the rules of nobody but the author."""
    document = parse_document(draw(documents(start)))
    state = stack(document, {}, base=AUTHOR)
    for path, bound in draw(st.lists(_BOUND, max_size=3)):
        bounds = {**state_bounds(state), path: parse_bounds({path: bound})[path]}
        try:
            bounded = stack(document, bounds, base=AUTHOR)
            check_result(bounded)
        except Refused:
            continue
        state = bounded
    return state


@st.composite
def layers(draw, above, kind="street", name="新华街道"):
    """What is set on top of some rules, and fits them."""
    layer = LayerSpec(kind, name)
    for path, value in draw(st.lists(CHANGE, max_size=5)):
        values = {**layer.values, path: value}
        layer = _with(above, layer, values=values)
    for path, bound in draw(st.lists(_BOUND, max_size=2)):
        layer = _with(above, layer, bounds={**layer.bounds, **parse_bounds({path: bound})})
    return layer


@st.composite
def policies(draw):
    """What a district lays down for models that it has not seen; it may not fit."""
    return LayerSpec(
        "district",
        "张店区",
        values=dict(draw(st.lists(CHANGE, max_size=3))),
        bounds=parse_bounds(dict(draw(st.lists(_UNSEEN | _BOUND, max_size=4)))),
    )


def own_changes(before, own):
    """What the layer makes different, and what it says on purpose though it makes no difference."""
    with_own = under(before, own).raw
    told = {change.path: change.after for change in differences(before.raw, with_own)}
    for path in own.values:
        if not any(paths.related(path, other) for other in told):
            told[path] = paths.get(with_own, path) if paths.exists(with_own, path) else None
    return told


def stands(document, path, value):
    if not paths.exists(document, path):
        return value is None
    found = paths.get(document, path)
    keys = paths.keys(found)
    if isinstance(value, list) and keys is not None and all(isinstance(v, str) for v in value):
        return [k for k in keys if k in value] == [v for v in value if v in keys]  # an order
    return same(found, value)


def state_bounds(state):
    return {one.path: one.bound for one in state.in_force}


def _with(above, layer, **more):
    told = LayerSpec(
        layer.kind, layer.name, **{"values": layer.values, "bounds": layer.bounds} | more
    )
    try:
        check_result(under(above, told))
    except Refused:
        return layer
    return told
