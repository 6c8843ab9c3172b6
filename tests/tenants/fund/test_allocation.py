"""F3: the waterfall conserves every fen."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tenants.fund.allocation import INFLOW, Waterfall, waterfall_legs
from tenants.fund.ledger import Leg


def _waterfall(*shares: str, rest_to: str | None = None) -> Waterfall:
    return Waterfall(
        tuple((f"share{number}", Decimal(share)) for number, share in enumerate(shares)), rest_to
    )


def test_the_published_split_of_one_centre() -> None:
    """50 % repays construction, 40 % subsidises property services, 10 % goes to volunteers."""
    legs = waterfall_legs(1_001, _waterfall("0.5", "0.4", "0.1"))

    assert [(leg.debit, leg.credit, leg.amount_fen) for leg in legs] == [
        (INFLOW, "held:share0", 501),
        (INFLOW, "held:share1", 400),
        (INFLOW, "held:share2", 100),
    ]


def test_a_share_that_gets_no_fen_moves_nothing() -> None:
    assert [leg.credit for leg in waterfall_legs(1, _waterfall("0.6", "0.4"))] == ["held:share0"]


def test_a_model_may_say_which_share_takes_the_odd_fen() -> None:
    def legs(amount_fen: int, rest_to: str) -> list[Leg]:
        return waterfall_legs(amount_fen, _waterfall("0.5", "0.4", "0.1", rest_to=rest_to))

    assert [leg.amount_fen for leg in legs(1_001, "share2")] == [500, 400, 101]
    assert [leg.credit for leg in legs(1, "share1")] == ["held:share1"]
    assert [leg.amount_fen for leg in legs(10**15 + 7, "share0")] == [
        500_000_000_000_005,
        400_000_000_000_002,
        100_000_000_000_000,
    ]


weights = st.lists(st.integers(1, 10**6), min_size=1, max_size=12)


@given(st.integers(1, 10**15), weights)
def test_every_fen_is_conserved_and_each_share_is_within_one_of_exact(amount, weights) -> None:
    total = sum(weights)
    exact = [10**6 * weight // total for weight in weights]
    exact[0] += 10**6 - sum(exact)
    shares = [Decimal(share).scaleb(-6) for share in exact]

    legs = waterfall_legs(amount, _waterfall(*(f"{share.normalize():f}" for share in shares)))

    assert sum(leg.amount_fen for leg in legs) == amount
    got = {leg.credit: leg.amount_fen for leg in legs}
    for number, share in enumerate(shares):
        assert abs(got.get(f"held:share{number}", 0) - amount * share) < 1
