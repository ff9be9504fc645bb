"""`SandboxInvoker` and the session that one run's snippets share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Final, Literal, Protocol

from pydantic import ValidationError

from mini_agent.errors import MiniAgentError, SandboxBusy, SessionOver
from mini_agent.messages import JsonObject
from mini_agent.sandbox.client import Sandbox, StreamingSandbox
from mini_agent.sandbox.http import MAX_TIMEOUT_S
from mini_agent.tools.arguments import (
    RejectedCall,
    Timeout,
    note_unknown_arguments,
    parse_tool_call,
    read_program_argument,
    read_timeout,
)
from mini_agent.tools.catalog import (
    TEXT_TOOLS,
    WORKSPACE_NOTE,
    append_description,
    build_shell_tool,
    program_tool,
    run_text_tool,
)
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput, error_output
from mini_agent.tools.languages import DEFAULT_LANGUAGES, ShellPolicy, resolve_languages
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.languages import REGISTRY, Language
from mini_agent_protocol.snippet import Limits, Snippet

CLOSE_TIMEOUT_S: Final = 5.0
# A client that crashed holds its sandbox no longer than this.
SESSION_TTL_S: Final = 30.0
KEEP_ALIVE_INTERVAL_S: Final = 8.0
# How long a snippet waits for a free sandbox, on top of the sidecar's own queue.
BUSY_TIMEOUT_S: Final = 120.0

StreamingCall = Callable[[StreamingSandbox], Awaitable[Execution]]


class SandboxSession(StreamingSandbox, Protocol):
    """A sandbox that is kept until it is closed, or its TTL passes without a call."""

    async def keep_alive(self) -> None:
        """Start the TTL again."""
        ...

    async def aclose(self) -> None:
        """Close the session; its workspace is gone."""
        ...


class SessionProvider(StreamingSandbox, Protocol):
    """A sandbox that also has sessions."""

    async def open_session(self, *, ttl_s: float) -> SandboxSession:
        """Open a session; raise `SandboxUnavailable` when all are taken."""
        ...


class RunSandbox:
    """Runs a run's snippets in one session, and where there is none, each in a sandbox of its own.

    `SessionFacts` of an execution are None for a snippet that found no session, and say "lost" for
    one that found another session than the snippet before it.
    """

    def __init__(self, sidecar: SessionProvider) -> None:
        self._sidecar = sidecar
        self._session: SandboxSession | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def run(self, snippet: Snippet) -> Execution:
        """Runs the run's next snippet."""
        return await self._run(lambda sandbox: sandbox.run(snippet))

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """The same; `listener` gets each piece of its output as it comes."""
        return await self._run(lambda sandbox: sandbox.run_streaming(snippet, listener))

    async def aclose(self) -> None:
        """Closes the session, if one was ever opened."""
        self._stop_keeping()
        if self._session is not None:
            await asyncio.shield(_close(self._session))

    async def _run(self, run: StreamingCall) -> Execution:
        until = asyncio.get_running_loop().time() + BUSY_TIMEOUT_S
        while True:
            try:
                return await self._once(run)
            except SandboxBusy as busy:
                # Nothing was begun, and to wait for room is not the model's affair.
                if asyncio.get_running_loop().time() + busy.retry_after_s > until:
                    raise
                await asyncio.sleep(busy.retry_after_s)

    async def _once(self, run: StreamingCall) -> Execution:
        session = await self._open_session()
        if session is None:
            return await run(self._sidecar)
        try:
            return await run(session)
        except SessionOver:
            # Nobody called for so long that it has expired: the model took its time.
            self._session = None
            self._stop_keeping()
        return _mark_files_lost(await run(await self._open_session() or self._sidecar))

    async def _open_session(self) -> SandboxSession | None:
        if self._session is None:
            # Whatever is wrong, and is not only a lack of room, the single run will say.
            with contextlib.suppress(MiniAgentError):
                self._session = await self._sidecar.open_session(ttl_s=SESSION_TTL_S)
                self._keeping = asyncio.create_task(_keep_alive(self._session))
        return self._session

    def _stop_keeping(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None


async def _keep_alive(session: SandboxSession) -> None:
    while True:
        await asyncio.sleep(KEEP_ALIVE_INTERVAL_S)
        # Where it is over, its next call will say so.
        with contextlib.suppress(MiniAgentError):
            await session.keep_alive()


async def _close(session: SandboxSession) -> None:
    # A sidecar that does not hear this ends the session when its time is up.
    with contextlib.suppress(MiniAgentError, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await session.aclose()


def _mark_files_lost(execution: Execution) -> Execution:
    if execution.session is None:
        return execution
    lost = execution.session.model_copy(update={"workspace": "lost"})
    return execution.model_copy(update={"session": lost})


RunSnippet = Callable[[Snippet], Awaitable[Execution]]

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
        languages: Iterable[str] = DEFAULT_LANGUAGES,
        max_timeout_s: float = MAX_TIMEOUT_S,
        workspace: Literal["kept", "new"] = "new",
    ) -> None:
        self.languages = resolve_languages(languages)
        self._sandbox, self._workspace = sandbox, workspace
        self._max_timeout_s = min(max_timeout_s, MAX_TIMEOUT_S)
        self._gate = ShellPolicy(self.languages)

    async def list_openai_tools(self) -> list[Tool]:
        """A tool for each allowed language, the shell, and the text tools."""
        programs = [CODE_TOOLS[language] for language in self.languages if language in CODE_TOOLS]
        shell = [build_shell_tool(self._gate.rule)] if self.languages else []
        running = [*programs, *shell]
        if self._workspace == "kept":
            running = [append_description(tool, WORKSPACE_NOTE) for tool in running]
        return [*running, *TEXT_TOOLS]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call; a sandbox that cannot run it is told to the model as well."""
        return await self._output(openai_tool, self._sandbox.run)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: Callable[[Output], None]
    ) -> ToolOutput:
        """The same; `listener` gets each piece of output as it comes, if the sandbox can tell."""
        sandbox = self._sandbox
        if not isinstance(sandbox, StreamingSandbox):
            return await self.call_openai_tool(openai_tool)
        return await self._output(
            openai_tool, lambda snippet: sandbox.run_streaming(snippet, listener)
        )

    async def _output(self, openai_tool: OpenAIToolCall, run: RunSnippet) -> ToolOutput:
        try:
            name, arguments = parse_tool_call(openai_tool)
            answer = run_text_tool(name, arguments)
            return answer or await self._run(name, arguments, run)
        except RejectedCall as why:
            return error_output(str(why))
        except MiniAgentError as broken:
            return error_output(str(broken))

    async def _run(self, name: str, arguments: JsonObject, run: RunSnippet) -> ToolOutput:
        seconds = read_timeout(arguments, longest=self._max_timeout_s)
        if name == "exec_shell" and self.languages:
            line = read_program_argument(arguments, "cmd")
            toolchain = self._gate.toolchain(line)
            snippet = _build_snippet("bash", line, seconds, toolchain)
            ignored = note_unknown_arguments(arguments, ("cmd", "timeout_s"))
        else:
            language = self._language_of_tool(name)
            snippet = _build_snippet(language, read_program_argument(arguments, "code"), seconds)
            ignored = note_unknown_arguments(arguments, ("code", "timeout_s"))
        execution = await run(snippet)
        return to_tool_output(execution, seconds.note, ignored, self._lost_files(execution))

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
        raise RejectedCall(f"there is no tool {name!r:.80}; allowed languages: {self.languages}")


def to_tool_output(execution: Execution, *notes: str) -> ToolOutput:
    """An execution as the model gets to see it; `notes` are remarks on the call."""
    cut = [name for name in ("stdout", "stderr") if getattr(execution.truncated, name)]
    cutting = f"{' and '.join(cut)} was longer than the sandbox keeps and is cut" if cut else ""
    return ToolOutput(
        ok=execution.status == "ok",
        rc=execution.exit_code,
        stdout=execution.stdout,
        stderr=execution.stderr,
        status="" if execution.status in ("ok", "nonzero") else execution.status,
        note="; ".join(note for note in (*notes, cutting, *_not_shown(execution)) if note),
        execution=execution,
        result=execution.result_repr or "",
    )


def _not_shown(execution: Execution) -> Iterator[str]:
    yield from (f"not shown: {skipped}" for skipped in execution.rich_skipped)


def _build_snippet(
    language: Language, code: str, seconds: Timeout, toolchain: Language | None = None
) -> Snippet:
    try:
        limits = Limits(timeout_s=seconds.value)
        return Snippet(language=language, code=code, limits=limits, toolchain=toolchain)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise RejectedCall(f"{first['loc'][0]}: {first['msg']}") from None
