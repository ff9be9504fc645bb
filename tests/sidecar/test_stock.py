"""How many sandboxes are kept warm, and which of them are fit to be used."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from codex_sidecar.pool.stock import MAX_AGE_S, Stock, StockBounds


@dataclass(eq=False)
class Member:
    """One that lives until it is told otherwise."""

    is_alive: bool = True


@pytest.fixture
def stock() -> Stock[Member]:
    """Two at least, six at most."""
    opened = Stock[Member]("python", StockBounds(floor=2, cap=6))
    opened.image_id = "new"
    return opened


def filled(stock: Stock[Member], count: int, image_id: str = "new") -> list[Member]:
    members = [Member() for _ in range(count)]
    for member in members:
        stock.put(member, image_id)
    return members


def test_as_many_are_lacking_as_the_floor_says_when_nothing_was_asked_for(
    stock: Stock[Member],
) -> None:
    assert (stock.target, stock.shortage) == (2, 2)
    stock.starting = 1
    filled(stock, 1)
    assert stock.shortage == 0


def test_a_burst_raises_the_target_as_far_as_the_cap(stock: Stock[Member]) -> None:
    for _ in range(4):
        stock.record_demand()
    assert stock.target == 4
    for _ in range(40):
        stock.record_demand()
    assert stock.target == 6


def test_scarce_memory_keeps_the_target_at_what_there_is(stock: Stock[Member]) -> None:
    filled(stock, 3)
    stock.spare = 0
    for _ in range(6):
        stock.record_demand()
    assert stock.target == 3


def test_scarce_memory_does_not_take_the_floor(stock: Stock[Member]) -> None:
    stock.spare = 0
    assert stock.shortage == 2


def test_nothing_is_lacking_of_an_image_that_is_not_there(stock: Stock[Member]) -> None:
    stock.image_id = ""
    assert stock.shortage == 0


def test_nothing_is_lacking_for_a_while_after_a_failure(stock: Stock[Member]) -> None:
    stock.backoff.record_failure()
    assert stock.shortage == 0
    stock.backoff.reset()
    assert stock.shortage == 2


def test_the_one_that_waited_longest_is_taken_first(stock: Stock[Member]) -> None:
    first, second = filled(stock, 2)
    assert [stock.take(), stock.take(), stock.take()] == [first, second, None]


def test_the_dead_and_those_of_an_old_image_are_weeded_out(stock: Stock[Member]) -> None:
    (old,) = filled(stock, 1, "old")
    dead, fit = filled(stock, 2)
    dead.is_alive = False
    assert stock.evict() == [old, dead]
    assert stock.take() is fit


def test_who_waited_too_long_is_weeded_out(
    stock: Stock[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    (stale,) = filled(stock, 1)
    assert stock.evict() == []
    monkeypatch.setattr("codex_sidecar.pool.stock.MAX_AGE_S", 0.0)
    assert stock.evict() == [stale]
    assert MAX_AGE_S > 0


def test_one_of_too_many_goes_at_a_time(stock: Stock[Member]) -> None:
    members = filled(stock, 4)
    assert stock.evict() == members[:1]
    assert stock.evict() == members[1:2]
    assert stock.evict() == []


def test_a_closed_stock_gives_all_away_and_wants_no_more(stock: Stock[Member]) -> None:
    members = filled(stock, 2)
    stock.record_demand()
    assert stock.close() == members
    assert (len(stock), stock.target) == (0, 0)
