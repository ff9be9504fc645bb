"""What a program in a sandbox prints, told while it runs."""

from __future__ import annotations

from mini_agent.errors import SandboxUnavailable
from mini_agent.sandbox import Execution, Output, Snippet
from mini_agent.testing.scripted import ScriptedSandbox, execution
from mini_agent.tools.sandbox import SandboxInvoker
from tests.tools.calls import openai_call


async def test_output_is_told_as_it_comes_where_the_sandbox_can_tell() -> None:
    told: list[Output] = []
    script = execution("one\n", stderr="two\n")
    call = openai_call("exec_python", code="print('one')")
    output = await SandboxInvoker(ScriptedSandbox(script)).stream_openai_tool(call, told.append)
    assert [(piece.stream, piece.text) for piece in told] == [
        ("stdout", "one\n"),
        ("stderr", "two\n"),
    ]
    assert (output.ok, output.stdout, output.stderr) == (True, "one\n", "two\n")


class Silent:
    """A sandbox that tells nothing before the end."""

    async def run(self, snippet: Snippet) -> Execution:
        return execution("one\n")


async def test_a_sandbox_that_cannot_tell_is_simply_used() -> None:
    told: list[Output] = []
    call = openai_call("exec_python", code="print('one')")
    output = await SandboxInvoker(Silent()).stream_openai_tool(call, told.append)
    assert (told, output.stdout) == ([], "one\n")


async def test_what_cannot_be_run_is_refused_the_same_while_it_is_listened_to() -> None:
    invoker = SandboxInvoker(ScriptedSandbox(SandboxUnavailable("the engine is away")))
    call = openai_call("exec_python", code="1")
    output = await invoker.stream_openai_tool(call, lambda _: None)
    assert (output.ok, output.error) == (False, "the engine is away")
