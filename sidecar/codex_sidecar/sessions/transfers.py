"""Files on their way in and out of a session, piece by piece: never whole in memory."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from codex_sidecar.errors import RefusedCall
from codex_sidecar.runner.workspace import PIECE_BYTES, FilePiece
from codex_sidecar.sessions.session import Session
from mini_agent_protocol.errors import MiniAgentError

UPLOAD_PREFIX: Final = ".mini-agent.upload-"
TOKEN_BYTES: Final = 8


async def upload(session: Session, path: str, content: AsyncIterator[bytes]) -> None:
    """Write a file from what comes; where that breaks off, nothing is changed.

    Between two pieces the session serves other calls, as this one waits for its client.
    """
    pieces = _rearrange(content)
    first = await anext(pieces, b"")
    second = await anext(pieces, b"")
    if not second:
        await session.write(path, first)
        return
    part = f"{UPLOAD_PREFIX}{secrets.token_hex(TOKEN_BYTES)}"
    try:
        await _append_all(session, part, path, _chain((first, second), pieces))
        await session.move(part, path)
    except BaseException:
        with contextlib.suppress(MiniAgentError):
            await session.delete(part)
        raise


async def download(session: Session, path: str, first: FilePiece) -> AsyncIterator[bytes]:
    """Yield a file whose first piece is there; raises `RefusedCall` where it changes meanwhile."""
    piece, sent = first, 0
    while True:
        yield piece.content
        sent += len(piece.content)
        if sent >= first.size:
            return
        piece = await session.read(path, sent)
        if (piece.size, piece.modified) != (first.size, first.modified) or not piece.content:
            raise RefusedCall(HTTPStatus.CONFLICT, "file_changed", f"{path}: it was written to")


async def _append_all(session: Session, part: str, path: str, pieces: AsyncIterator[bytes]) -> None:
    offset = 0
    async for piece in pieces:
        await session.append(part, path, piece, offset)
        offset += len(piece)


async def _rearrange(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces of `PIECE_BYTES`, the last of which is smaller."""
    buffer = bytearray()
    async for chunk in content:
        buffer += chunk
        while len(buffer) >= PIECE_BYTES:
            yield bytes(buffer[:PIECE_BYTES])
            del buffer[:PIECE_BYTES]
    if buffer:
        yield bytes(buffer)


async def _chain(first: tuple[bytes, ...], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for piece in first:
        yield piece
    async for piece in rest:
        yield piece
