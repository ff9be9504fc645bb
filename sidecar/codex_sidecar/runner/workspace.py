"""File calls on a session's workspace, which the runner carries out between snippets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from codex_sidecar.errors import RefusedCall, RunnerLost
from codex_sidecar.runner.frames import Frame, FrameChannel
from mini_agent_protocol import frames
from mini_agent_protocol.workspace import WorkspaceFile

TIMEOUT_S: Final = 30.0
MAX_FILE_BYTES: Final = 64 << 20
# Of a larger file, more than this is never in memory.
PIECE_BYTES: Final = 4 << 20
TAR_HEADER_BYTES: Final = 2048
MAX_EXPORT_BYTES: Final = frames.MAX_WORKSPACE_FRAME_BYTES - (8 << 20)
MAX_TIMESTAMP: Final = 253_402_300_799.0

Operation = Literal["list", "read", "write", "append", "move", "delete", "export", "import", "wipe"]
ErrorKind = Literal["", "missing", "not_a_file", "too_large", "no_space", "denied", "refused"]

_STATUS: Final = MappingProxyType[ErrorKind, tuple[int, str]](
    {
        "": (HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
        "missing": (HTTPStatus.NOT_FOUND, "no_file"),
        "not_a_file": (HTTPStatus.UNPROCESSABLE_ENTITY, "not_a_file"),
        "too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
        "no_space": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "no_space"),
        "denied": (HTTPStatus.UNPROCESSABLE_ENTITY, "permission_denied"),
        "refused": (HTTPStatus.UNPROCESSABLE_ENTITY, "refused"),
    }
)


class WorkspaceRequest(BaseModel):
    """The header of a request; the runner's has the same fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    op: Operation = Field(description="What to do.")
    path: str = Field(
        description="The file, relative to the workspace; empty where the call is about all of it."
    )

    offset: int = Field(default=0, description="Where in the file a piece begins, in bytes.")
    length: int = Field(default=PIECE_BYTES, description="How much is read at most, in bytes.")
    target: str = Field(default="", description="Where the file is to be in the end.")


class WorkspaceEntry(BaseModel):
    """A file as the runner lists it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="The path, relative to the workspace.")
    bytes: int = Field(description="The size, in bytes.")
    modified: float = Field(
        description="When it was changed, in seconds of Unix time, as the snippet set it."
    )

    def to_workspace_file(self) -> WorkspaceFile:
        """Convert it to the API's model; times are clamped to what a date can be."""
        moment = datetime.fromtimestamp(min(max(self.modified, 0.0), MAX_TIMESTAMP), UTC)
        return WorkspaceFile(path=self.path, bytes=self.bytes, modified=moment)


class WorkspaceResponse(BaseModel):
    """The header of the runner's response."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ok: bool = Field(description="Whether the call was carried out.")
    error: str = Field(default="", description="Why it was not; empty where it was.")
    kind: ErrorKind = Field(
        default="", description="The kind of the error; empty where there is none."
    )
    files: tuple[WorkspaceEntry, ...] = Field(default=(), description="The files that were listed.")


@dataclass(frozen=True, slots=True)
class FilePiece:
    """A piece of a file, the size of the whole in bytes, and when it was changed."""

    content: bytes
    size: int
    modified: float


class Workspace:
    """The workspace in one sandbox.

    Calls raise `RefusedCall` for what cannot be done there, `RunnerLost` when the sandbox is lost.
    """

    def __init__(self, channel: FrameChannel) -> None:
        self._channel = channel
        # INVARIANT: after a request without an answer the position in the stream is unknown.
        self.is_usable = True

    async def files(self) -> tuple[WorkspaceFile, ...]:
        """List the regular files."""
        response, _ = await self._request("list")
        return tuple(entry.to_workspace_file() for entry in response.files)

    async def read(self, path: str, offset: int = 0) -> FilePiece:
        """Read a piece of a file, of `PIECE_BYTES` where there are as many."""
        request = WorkspaceRequest(op="read", path=path, offset=offset)
        response, content = await self._send(request)
        entry = response.files[0] if response.files else None
        if entry is None:
            return FilePiece(content, len(content), 0.0)
        return FilePiece(content, entry.bytes, entry.modified)

    async def write(self, path: str, content: bytes) -> None:
        """Write a file, and create its parent folders."""
        await self._request("write", path, content)

    async def append(self, part: str, path: str, content: bytes, offset: int) -> None:
        """Add a piece to what will be the file `path`; it has `offset` bytes by now."""
        request = WorkspaceRequest(op="append", path=part, offset=offset, target=path)
        await self._send(request, content)

    async def move(self, part: str, path: str) -> None:
        """Put a file that is whole into its place, over what is there."""
        await self._send(WorkspaceRequest(op="move", path=part, target=path))

    async def delete(self, path: str) -> None:
        """Remove a file."""
        await self._request("delete", path)

    async def export(self) -> bytes:
        """Return the whole workspace as a tar."""
        files = (await self._request("list"))[0].files
        size = sum(entry.bytes + TAR_HEADER_BYTES for entry in files)
        if size > MAX_EXPORT_BYTES:
            raise RefusedCall(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too_large",
                f"{len(files)} files of {size} bytes in all, where {MAX_EXPORT_BYTES} can go",
            )
        return (await self._request("export"))[1]

    async def replace(self, archive: bytes) -> None:
        """Replace the whole workspace by the content of a tar."""
        await self._request("import", content=archive)

    async def wipe(self) -> None:
        """Remove everything in it."""
        await self._request("wipe")

    async def _request(
        self, op: Operation, path: str = "", content: bytes = b""
    ) -> tuple[WorkspaceResponse, bytes]:
        return await self._send(WorkspaceRequest(op=op, path=path), content)

    async def _send(
        self, request: WorkspaceRequest, content: bytes = b""
    ) -> tuple[WorkspaceResponse, bytes]:
        self.is_usable = False
        try:
            async with asyncio.timeout(TIMEOUT_S):
                header = request.model_dump_json().encode()
                await self._channel.send_frames(
                    Frame(frames.WORKSPACE, header), Frame(frames.FILES, content)
                )
                response, body = _parse_response(
                    await self._channel.receive(b"", frames.MAX_WORKSPACE_FRAME_BYTES)
                )
        except (TimeoutError, OSError) as error:
            raise RunnerLost(f"the sandbox does not answer: {error}") from error
        self.is_usable = True
        if not response.ok:
            status, code = _STATUS[response.kind]
            about = request.target or request.path or "the workspace"
            raise RefusedCall(status, code, f"{about}: {response.error}")
        return response, body


def _parse_response(frame: Frame) -> tuple[WorkspaceResponse, bytes]:
    if frame.kind != frames.WORKSPACE_RESPONSE:
        raise RunnerLost(f"the runner sent a frame of kind {frame.kind!r}")
    header, content = frames.split_parts(frame.body)
    try:
        return WorkspaceResponse.model_validate_json(header), content
    except ValidationError as error:
        raise RunnerLost("the runner's answer is not one") from error
