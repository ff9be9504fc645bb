"""What our sandbox does not do, in words that say what to do instead."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest

from mini_agent.provider.harness.sandbox import SidecarSandbox
from mini_agent.sandbox import Limits, SidecarClient
from tests.docker.sidecar_process import TOKEN, Sidecar, docker

pytestmark = pytest.mark.docker


def sandbox_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("litellm.harness.errors").SandboxError
    return error


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda box: box.read("/etc/passwd"), "'/etc/passwd' is outside of /workspace"),
        (lambda box: box.write("../../x", b""), r"'\.\./\.\./x' is outside of /workspace"),
        (lambda box: box.read("/workspace"), "'/workspace' is outside of"),
        (lambda box: box.write("x\ny", b""), "holds a control character"),
        (lambda box: box.run(["echo", "a\0b"]), "holds a NUL byte"),
        (lambda box: box.run(["true"], env={"A=B": "c"}), "'A=B' cannot be the name of an env"),
        (lambda box: box.write("f", b"x" * (65 << 20)), "larger than 67108864 bytes"),
    ],
)
async def test_what_cannot_be_is_refused(
    ours: SidecarSandbox, use: Callable[[SidecarSandbox], Awaitable[object]], words: str
) -> None:
    with pytest.raises(sandbox_error(), match=words):
        await use(ours)


def test_nothing_in_it_reaches_this_machine() -> None:
    with pytest.raises(sandbox_error(), match=r"port 80 .* no network; use Harness\.TOOL_LOOP"):
        SidecarSandbox("http://127.0.0.1:1").host_url(80)


async def test_a_command_that_is_not_there_or_cannot_be_run_is_its_own_failure(
    ours: SidecarSandbox,
) -> None:
    done = await ours.run(["no-such-program"])
    assert (done.exit_code, "not found" in done.stderr) == (127, True)
    assert (await ours.run(["true"], cwd="nowhere")).exit_code == 1


async def test_a_command_that_needs_too_much_memory_says_so(real: Sidecar) -> None:
    async with SidecarSandbox(real.url, TOKEN, limits=Limits(memory_mb=128)) as box:
        done = await box.run(["python3", "-c", "b'x' * 10**9"])
    assert done.exit_code == 137
    assert done.stderr.endswith("[ended: it needed more than the 128 MiB it may use]\n")


async def test_lost_files_are_told_once(real: Sidecar, ours: SidecarSandbox) -> None:
    await ours.write("f", b"")
    (container,) = await real.containers()
    await docker("kill", container)
    lost = [await ours.run(["ls"]) for _ in range(2)]
    note = "[the files of before are lost: the container that held them was ended]\n"
    assert [(done.stdout, done.stderr) for done in lost] == [("", note), ("", "")]


async def test_a_session_that_is_over_is_litellms_error(
    real: Sidecar, ours: SidecarSandbox
) -> None:
    await ours.run(["true"])
    assert ours.session_id is not None
    async with SidecarClient(real.url, TOKEN) as client:
        await client.session(ours.session_id).aclose()
    with pytest.raises(sandbox_error(), match="there is no session"):
        await ours.run(["true"])
    process = await ours.exec(["true"])
    with pytest.raises(sandbox_error(), match="there is no session"):
        await process.stdout.read()
    with pytest.raises(sandbox_error(), match="there is no session"):
        await process.wait()


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("http://127.0.0.1:1", TOKEN, "the sidecar at http://127.0.0.1:1 does not answer"),
        ("", "wrong", "the token is missing or wrong"),
    ],
)
async def test_a_sidecar_that_is_away_or_refuses_is_litellms_error(
    real: Sidecar, url: str, token: str, words: str
) -> None:
    box = SidecarSandbox(url or real.url, token)
    with pytest.raises(sandbox_error(), match=words):
        await box.run(["true"])
    await box.close()


async def test_closing_leaves_no_container(real: Sidecar) -> None:
    async with SidecarSandbox(real.url, TOKEN) as box:
        await box.exec(["sleep", "60"])
        await asyncio.sleep(0.5)
        assert len(await real.containers()) == 1
    async with asyncio.timeout(40):
        while await real.containers():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.05)


def test_it_is_used_and_refuses_without_litellm() -> None:
    program = (
        "import asyncio, sys\n"
        "from mini_agent.errors import SandboxError\n"
        "from mini_agent.provider.harness.sandbox import SidecarSandbox\n"
        "try:\n"
        "    asyncio.run(SidecarSandbox('http://127.0.0.1:1').read('/etc/passwd'))\n"
        "except SandboxError as error:\n"
        "    print(error, 'litellm' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert ran.stdout.endswith("False\n")
