"""A session of the sidecar over HTTP, as a sandbox whose files stay from snippet to snippet."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from mini_agent.errors import BadRequest, SandboxError, SessionOver
from mini_agent.sandbox.http import SidecarHttp
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Snippet, require_plain_path
from mini_agent_protocol.workspace import WorkspaceFile

BYTES: Final = "application/octet-stream"


class SidecarSession:
    """Is open until `aclose`, or until nobody has called for its `ttl_s`; then `SessionOver`.

    Snippets run one after the other. Each execution's `session` says whether the workspace of the
    one before it was found ("kept") or had been lost.
    """

    def __init__(self, http: SidecarHttp, session_id: str) -> None:
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

    async def run_telling(self, snippet: Snippet, tell: Callable[[Output], None]) -> Execution:
        """The same; `tell` gets each piece of its output as it comes."""
        return await self._http.run_telling(f"{self._path}/execute", snippet, tell)

    def stream(self, snippet: Snippet) -> AsyncGenerator[Output | Execution, None]:
        """The same, with its output as it comes; the last item is the execution."""
        return self._http.stream(f"{self._path}/execute", snippet)

    async def keep(self) -> None:
        """Makes it last for another `ttl_s`."""
        await self._http.call("POST", f"{self._path}/keep")

    async def interrupt(self) -> None:
        """What Ctrl-C does to the snippet that is running; nothing where none is."""
        await self._http.call("POST", f"{self._path}/interrupt")

    async def files(self) -> tuple[WorkspaceFile, ...]:
        """The regular files in the workspace."""
        said = await self._http.call("GET", f"{self._path}/files")
        try:
            return _FILES.validate_json(said)
        except ValidationError as odd:
            raise SandboxError(f"the sidecar's answer is no list of files: {odd}") from odd

    async def read(self, path: str) -> bytes:
        """A file's content; `BadRequest` where there is no such file."""
        return await self._http.call("GET", self._file(path))

    async def write(self, path: str, content: bytes) -> None:
        """Makes a file, or replaces it, and the folders it lies in."""
        await self._http.call("PUT", self._file(path), content, BYTES)

    async def delete(self, path: str) -> None:
        """Removes a file."""
        await self._http.call("DELETE", self._file(path))

    def _file(self, path: str) -> str:
        try:
            require_plain_path(path)
        except ValueError as wrong:
            raise BadRequest(str(wrong), field="path") from None
        return f"{self._path}/files/{quote(path)}"


_FILES: Final = TypeAdapter(tuple[WorkspaceFile, ...])
