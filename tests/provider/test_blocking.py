"""Coroutines for plain code: one private loop thread, whoever calls."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mini_agent.agent.sync import run_blocking
from mini_agent.errors import MiniAgentError
from mini_agent.messages import user
from mini_agent.model import ModelRequest
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.testing import ScriptedServer

RUNS = 30


async def thread_name() -> str:
    return threading.current_thread().name


async def nested() -> str:
    return run_blocking(thread_name())


def ask(address: str) -> str:
    request = ModelRequest("ollama/m", [user("hi")], [], timeout_s=60)
    return run_blocking(LiteLLMModel(ollama_address=address).reply(request)).text


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_work_is_done_on_the_private_thread() -> None:
    assert run_blocking(thread_name()) == "mini-agent-loop"


async def test_it_works_inside_a_running_loop() -> None:
    assert run_blocking(thread_name()) == "mini-agent-loop"


def test_all_threads_share_one_loop() -> None:
    async def loop_id() -> int:
        return id(asyncio.get_running_loop())

    with ThreadPoolExecutor(8) as pool:
        homes = set(pool.map(lambda _: run_blocking(loop_id()), range(32)))
    assert len(homes) == 1


def test_what_the_work_raises_is_raised_to_the_caller() -> None:
    async def fails() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        run_blocking(fails())


def test_waiting_on_the_private_thread_itself_is_refused_not_a_deadlock() -> None:
    with pytest.raises(MiniAgentError, match="cannot wait for another run"):
        run_blocking(nested())


def test_an_interrupt_cancels_the_work_and_waits_for_its_cleanup() -> None:
    heard: list[str] = []

    async def long_work() -> None:
        # Whoever called has to be waiting by then.
        asyncio.get_running_loop().call_later(0.3, signal.pthread_kill, main, signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            heard.append("cleaned up")

    main = threading.get_ident()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_blocking(long_work())
    assert heard == ["cleaned up"]
    assert time.monotonic() - started < 15


def test_thirty_runs_leak_no_sockets_and_no_threads() -> None:
    with ScriptedServer(["hey"], repeat_last=True) as server:
        ask(server.url)
        files, threads = open_files(), threading.active_count()
        for _ in range(RUNS):
            ask(server.url)
        assert open_files() <= files + 2
        assert threading.active_count() <= threads + 2


def test_a_program_that_ran_an_agent_ends_in_silence() -> None:
    program = """
import sys
from mini_agent.agent.sync import run_blocking
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.messages import user
from mini_agent.model import ModelRequest
model = LiteLLMModel(ollama_address=sys.argv[1])
for _ in range(3):
    print(run_blocking(model.reply(ModelRequest("ollama/m", [user("hi")], [], timeout_s=60))).text)
"""
    with ScriptedServer(["hey"], repeat_last=True) as server:
        ran = subprocess.run(
            [sys.executable, "-W", "default", "-c", program, server.url],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env={**os.environ, "LITELLM_MODE": "PRODUCTION"},
        )
    complaints = [line for line in ran.stderr.splitlines() if "site-packages" not in line]
    assert (ran.stdout, complaints, ran.returncode) == ("hey\nhey\nhey\n", [], 0)


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    program = """
import os
from mini_agent.agent.sync import run_blocking
async def pid():
    return os.getpid()
run_blocking(pid())
child = os.fork()
if child == 0:
    os._exit(0 if run_blocking(pid()) == os.getpid() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    ran = subprocess.run([sys.executable, "-c", program], timeout=150, check=False)
    assert ran.returncode == 0
