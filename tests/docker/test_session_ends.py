"""How snippets and sessions end, and what is left of the workspace then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mini_agent.errors import SessionOver
from mini_agent.sandbox import (
    Execution,
    Language,
    Limits,
    SidecarClient,
    SidecarSession,
    Snippet,
)
from tests.docker.session_runs import ran, running, workspace
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    docker,
    sidecar,
)

pytestmark = pytest.mark.docker


async def test_an_interrupt_ends_the_snippet_and_leaves_variables_and_files(
    session: SidecarSession,
) -> None:
    await ran(session, "x = 5; open('f', 'w').write('kept')", stateful=True)
    code = "import time\nprint('on')\ntime.sleep(60)"
    async with running(session, code, "python", stateful=True) as items:
        await session.interrupt()
        *_, interrupted = [item async for item in items]
    assert isinstance(interrupted, Execution)
    assert interrupted.status != "ok"
    assert "KeyboardInterrupt" in interrupted.stderr
    after = await ran(session, "print(x, open('f').read())", stateful=True)
    assert after.stdout == "5 kept\n"


@pytest.mark.parametrize("language", ["python", "bash", "node"])
async def test_a_deadline_ends_the_snippet_and_not_the_session(
    session: SidecarSession, language: Language
) -> None:
    await session.write("f", b"kept")
    endless = {"python": "while True: pass", "bash": "sleep 60", "node": "for (;;) {}"}[language]
    late = await session.run(Snippet(language=language, code=endless, limits=Limits(timeout_s=0.5)))
    assert (late.status, late.exit_code) == ("timeout", 124)
    after = await ran(session, "cat f", "bash")
    assert (after.stdout, workspace(after)) == ("kept", "kept")


async def test_a_flood_ends_the_snippet_and_not_the_session(session: SidecarSession) -> None:
    await session.write("f", b"kept")
    flood = await ran(session, "yes", "bash")
    assert (flood.status, flood.truncated.stdout) == ("output_limit", True)
    after = await ran(session, "cat f", "bash")
    assert (after.stdout, workspace(after)) == ("kept", "kept")


async def test_running_out_of_memory_ends_the_snippet_and_not_the_session(
    session: SidecarSession,
) -> None:
    await session.write("f", b"kept")
    starved = await ran(session, "x = bytearray(900 << 20)")
    assert starved.status == "oom"
    after = await ran(session, "print(open('f').read())")
    assert (after.stdout, workspace(after)) == ("kept\n", "kept")


async def test_a_sandbox_that_is_killed_from_outside_is_replaced_and_the_loss_is_told(
    real: Sidecar, session: SidecarSession
) -> None:
    await session.write("f", b"lost")
    await ran(session, "x = 1", stateful=True)
    for container in await real.containers():
        await docker("kill", container)
    after = await ran(session, "import os\nprint(os.listdir('.'), 'x' in dir())", stateful=True)
    assert after.session is not None
    assert (after.session.workspace, after.session.python) == ("lost", "lost")
    assert "'f'" not in after.stdout
    assert after.stdout.endswith("False\n")
    assert workspace(await ran(session, "1")) == "kept"


async def test_a_closed_session_is_over_for_whoever_still_runs_in_it(
    real: Sidecar, sandboxes: SidecarClient
) -> None:
    session = await sandboxes.open_session()
    async with running(session, "echo on; sleep 60", "bash") as items:
        await session.aclose()
        with pytest.raises(SessionOver):
            await anext(items)
    with pytest.raises(SessionOver):
        await session.files()


async def test_a_caller_who_leaves_takes_the_snippet_along_but_not_the_workspace(
    session: SidecarSession,
) -> None:
    await session.write("f", b"kept")
    async with running(session, "echo on; sleep 60", "bash"):
        pass
    async with asyncio.timeout(30):
        after = await ran(session, "cat f; ps -e | grep -c sleep; true", "bash")
    assert (after.stdout, workspace(after)) == ("kept0\n", "kept")


async def test_a_snippet_that_will_not_go_is_killed_with_its_sandbox(
    session: SidecarSession,
) -> None:
    await session.write("f", b"lost")
    async with running(session, "trap '' INT; echo on; while :; do sleep 1; done", "bash"):
        pass
    async with asyncio.timeout(40):
        after = await ran(session, "ls", "bash")
    assert (workspace(after), after.stdout) == ("lost", "")


async def test_a_caller_who_leaves_a_compiler_at_work_leaves_the_workspace_too(
    session: SidecarSession,
) -> None:
    await session.write("f", b"kept")
    await ran(session, 'fn main() { println!("warm") }', "rust")
    lines = "".join(
        f"fn f{n}(x: u64) -> u64 {{ x.rotate_left({n % 60}) }}\n" for n in range(20_000)
    )
    leaving = asyncio.create_task(ran(session, f"{lines}fn main() {{}}", "rust"))
    await asyncio.sleep(0.4)
    leaving.cancel()
    async with asyncio.timeout(15):
        after = await ran(
            session, 'fn main() { print!("{}", std::fs::metadata("f").is_ok()) }', "rust"
        )
    assert (after.stdout, workspace(after)) == ("true", "kept")


async def test_a_sidecar_that_is_told_to_stop_leaves_no_session_behind(tmp_path: Path) -> None:
    with sidecar(tmp_path) as stopped:
        async with SidecarClient(stopped.url, TOKEN) as client:
            session = await client.open_session()
            await ran(session, "1")
            assert len(await stopped.containers()) == 1
            stopped.process.terminate()
            await stopped.ended()
        assert await stopped.containers() == []
