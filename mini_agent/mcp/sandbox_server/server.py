"""The sandbox as an MCP server, over any transport: its tools, its calls and clients' sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final, TypeAlias

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import ValidationError

from mini_agent.errors import BadRequest, MiniAgentError, NotConfigured, SandboxError, SessionOver
from mini_agent.mcp.client.convert import error_result
from mini_agent.mcp.sandbox_server import results
from mini_agent.mcp.sandbox_server.tools import (
    ARGUMENT_MODELS,
    ListFiles,
    ReadFile,
    RunCode,
    RunShell,
    ToolArguments,
    WriteFile,
    decode_content,
    describe_tools,
)
from mini_agent.sandbox import (
    USUAL_LANGUAGES,
    Execution,
    Language,
    Output,
    SidecarClient,
    SidecarSession,
    Snippet,
)
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.languages import ShellPolicy, resolve_languages

SERVER_NAME: Final = "mini-agent"
INSTRUCTIONS: Final = (
    "Programs run in a sandbox without a network. Your files there stay from call to call."
)
NEW_SESSION: Final = "new"
EXPIRED: Final = "the workspace had expired; this is a new one, without the earlier files"
NO_WORKSPACE: Final = (
    "this connection keeps no workspace of its own, so nothing was there from before and nothing "
    'stays; pass session "new" to keep one'
)
CLOSE_TIMEOUT_S: Final = 5.0
MAX_MESSAGE_CHARS: Final = 4000
ClientResolver: TypeAlias = Callable[[object], str | None]
OutputReporter: TypeAlias = Callable[[Output], Awaitable[None]]


def create_sandbox_server(
    sessions: ClientSessions, languages: tuple[Language, ...], client_of: ClientResolver
) -> Server:
    """Create the server; `client_of` returns the client of a request, if it has one."""

    async def handle_list(
        _context: ServerRequestContext, _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=describe_tools(languages))

    async def handle_call(
        context: ServerRequestContext, params: CallToolRequestParams
    ) -> CallToolResult:
        if params.name not in ARGUMENT_MODELS:
            known = ", ".join(ARGUMENT_MODELS)
            message = f"there is no tool {params.name!r:.80}; there are: {known}"
            raise MCPError(code=INVALID_PARAMS, message=message)
        call = ToolCallHandler(
            sessions, languages, client_of(context.request), _report_progress(context)
        )
        return await call.handle(params.name, params.arguments or {})

    return Server(
        SERVER_NAME,
        version=version("mini-agent"),
        instructions=INSTRUCTIONS,
        on_list_tools=handle_list,
        on_call_tool=handle_call,
    )


def parse_languages(names: str) -> tuple[Language, ...]:
    """Parse LITELLM_MINI_AGENT_LANGUAGES; empty means the usual ones."""
    named = [name for name in names.split(",") if name.strip()]
    try:
        return resolve_languages(named) if named else USUAL_LANGUAGES
    except BadRequest as unknown:
        raise NotConfigured(f"LITELLM_MINI_AGENT_LANGUAGES: {unknown.message}") from None


def _report_progress(context: ServerRequestContext) -> OutputReporter:
    sent = 0

    async def report(piece: Output) -> None:
        nonlocal sent
        sent += len(piece.text.encode())
        await context.session.report_progress(sent, message=piece.text[-MAX_MESSAGE_CHARS:])

    return report


@dataclass(frozen=True, slots=True)
class ToolCallHandler:
    """Executes the tool calls of one client; `on_output` gets a program's output as it comes.

    A `client` of None has no session of its own: its connection does not outlive a call.
    """

    sessions: ClientSessions
    languages: tuple[Language, ...]
    client: str | None
    on_output: OutputReporter

    async def handle(self, name: str, arguments: object) -> CallToolResult:
        """Execute one call; one that cannot be executed is an error result for the model."""
        try:
            parsed = ARGUMENT_MODELS[name].model_validate(arguments)
            return await self._run_in_session(parsed)
        except ValidationError as wrong:
            return error_result(_describe_error(wrong))
        except (MiniAgentError, RejectedCall, ValueError) as why:
            return error_result(str(why))

    async def _run_in_session(self, arguments: ToolArguments) -> CallToolResult:
        session = None
        try:
            session, note = await self._session(arguments)
            return await self._execute(arguments, session, note)
        except SessionOver as over:
            if arguments.session or session is None or self.client is None:
                raise _session_over(arguments.session) from over
            self.sessions.drop_own(self.client, session)
        # INVARIANT: a call to a session that is over has run nothing, so this is its first time.
        return await self._execute(arguments, await self.sessions.open_own(self.client), EXPIRED)

    async def _session(self, arguments: ToolArguments) -> tuple[SidecarSession | None, str]:
        if arguments.session == NEW_SESSION:
            session = await self.sessions.open_new(self.client or "")
            return session, f"session: {session.id}"
        if arguments.session:
            return self.sessions.find(arguments.session), ""
        if self.client is None:
            return None, NO_WORKSPACE
        return await self.sessions.open_own(self.client), ""

    async def _execute(
        self, arguments: ToolArguments, session: SidecarSession | None, note: str
    ) -> CallToolResult:
        match arguments:
            case RunCode() | RunShell():
                stream = (session or self.sessions.sidecar).stream(self._snippet(arguments))
                return results.execution_result(await self._follow(stream), note)
            case WriteFile(path=path, content=content):
                await _require_session(session).write(path, decode_content(content))
                return results.text_result(f"{path} is written", note)
            case ReadFile(path=path):
                return results.file_result(path, await _require_session(session).read(path))
            case ListFiles():
                return results.file_list_result(await _require_session(session).files(), note)
            case _:
                raise AssertionError(arguments)

    def _snippet(self, arguments: RunCode | RunShell) -> Snippet:
        if isinstance(arguments, RunShell):
            return arguments.snippet(ShellPolicy(self.languages).toolchain(arguments.command))
        if arguments.language not in self.languages:
            known = ", ".join(self.languages)
            raise BadRequest(f"{arguments.language} is not allowed here; allowed: {known}")
        return arguments.snippet()

    async def _follow(self, stream: AsyncGenerator[Output | Execution, None]) -> Execution:
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, Execution):
                    return item
                await self.on_output(item)
        raise SandboxError("the sidecar's stream ended before the program did")


def _require_session(session: SidecarSession | None) -> SidecarSession:
    if session is None:
        raise BadRequest(
            "this connection keeps no workspace of its own",
            field="session",
            hint='pass session "new", and then the id in its result',
        )
    return session


def _session_over(session_id: str) -> SessionOver:
    return SessionOver(
        f"there is no session {session_id!r:.80}; its files are gone if there was one",
        hint='leave session out for your own workspace, or pass "new"',
    )


def _describe_error(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or "arguments"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"


@dataclass
class _ClientState:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    own: SidecarSession | None = None
    sessions: list[SidecarSession] = field(default_factory=list)


class ClientSessions:
    """The sandbox sessions of each MCP client, which keeps its name for its whole MCP session."""

    def __init__(self, sidecar: Callable[[], SidecarClient]) -> None:
        self._sidecar = sidecar
        self._clients: dict[str, _ClientState] = {}

    @property
    def sidecar(self) -> SidecarClient:
        """The client of the sidecar; raises `MiniAgentError` where none is configured."""
        return self._sidecar()

    async def open_own(self, client: str) -> SidecarSession:
        """Return the client's own session, which the first call opens."""
        state = self._clients.setdefault(client, _ClientState())
        async with state.opening:
            if state.own is None:
                state.own = await self._open(state)
            return state.own

    async def open_new(self, client: str) -> SidecarSession:
        """Open another session beside the client's own."""
        return await self._open(self._clients.setdefault(client, _ClientState()))

    def find(self, session_id: str) -> SidecarSession:
        """Return the session with this id, of any client: ids cannot be guessed."""
        return self.sidecar.session(session_id)

    def drop_own(self, client: str, session: SidecarSession) -> None:
        """Forget the client's own session, which has ended: the next call opens another."""
        state = self._clients.get(client)
        if state is not None and state.own is session:
            state.own = None

    async def close_client(self, client: str) -> None:
        """Close the sessions of a client that has disconnected."""
        state = self._clients.pop(client, None)
        if state is not None:
            await _close_all(state.sessions)

    async def aclose(self) -> None:
        """Close the sessions of all clients."""
        clients, self._clients = self._clients, {}
        await _close_all(session for state in clients.values() for session in state.sessions)

    async def _open(self, state: _ClientState) -> SidecarSession:
        session = await self.sidecar.open_session()
        state.sessions.append(session)
        return session


async def _close_all(sessions: Iterable[SidecarSession]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT_S), asyncio.TaskGroup() as closing:
            for session in sessions:
                closing.create_task(_close_one(session))


# A session that cannot be closed expires in the sidecar by itself.
async def _close_one(session: SidecarSession) -> None:
    with contextlib.suppress(MiniAgentError):
        await session.aclose()
