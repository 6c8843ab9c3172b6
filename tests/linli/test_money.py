"""Money: whole fen in, whole fen out, each of them counted once (F3)."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linli.errors import Refused
from linli.money import (
    MAX_FEN,
    FenField,
    fen_from_yuan,
    fen_range,
    share_of,
    split,
    split_by_weights,
    yuan,
)

totals = st.integers(min_value=0, max_value=10**15)
weights = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=40).filter(any)


@pytest.mark.parametrize(
    ("amount", "fen"),
    [
        ("1234.50", 123450),
        ("1,234.5", 123450),
        ("１，２３４．５０", 123450),
        (" 0.01 ", 1),
        ("-3", -300),
        ("1.000", 100),
        (7, 700),
        (Decimal("0E+900"), 0),
        (Decimal("12.30"), 1230),
        ("90071992547409.91", MAX_FEN),
    ],
)
def test_an_amount_in_yuan_is_exact_fen(amount, fen):
    assert fen_from_yuan(amount) == fen


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0.005", "AMOUNT_NOT_WHOLE_FEN"),
        (Decimal("1E-999999"), "AMOUNT_NOT_WHOLE_FEN"),
        (0.5, "AMOUNT_NOT_A_NUMBER"),
        (True, "AMOUNT_NOT_A_NUMBER"),
        (None, "AMOUNT_NOT_A_NUMBER"),
        ("", "AMOUNT_NOT_A_NUMBER"),
        ("NaN", "AMOUNT_NOT_A_NUMBER"),
        (Decimal("Infinity"), "AMOUNT_NOT_A_NUMBER"),
        ("1e3", "AMOUNT_NOT_A_NUMBER"),
        ("1_000", "AMOUNT_NOT_A_NUMBER"),
        ("12,34", "AMOUNT_NOT_A_NUMBER"),
        ("十元", "AMOUNT_NOT_A_NUMBER"),
        ("90071992547409.92", "AMOUNT_OUT_OF_RANGE"),
        ("-90071992547409.92", "AMOUNT_OUT_OF_RANGE"),
        ("9" * 5000, "AMOUNT_OUT_OF_RANGE"),
        (Decimal("1E+999999"), "AMOUNT_OUT_OF_RANGE"),
    ],
)
def test_what_is_no_exact_amount_is_refused(amount, code):
    with pytest.raises(Refused) as refused:
        fen_from_yuan(amount, field="incomeYuan")
    assert (refused.value.code, refused.value.field) == (code, "incomeYuan")


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123456789, "1,234,567.89"), (-100, "-1.00")],
)
def test_fen_are_shown_as_yuan(fen, text):
    assert yuan(fen) == text


@given(st.integers(min_value=-MAX_FEN, max_value=MAX_FEN))
def test_what_is_shown_can_be_read_back(fen):
    assert fen_from_yuan(yuan(fen)) == fen


def test_the_field_takes_whole_fen_only():
    field = FenField(name="amount_fen")
    assert field.get_prep_value(Decimal(12)) == 12
    for fraction in (1.0, Decimal("1.5")):
        with pytest.raises(TypeError):
            field.get_prep_value(fraction)


def test_the_range_is_a_named_check():
    check = fen_range("amount_fen", name="posting_amount", minimum=1)
    assert check.name == "posting_amount"
    assert dict(check.condition.children) == {"amount_fen__gte": 1, "amount_fen__lte": 2**53 - 1}
    with pytest.raises(ValueError, match="beyond"):
        fen_range("amount_fen", name="x", minimum=-(2**53))


@pytest.mark.parametrize(
    ("fen", "rate", "share"),
    [(50, "0.03", 2), (49, "0.03", 1), (-50, "0.03", -2), (10**15, "0.000001", 10**9), (7, "0", 0)],
)
def test_a_share_is_rounded_half_up_to_whole_fen(fen, rate, share):
    assert share_of(fen, Decimal(rate)) == share


def test_a_waterfall_of_one_centre():
    shares = [Decimal("0.5"), Decimal("0.4"), Decimal("0.1")]
    assert split(10**15 + 1, shares) == [500000000000001, 400000000000000, 100000000000000]
    assert split(3, shares) == [2, 1, 0]
    assert split(-3, shares) == [-2, -1, 0]
    assert split(1, [Decimal("0.5"), Decimal("0.5")]) == [1, 0]


@pytest.mark.parametrize("shares", [["0.5", "0.4999"], ["1.1", "-0.1"], []])
def test_shares_sum_to_exactly_one(shares):
    with pytest.raises(ValueError, match=r"sum to|cannot split"):
        split(100, [Decimal(share) for share in shares])


@pytest.mark.parametrize("bad", [[], [0, 0], [2, -1]])
def test_weights_that_cannot_split(bad):
    with pytest.raises(ValueError, match="cannot split"):
        split_by_weights(100, bad)


@given(st.integers(min_value=-(10**15), max_value=10**15) | st.integers(), weights)
def test_every_fen_is_conserved_and_no_part_is_a_fen_off(total, parts_of):
    parts = split_by_weights(total, parts_of)
    whole = sum(parts_of)
    assert sum(parts) == total
    assert all(abs(p * whole - total * w) < whole for p, w in zip(parts, parts_of, strict=True))
    assert all(part == 0 for part, weight in zip(parts, parts_of, strict=True) if weight == 0)


@given(totals, st.lists(st.integers(0, 10**6), max_size=12).map(sorted))
def test_shares_of_any_size_conserve_every_fen(total, cuts):
    edges = [0, *cuts, 10**6]
    shares = [Decimal(high - low).scaleb(-6) for low, high in pairwise(edges)]
    parts = split(total, shares)
    assert sum(parts) == total
    assert all(abs(Decimal(p) - total * s) < 1 for p, s in zip(parts, shares, strict=True))


@given(totals, weights, st.randoms())
def test_the_order_of_the_parts_moves_at_most_one_fen(total, parts_of, random):
    order = list(range(len(parts_of)))
    random.shuffle(order)
    straight = split_by_weights(total, parts_of)
    mixed = split_by_weights(total, [parts_of[i] for i in order])
    assert sum(mixed) == total
    assert all(abs(mixed[at] - straight[i]) <= 1 for at, i in enumerate(order))
