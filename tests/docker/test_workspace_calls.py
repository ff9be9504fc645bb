"""Calls about the workspace between snippets, whatever a snippet has made of it."""

from __future__ import annotations

import pytest

from tests.docker.runner_client import names_in, open_runner

pytestmark = pytest.mark.docker


async def test_a_file_is_written_read_listed_and_deleted() -> None:
    async with open_runner() as runner:
        assert (await runner.call("write", "a/b.bin", bytes(range(256)))).ok
        assert (await runner.call("read", "a/b.bin")).content == bytes(range(256))
        (listed,) = (await runner.call("list")).files
        assert (listed.path, listed.bytes) == ("a/b.bin", 256)
        assert (await runner.call("delete", "a/b.bin")).ok
        assert (await runner.call("list")).files == ()


@pytest.mark.parametrize(
    ("made", "path", "kind"),
    [
        ("pass", "none.txt", "missing"),
        ("os.mkdir('d')", "d", "not_a_file"),
        ("os.mkfifo('p')", "p", "not_a_file"),
        ("os.symlink('/etc/passwd', 'l')", "l", "not_a_file"),
        ("os.symlink('/etc', 'e')", "e/passwd", "not_a_file"),
        ("os.chmod(os.open('m', 66), 0)", "m", "denied"),
        ("pass", "../etc/passwd", "refused"),
        ("pass", "/etc/passwd", "refused"),
        ("pass", "a//b", "refused"),
    ],
)
async def test_nothing_but_a_regular_file_of_the_workspace_is_read(
    made: str, path: str, kind: str
) -> None:
    async with open_runner() as runner:
        await runner.run(f"import os\n{made}")
        answer = await runner.call("read", path)
    assert (answer.ok, answer.kind, answer.content) == (False, kind, b"")


async def test_a_file_that_is_read_only_is_not_written_over() -> None:
    async with open_runner() as runner:
        await runner.run("import os\nopen('kept', 'w').write('old')\nos.chmod('kept', 0o444)")
        answer = await runner.call("write", "kept", b"new")
        assert (answer.ok, answer.kind) == (False, "denied")
        assert (await runner.call("read", "kept")).content == b"old"


async def test_a_script_can_be_run_and_a_file_that_is_there_keeps_its_permissions() -> None:
    mode = "import os, sys\nprint([oct(os.stat(name).st_mode) for name in ('run', 'text', 'own')])"
    async with open_runner() as runner:
        await runner.run("import os\nos.close(os.open('own', 66, 0o600))")
        for name, content in (("run", b"#!/bin/sh\n"), ("text", b"#"), ("own", b"secret")):
            assert (await runner.call("write", name, content)).ok
        assert (await runner.run(mode)).stdout == "['0o100755', '0o100644', '0o100600']\n"


async def test_a_file_takes_the_place_of_a_link_and_does_not_go_where_it_leads() -> None:
    async with open_runner() as runner:
        await runner.run("import os\nopen('kept', 'w').write('old')\nos.symlink('kept', 'link')")
        assert (await runner.call("write", "link", b"new")).ok
        assert (await runner.call("read", "kept")).content == b"old"
        assert (await runner.call("read", "link")).content == b"new"


async def test_a_file_is_not_written_through_a_folder_that_is_a_link() -> None:
    async with open_runner() as runner:
        await runner.run("import os\nos.symlink('/tmp', 'out')")
        assert (await runner.call("write", "out/x", b"1")).kind == "not_a_file"


async def test_a_full_workspace_says_so_and_keeps_the_old_file() -> None:
    fill = (
        "f = open('fill', 'wb')\ntry:\n    while True: f.write(bytes(1 << 20))\nexcept OSError: 0"
    )
    async with open_runner() as runner:
        await runner.call("write", "mine", b"old")
        await runner.run(fill)
        assert (await runner.call("write", "mine", bytes(1 << 20))).kind == "no_space"
        assert (await runner.call("read", "mine")).content == b"old"


async def test_a_workspace_moves_to_another_sandbox_without_what_leaves_it() -> None:
    code = (
        "import os\nos.makedirs('d/e')\nopen('d/e/f.txt', 'w').write('content')\n"
        "os.symlink('f.txt', 'd/e/inside')\nos.symlink('/etc/passwd', 'outside')\n"
        "os.symlink('../../etc', 'd/up')\nos.mkfifo('pipe')\nos.mkdir('empty')\n"
        "os.chmod(os.open('locked', os.O_CREAT), 0)"
    )
    async with open_runner() as old, open_runner() as new:
        await old.run(code)
        exported = await old.call("export")
        await new.call("write", "stale.txt", b"gone afterwards")
        assert (await new.call("import", content=exported.content)).ok
        moved = await new.run("print(open('d/e/inside').read())")
        assert moved.stdout == "content\n"
        again = names_in((await new.call("export")).content)
    assert again == ["d", "d/e", "d/e/f.txt", "d/e/inside", "empty"]


async def test_an_archive_that_is_none_is_refused_and_the_talk_goes_on() -> None:
    async with open_runner() as runner:
        answer = await runner.call("import", content=b"no tar" * 1000)
        assert (answer.ok, answer.kind) == (False, "refused")
        assert (await runner.call("list")).files == ()


@pytest.mark.parametrize(
    "made",
    [
        "os.makedirs('a/b')\nopen('a/b/c', 'w')\nos.chmod('a/b', 0)\nos.chmod('a', 0)",
        "for _ in range(2000):\n    os.mkdir('deep')\n    os.chdir('deep')",
        "for n in range(10_000): open(str(n), 'w')",
        "os.mkfifo('p')\nos.symlink('.', 'loop')\nopen(b'bad\\xff', 'w')\nopen('n' * 255, 'w')",
    ],
)
async def test_a_wiped_workspace_is_empty_whatever_was_in_it(made: str) -> None:
    async with open_runner() as runner:
        assert (await runner.run(f"import os\n{made}")).end.exit_code == 0
        assert (await runner.call("wipe")).ok
        assert (await runner.run("import os\nprint(os.listdir())")).stdout == "[]\n"


async def test_no_more_than_ten_thousand_files_are_listed() -> None:
    async with open_runner() as runner:
        await runner.run("for n in range(12_000): open(str(n), 'w')")
        assert len((await runner.call("list")).files) == 10_000
