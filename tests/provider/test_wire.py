"""The request and response of `POST /agent/run` as values."""

from __future__ import annotations

import pytest
from pydantic import JsonValue, ValidationError

from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.provider.parameters import LiteLLMCall, parse_provider_call
from mini_agent.remote.schema import AgentRunRequest, AgentRunResponse
from mini_agent.result import AgentResult, Usage
from mini_agent.settings import Settings

RESULT = AgentResult(
    final_answer="42",
    answer_source="model",
    stopped_reason="success",
    messages=[user("6 * 7?")],
    iterations=(),
    used_model="ollama/m",
    usage=Usage(prompt_tokens=3),
    error=None,
    escalated=True,
    total_ms=12.5,
)


def request(**fields: object) -> AgentRunRequest:
    return AgentRunRequest.model_validate({"messages": [user("hi")], **fields})


def test_a_result_is_the_same_on_the_other_side() -> None:
    sent = AgentRunResponse.from_result(RESULT).model_dump_json()
    assert AgentRunResponse.model_validate_json(sent).result() == RESULT


def test_a_request_is_the_same_on_the_other_side() -> None:
    asked = request(max_total_seconds=7, allowed_languages="python, javascript", api_key="k")
    sent = asked.model_dump_json(exclude_defaults=True)
    assert AgentRunRequest.model_validate_json(sent) == asked


def test_what_is_for_the_model_server_reaches_the_loop_as_its_parameters() -> None:
    asked = request(max_tokens=5, seed=1, api_base="http://x", completion_kwargs={"top_p": 0.5})
    config = asked.config("ollama/m")
    assert config.model == "ollama/m"
    assert config.completion_kwargs == {
        "max_tokens": 5,
        "seed": 1,
        "api_base": "http://x",
        "top_p": 0.5,
    }


def test_every_setting_of_the_loop_can_be_sent() -> None:
    config = request(max_iterations=2, max_wallclock_seconds=9, use_tools=False).config("a/b")
    assert (config.max_iterations, config.max_wallclock_seconds, config.use_tools) == (2, 9, False)


EVERY_SETTING: dict[str, JsonValue] = {
    "max_iterations": 2,
    "max_wallclock_seconds": 9,
    "max_tools_per_iter": 5,
    "max_result_chars": 500,
    "tool_concurrency": 2,
    "stagnation_window": 4,
    "use_tools": False,
    "auto_run_code_on_code_block": False,
    "salvage": False,
    "enable_repair": False,
    "research_on_unsure": False,
    "max_research_hops": 1,
    "research_after_failures": False,
    "max_failures_before_research": 3,
    "max_history_messages": 10,
    "hard_char_budget": 9000,
    "summarize_every": 3,
    "escalate_model": "ollama/big",
    "escalate_on_budget_exceeded": True,
    "response_format": {"type": "json_object"},
    "temperature": 0.5,
    "num_ctx": 2048,
    "client_tools": [{"type": "function", "function": {"name": "weather"}}],
    "completion_kwargs": {"top_p": 0.5},
}


def as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def test_the_table_of_settings_is_whole() -> None:
    assert set(EVERY_SETTING) | {"model"} == set(AgentConfig.model_fields)


@pytest.mark.parametrize("name", EVERY_SETTING)
def test_a_setting_reaches_the_loop_over_the_wire(name: str) -> None:
    needed = {"escalate_model": "ollama/big"}
    sent = request(**{**needed, name: EVERY_SETTING[name]})
    there = AgentRunRequest.model_validate_json(sent.model_dump_json(exclude_defaults=True))
    assert as_json(getattr(there.config("a/b"), name)) == EVERY_SETTING[name]


@pytest.mark.parametrize("name", EVERY_SETTING)
def test_a_setting_reaches_the_loop_through_litellm(name: str) -> None:
    given = LiteLLMCall(
        model="default",
        messages=[user("hi")],
        parameters={
            "target_model": "a/b",
            "escalate_model": "ollama/big",
            name: EVERY_SETTING[name],
        },
    )
    asked = parse_provider_call(given, Settings()).request
    assert as_json(getattr(asked.config("a/b"), name)) == EVERY_SETTING[name]


@pytest.mark.parametrize(
    "languages", ["javascript,python,js", ["node", "py"], ["javascript", "python"]]
)
def test_languages_are_known_by_all_their_names(languages: object) -> None:
    assert set(request(allowed_languages=languages).allowed_languages or ()) == {"node", "python"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", []),
        ("messages", ["hi"]),
        ("tool_backend", "cloud"),
        ("allowed_languages", "cobol"),
        ("allowed_languages", []),
        ("allowed_languages", 3),
        ("max_iterations", 0),
        ("max_wallclock_seconds", -1),
        ("max_tokens", 0),
        ("seed", "x"),
        ("temperature", 9),
        ("surprise", 1),
    ],
)
def test_a_value_that_cannot_be_names_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as raised:
        request(**{field: value})
    assert raised.value.errors()[0]["loc"][0] == field


def test_the_key_is_not_shown() -> None:
    assert "hush" not in repr(request(api_key="hush"))
