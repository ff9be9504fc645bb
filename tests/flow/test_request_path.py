"""How many of our files a prompt passes on its way into a sandbox and back."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import FrameType

import httpx
import pytest

from mini_agent.testing import ScriptedServer, call, text
from tests.house.test_files import ROOT

pytestmark = pytest.mark.docker

Flow = Callable[[ScriptedServer], AbstractAsyncContextManager[httpx.AsyncClient]]

MAX_FILES = 130
RUNNER = "sandbox-images/base/runner"
OURS = ("mini_agent/", "protocol/", "sandbox-images/", "shim/", "sidecar/")
# The test's own model server, and the task that replaces containers in the background.
NOT_ON_THE_PATH = ("mini_agent/testing/", "sidecar/codex_sidecar/pool/warmer.py")


@contextmanager
def passed_files() -> Iterator[set[str]]:
    """Yield the names of our files whose functions run while the block does, in any thread."""
    passed: set[str] = set()

    def note(frame: FrameType, event: str, arg: object) -> None:
        del arg
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(str(ROOT)) and frame.f_code.co_name != "<module>":
            passed.add(name.removeprefix(f"{ROOT}/"))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield passed
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def loaded_by_the_runner() -> set[str]:
    """Return the names of the files that each sandbox loads before its snippet."""
    program = (
        "import sys, sandbox_runner.lifecycle\n"
        "print(*(getattr(module, '__file__', None) for module in sys.modules.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT / RUNNER,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {name.removeprefix(f"{ROOT}/") for name in done.stdout.split()}
    return {name for name in names if name.startswith(OURS) and not name.endswith("/__init__.py")}


@pytest.mark.usefixtures("_closing")
async def test_a_prompt_passes_few_files_to_a_container_and_back(flow: Flow) -> None:
    script = [call("exec_python", code="print(6 * 7)"), text("It is 42.")] * 2
    prompt = {"messages": [{"role": "user", "content": "Please compute."}]}
    with ScriptedServer(script) as server:
        async with flow(server) as client:
            await client.post("/agent/run", json=prompt)
            with passed_files() as passed:
                answered = await client.post("/agent/run", json=prompt)
    assert answered.json()["final_answer"] == "It is 42."
    here = {name for name in passed if name.startswith(OURS)}
    on_the_path = {name for name in here if not name.startswith(NOT_ON_THE_PATH)}
    assert len(on_the_path | loaded_by_the_runner()) <= MAX_FILES, sorted(on_the_path)
