"""What the benchmarks make of what they measured."""

from collections import Counter

import pytest

from benchmarks.__main__ import Measured
from benchmarks.load import Burst, percentile
from benchmarks.soak import flat, trend

MB = 2**20


def burst(requests: int, latencies: dict[int, int]) -> Burst:
    return Burst(requests, seconds=2, faults=0, latencies=Counter(latencies), cpu=0.1)


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    """A pair in which the machine was busy with something else weighs no more than another."""
    ours = [burst(requests, {}) for requests in (300, 10, 600)]
    rivals = [burst(requests, {}) for requests in (200, 200, 400)]

    assert Measured(ours, rivals).ratio("rate") == 1.5


def test_the_p99_is_taken_over_all_bursts_and_better_is_more_than_one() -> None:
    ours = [burst(100, {1_000: 100}), burst(100, {1_000: 97, 4_000: 3})]
    rivals = [burst(100, {2_000: 100}), burst(100, {2_000: 97, 8_000: 3})]

    assert percentile(Counter({1_000: 197, 4_000: 3}), 0.99) == 4
    assert Measured(ours, rivals).ratio("p99") == 2


@pytest.mark.parametrize(
    ("grown_by", "is_flat"), [(0, True), (4 * MB, True), (9 * MB, True), (12 * MB, False)]
)
def test_memory_is_flat_up_to_a_twentieth(grown_by: int, is_flat: bool) -> None:
    samples = [(float(at), 200 * MB + grown_by * at // 99) for at in range(100)]

    assert trend(samples) == pytest.approx((200 * MB, 200 * MB + grown_by), abs=2)
    assert flat(samples) is is_flat


def test_a_sawtooth_that_returns_is_flat() -> None:
    samples = [(float(at), 100 * MB + at % 10 * MB) for at in range(100)]

    assert flat(samples)
