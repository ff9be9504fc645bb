"""OpenAI's clients, LangChain and Codex, as docs/openai.md sets them up, over real sandboxes."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import ScriptedServer, call, text
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)
from tests.flow.conftest import served
from tests.shim.openai.documented import (
    block,
    node_modules,
    printed,
    python_with_langchain,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(500)]

RUNS = call("exec_python", code="print(6 * 7)")
ONCE = [RUNS, text("It is 42.")]
TWICE = [*ONCE, *ONCE]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@asynccontextmanager
async def shim(model: ScriptedServer, real: Sidecar) -> AsyncIterator[str]:
    """The address of a shim with this model and these sandboxes."""
    settings = ShimSettings.model_validate(
        {
            "MINI_AGENT_SIDECAR_URL": real.url,
            "MINI_AGENT_SIDECAR_TOKEN": TOKEN,
            "LITELLM_DEFAULT_CODE_MODEL": "ollama/scripted",
            "OLLAMA_API_BASE": model.url,
        }
    )
    async with served(create_app(settings)) as url:
        yield url


async def require_sandboxes_used(url: str, times: int) -> None:
    """So many runs, each of which ran the program in a sandbox of its own."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        found = (await client.get("/runs")).json()["runs"]
        assert [run["state"] for run in found] == ["done"] * times
        for run in found:
            told = (await client.get(f"/runs/{run['id']}")).json()["result"]
            ran = told["iterations"][0]["tool_invocations"][0]
            assert (ran["stdout"], ran["execution"]["sandbox"]["network"]) == ("42\n", "none")


async def test_openai_for_python(real: Sidecar, tmp_path: Path) -> None:
    with ScriptedServer(TWICE) as model:
        async with shim(model, real) as url:
            script = block("python", "from openai import", url)
            said = await printed(sys.executable, "-c", script, folder=tmp_path)
            await require_sandboxes_used(url, 2)
    assert said == "It is 42.\nIt is 42."


async def test_openai_for_node(real: Sidecar, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules())
    with ScriptedServer(TWICE) as model:
        async with shim(model, real) as url:
            (tmp_path / "ask.mjs").write_text(block("js", "new OpenAI", url))
            said = await printed("node", "ask.mjs", folder=tmp_path)
            await require_sandboxes_used(url, 2)
    assert said == "It is 42.\nIt is 42."


async def test_chat_openai_of_langchain(real: Sidecar, tmp_path: Path) -> None:
    with ScriptedServer(TWICE) as model:
        async with shim(model, real) as url:
            script = block("python", "ChatOpenAI", url)
            said = await printed(python_with_langchain(), "-c", script, folder=tmp_path)
            await require_sandboxes_used(url, 2)
    assert said == "It is 42.\nIt is 42."


async def test_codex(real: Sidecar, tmp_path: Path) -> None:
    home = tmp_path / ".codex"
    home.mkdir()
    codex = node_modules() / ".bin/codex"
    # This machine's own sandbox for commands may be missing; the folder is a scratch one.
    options = ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    command = (codex, "exec", *options, "What is 6 * 7?")
    own = call("exec_command", cmd="echo seven > made.txt; cat made.txt")
    with ScriptedServer([RUNS, own, text("It is 42.")]) as model:
        async with shim(model, real) as url:
            (home / "config.toml").write_text(block("toml", "model_providers", url))
            said = await printed(*command, folder=tmp_path, CODEX_HOME=str(home))
        going_on = json.dumps(model.requests[2].messages)
    items = [json.loads(line).get("item", {}) for line in said.splitlines()]
    answers = [item["text"] for item in items if item.get("type") == "agent_message"]
    assert answers[-1] == "It is 42."
    executed = [item for item in items if item.get("type") == "command_execution"]
    assert executed[-1]["aggregated_output"] == "seven\n"
    assert (tmp_path / "made.txt").read_text() == "seven\n"
    assert "exec_python printed:" in going_on
    assert "seven" in going_on
