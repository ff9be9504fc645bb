"""Costs are reported beside their limits."""

from __future__ import annotations

import json

import pytest

from bench.cost import Cost, line, table
from bench.samples import Samples

COSTS = [
    Cost("a_ms", Samples("a", [1.0, 2.0, 9.0]), "ms", 5),
    Cost("b_us", Samples("b", [70.0]), "us", 60),
    Cost("c_ms", Samples("c", [3.0]), "ms"),
]


def test_the_median_is_what_counts() -> None:
    assert [cost.is_met for cost in COSTS] == [True, False, True]


def test_the_table_says_what_is_wanted_and_whether_it_is_met() -> None:
    assert table(COSTS, "provider").splitlines()[2:] == [
        "| a | 3 | 2 ms | 9 | <= 5 ms | yes |",
        "| b | 1 | 70 us | 70 | <= 60 us | NO |",
        "| c | 1 | 3 ms | 3 |  |  |",
    ]


def test_the_line_is_json() -> None:
    assert json.loads(line(COSTS)) == pytest.approx({"a_ms": 2, "b_us": 70, "c_ms": 3})
