"""What is expected after what was asked for."""

from __future__ import annotations

from codex_sidecar.pool.stock import DemandEstimator


def noted(*times: float) -> DemandEstimator:
    demand = DemandEstimator()
    for now in times:
        demand.record(now)
    return demand


def test_nothing_is_expected_of_a_past_in_which_nothing_was_asked_for() -> None:
    assert DemandEstimator().estimate(1000) == 0


def test_a_burst_is_expected_to_come_again() -> None:
    assert noted(100, 101, 102, 103).estimate(103) == 4


def test_what_is_spread_over_time_is_no_burst() -> None:
    assert noted(100, 120, 140, 160).estimate(160) <= 2


def test_half_of_it_is_forgotten_each_minute_and_all_of_it_in_the_end() -> None:
    demand = noted(*[100.0] * 32)
    assert [demand.estimate(100 + 60 * minutes) for minutes in (1, 2, 3)] == [16, 8, 4]
    assert demand.estimate(100 + 60 * 8) == 0


def test_a_small_demand_does_not_make_a_large_one_forgotten() -> None:
    demand = noted(*[100.0] * 32, 130)
    assert demand.estimate(130) > 20
