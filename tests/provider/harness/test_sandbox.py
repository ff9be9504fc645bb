"""What LiteLLM's agents rely on: our sandbox does it as LiteLLM's own two do."""

from __future__ import annotations

import asyncio
import hashlib
import importlib

import pytest

from mini_agent.provider.harness.sandbox import SidecarSandbox
from tests.provider.harness.conftest import Harnessed

pytestmark = pytest.mark.docker


def protocols() -> tuple[type, type, type[Exception]]:
    base = importlib.import_module("litellm.harness.sandbox.base")
    errors = importlib.import_module("litellm.harness.errors")
    return base.Sandbox, base.Process, errors.SandboxError


async def test_it_is_a_sandbox_whose_commands_are_processes(box: Harnessed) -> None:
    sandbox, process, _ = protocols()
    assert isinstance(box, sandbox)
    running = await box.exec(["true"])
    assert isinstance(running, process)
    assert await running.wait() == 0


async def test_a_command_is_run_as_it_is_given(box: Harnessed) -> None:
    await box.write("a dir/f", b"")
    words = [
        "sh",
        "-c",
        'pwd; printf "%s|" "$A" "$@"; echo no >&2; exit 3',
        "sh",
        "a b",
        "$HOME",
        "",
    ]
    done = await box.run(words, env={"A": "x'y z"}, cwd="a dir")
    assert (done.stdout, done.stderr, done.exit_code) == (
        f"{box.workdir}/a dir\nx'y z|a b|$HOME||",
        "no\n",
        3,
    )


async def test_a_command_that_takes_too_long_is_an_error_and_the_files_stay(
    box: Harnessed,
) -> None:
    await box.write("f", b"x")
    with pytest.raises(protocols()[2], match=r"timed out after 0\.5s: sleep"):
        await box.run(["sleep", "60"], timeout=0.5)
    assert await box.read("f") == b"x"


async def test_files_go_in_and_out_as_they_are(box: Harnessed) -> None:
    content = bytes(range(256)) * 100
    await box.write("a/b/c", content)
    await box.write(f"{box.workdir}/d", b"")
    assert await box.read(f"{box.workdir}/a/b/c") == content
    assert await box.read("./a/../d") == b""
    assert (await box.run(["wc", "-c", "a/b/c"])).stdout == "25600 a/b/c\n"


async def test_a_file_that_is_not_there_is_litellms_error(box: Harnessed) -> None:
    with pytest.raises(protocols()[2], match="nothing"):
        await box.read("nothing")


async def test_a_snapshot_is_the_digest_of_each_file_that_counts(box: Harnessed) -> None:
    assert await box.snapshot() == {}
    await box.write("a/b", b"one")
    await box.write("é f", b"")
    await box.write(".git/config", b"x")
    await box.write("a/node_modules/x", b"x")
    assert await box.snapshot() == {
        "a/b": hashlib.sha256(b"one").hexdigest(),
        "é f": hashlib.sha256(b"").hexdigest(),
    }


async def test_a_temporary_folder_is_no_part_of_the_work(box: Harnessed) -> None:
    before = await box.snapshot()
    folder = await box.tempdir()
    assert await box.tempdir() != folder
    await box.write(f"{folder}/f", b"x")
    assert (await box.run(["cat", f"{folder}/f"])).stdout == "x"
    assert await box.snapshot() == before


async def test_programs_are_found(box: Harnessed) -> None:
    assert str(await box.which("sh")).endswith("/sh")
    assert await box.which("no-such-program") is None


async def test_output_is_read_while_a_command_runs_and_it_can_be_killed(box: Harnessed) -> None:
    process = await box.exec(["sh", "-c", "echo one; echo two >&2; exec sleep 60"])
    read = asyncio.create_task(process.stdout.read())
    await asyncio.sleep(2)
    assert not read.done()
    async with asyncio.timeout(40):
        await process.kill()
    assert (await read, await process.stderr.read()) == (b"one\n", b"two\n")


async def test_a_closed_sandbox_says_so(box: Harnessed) -> None:
    await box.close()
    await box.close()
    with pytest.raises(protocols()[2], match="closed"):
        await box.exec(["true"])


async def test_an_empty_command_says_so(box: Harnessed) -> None:
    with pytest.raises(protocols()[2], match=r"non-empty|empty"):
        await box.run([])


async def test_commands_at_the_same_time_share_one_session(ours: SidecarSandbox) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(ours.run(["sh", "-c", "echo >> f"])) for _ in range(3)]
    assert [call.result().exit_code for call in calls] == [0, 0, 0]
    assert await ours.read("f") == b"\n\n\n"
