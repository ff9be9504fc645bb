"""What is tried last: other words, calls as text, and an honest end instead of a raw call."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from mini_agent import run_mcp_mini_agent
from mini_agent.agent.prompts import EMPTY_TURN
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.model import ToolCall
from mini_agent.testing import Call, Reply, ScriptedServer, blank, calls, text
from mini_agent.testing.scripted import (
    ScriptedModel,
    ScriptedSandbox,
    calls_reply,
    execution,
    scripted_call,
    text_reply,
)
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.sandbox import SandboxInvoker
from tests.agent.checked_run import TASK, ScriptedInvoker, run_agent, tool_texts, user_texts

CONFIG = AgentConfig(model="m", max_iterations=20)
AS_TEXT = text_reply('{"tool": "echo", "args": {"text": "a3b2c1"}}')
SILENT = text_reply("")
BROKEN = calls_reply(ToolCall("1", "echo", '{"text": a3 b2 c1'))
BLOCK = "```python\nprint('a3b2c1')\n```"
SAME = calls_reply(scripted_call("echo", text="x"))
RAW_CALLS = (
    '{"name": "echo", "arguments": {"text": "x"}}',
    '{"tool": "echo", "args": {"text": "x"}}',
    '<tool_call>\n{"name": "echo", "arguments": {"text": "x"}}\n</tool_call>',
    '{"name": "echo", "arguments": {"text": "x',
    "<tool_call>\n<function=echo>\n<parameter=text>\nx",
    'echo(text="x")',
    '{"name": "unknown", "arguments": {"text": "x"}}',
    '[TOOL_CALLS]echo[ARGS]{"text": "x"}',
)


async def test_after_two_silences_the_tools_are_offered_as_text() -> None:
    with ScriptedModel(SILENT, SILENT, AS_TEXT, text_reply("It is a3b2c1.")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("It is a3b2c1.", "success")
    nudges = user_texts(result.messages)[1:]
    assert nudges[0] == EMPTY_TURN
    assert "- echo:" in nudges[1]
    assert nudges[1] != nudges[0]
    assert model.requests[2].tools == []
    assert model.requests[3].tools


async def test_an_answer_in_the_form_that_was_offered_is_the_answer() -> None:
    with ScriptedModel(SILENT, SILENT, text_reply('{"final": "It is 42."}')) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("It is 42.", "success")


async def test_with_an_output_in_hand_nobody_is_asked_a_third_time() -> None:
    with ScriptedModel(SAME, SILENT, SILENT) as model:
        result = await run_agent(TASK, ScriptedInvoker("a3b2c1"), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")


@pytest.mark.parametrize("last", RAW_CALLS)
async def test_a_raw_call_is_no_last_word_where_there_is_output(last: str) -> None:
    with ScriptedModel(*[SAME] * 4, text_reply(last)) as model:
        result = await run_agent(TASK, ScriptedInvoker("a3b2c1"), CONFIG, model)
    assert (result.stopped_reason, result.answer_source) == ("stagnation", "tool_output")
    assert result.final_answer == "a3b2c1"


@pytest.mark.parametrize("last", RAW_CALLS)
async def test_without_output_the_last_word_is_a_sentence(last: str) -> None:
    config = AgentConfig(model="m", research_after_failures=False)
    nothing = calls_reply(scripted_call("nowhere"))
    with ScriptedModel(*[nothing] * 4, text_reply(last)) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert (result.stopped_reason, result.answer_source) == ("stagnation", "notice")
    assert "repeated itself" in result.final_answer


@pytest.mark.parametrize("last", ["It is 42.", '{"answer": 42}', "I could not find it out."])
async def test_words_are_a_last_word(last: str) -> None:
    with ScriptedModel(*[SAME] * 4, text_reply(last)) as model:
        result = await run_agent(TASK, ScriptedInvoker("a3b2c1"), CONFIG, model)
    assert (result.final_answer, result.answer_source) == (last, "model")


async def test_arguments_that_are_broken_twice_are_asked_for_as_text() -> None:
    with ScriptedModel(BROKEN, BROKEN, AS_TEXT, text_reply("It is a3b2c1.")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "It is a3b2c1."
    assert "could not be read as JSON" in tool_texts(result.messages)[1]
    assert "could not be read as JSON" not in tool_texts(result.messages)[0]
    assert [bool(request.tools) for request in model.requests] == [True, True, False, True]


async def test_a_model_whose_arguments_stay_broken_ends_in_a_sentence() -> None:
    config = AgentConfig(model="m", research_after_failures=False)
    with ScriptedModel(*[BROKEN] * 5) as model:
        result = await run_agent(TASK, EchoMCP(), config, model)
    assert (result.stopped_reason, result.answer_source) == ("stagnation", "notice")


async def test_independent_blocks_run_in_order() -> None:
    blocks = "```python\nprint(1)\n```\n\nThen:\n\n```python\nprint(2)\n```"
    with (
        ScriptedModel(text_reply(blocks), text_reply("1 and 2")) as model,
        ScriptedSandbox(execution("1\n"), execution("2\n")) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert [each.code for each in sandbox.snippets] == ["print(1)", "print(2)"]
    assert [each.split("\n")[-1] for each in tool_texts(result.messages)] == ["1", "2"]
    assert result.final_answer == "1 and 2"


async def test_a_block_that_needs_another_is_run_with_it() -> None:
    blocks = "```python\nx = 6 * 7\n```\n\nThen:\n\n```python\nprint(x)\n```"
    with (
        ScriptedModel(text_reply(blocks), text_reply("It is 42.")) as model,
        ScriptedSandbox(execution("42\n")) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert [each.code for each in sandbox.snippets] == ["x = 6 * 7\n\nprint(x)"]
    assert result.final_answer == "It is 42."


NOT_TO_BE_RUN = """\
Write a script that prints a3b2c1, but do not run it.
Write the program. Don't execute it.
Show me the code without running it.
Write it, dont run it please
Just write the program; it must not be executed.
Schreibe das Programm, aber führe es nicht aus.
Schreib mir das Skript, bitte nicht ausführen.
Escribe el programa, pero no lo ejecutes.
Écris le programme sans l'exécuter.
Scrivi il programma senza eseguirlo.
Escreva o programa, mas não o execute.
Schrijf het programma, maar voer het niet uit.
写一个程序，但不要运行。
プログラムを書いてください。実行しないでください。
프로그램을 작성하되 실행하지 마세요.
Напиши программу, но не запускай её.
""".splitlines()
TO_BE_RUN = """\
Write a script that prints a3b2c1 and run it.
Compress it. The program must run without running out of memory.
Do not guess: run a program.
Don't run more than one program.
Führe das Programm aus, nicht nur schreiben.
Das Programm muss ohne Fehler laufen.
不要猜，请运行程序。
Why did the old one not run well? Compute it anew.
""".splitlines()


@pytest.mark.parametrize("task", NOT_TO_BE_RUN)
async def test_code_that_the_user_wants_only_written_is_the_answer(task: str) -> None:
    with ScriptedModel(text_reply(BLOCK)) as model, ScriptedSandbox() as sandbox:
        result = await run_agent([user(task)], SandboxInvoker(sandbox), CONFIG, model)
    assert result.final_answer == BLOCK


@pytest.mark.parametrize("task", TO_BE_RUN)
async def test_a_task_that_only_sounds_so_has_its_code_run(task: str) -> None:
    with (
        ScriptedModel(text_reply(BLOCK), text_reply("done")) as model,
        ScriptedSandbox(execution("a3b2c1\n")) as sandbox,
    ):
        result = await run_agent([user(task)], SandboxInvoker(sandbox), CONFIG, model)
    assert result.final_answer == "done"


async def test_a_task_in_parts_is_read_too() -> None:
    parts: list[JsonValue] = [{"type": "text", "text": "Write the program, but do not run it."}]
    task: list[dict[str, JsonValue]] = [{"role": "user", "content": parts}]
    with ScriptedModel(text_reply(BLOCK)) as model, ScriptedSandbox() as sandbox:
        result = await run_agent(task, SandboxInvoker(sandbox), CONFIG, model)
    assert result.final_answer == BLOCK


def run_on_a_server(wire: str, *script: Reply) -> str:
    with ScriptedServer(list(script)) as server:
        base = server.openai_url if wire == "openai" else server.url
        options = {"api_base": base, "api_key": "none"}
        config = AgentConfig.model_validate({"model": f"{wire}/m", "completion_kwargs": options})
        result = run_mcp_mini_agent(TASK, EchoMCP(), config)
    return result.final_answer


@pytest.mark.parametrize("wire", ["ollama", "openai"])
def test_silence_on_either_wire_is_asked_about_in_other_words(wire: str) -> None:
    call = text('{"tool": "echo", "args": {"text": "a3b2c1"}}')
    answer = run_on_a_server(wire, blank(), blank(), call, text("It is a3b2c1."))
    assert answer == "It is a3b2c1."


def test_broken_arguments_on_the_wire_are_asked_for_as_text() -> None:
    broken = calls(Call("echo", '{"text": a3 b2 c1'))
    call = text('{"tool": "echo", "args": {"text": "a3b2c1"}}')
    answer = run_on_a_server("openai", broken, broken, call, text("It is a3b2c1."))
    assert answer == "It is a3b2c1."
