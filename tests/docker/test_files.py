"""Files into a sandbox, and out of it again."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def test_files_go_in_and_matching_files_come_back(client: httpx.AsyncClient) -> None:
    content = bytes(range(256)) * 1000
    ran = await execute(
        client,
        "python",
        "open('out/b.bin', 'wb').write(open('in/a.bin', 'rb').read()[::-1])\nopen('c.txt', 'w')",
        files={"in/a.bin": encoded(content), "out/keep": encoded(b"")},
        artifacts=["out/*.bin", "**/*.txt"],
    )
    assert {file.path: base64.b64decode(file.base64) for file in ran.artifacts} == {
        "out/b.bin": content[::-1],
        "c.txt": b"",
    }


async def test_what_is_no_ordinary_file_stays_behind_with_its_reason(
    client: httpx.AsyncClient,
) -> None:
    code = (
        "ln -s /etc/passwd link.out; mkfifo pipe.out; truncate -s 60M sparse.out\n"
        "head -c 9M /dev/zero >large.out; echo locked >locked.out; chmod 0 locked.out\n"
        "echo fine >fine.out; mkdir folder.out; touch \"$(printf 'bad\\xff').out\""
    )
    ran = await execute(client, "bash", code, artifacts=["*.out"])
    assert ran.stderr == ""
    assert [file.path for file in ran.artifacts] == ["fine.out"]
    assert sorted(ran.artifacts_skipped) == [
        "bad\\xff.out: its name is not UTF-8",
        "large.out: more than 8388608 bytes in all",
        "link.out: a symbolic link",
        "locked.out: Permission denied",
        "pipe.out: not a regular file",
        "sparse.out: a sparse file",
    ]


async def test_no_more_files_come_back_than_are_allowed(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "bash", "touch {1..5000}.txt", artifacts=["*.txt"])
    assert len(ran.artifacts) == 64
    assert ran.artifacts_skipped[-1] == "more files were skipped"


async def test_a_snippets_own_modules_can_be_imported(client: httpx.AsyncClient) -> None:
    files = {"pkg/__init__.py": encoded(b""), "pkg/mod.py": encoded(b"name = __name__")}
    ran = await execute(client, "python", "from pkg import mod\nprint(mod.name)", files=files)
    assert ran.stdout == "pkg.mod\n"


async def test_other_go_files_are_part_of_the_program(client: httpx.AsyncClient) -> None:
    files = {"more.go": encoded(b'package main\nconst word = "both"')}
    ran = await execute(client, "go", "package main\nfunc main() { println(word) }", files=files)
    assert ran.stderr == "both\n"
