"""Clients of the sidecar: one snippet at a time, or a session with a workspace."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from mini_agent.errors import BadRequest, SandboxError, SessionOver
from mini_agent.sandbox.http import Headers, SidecarTransport, no_headers
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Limits, Snippet, normalize_new_path, normalize_path
from mini_agent_protocol.workspace import (
    DEFAULT_TTL_S,
    SessionOpened,
    SessionRequest,
    WorkspaceFile,
)

OCTET_STREAM: Final = "application/octet-stream"


class SidecarSession:
    """A session, open until `aclose` or until no call came for its `ttl_s`; then `SessionOver`.

    Snippets run one after the other. Each execution's `session` says whether the workspace of the
    one before it was found ("kept") or had been lost.
    """

    def __init__(self, http: SidecarTransport, session_id: str) -> None:
        self.id = session_id
        self._http, self._path = http, f"/v1/sessions/{session_id}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends it, and whatever runs in it; nothing of it is left."""
        with contextlib.suppress(SessionOver):
            await self._http.call("DELETE", self._path)

    async def run(self, snippet: Snippet) -> Execution:
        """Runs the session's next snippet."""
        return await self._http.run(f"{self._path}/execute", snippet)

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """The same; `listener` gets each piece of its output as it comes."""
        return await self._http.run_streaming(f"{self._path}/execute", snippet, listener)

    def stream(self, snippet: Snippet) -> AsyncGenerator[Output | Execution, None]:
        """The same, with its output as it comes; the last item is the execution."""
        return self._http.stream(f"{self._path}/execute", snippet)

    async def keep_alive(self) -> None:
        """Makes it last for another `ttl_s`."""
        await self._http.call("POST", f"{self._path}/keep")

    async def interrupt(self) -> None:
        """Send SIGINT to the running snippet; do nothing where none runs."""
        await self._http.call("POST", f"{self._path}/interrupt")

    async def files(self) -> tuple[WorkspaceFile, ...]:
        """List the regular files in the workspace."""
        said = await self._http.call("GET", f"{self._path}/files")
        try:
            return _FILES.validate_json(said)
        except ValidationError as odd:
            raise SandboxError(f"the sidecar's answer is no list of files: {odd}") from odd

    async def read(self, path: str) -> bytes:
        """Read a file; raise `BadRequest` where there is no such file."""
        return await self._http.call("GET", self._file(path))

    async def write(self, path: str, content: bytes) -> None:
        """Makes a file, or replaces it, and the folders it lies in."""
        await self._http.call("PUT", self._file(path, normalize_new_path), content, OCTET_STREAM)

    async def delete(self, path: str) -> None:
        """Removes a file."""
        await self._http.call("DELETE", self._file(path))

    def _file(self, path: str, normalize: Callable[[str], str] = normalize_path) -> str:
        try:
            known = normalize(path)
        except ValueError as wrong:
            raise BadRequest(str(wrong), field="path") from None
        return f"{self._path}/files/{quote(known)}"


_FILES: Final = TypeAdapter(tuple[WorkspaceFile, ...])


SESSION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Sandbox(Protocol):
    """Anything that can run a snippet."""

    async def run(self, snippet: Snippet) -> Execution:
        """Run a snippet; raise `SandboxError` when it could not be executed."""
        ...


@runtime_checkable
class StreamingSandbox(Sandbox, Protocol):
    """A sandbox that also passes on output while the snippet runs."""

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """The same as `run`; `listener` gets each piece of the output as it comes."""
        ...


class SidecarClient:
    """Runs snippets in the sidecar at `base_url`, each in a container of its own.

    Raises `BadRequest` for a snippet the sidecar refuses, `Unauthorized` for a wrong token and
    `SandboxUnavailable` when the sidecar or its engine is away or busy. `headers` says at each
    request what goes along, such as the trace it belongs to.
    """

    def __init__(self, base_url: str, token: str = "", *, headers: Headers = no_headers) -> None:
        self._http = SidecarTransport(base_url, token, headers)
        self.base_url = self._http.base_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def run(self, snippet: Snippet) -> Execution:
        """Runs one snippet in one fresh container."""
        return await self._http.run("/v1/execute", snippet)

    async def run_streaming(
        self, snippet: Snippet, listener: Callable[[Output], None]
    ) -> Execution:
        """The same; `listener` gets each piece of its output as it comes."""
        return await self._http.run_streaming("/v1/execute", snippet, listener)

    def stream(self, snippet: Snippet) -> AsyncGenerator[Output | Execution, None]:
        """The same, with its output as it comes; the last item is the execution."""
        return self._http.stream("/v1/execute", snippet)

    async def open_session(
        self, *, ttl_s: float = DEFAULT_TTL_S, limits: Limits | None = None
    ) -> SidecarSession:
        """A session; it ends after `ttl_s` seconds without a call, if it is not closed before.

        `limits` hold for its snippets where they say nothing. `SandboxUnavailable` when the sidecar
        has no room for another session.
        """
        asked = SessionRequest(ttl_s=ttl_s, limits=limits or Limits())
        body = asked.model_dump_json(exclude_defaults=True).encode()
        said = await self._http.call("POST", "/v1/sessions", body)
        try:
            opened = SessionOpened.model_validate_json(said)
        except ValidationError as odd:
            raise SandboxError(f"the sidecar's answer is not a session: {odd}") from odd
        return SidecarSession(self._http, opened.id)

    def session(self, session_id: str) -> SidecarSession:
        """The session with this id; whether it is still open, its calls say."""
        if not SESSION_ID.fullmatch(session_id):
            raise SessionOver(f"{session_id!r:.80} is no session's id")
        return SidecarSession(self._http, session_id)
