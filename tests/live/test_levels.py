"""Live models of every quality: a run ends in time, with words, whatever the model says."""

from __future__ import annotations

import pytest

from mini_agent import AgentResult
from tests.live.runs import PROMPTS, live_run
from tests.live.steps import WithoutTools

CUT_S = 1.5
RIGHT = {PROMPTS[0]: "a3b2c1", PROMPTS[1]: "olleh", PROMPTS[2]: "408"}


def printed(result: AgentResult) -> str:
    return "".join(call.stdout for turn in result.iterations for call in turn.tool_invocations)


def test_random_weights_end_in_words_and_in_time(random_models: list[str]) -> None:
    results = [live_run(address, prompt) for address in random_models for prompt in PROMPTS]
    assert [result.error for result in results if result.stopped_reason == "error"] == []


def test_a_model_that_never_ends_a_turn_is_cut_at_the_deadline(random_models: list[str]) -> None:
    slow = "Say it again. " * 100
    for address in random_models:
        live_run(address, slow, seconds=CUT_S, max_tokens=None)


def test_a_badly_trained_model_ends_in_words_and_in_time(spoilt_models: list[str]) -> None:
    results = [live_run(address, prompt) for address in spoilt_models for prompt in PROMPTS]
    turns = [turn for result in results for turn in result.iterations]
    # It is this bad: calls that are right, calls that fail, and calls that cannot be run.
    assert {call.rc for turn in turns for call in turn.tool_invocations} >= {0, 1, None}
    assert any(turn.repaired for turn in turns)


@pytest.mark.parametrize(("prompt", "right"), RIGHT.items())
def test_the_trained_model_gives_the_right_answer(
    trained_model: str, prompt: str, right: str
) -> None:
    result = live_run(trained_model, prompt)
    assert (result.stopped_reason, result.answer_source) == ("success", "model")
    assert right in result.final_answer
    assert printed(result) == f"{right}\n"


def test_a_schema_makes_steps_of_what_random_weights_say(random_models: list[str]) -> None:
    free, held = WithoutTools(takes_schema=False), WithoutTools(takes_schema=True)
    for address in random_models:
        for prompt in PROMPTS:
            live_run(address, prompt, model=free)
            live_run(address, prompt, model=held, max_tokens=1000)
    assert (free.steps, held.steps) == (0, held.asked)
    assert min(free.asked, held.asked) >= len(random_models) * len(PROMPTS)
