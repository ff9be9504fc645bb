"""A snippet's files as tars on their way in and out of a sandbox, and their media types."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from codex_sidecar.engine.confinement import MIB
from codex_sidecar.errors import RunnerLost
from codex_sidecar.runner.media_types import detect_media_type
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import Artifact

MAX_ARTIFACTS: Final = 64
MAX_ARTIFACT_BYTES: Final = 8 << 20


def pack_files(files: Mapping[str, str], *, room_mb: int) -> bytes:
    """Pack a snippet's files as a tar, empty for none; `BadRequest` where they do not fit."""
    if not files:
        return b""
    contents = {name: base64.b64decode(content) for name, content in files.items()}
    _require_room(contents, room_mb)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def unpack_artifacts(archive: bytes) -> tuple[Artifact, ...]:
    """Unpack the regular files of a sandbox's tar; raises `RunnerLost` where it is malformed."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            return tuple(_read_artifacts(tar))
    except (tarfile.TarError, EOFError, ValueError) as odd:
        raise RunnerLost(f"the artifacts are not a readable tar: {odd}") from odd


def _require_room(contents: Mapping[str, bytes], room_mb: int) -> None:
    for name in contents:
        for parent in PurePosixPath(name).parents:
            if str(parent) in contents:
                raise BadRequest(
                    f"files: {str(parent)!r} cannot be both a file and the folder of {name!r}",
                    field="files",
                )
    size = sum(len(content) for content in contents.values())
    if size > room_mb * MIB:
        raise BadRequest(
            f"files hold {size} bytes, and limits.workspace_mb is {room_mb}", field="files"
        )


def _read_artifacts(tar: tarfile.TarFile) -> Iterator[Artifact]:
    left, count = MAX_ARTIFACT_BYTES, 0
    for member in tar:
        left, count = left - member.size, count + 1
        if not member.isfile() or left < 0 or count > MAX_ARTIFACTS or not _is_inside(member.name):
            raise ValueError(f"member {count} is not one that was asked for")
        source = tar.extractfile(member)
        content = source.read() if source else b""
        yield Artifact(
            path=member.name,
            media_type=detect_media_type(member.name, content),
            bytes=len(content),
            base64=base64.b64encode(content).decode(),
        )


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts
