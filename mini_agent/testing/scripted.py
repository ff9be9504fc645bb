"""A model and a sandbox that follow a script, for tests without a server or a container."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from pydantic import JsonValue

from mini_agent.model import ModelReply, ModelRequest, ToolCall
from mini_agent.result import Usage
from mini_agent.testing.script import ScriptNotFollowed
from mini_agent.testing.transcript_rules import broken_request_rules
from mini_agent_protocol.execution import (
    EnforcedLimits,
    Execution,
    Output,
    SandboxFacts,
    Status,
)
from mini_agent_protocol.snippet import Snippet

SCRIPTED_USAGE: Final = Usage(prompt_tokens=20, completion_tokens=10)
ENFORCED_LIMITS: Final = EnforcedLimits(
    timeout_s=10, memory_mb=256, cpus=1, pids=128, output_bytes=65536, workspace_mb=64
)
DEFAULT_EXIT_CODES: Final[dict[Status, int]] = {
    "ok": 0,
    "timeout": 124,
    "oom": 137,
    "output_limit": 137,
    "killed": 137,
}

Step = TypeVar("Step")


class HangingStep:
    """A step that never ends; `was_cancelled` is set when the wait is cancelled."""

    def __init__(self) -> None:
        self.was_cancelled = False

    async def wait(self) -> None:
        """Wait until cancelled."""
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True


_ids = count(1)


def text_reply(text: str, *, reasoning: str = "", finish_reason: str = "stop") -> ModelReply:
    """Build a reply in words."""
    return ModelReply(
        text, reasoning, finish_reason=finish_reason, usage=SCRIPTED_USAGE, model="scripted"
    )


def calls_reply(
    *several: ToolCall, text: str = "", finish_reason: str = "tool_calls"
) -> ModelReply:
    """Build a reply with tool calls, and optionally text beside them."""
    return ModelReply(
        text,
        tool_calls=several,
        finish_reason=finish_reason,
        usage=SCRIPTED_USAGE,
        model="scripted",
    )


def scripted_call(name: str, /, **arguments: JsonValue) -> ToolCall:
    """Build a tool call with a unique id."""
    return ToolCall(f"call-{next(_ids)}", name, json.dumps(arguments))


def execution(
    stdout: str = "", *, status: Status = "ok", exit_code: int | None = None, stderr: str = ""
) -> Execution:
    """Build an execution; without `exit_code`, the code follows from `status`."""
    code = DEFAULT_EXIT_CODES.get(status, 1) if exit_code is None else exit_code
    return Execution(
        language="python",
        status=status,
        exit_code=code,
        stdout=stdout,
        stderr=stderr,
        stdout_bytes=len(stdout.encode()),
        stderr_bytes=len(stderr.encode()),
        limits=ENFORCED_LIMITS,
        sandbox=SandboxFacts(image="scripted", runtime="none"),
    )


class _ScriptedSteps(Generic[Step]):
    """Steps taken one by one; as a context manager it checks that the script was used up."""

    def __init__(self, *script: Step | Exception | HangingStep) -> None:
        self._script = script
        self._taken = 0

    async def _take(self) -> Step:
        self._taken += 1
        if self._taken > len(self._script):
            raise ScriptNotFollowed(self._describe_count())
        step = self._script[self._taken - 1]
        if isinstance(step, HangingStep):
            await step.wait()
            raise ScriptNotFollowed("a step that hangs was let go")
        if isinstance(step, Exception):
            raise step
        return step

    def check_used_up(self) -> None:
        """Raise `ScriptNotFollowed` if fewer or more steps were taken than there are."""
        if self._taken != len(self._script):
            raise ScriptNotFollowed(self._describe_count())

    def _describe_count(self) -> str:
        return f"{type(self).__name__} has {len(self._script)} steps, asked for were {self._taken}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.check_used_up()


class ScriptedModel(_ScriptedSteps[ModelReply]):
    """Gives one step of its script for each request; `requests` has the requests.

    An exception among the steps is raised, a `HangingStep` never ends. As a context manager it
    checks on leaving that the script was used up, and that a strict server would have accepted
    every request.
    """

    def __init__(self, *script: ModelReply | Exception | HangingStep) -> None:
        super().__init__(*script)
        self.requests: list[ModelRequest] = []
        self._refusals: list[str] = []

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Take the next step."""
        self.requests.append(request)
        self._refusals += broken_request_rules(request.messages) if request.messages else []
        return await self._take()

    def check_used_up(self) -> None:
        """Raise `ScriptNotFollowed` also for a request that breaks the role rules."""
        super().check_used_up()
        if self._refusals:
            raise ScriptNotFollowed(f"a strict server refuses: {'; '.join(self._refusals)}")


class ScriptedSandbox(_ScriptedSteps[Execution]):
    """Gives one step of its script for each snippet; `snippets` has the snippets.

    An exception among the steps is raised, a `HangingStep` never ends. As a context manager it
    checks on leaving that the script was used up.
    """

    def __init__(self, *script: Execution | Exception | HangingStep) -> None:
        super().__init__(*script)
        self.snippets: list[Snippet] = []

    async def run(self, snippet: Snippet) -> Execution:
        """Take the next step."""
        self.snippets.append(snippet)
        return await self._take()

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """Take the next step; `tell` gets its stdout and its stderr, a piece each."""
        execution = await self.run(snippet)
        if execution.stdout:
            listener(Output(stream="stdout", text=execution.stdout))
        if execution.stderr:
            listener(Output(stream="stderr", text=execution.stderr))
        return execution
