"""The sandbox of one run: a session opened late and closed always, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from mini_agent.agent.tool_backends import open_sandbox_tools
from mini_agent.errors import SandboxBusy, SandboxUnavailable, SessionOver
from mini_agent.sandbox import Execution, Output, SessionFacts, Snippet
from mini_agent.testing.scripted import HangingStep, ScriptedSandbox, execution
from mini_agent.tools import sandbox as run_sandbox
from mini_agent.tools.invoker import Invoker, OpenAIToolCall, ToolOutput
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.sandbox import RunSandbox
from tests.agent.checked_run import wait_until

SNIPPET = Snippet(language="python", code="1")
CALL: OpenAIToolCall = {
    "id": "1",
    "type": "function",
    "function": {"name": "exec_python", "arguments": '{"code":"1"}'},
}


class ScriptedSession(ScriptedSandbox):
    """A session that also knows whether it was closed."""

    def __init__(self, *script: Execution | Exception | HangingStep) -> None:
        super().__init__(*script)
        self.is_closed = False
        self.kept = 0

    async def keep_alive(self) -> None:
        self.kept += 1

    async def aclose(self) -> None:
        self.is_closed = True


@dataclass
class ScriptedSidecar:
    """Opens these sessions, one after the other; then it has no room."""

    sessions: list[ScriptedSession]
    single: ScriptedSandbox = field(default_factory=ScriptedSandbox)
    opened: int = 0

    async def run(self, snippet: Snippet) -> Execution:
        return await self.single.run(snippet)

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        return await self.single.run_streaming(snippet, listener)

    async def open_session(self, *, ttl_s: float) -> ScriptedSession:
        self.opened += 1
        if self.opened > len(self.sessions):
            raise SandboxUnavailable("all sessions are open")
        return self.sessions[self.opened - 1]


def in_session(stdout: str) -> Execution:
    return execution(stdout).model_copy(update={"session": SessionFacts(id="s")})


async def called(invoker: Invoker) -> ToolOutput:
    output = await invoker.call_openai_tool(CALL)
    assert isinstance(output, ToolOutput)
    return output


async def test_a_run_without_snippets_opens_no_session() -> None:
    sidecar = ScriptedSidecar([])
    async with aclosing(RunSandbox(sidecar)):
        pass
    assert sidecar.opened == 0


async def test_all_snippets_of_a_run_share_one_session_which_ends_with_it() -> None:
    session = ScriptedSession(in_session("a"), in_session("b"))
    sidecar = ScriptedSidecar([session])
    async with aclosing(RunSandbox(sidecar)) as sandbox:
        said = [(await sandbox.run(SNIPPET)).stdout for _ in range(2)]
        assert not session.is_closed
    assert (said, sidecar.opened, session.is_closed) == (["a", "b"], 1, True)


async def test_a_session_is_kept_while_the_model_thinks_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_sandbox, "KEEP_ALIVE_INTERVAL_S", 0.01)
    session = ScriptedSession(in_session("a"))
    async with aclosing(RunSandbox(ScriptedSidecar([session]))) as sandbox:
        await sandbox.run(SNIPPET)
        await asyncio.sleep(0.1)
    kept = session.kept
    await asyncio.sleep(0.05)
    assert session.kept == kept >= 2


async def test_a_run_that_is_cancelled_closes_its_session() -> None:
    session = ScriptedSession(HangingStep())

    async def run() -> None:
        async with aclosing(RunSandbox(ScriptedSidecar([session]))) as sandbox:
            await sandbox.run(SNIPPET)

    running = asyncio.create_task(run())
    await wait_until(lambda: session.snippets)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert session.is_closed


async def test_where_there_is_no_room_snippets_run_alone_and_the_model_is_told() -> None:
    sidecar = ScriptedSidecar([], ScriptedSandbox(execution("alone")))
    async with open_sandbox_tools(sidecar, ["python"]) as invoker:
        output = await called(invoker)
    assert output.stdout == "alone"
    assert output.note == (
        "the files of this call are not kept, and those of other calls were not there"
    )


async def test_a_sidecar_without_room_is_asked_again_and_the_model_hears_nothing_of_it() -> None:
    busy = SandboxBusy("all are in use", retry_after_s=0.01)
    session = ScriptedSession(busy, busy, in_session("a"))
    async with open_sandbox_tools(ScriptedSidecar([session]), ["python"]) as invoker:
        output = await called(invoker)
    assert (output.stdout, output.ok) == ("a", True)


async def test_a_sidecar_that_never_has_room_is_left_alone_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_sandbox, "BUSY_TIMEOUT_S", 0.05)
    busy = SandboxBusy("all are in use", retry_after_s=0.04)
    session = ScriptedSession(busy, busy)
    async with open_sandbox_tools(ScriptedSidecar([session]), ["python"]) as invoker:
        output = await called(invoker)
    assert "all are in use" in (output.error or "")


async def test_a_session_that_expired_is_replaced_and_the_model_is_told() -> None:
    gone = ScriptedSession(in_session("a"), SessionOver("expired"))
    fresh = ScriptedSession(in_session("b"))
    async with open_sandbox_tools(ScriptedSidecar([gone, fresh]), ["python"]) as invoker:
        first, second = await called(invoker), await called(invoker)
    assert (first.stdout, first.note) == ("a", "")
    assert (second.stdout, second.note) == ("b", "the files of earlier calls are lost")
    assert fresh.is_closed


async def test_the_model_is_told_that_files_stay_where_they_do() -> None:
    async with open_sandbox_tools(ScriptedSidecar([]), ["python"]) as invoker:
        kept = str(await invoker.list_openai_tools())
    new = str(await LocalMCPInvoker(languages=["python"]).list_openai_tools())
    assert kept.count("stay for this run's later calls") == 2
    assert "later calls" not in new


async def test_a_value_that_was_not_printed_is_shown_as_the_result() -> None:
    valued = in_session("").model_copy(update={"result_repr": "42"})
    async with open_sandbox_tools(ScriptedSidecar([ScriptedSession(valued)]), ["python"]) as tools:
        output = await called(tools)
    assert (output.stdout, output.result) == ("", "42")


async def test_output_is_told_in_the_session_in_the_next_one_and_without_one() -> None:
    gone = ScriptedSession(in_session("a"), SessionOver("expired"))
    fresh = ScriptedSession(in_session("b"))
    alone = ScriptedSidecar([], ScriptedSandbox(execution("alone")))
    told: list[Output] = []
    async with aclosing(RunSandbox(ScriptedSidecar([gone, fresh]))) as sandbox:
        ran = [await sandbox.run_streaming(SNIPPET, told.append) for _ in range(2)]
    async with aclosing(RunSandbox(alone)) as sandbox:
        ran.append(await sandbox.run_streaming(SNIPPET, told.append))
    assert [piece.text for piece in told] == ["a", "b", "alone"]
    assert [execution.stdout for execution in ran] == ["a", "b", "alone"]
    assert [execution.session and execution.session.workspace for execution in ran] == [
        "kept",
        "lost",
        None,
    ]
