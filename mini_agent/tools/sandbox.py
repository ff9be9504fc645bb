"""Tools whose programs run in a sandbox.

The sandbox of one run: a session that its first snippet opens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from types import MappingProxyType
from typing import Final, Literal, Protocol

from pydantic import ValidationError

from mini_agent.errors import MiniAgentError, SandboxBusy, SessionOver
from mini_agent.messages import JsonObject
from mini_agent.sandbox.client import Sandbox, TellingSandbox
from mini_agent.sandbox.http import MAX_TIMEOUT_S
from mini_agent.tools.arguments import (
    NotRun,
    Seconds,
    called,
    program_in,
    seconds_in,
    unknown_in,
)
from mini_agent.tools.catalog import (
    FILES_STAY,
    TEXT_TOOLS,
    exec_shell,
    program_tool,
    remarked_tool,
    text_tool_output,
)
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.languages import USUAL, allowed_languages
from mini_agent.tools.shell import ShellGate
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.languages import REGISTRY, Language
from mini_agent_protocol.snippet import Limits, Snippet

FAREWELL_S: Final = 5.0
# A process that is gone without a word holds its sandbox no longer than this.
TTL_S: Final = 30.0
KEEP_EVERY_S: Final = 8.0
# So long a snippet waits for room, beside the sidecar's own queue.
BUSY_S: Final = 120.0

RunSandboxRun = Callable[[TellingSandbox], Awaitable[Execution]]


class Session(TellingSandbox, Protocol):
    """A sandbox that is kept until it is closed, or nobody has asked for it for a while."""

    async def keep(self) -> None:
        """Asks for it."""
        ...

    async def aclose(self) -> None:
        """Closes it."""
        ...


class Sidecar(TellingSandbox, Protocol):
    """A sandbox that also has sessions."""

    async def open_session(self, *, ttl_s: float) -> Session:
        """A new session; `SandboxUnavailable` where there is no room for one."""
        ...


class RunSandbox:
    """Runs a run's snippets in one session, and where there is none, each in a sandbox of its own.

    `SessionFacts` of an execution are None for a snippet that found no session, and say "lost" for
    one that found another session than the snippet before it.
    """

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._session: Session | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def run(self, snippet: Snippet) -> Execution:
        """Runs the run's next snippet."""
        return await self._run(lambda sandbox: sandbox.run(snippet))

    async def run_telling(self, snippet: Snippet, tell: Callable[[Output], None]) -> Execution:
        """The same; `tell` gets each piece of its output as it comes."""
        return await self._run(lambda sandbox: sandbox.run_telling(snippet, tell))

    async def aclose(self) -> None:
        """Closes the session, if one was ever opened."""
        self._stop_keeping()
        if self._session is not None:
            await asyncio.shield(_closed(self._session))

    async def _run(self, run: RunSandboxRun) -> Execution:
        until = asyncio.get_running_loop().time() + BUSY_S
        while True:
            try:
                return await self._once(run)
            except SandboxBusy as busy:
                # Nothing was begun, and to wait for room is not the model's affair.
                if asyncio.get_running_loop().time() + busy.retry_after_s > until:
                    raise
                await asyncio.sleep(busy.retry_after_s)

    async def _once(self, run: RunSandboxRun) -> Execution:
        session = await self._open_session()
        if session is None:
            return await run(self._sidecar)
        try:
            return await run(session)
        except SessionOver:
            # Nobody called for so long that it has expired: the model took its time.
            self._session = None
            self._stop_keeping()
        return _without_files(await run(await self._open_session() or self._sidecar))

    async def _open_session(self) -> Session | None:
        if self._session is None:
            # Whatever is wrong, and is not only a lack of room, the single run will say.
            with contextlib.suppress(MiniAgentError):
                self._session = await self._sidecar.open_session(ttl_s=TTL_S)
                self._keeping = asyncio.create_task(_kept(self._session))
        return self._session

    def _stop_keeping(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None


async def _kept(session: Session) -> None:
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        # Where it is over, its next call will say so.
        with contextlib.suppress(MiniAgentError):
            await session.keep()


async def _closed(session: Session) -> None:
    # A sidecar that does not hear this ends the session when its time is up.
    with contextlib.suppress(MiniAgentError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await session.aclose()


def _without_files(execution: Execution) -> Execution:
    if execution.session is None:
        return execution
    lost = execution.session.model_copy(update={"workspace": "lost"})
    return execution.model_copy(update={"session": lost})


Run = Callable[[Snippet], Awaitable[Execution]]

CODE_TOOLS: Final = MappingProxyType[Language, Tool](
    {spec.name: program_tool(spec) for spec in REGISTRY if spec.name != "bash"}
)


class SandboxInvoker:
    """Runs programs of the allowed `languages` in `sandbox`.

    `languages` are the users' names for them (python, rust, go, javascript, bash, ...); the tools
    offered follow from them. A program may ask for up to `max_timeout_s` seconds; one that asks
    for nothing gets its language's default, which the sandbox knows. `workspace` is "kept" for a
    sandbox in which the files of one program are there for the next, a session.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        languages: Iterable[str] = USUAL,
        max_timeout_s: float = MAX_TIMEOUT_S,
        workspace: Literal["kept", "new"] = "new",
    ) -> None:
        self.languages = allowed_languages(languages)
        self._sandbox, self._workspace = sandbox, workspace
        self._max_timeout_s = min(max_timeout_s, MAX_TIMEOUT_S)
        self._gate = ShellGate(self.languages)

    async def list_openai_tools(self) -> list[Tool]:
        """A tool for each allowed language, the shell, and the text tools."""
        programs = [CODE_TOOLS[language] for language in self.languages if language in CODE_TOOLS]
        shell = [exec_shell(self._gate.rule)] if self.languages else []
        running = [*programs, *shell]
        if self._workspace == "kept":
            running = [remarked_tool(tool, FILES_STAY) for tool in running]
        return [*running, *TEXT_TOOLS]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call; a sandbox that cannot run it is told to the model as well."""
        return await self._output(openai_tool, self._sandbox.run)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: Callable[[Output], None]
    ) -> ToolOutput:
        """The same; `tell` gets each piece of output as it comes, if the sandbox can tell."""
        sandbox = self._sandbox
        if not isinstance(sandbox, TellingSandbox):
            return await self.call_openai_tool(openai_tool)
        return await self._output(openai_tool, lambda snippet: sandbox.run_telling(snippet, tell))

    async def _output(self, openai_tool: OpenAIToolCall, run: Run) -> ToolOutput:
        try:
            name, arguments = called(openai_tool)
            answer = text_tool_output(name, arguments)
            return answer or await self._run(name, arguments, run)
        except NotRun as why:
            return refused(str(why))
        except MiniAgentError as broken:
            return refused(str(broken))

    async def _run(self, name: str, arguments: JsonObject, run: Run) -> ToolOutput:
        seconds = seconds_in(arguments, longest=self._max_timeout_s)
        if name == "exec_shell" and self.languages:
            line = program_in(arguments, "cmd")
            toolchain = self._gate.toolchain(line)
            snippet = _snippet("bash", line, seconds, toolchain)
            ignored = unknown_in(arguments, ("cmd", "timeout_s"))
        else:
            language = self._language_of_tool(name)
            snippet = _snippet(language, program_in(arguments, "code"), seconds)
            ignored = unknown_in(arguments, ("code", "timeout_s"))
        execution = await run(snippet)
        return output_of_execution(execution, seconds.note, ignored, self._lost_files(execution))

    def _lost_files(self, execution: Execution) -> str:
        if self._workspace == "new":
            return ""
        if execution.session is None:
            return "the files of this call are not kept, and those of other calls were not there"
        is_lost = execution.session.workspace == "lost"
        return "the files of earlier calls are lost" if is_lost else ""

    def _language_of_tool(self, name: str) -> Language:
        language = name.removeprefix("exec_")
        for allowed in self.languages:
            if language == allowed and allowed in CODE_TOOLS:
                return allowed
        raise NotRun(f"there is no tool {name!r:.80}; allowed languages: {self.languages}")


def output_of_execution(execution: Execution, *notes: str) -> ToolOutput:
    """An execution as the model gets to see it; `notes` are remarks on the call."""
    cut = [name for name in ("stdout", "stderr") if getattr(execution.truncated, name)]
    cutting = f"{' and '.join(cut)} was longer than the sandbox keeps and is cut" if cut else ""
    return ToolOutput(
        ok=execution.status == "ok",
        rc=execution.exit_code,
        stdout=execution.stdout,
        stderr=execution.stderr,
        status="" if execution.status in ("ok", "nonzero") else execution.status,
        note="; ".join(note for note in (*notes, cutting) if note),
        execution=execution,
        result=execution.result_repr or "",
    )


def _snippet(
    language: Language, code: str, seconds: Seconds, toolchain: Language | None = None
) -> Snippet:
    try:
        limits = Limits(timeout_s=seconds.value)
        return Snippet(language=language, code=code, limits=limits, toolchain=toolchain)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise NotRun(f"{first['loc'][0]}: {first['msg']}") from None
