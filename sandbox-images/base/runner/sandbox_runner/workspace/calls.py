"""Calls about the workspace between snippets: list, read, write, delete, export, import, wipe."""

import json
import stat
from collections.abc import Iterable
from itertools import chain

from sandbox_runner import stream as frames
from sandbox_runner.record import Record
from sandbox_runner.stream import Stream
from sandbox_runner.workspace import archive
from sandbox_runner.workspace import files as workspace
from sandbox_runner.workspace.archive import Body
from sandbox_runner.workspace.files import Refused
from sandbox_runner.workspace.walk import is_utf8, walk
from sandbox_runner.workspace.wiping import wipe

MOST_FILES = 10_000

Facts = dict[str, str | float]


class Found(Record):
    """What a call brings back: files, and content of this length in pieces."""

    files: tuple[Facts, ...] = ()
    length: int = 0
    content: Iterable[bytes] = ()


def answer(stream: Stream, header: bytes) -> None:
    """Carries out the call and answers it."""
    call = json.loads(header)
    body = Body(stream, stream.expect(frames.FILES))
    kind, error, found = "", "", Found()
    try:
        found = _carry_out(call["op"], call["path"], body)
    except Refused as refused:
        kind, error = refused.kind, str(refused)
    except OSError as failed:
        kind, error = workspace.kind_of(failed), failed.strerror or str(failed)
    body.drain()
    told = {"ok": not error, "error": error, "kind": kind, "files": found.files}
    text = json.dumps(told).encode()
    head = len(text).to_bytes(4, "big") + text
    stream.send_pieces(frames.ANSWER, len(head) + found.length, chain((head,), found.content))


def _carry_out(op: str, path: str, body: Body) -> Found:
    match op:
        case "list":
            return Found(files=_list(path))
        case "read":
            content = workspace.read(path)
            return Found(length=len(content), content=(content,))
        case "write":
            workspace.write(path, body.read_all(workspace.MOST_BYTES))
        case "delete":
            workspace.delete(path)
        case "export":
            length, pieces = archive.exported()
            return Found(length=length, content=pieces)
        case "import":
            wipe()
            archive.unpack(body)
        case "wipe":
            wipe()
        case _:
            raise Refused("refused", f"no such call: {op!r}")
    return Found()


def _list(below: str) -> tuple[Facts, ...]:
    files: list[Facts] = []
    for path, status in walk(lambda _path, _why: None):
        listed = stat.S_ISREG(status.st_mode) and is_utf8(path)
        if listed and (not below or path == below or path.startswith(f"{below}/")):
            files.append({"path": path, "bytes": status.st_size, "modified": status.st_mtime})
    return tuple(sorted(files, key=lambda file: str(file["path"]))[:MOST_FILES])
