"""Calls about the workspace between snippets: list, read, write, delete, export, import, wipe.

An empty workspace, whatever a snippet has left in it.
"""

import json
import os
import stat
from collections.abc import Iterable
from itertools import chain

from sandbox_runner import stream as frames
from sandbox_runner.paths import WORKSPACE
from mini_agent_protocol.record import Record
from sandbox_runner.stream import Stream
from sandbox_runner.workspace import archive
from sandbox_runner.workspace import files as workspace
from sandbox_runner.workspace.archive import FrameBody
from sandbox_runner.workspace.files import FOLDER, WorkspaceError
from sandbox_runner.workspace.walk import is_utf8, walk

MOVED_PREFIX = ".mini-agent.wiped"


def wipe() -> None:
    """Removes all there is, folders without permissions and folders a thousand deep alike."""
    top = os.open(WORKSPACE, FOLDER)
    pulled_up = 0
    try:
        while names := os.listdir(top):
            for name in names:
                pulled_up = _remove(top, name, pulled_up)
    finally:
        os.close(top)


def _remove(top: int, name: str, pulled_up: int) -> int:
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return pulled_up
    # It is ours and no link, and nothing runs that could put one in its place.
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, FOLDER, dir_fd=top)
    try:
        for inner in os.listdir(folder):
            if not _is_folder(inner, folder):
                os.unlink(inner, dir_fd=folder)
                continue
            # Pulled up instead of gone into: no depth can use up descriptors or the stack.
            pulled_up += 1
            os.chmod(inner, 0o700, dir_fd=folder)
            os.rename(inner, f"{MOVED_PREFIX}{pulled_up}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return pulled_up


def _is_folder(name: str, at: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)


MAX_FILES = 10_000

FileFacts = dict[str, str | float]


class CallResult(Record):
    """What a call brings back: files, and content of this length in pieces."""

    files: tuple[FileFacts, ...] = ()
    length: int = 0
    content: Iterable[bytes] = ()


def answer_call(stream: Stream, header: bytes) -> None:
    """Carries out the call and answers it."""
    call = json.loads(header)
    body = FrameBody(stream, stream.expect(frames.FILES))
    kind, error, found = "", "", CallResult()
    try:
        found = _run_call(call["op"], call["path"], body)
    except WorkspaceError as refused:
        kind, error = refused.kind, str(refused)
    except OSError as failed:
        kind, error = workspace.kind_of(failed), failed.strerror or str(failed)
    body.drain()
    told = {"ok": not error, "error": error, "kind": kind, "files": found.files}
    text = json.dumps(told).encode()
    head = len(text).to_bytes(4, "big") + text
    stream.send_pieces(frames.ANSWER, len(head) + found.length, chain((head,), found.content))


def _run_call(op: str, path: str, body: FrameBody) -> CallResult:
    match op:
        case "list":
            return CallResult(files=_list(path))
        case "read":
            content = workspace.read(path)
            return CallResult(length=len(content), content=(content,))
        case "write":
            workspace.write(path, body.read_all(workspace.MOST_BYTES))
        case "delete":
            workspace.delete(path)
        case "export":
            length, pieces = archive.exported()
            return CallResult(length=length, content=pieces)
        case "import":
            wipe()
            archive.unpack(body)
        case "wipe":
            wipe()
        case _:
            raise WorkspaceError("refused", f"no such call: {op!r}")
    return CallResult()


def _list(below: str) -> tuple[FileFacts, ...]:
    files: list[FileFacts] = []
    for path, status in walk(lambda _path, _why: None):
        listed = stat.S_ISREG(status.st_mode) and is_utf8(path)
        if listed and (not below or path == below or path.startswith(f"{below}/")):
            files.append({"path": path, "bytes": status.st_size, "modified": status.st_mtime})
    return tuple(sorted(files, key=lambda file: str(file["path"]))[:MAX_FILES])
