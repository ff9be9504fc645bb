"""The runner, spoken to frame by frame."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest

from codex_sidecar import frames
from codex_sidecar.catalog import DEFAULTS, Catalog
from codex_sidecar.confinement import Confinement
from codex_sidecar.container import Container
from codex_sidecar.conversation import Conversation, Order, Result
from codex_sidecar.engine import Engine
from codex_sidecar.errors import RunnerLost
from codex_sidecar.limits import Host, settle
from mini_agent.sandbox import Language, Limits, Snippet

pytestmark = pytest.mark.docker

NONCE = secrets.token_bytes(16)


@pytest.fixture
async def engine_api() -> AsyncIterator[Engine]:
    connected = Engine("/var/run/docker.sock")
    yield connected
    await connected.aclose()


def container(engine: Engine, language: Language = "python", lifetime_s: float = 60) -> Container:
    confinement = Confinement(
        image=Catalog("mini-agent/sandbox-", "local").image(language),
        runtime="runc",
        uid=100_000 + secrets.randbelow(1_000_000),
        limits=settle(Limits(), DEFAULTS[language], Host(cpus=2, memory_mb=4000)),
        instance=f"runner-{secrets.token_hex(4)}",
        deadline=int(time.time() + 100),
        lifetime_s=lifetime_s,
    )
    return Container(engine, f"mini-agent-test-{secrets.token_hex(8)}", confinement)


@pytest.fixture
async def started(engine_api: Engine) -> AsyncIterator[Container]:
    sandbox = container(engine_api)
    try:
        await sandbox.start()
        yield sandbox
    finally:
        await sandbox.remove()


async def ran(sandbox: Container, code: str) -> Conversation:
    heard = await sandbox.run(Snippet(language="python", code=code), b"")
    assert heard.result is not None
    return heard


async def test_one_runner_serves_snippet_after_snippet_with_nothing_alive_between(
    started: Container,
) -> None:
    first = await ran(
        started,
        "import json, subprocess\njson.dumps = None\nx = 1\n"
        "subprocess.Popen(['sleep', '77'], start_new_session=True)\nprint('one')",
    )
    second = await ran(
        started,
        "import json, pathlib\nprint('x' in dir(), json.dumps([]))\n"
        "print(sorted(path.parent.name for path in pathlib.Path('/proc').glob('[0-9]*/cmdline')"
        " if b'sleep' in path.read_bytes()))",
    )
    assert first.stdout.text() == "one\n"
    assert second.stdout.text() == "False []\n[]\n"


async def test_output_arrives_while_the_snippet_runs(started: Container) -> None:
    await order(started, "import time\nprint('now')\ntime.sleep(1)", timeout_s=5)
    assert (await started.receive(NONCE)).kind == frames.RUNNING
    async with asyncio.timeout(0.9):
        assert (await started.receive(NONCE)).body == b"now\n"


async def test_the_runner_keeps_the_deadline_where_nobody_outside_does(
    started: Container,
) -> None:
    await order(started, "while True: pass", timeout_s=0.1)
    assert (await started.receive(NONCE)).kind == frames.RUNNING
    result = Result.model_validate_json((await started.receive(NONCE)).body)
    assert (result.late, result.signal) == (True, 9)


async def test_a_snippet_does_not_know_its_nonce(started: Container) -> None:
    # Each half alone is no nonce: only the runner could have left the whole in this memory.
    code = (
        f"first, second = bytes({list(NONCE[:8])}), bytes({list(NONCE[8:])})\nfound = 0\n"
        "for line in open('/proc/self/maps').readlines():\n"
        "    start, end = (int(part, 16) for part in line.split()[0].split('-'))\n"
        "    if ' rw' in line:\n"
        "        with open('/proc/self/mem', 'rb', 0) as memory:\n"
        "            memory.seek(start)\n            content = memory.read(end - start)\n"
        "        for place in range(content.count(first)):\n"
        "            at = content.index(first)\n"
        "            found += content[at + 8 : at + 16] == second\n"
        "            content = content[at + 8 :]\n"
        "print('found', found)"
    )
    await order(started, code, timeout_s=5)
    assert (await started.receive(NONCE)).kind == frames.RUNNING
    assert (await started.receive(NONCE)).body == b"found 0\n"


async def test_a_runner_dies_by_itself_at_the_end_of_its_life(engine_api: Engine) -> None:
    sandbox = container(engine_api, lifetime_s=0.5)
    try:
        await sandbox.start()
        with pytest.raises(RunnerLost):
            await sandbox.receive(b"")
        assert not (await engine_api.inspect(sandbox.name)).state.running
    finally:
        await sandbox.remove()


async def order(sandbox: Container, code: str, timeout_s: float) -> None:
    wanted = Order(
        language="python", code=code, stdin="", args=(), env={}, timeout_s=timeout_s, artifacts=()
    )
    await sandbox.send(frames.SNIPPET, wanted.model_dump_json().encode())
    await sandbox.send(frames.FILES, b"")
    await sandbox.send(frames.GO, NONCE)
