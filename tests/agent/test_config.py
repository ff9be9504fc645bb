"""The settings of a run."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError

from mini_agent.config import RESERVED_PARAMETERS, AgentConfig


@pytest.mark.parametrize("name", ["max_total_seconds", "max_seconds"])
def test_the_time_limit_has_other_names(name: str) -> None:
    assert AgentConfig.model_validate({"model": "m", name: 7}) == AgentConfig(
        model="m", max_wallclock_seconds=7
    )


def test_the_one_set_of_defaults() -> None:
    config = AgentConfig(model="m")
    assert config.model_dump(exclude={"model", "completion_kwargs"}) == {
        "max_iterations": 8,
        "max_wallclock_seconds": 300,
        "max_tools_per_iter": 4,
        "max_result_chars": 2000,
        "tool_concurrency": 1,
        "stagnation_window": 3,
        "use_tools": True,
        "auto_run_code_on_code_block": True,
        "salvage": True,
        "enable_repair": True,
        "research_on_unsure": True,
        "max_research_hops": 2,
        "research_after_failures": True,
        "max_failures_before_research": 2,
        "max_history_messages": 50,
        "hard_char_budget": None,
        "summarize_every": 0,
        "escalate_model": None,
        "escalate_on_budget_exceeded": False,
        "response_format": None,
        "temperature": None,
        "num_ctx": None,
        "client_tools": (),
    }


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
        ("max_result_chars", 199),
        ("tool_concurrency", 0),
        ("stagnation_window", 1),
        ("stagnation_window", -1),
        ("max_research_hops", -1),
        ("max_failures_before_research", 0),
        ("max_history_messages", 3),
        ("hard_char_budget", 10),
        ("summarize_every", -1),
        ("escalate_model", ""),
        ("escalate_on_budget_exceeded", True),
        ("response_format", "json"),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": "json_schema"}),
        ("max_iteration", 3),
    ],
)
def test_a_wrong_value_is_refused_by_name(field: str, value: JsonValue) -> None:
    with pytest.raises(ValidationError) as refused:
        AgentConfig.model_validate({"model": "m", field: value})
    assert field in str(refused.value)


def test_plain_text_is_no_format() -> None:
    config = AgentConfig(model="m", response_format={"type": "text"})
    assert config.response_format is None


@pytest.mark.parametrize("taken", RESERVED_PARAMETERS)
def test_what_the_loop_sets_itself_is_no_option(taken: str) -> None:
    with pytest.raises(ValidationError, match=f"the loop sets {taken} itself"):
        AgentConfig(model="m", completion_kwargs={taken: True})


def test_options_which_may_hold_keys_are_not_shown() -> None:
    assert "secret" not in repr(AgentConfig(model="m", completion_kwargs={"api_key": "secret"}))
