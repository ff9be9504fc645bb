"""The sandbox as an MCP server, whatever carries its messages."""

from __future__ import annotations

from collections.abc import Callable
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

from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.mcp.sandbox_server.offered import ASKED, tools
from mini_agent.mcp.sandbox_server.server import Call, Tell
from mini_agent.mcp.sandbox_server.sessions import Sessions
from mini_agent.sandbox import LANGUAGES, Language, Output
from mini_agent.tools.languages import allowed_languages

NAME: Final = "mini-agent"
INSTRUCTIONS: Final = (
    "Programs run in a sandbox without a network. Your files there stay from call to call."
)
LONGEST_MESSAGE: Final = 4000
ClientOf: TypeAlias = Callable[[object], str | None]


def sandbox_server(
    sessions: Sessions, languages: tuple[Language, ...], client_of: ClientOf
) -> Server:
    """`client_of` tells from the request that brought a message which client it is of."""

    async def listed(
        _context: ServerRequestContext, _asked: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=tools(languages))

    async def called(context: ServerRequestContext, asked: CallToolRequestParams) -> CallToolResult:
        if asked.name not in ASKED:
            known = ", ".join(ASKED)
            message = f"there is no tool {asked.name!r:.80}; there are: {known}"
            raise MCPError(code=INVALID_PARAMS, message=message)
        call = Call(sessions, languages, client_of(context.request), _progress_of(context))
        return await call.result(asked.name, asked.arguments or {})

    return Server(
        NAME,
        version=version("mini-agent"),
        instructions=INSTRUCTIONS,
        on_list_tools=listed,
        on_call_tool=called,
    )


def languages_named(names: str) -> tuple[Language, ...]:
    """The languages of LITELLM_MINI_AGENT_LANGUAGES; all of them where it says nothing."""
    named = [name for name in names.split(",") if name.strip()]
    try:
        return allowed_languages(named) if named else LANGUAGES
    except BadRequest as unknown:
        raise NotConfigured(f"LITELLM_MINI_AGENT_LANGUAGES: {unknown.message}") from None


def _progress_of(context: ServerRequestContext) -> Tell:
    told = 0

    async def tell(piece: Output) -> None:
        nonlocal told
        told += len(piece.text.encode())
        await context.session.report_progress(told, message=piece.text[-LONGEST_MESSAGE:])

    return tell
