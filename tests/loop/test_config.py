"""The settings of a run."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError

from mini_agent.config import AgentConfig


def test_a_model_is_all_that_is_needed() -> None:
    config = AgentConfig(model="m")
    assert (config.max_iterations, config.max_wallclock_seconds, config.max_tools_per_iter) == (
        8,
        300,
        4,
    )
    assert config.enable_repair


def test_the_time_limit_has_a_second_name() -> None:
    assert AgentConfig.model_validate({"model": "m", "max_total_seconds": 7}) == AgentConfig(
        model="m", max_wallclock_seconds=7
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", ""),
        ("max_iterations", 0),
        ("max_wallclock_seconds", 0),
        ("max_total_seconds", -1),
        ("max_tools_per_iter", 0),
        ("temperature", 3),
        ("num_ctx", 1),
        ("max_iteration", 3),
    ],
)
def test_a_wrong_value_is_refused_by_name(field: str, value: JsonValue) -> None:
    with pytest.raises(ValidationError) as refused:
        AgentConfig.model_validate({"model": "m", field: value})
    assert field in str(refused.value)


@pytest.mark.parametrize("taken", ["messages", "model", "stream", "timeout", "tools"])
def test_what_the_loop_sets_itself_is_no_option(taken: str) -> None:
    with pytest.raises(ValidationError, match=f"the loop sets {taken} itself"):
        AgentConfig(model="m", completion_kwargs={taken: True})


def test_options_which_may_hold_keys_are_not_shown() -> None:
    assert "secret" not in repr(AgentConfig(model="m", completion_kwargs={"api_key": "secret"}))
