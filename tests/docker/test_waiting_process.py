"""The process that waits for a program: it is the program's own, or out of its way."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from mini_agent.sandbox import SidecarSession
from tests.docker.session_runs import ran
from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker

# Longer than the runner waits before it makes another process ready.
PAUSE_S = 1.5
SEEN = """import os
print(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()) == [1, os.getpid()])
"""
KILLS_ALL = "import os, signal\ntry: os.kill(-1, signal.SIGKILL)\nexcept ProcessLookupError: pass"


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
async def test_a_program_is_alone_with_the_runner(
    client: httpx.AsyncClient, isolation: str
) -> None:
    alone = await execute(client, "python", SEEN, isolation=isolation)
    assert alone.stdout == "True\n"


@pytest.mark.parametrize("isolation", ["fork", "spawn"])
async def test_it_gets_the_programs_input_arguments_and_variables(
    client: httpx.AsyncClient, isolation: str
) -> None:
    long = "x" * 100_000
    code = "import os, sys; print(sys.argv[1:], input(), len(os.environ['LONG']), os.getcwd())"
    told = await execute(
        client,
        "python",
        code,
        isolation=isolation,
        stdin="hello\n",
        args=["a b", "ü"],
        env={"LONG": long},
    )
    assert told.stdout == "['a b', 'ü'] hello 100000 /workspace\n"


async def test_each_snippet_of_a_session_gets_a_new_one(session: SidecarSession) -> None:
    pids = []
    for _ in range(3):
        pids.append((await ran(session, "import os; print(os.getpid())")).stdout)
        await asyncio.sleep(PAUSE_S)
    assert len(set(pids)) == 3


async def test_modules_that_appear_while_it_waits_are_found(session: SidecarSession) -> None:
    await ran(session, "print(1)")
    await asyncio.sleep(PAUSE_S)
    await session.write("json.py", b"said = 'ours'")
    await session.write("beside.py", b"said = 'too'")
    after = await ran(session, "import beside, json; print(json.said, beside.said)")
    assert after.stdout == "ours too\n"


async def test_it_may_be_killed_while_it_waits(session: SidecarSession) -> None:
    await ran(session, "x = 1", stateful=True)
    await asyncio.sleep(PAUSE_S)
    await ran(session, KILLS_ALL, stateful=True)
    after = await ran(session, "print('alive')")
    assert after.stdout == "alive\n"
