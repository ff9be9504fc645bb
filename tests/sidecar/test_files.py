"""Tars in and out: only what was meant to be in them."""

from __future__ import annotations

import base64
import io
import tarfile

import pytest

from codex_sidecar.errors import RunnerLost
from codex_sidecar.runner.files import pack_files, unpack_artifacts


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


def test_what_is_packed_can_be_unpacked() -> None:
    files = {"a/é.txt": base64.b64encode(b"one").decode(), "b": ""}
    packed = pack_files(files, room_mb=1)
    assert {file.path: file.base64 for file in unpack_artifacts(packed)} == files


def test_no_files_are_no_tar() -> None:
    assert pack_files({}, room_mb=1) == b""


@pytest.mark.parametrize(
    "archive",
    [
        b"not a tar at all",
        tar_of((tarfile.TarInfo("../up"), b"")),
        tar_of((tarfile.TarInfo("/root"), b"")),
        tar_of((link("link"), b"")),
        tar_of(*((tarfile.TarInfo(str(number)), b"") for number in range(65))),
        tar_of((tarfile.TarInfo("large"), bytes((8 << 20) + 1))),
        tar_of((tarfile.TarInfo("cut"), bytes(5000)))[:2000],
    ],
    ids=["noise", "parent", "absolute", "link", "count", "size", "cut"],
)
def test_a_tar_that_holds_anything_else_is_not_believed(archive: bytes) -> None:
    with pytest.raises(RunnerLost, match="artifacts"):
        unpack_artifacts(archive)
