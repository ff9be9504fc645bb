"""One call of a tool, carried out in the sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, TypeAlias

from mcp.types import CallToolResult
from pydantic import ValidationError

from mini_agent.errors import BadRequest, MiniAgentError, SandboxError, SessionOver
from mini_agent.mcp.sandbox_server import results
from mini_agent.mcp.sandbox_server.content import bytes_written
from mini_agent.mcp.sandbox_server.offered import ASKED
from mini_agent.mcp.sandbox_server.sessions import NEW, Sessions
from mini_agent.mcp.sandbox_server.tools import (
    Asked,
    ListFiles,
    ReadFile,
    RunCode,
    RunShell,
    WriteFile,
)
from mini_agent.sandbox import Execution, Language, Output, SidecarSession, Snippet
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.shell import ShellGate

Tell: TypeAlias = Callable[[Output], Awaitable[None]]
EXPIRED: Final = "the workspace had expired; this is a new one, without the earlier files"
NOT_KEPT: Final = (
    "this connection keeps no workspace of its own, so nothing was there from before and nothing "
    'stays; pass session "new" to keep one'
)


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, in which languages, and who is told the output while it comes.

    A `client` of None has no session of its own: its connection does not outlive a call.
    """

    sessions: Sessions
    languages: tuple[Language, ...]
    client: str | None
    tell: Tell

    async def result(self, name: str, arguments: object) -> CallToolResult:
        """What came of it; what cannot be carried out is told to the model as well."""
        try:
            asked = ASKED[name].model_validate(arguments)
            return await self._in_session(asked)
        except ValidationError as wrong:
            return results.refused(_complaint(wrong))
        except (MiniAgentError, NotRun, ValueError) as why:
            return results.refused(str(why))

    async def _in_session(self, asked: Asked) -> CallToolResult:
        session = None
        try:
            session, note = await self._session(asked)
            return await self._carried_out(asked, session, note)
        except SessionOver as over:
            if asked.session or session is None or self.client is None:
                raise _over(asked.session) from over
            self.sessions.lost(self.client, session)
        # INVARIANT: a call to a session that is over has run nothing, so this is its first time.
        return await self._carried_out(asked, await self.sessions.own(self.client), EXPIRED)

    async def _session(self, asked: Asked) -> tuple[SidecarSession | None, str]:
        if asked.session == NEW:
            session = await self.sessions.another(self.client or "")
            return session, f"session: {session.id}"
        if asked.session:
            return self.sessions.known(asked.session), ""
        if self.client is None:
            return None, NOT_KEPT
        return await self.sessions.own(self.client), ""

    async def _carried_out(
        self, asked: Asked, session: SidecarSession | None, note: str
    ) -> CallToolResult:
        match asked:
            case RunCode() | RunShell():
                stream = (session or self.sessions.sidecar).stream(self._snippet(asked))
                return results.ran(await self._told(stream), note)
            case WriteFile(path=path, content=content):
                await _require(session).write(path, bytes_written(content))
                return results.said(f"{path} is written", note)
            case ReadFile(path=path):
                return results.read(path, await _require(session).read(path))
            case ListFiles():
                return results.listed(await _require(session).files(), note)
            case _:
                raise AssertionError(asked)

    def _snippet(self, asked: RunCode | RunShell) -> Snippet:
        if isinstance(asked, RunShell):
            return asked.snippet(ShellGate(self.languages).toolchain(asked.command))
        if asked.language not in self.languages:
            known = ", ".join(self.languages)
            raise BadRequest(f"{asked.language} is not allowed here; allowed: {known}")
        return asked.snippet()

    async def _told(self, stream: AsyncGenerator[Output | Execution, None]) -> Execution:
        async with aclosing(stream) as items:
            async for item in items:
                if isinstance(item, Execution):
                    return item
                await self.tell(item)
        raise SandboxError("the sidecar's stream ended before the program did")


def _require(session: SidecarSession | None) -> SidecarSession:
    if session is None:
        raise BadRequest(
            "this connection keeps no workspace of its own",
            field="session",
            hint='pass session "new", and then the id in its result',
        )
    return session


def _over(session_id: str) -> SessionOver:
    return SessionOver(
        f"there is no session {session_id!r:.80}; its files are gone if there was one",
        hint='leave session out for your own workspace, or pass "new"',
    )


def _complaint(wrong: ValidationError) -> str:
    first = wrong.errors(include_url=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or "arguments"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"
