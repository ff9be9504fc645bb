"""Tools over a sandbox: what is offered, what is run, and what the model gets to read."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from mini_agent.errors import BadRequest, SandboxUnavailable
from mini_agent.sandbox import Execution, Language, Truncated
from mini_agent.testing.scripted import ScriptedSandbox, execution
from mini_agent.tools.invoker import ToolOutput
from mini_agent.tools.sandbox import SandboxInvoker
from tests.tools.calls import openai_call

TEXT_TOOLS = ["research_echo", "compress_runs"]


async def names(invoker: SandboxInvoker) -> list[JsonValue]:
    listed = [tool["function"] for tool in await invoker.list_openai_tools()]
    return [function["name"] for function in listed if isinstance(function, dict)]


async def called(invoker: SandboxInvoker, name: str, **arguments: JsonValue) -> ToolOutput:
    return await invoker.call_openai_tool(openai_call(name, **arguments))


async def test_by_default_the_four_languages_of_the_provider_are_offered() -> None:
    assert await names(SandboxInvoker(ScriptedSandbox())) == [
        "exec_python",
        "exec_node",
        "exec_go",
        "exec_rust",
        "exec_shell",
        *TEXT_TOOLS,
    ]


@pytest.mark.parametrize(
    ("languages", "offered"),
    [
        (["python"], ["exec_python", "exec_shell"]),
        (["Rust", "cargo"], ["exec_rust", "exec_shell"]),
        (["javascript"], ["exec_node", "exec_shell"]),
        (["bash"], ["exec_shell"]),
        ([], []),
    ],
)
async def test_the_tools_follow_from_the_languages(
    languages: list[str], offered: list[str]
) -> None:
    invoker = SandboxInvoker(ScriptedSandbox(), languages=languages)
    assert await names(invoker) == [*offered, *TEXT_TOOLS]


def test_a_language_nobody_has_is_refused() -> None:
    with pytest.raises(BadRequest, match="cobol") as refused:
        SandboxInvoker(ScriptedSandbox(), languages=["cobol"])
    assert refused.value.field == "allowed_languages"


@pytest.mark.parametrize(
    ("tool", "language"),
    [("exec_python", "python"), ("exec_node", "node"), ("exec_go", "go"), ("exec_rust", "rust")],
)
async def test_a_program_runs_as_a_snippet_of_its_language(tool: str, language: Language) -> None:
    with ScriptedSandbox(execution("1\n")) as sandbox:
        output = await called(SandboxInvoker(sandbox), tool, code="the code")
    assert (output.ok, output.rc, output.stdout) == (True, 0, "1\n")
    assert (sandbox.snippets[0].language, sandbox.snippets[0].code) == (language, "the code")
    assert sandbox.snippets[0].limits.timeout_s is None


@pytest.mark.parametrize("tool", ["exec_go", "exec_bash", "exec_", "nope"])
async def test_a_tool_that_is_not_offered_is_not_run(tool: str) -> None:
    with ScriptedSandbox() as sandbox:
        output = await called(SandboxInvoker(sandbox, languages=["python"]), tool, code="x")
    assert "there is no tool" in (output.error or "")


async def test_without_languages_there_is_no_shell_either() -> None:
    with ScriptedSandbox() as sandbox:
        output = await called(SandboxInvoker(sandbox, languages=[]), "exec_shell", cmd="echo hi")
    assert "there is no tool" in (output.error or "")


@pytest.mark.parametrize(
    ("line", "toolchain"),
    [
        ("python main.py", "python"),
        ("pip list | python -", "python"),
        ("cargo --version", "rust"),
        ("gofmt -d x.go", "go"),
        ("echo hi && npx tsc", "node"),
        ("echo hi > a.txt", None),
    ],
)
async def test_a_command_line_runs_in_the_image_of_its_language(
    line: str, toolchain: Language | None
) -> None:
    with ScriptedSandbox(execution()) as sandbox:
        await called(SandboxInvoker(sandbox), "exec_shell", cmd=line)
    snippet = sandbox.snippets[0]
    assert (snippet.language, snippet.code, snippet.toolchain) == ("bash", line, toolchain)


@pytest.mark.parametrize(
    "line",
    [
        "ls",
        "echo hi; rm x",
        "echo hi | sh",
        "echo $(ls)",
        "pythonic x",
        "/usr/bin/python x",
        "node x",
        "env python x",
        "X=1",
        'python -c "unclosed',
    ],
)
async def test_a_command_that_is_not_allowed_is_refused_with_what_is(line: str) -> None:
    with ScriptedSandbox() as sandbox:
        invoker = SandboxInvoker(sandbox, languages=["python"])
        output = await called(invoker, "exec_shell", cmd=line)
    assert output.rc is None
    assert (output.error or "").endswith("Allowed commands: echo, python, python3, pip.")


async def test_a_line_cannot_use_two_images() -> None:
    with ScriptedSandbox() as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_shell", cmd="go run x.go; node x.js")
    assert output.error == "one line can use one language; this one uses go, node"


@pytest.mark.parametrize(
    ("line", "toolchain"),
    [
        ("ls | wc -l", None),
        ("echo $(date)", None),
        ("python x.py && ls", "python"),
        ("node x.js", None),
    ],
)
async def test_where_bash_is_allowed_every_command_is(
    line: str, toolchain: Language | None
) -> None:
    with ScriptedSandbox(execution()) as sandbox:
        invoker = SandboxInvoker(sandbox, languages=["bash", "python"])
        await called(invoker, "exec_shell", cmd=line)
    assert sandbox.snippets[0].toolchain == toolchain


@pytest.mark.parametrize(
    ("asked", "used", "note"),
    [
        (5, 5, ""),
        ("5", 5, ""),
        (2.5, 2.5, ""),
        (0, 1, "timeout_s 0 is out of range; 1 was used"),
        (-3, 1, "timeout_s -3 is out of range; 1 was used"),
        (9999, 30, "timeout_s 9999 is out of range; 30 was used"),
        (None, None, ""),
    ],
)
async def test_a_time_limit_is_put_into_range(
    asked: JsonValue, used: float | None, note: str
) -> None:
    with ScriptedSandbox(execution()) as sandbox:
        invoker = SandboxInvoker(sandbox, max_timeout_s=30)
        output = await called(invoker, "exec_python", code="1", timeout_s=asked)
    assert sandbox.snippets[0].limits.timeout_s == used
    assert output.note == note


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "the argument code is missing"),
        ({"code": " \n"}, "the argument code is empty"),
        ({"code": ["print(1)"]}, "the argument code must be text, not ['print(1)']"),
        ({"code": "1", "timeout_s": "soon"}, "timeout_s must be a number of seconds, not 'soon'"),
        ({"code": "1", "timeout_s": True}, "timeout_s must be a number of seconds, not True"),
        ({"code": "1", "timeout_s": "nan"}, "timeout_s must be a number of seconds, not 'nan'"),
    ],
)
async def test_wrong_arguments_are_told_and_nothing_runs(
    arguments: dict[str, JsonValue], why: str
) -> None:
    with ScriptedSandbox() as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", **arguments)
    assert output.error == why


async def test_a_program_too_long_for_the_sandbox_is_told() -> None:
    with ScriptedSandbox() as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", code="#" * 9_000_000)
    assert (output.error or "").startswith("code: ")


async def test_an_argument_that_no_one_reads_is_remarked_on() -> None:
    with ScriptedSandbox(execution()) as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", code="1", stdin="x")
    assert output.note == "unknown argument ignored: stdin"


@pytest.mark.parametrize(
    ("ran", "ok", "status"),
    [
        (execution(), True, ""),
        (execution(status="nonzero", exit_code=3), False, ""),
        (execution(status="timeout"), False, "timeout"),
        (execution(status="oom"), False, "oom"),
        (execution(status="compile_error"), False, "compile_error"),
    ],
)
async def test_a_program_that_failed_is_an_outcome(ran: Execution, ok: bool, status: str) -> None:
    with ScriptedSandbox(ran) as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", code="1")
    assert (output.ok, output.rc, output.status) == (ok, ran.exit_code, status)
    assert output.execution == ran


async def test_output_that_the_sandbox_cut_is_remarked_on() -> None:
    ran = execution("x").model_copy(update={"truncated": Truncated(stdout=True)})
    with ScriptedSandbox(ran) as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", code="1")
    assert output.note == "stdout was longer than the sandbox keeps and is cut"


async def test_a_sandbox_that_is_away_is_told_with_its_hint() -> None:
    away = SandboxUnavailable("the sidecar does not answer", hint="make up")
    with ScriptedSandbox(away) as sandbox:
        output = await called(SandboxInvoker(sandbox), "exec_python", code="1")
    assert output.error == "the sidecar does not answer (make up)"
    assert output.execution is None
