"""A run that goes in circles: nudged once, then stopped, with the best answer there is."""

from __future__ import annotations

import pytest

from mini_agent.agent.guardrails.stagnation import (
    StagnationDetector,
    TurnSummary,
    summarize_answer,
    summarize_calls,
)
from mini_agent.config import AgentConfig
from mini_agent.model import ModelReply
from mini_agent.result import ToolInvocation
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.agent.checked_run import (
    TASK,
    ScriptedInvoker,
    run_agent,
    tool_texts,
)

CONFIG = AgentConfig(model="m", max_iterations=20)
NUDGE = "3 times, and it came to the same each time"


def same() -> ModelReply:
    return calls_reply(scripted_call("echo", text="x"))


async def test_the_same_calls_with_the_same_results_are_nudged_once_and_then_stopped() -> None:
    with ScriptedModel(*[same() for _ in range(4)], text_reply("it is a")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.stopped_reason, result.final_answer) == ("stagnation", "it is a")
    assert [NUDGE in text for text in tool_texts(result.messages)] == [False, False, True, False]
    assert "called echo in the same way" in tool_texts(result.messages)[2]
    assert model.requests[4].tools == []


async def test_a_model_that_heeds_the_nudge_goes_on() -> None:
    other = calls_reply(scripted_call("echo", text="y"))
    with ScriptedModel(same(), same(), same(), other, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert (result.stopped_reason, result.final_answer) == ("success", "done")


async def test_the_second_time_there_is_no_nudge_any_more() -> None:
    other = calls_reply(scripted_call("echo", text="y"))
    script = [same(), same(), same(), other, same(), same(), same()]
    with ScriptedModel(*script, text_reply("enough")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), CONFIG, model)
    assert result.stopped_reason == "stagnation"


async def test_a_silent_model_that_repeats_itself_is_spoken_for_by_its_output() -> None:
    with ScriptedModel(*[same() for _ in range(5)]) as model:
        result = await run_agent(TASK, ScriptedInvoker("a3b2c1"), CONFIG, model)
    assert (result.stopped_reason, result.answer_source) == ("stagnation", "tool_output")
    assert result.final_answer == "a3b2c1"


async def test_repeated_failures_end_with_a_sentence() -> None:
    config = AgentConfig(model="m", research_after_failures=False)
    with ScriptedModel(*[calls_reply(scripted_call("nowhere")) for _ in range(5)]) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert (result.stopped_reason, result.answer_source) == ("stagnation", "notice")
    assert "repeated itself" in result.final_answer


async def test_the_same_call_with_other_results_is_progress() -> None:
    answers = [str(number) for number in range(6)]
    with ScriptedModel(*[same() for _ in answers], text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker(*answers), CONFIG, model)
    assert result.stopped_reason == "success"


async def test_a_window_of_nought_lets_it_repeat_itself() -> None:
    config = AgentConfig(model="m", max_iterations=6, stagnation_window=0)
    with ScriptedModel(*[same() for _ in range(6)], text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert result.stopped_reason == "max_iterations"


async def test_a_smaller_window_stops_earlier() -> None:
    config = AgentConfig(model="m", stagnation_window=2)
    with ScriptedModel(same(), same(), same(), text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert result.stopped_reason == "stagnation"


async def test_the_same_words_again_and_again_are_a_circle_too() -> None:
    unsure = text_reply("I am not sure.")
    config = AgentConfig(model="m", max_research_hops=9)
    with ScriptedModel(*[unsure] * 4) as model:
        result = await run_agent(TASK, ScriptedInvoker("a", names=("research_x",)), config, model)
    assert (result.stopped_reason, result.final_answer) == ("stagnation", "I am not sure.")


def turn(action: str, outcome: str = "", *, failed: bool = False) -> TurnSummary:
    return TurnSummary(action, outcome, failed, "did")


def verdicts(*turns: TurnSummary) -> list[str]:
    detector = StagnationDetector(3)
    return [detector.observe(each) for each in turns]


@pytest.mark.parametrize(
    "circle",
    [
        [turn("a"), turn("b")],
        [turn("a"), turn("b"), turn("c")],
    ],
)
def test_a_longer_circle_is_noticed_after_three_rounds(circle: list[TurnSummary]) -> None:
    assert verdicts(*circle * 3) == [*[""] * (len(circle) * 3 - 1), "nudge"]


def test_attempts_that_fail_alike_and_hardly_differ_are_one() -> None:
    attempts = [f"exec_python(print(undefined_name + 'value {number}'))" for number in range(3)]
    assert verdicts(*[turn(each, "NameError", failed=True) for each in attempts])[-1] == "nudge"


def test_attempts_that_differ_are_not_one_though_they_fail_alike() -> None:
    attempts = ["import numpy", "from statistics import mean", "total = sum(values)"]
    assert verdicts(*[turn(each, "NameError", failed=True) for each in attempts]) == ["", "", ""]


def test_calls_that_succeed_must_be_the_same_to_the_letter() -> None:
    attempts = [f"exec_python(print(number_of_primes_below({n})))" for n in range(3)]
    assert verdicts(*[turn(each, "ok") for each in attempts]) == ["", "", ""]


def invocation(code: str, stdout: str = "", stderr: str = "") -> ToolInvocation:
    return ToolInvocation(
        tool_call_id="1",
        name="exec_python",
        requested_name="exec_python",
        arguments={"code": code},
        ok=not stderr,
        rc=1 if stderr else 0,
        stdout=stdout,
        stderr=stderr,
        text="",
        duration_ms=1.0,
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (invocation("print( 1 )"), invocation("print( 1 )  # again")),
        (invocation("f()", "took 0.31 s"), invocation("f()", "took 0.29 s")),
        (invocation("f()", "<f at 0x7f1a>"), invocation("f()", "<f at 0x7f2b>")),
        (
            invocation("f()", stderr='  File "/tmp/a1/main.py", line 3\nNameError: x\n'),
            invocation("f()", stderr='  File "/tmp/b2/main.py", line 4\nNameError: x\n'),
        ),
    ],
)
def test_what_changes_by_itself_does_not_count(one: ToolInvocation, other: ToolInvocation) -> None:
    assert summarize_calls([one]).repeats(summarize_calls([other]))


def test_numbers_that_a_program_prints_do_count() -> None:
    assert not summarize_calls([invocation("f()", "41")]).repeats(
        summarize_calls([invocation("f()", "42")])
    )


def test_words_are_compared_without_case_and_space() -> None:
    assert summarize_answer("I am  not sure").repeats(summarize_answer("i am not SURE\n"))
