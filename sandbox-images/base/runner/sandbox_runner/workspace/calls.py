"""Calls about the workspace between snippets: list, read, write, delete, export, import, wipe."""

import json
import os
import stat
from collections.abc import Iterable
from itertools import chain

from mini_agent_protocol import frames
from mini_agent_protocol.record import TYPE_CHECKING, Record
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.stream import Stream
from sandbox_runner.workspace import archive
from sandbox_runner.workspace import files as workspace
from sandbox_runner.workspace.archive import FrameBody
from sandbox_runner.workspace.files import FOLDER, WorkspaceError
from sandbox_runner.workspace.walk import is_utf8, walk

MOVED_PREFIX = ".mini-agent.wiped"


def wipe() -> None:
    """Empties the workspace, of folders without permissions and folders a thousand deep alike."""
    top = os.open(WORKSPACE, FOLDER)
    moved = 0
    try:
        while names := os.listdir(top):
            for name in names:
                moved = _remove(top, name, moved)
    finally:
        os.close(top)


def _remove(top: int, name: str, moved: int) -> int:
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return moved
    # It is ours and no link, and nothing runs that could put one in its place.
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, FOLDER, dir_fd=top)
    try:
        for inner in os.listdir(folder):
            if not _is_folder(inner, folder):
                os.unlink(inner, dir_fd=folder)
                continue
            # Pulled up instead of gone into: no depth can use up descriptors or the stack.
            moved += 1
            os.chmod(inner, 0o700, dir_fd=folder)
            os.rename(inner, f"{MOVED_PREFIX}{moved}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return moved


def _is_folder(name: str, at: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)


MAX_FILES = 10_000

FileFacts = dict[str, str | float]

if TYPE_CHECKING:
    from typing import TypedDict

    class WorkspaceCall(TypedDict, total=False):
        """What is to be done; the fields after the path are not of every call."""

        op: str
        path: str
        offset: int
        length: int
        target: str


class CallResult(Record):
    """What a call returns: facts of files, and content of `length` bytes in pieces."""

    files: tuple[FileFacts, ...] = ()
    length: int = 0
    content: Iterable[bytes] = ()


def answer_call(stream: Stream, header: bytes) -> None:
    """Runs the call and sends its answer."""
    call = json.loads(header)
    body = FrameBody(stream, stream.expect(frames.FILES))
    kind, error, result = "", "", CallResult()
    try:
        result = _run_call(call, body)
    except WorkspaceError as refused:
        kind, error = refused.kind, str(refused)
    except OSError as failed:
        kind, error = workspace.error_kind(failed), failed.strerror or str(failed)
    body.drain()
    outcome = {"ok": not error, "error": error, "kind": kind, "files": result.files}
    text = json.dumps(outcome).encode()
    head = frames.encode_part(text)
    stream.send_pieces(
        frames.WORKSPACE_RESPONSE, len(head) + result.length, chain((head,), result.content)
    )


def _run_call(call: "WorkspaceCall", body: FrameBody) -> CallResult:
    match call["op"]:
        case "list":
            return CallResult(files=_list(call["path"]))
        case "read":
            content, status = workspace.read(call["path"], *_piece(call))
            return CallResult((_facts(call["path"], status),), len(content), (content,))
        case "export":
            length, pieces = archive.export_workspace()
            return CallResult(length=length, content=pieces)
        case _:
            _change(call, body)
            return CallResult()


def _change(call: "WorkspaceCall", body: FrameBody) -> None:
    path = call["path"]
    match call["op"]:
        case "write":
            workspace.write(path, body.read_all(workspace.MAX_FILE_BYTES))
        case "append":
            content = body.read_all(workspace.MAX_FILE_BYTES)
            workspace.append(path, content, _piece(call)[0])
        case "move":
            workspace.move(path, call.get("target", ""))
        case "delete":
            workspace.delete(path)
        case "import":
            wipe()
            archive.unpack(body)
        case "wipe":
            wipe()
        case other:
            raise WorkspaceError("refused", f"no such call: {other!r}")


def _piece(call: "WorkspaceCall") -> tuple[int, int]:
    return call.get("offset", 0), call.get("length", workspace.MAX_FILE_BYTES)


def _list(below: str) -> tuple[FileFacts, ...]:
    files: list[FileFacts] = []
    for path, status in walk(lambda _path, _why: None):
        listed = (
            stat.S_ISREG(status.st_mode)
            and is_utf8(path)
            and not path.startswith(workspace.UPLOAD_PREFIX)
        )
        if listed and (not below or path == below or path.startswith(f"{below}/")):
            files.append(_facts(path, status))
    return tuple(sorted(files, key=lambda file: str(file["path"]))[:MAX_FILES])


def _facts(path: str, status: os.stat_result) -> FileFacts:
    return {"path": path, "bytes": status.st_size, "modified": status.st_mtime}
