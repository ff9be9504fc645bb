"""Codex, Claude Code, the Inspector and the SDK, set up by the docs' own blocks."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mini_agent.messages import JsonObject
from tests.docker.sidecar_process import Sidecar
from tests.flow.conftest import served
from tests.mcp.sandbox_server.clients import block, said_by
from tests.mcp.sandbox_server.conftest import environment
from tests.mcp.sandbox_server.one_call_model import ANSWER, OneCallModel
from tests.mcp.sandbox_server.test_shim import shim_over

pytestmark = [pytest.mark.docker, pytest.mark.timeout(500)]

SHIM = "http://127.0.0.1:8788/mcp"
CODE = (
    "from itertools import groupby\nprint(''.join(f'{k}{len([*g])}' for k, g in groupby('aaabbc')))"
)
RUN: JsonObject = {"language": "python", "code": CODE}
CODEX_EXEC = "codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox go"
CODEX_MODEL = """
model = "scripted"
model_provider = "here"
[model_providers.here]
name = "here"
base_url = "{url}/v1"
wire_api = "responses"
"""


@asynccontextmanager
async def model_calling(tool: str) -> AsyncIterator[tuple[OneCallModel, str]]:
    model = OneCallModel(tool, RUN)
    async with served(model.app()) as url:
        yield model, url


async def codex_ran(home: Path, variables: dict[str, str]) -> None:
    async with model_calling("run_code") as (model, url):
        config = home / ".codex/config.toml"
        config.write_text(CODEX_MODEL.format(url=url) + config.read_text())
        said = await said_by(CODEX_EXEC, home, variables)
    calls = [json.loads(line).get("item", {}) for line in said.splitlines()]
    results = [each for each in calls if each.get("type") == "mcp_tool_call"]
    assert results[-1]["status"] == "completed"
    assert results[-1]["result"]["content"][0]["text"] == "exit code 0\nstdout:\na3b2c1"
    assert "a3b2c1" in json.dumps(model.seen)
    assert ANSWER in said


async def claude_ran(home: Path, variables: dict[str, str]) -> None:
    async with model_calling("mcp__sandbox__run_code") as (model, url):
        where = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none"}
        asked = "claude -p go --output-format json --allowedTools mcp__sandbox__run_code"
        said = json.loads(await said_by(asked, home, variables | where))
    assert (said["is_error"], said["result"]) == (False, ANSWER)
    assert "a3b2c1" in json.dumps(model.seen)


async def test_codex_starts_it_as_its_config_says(real: Sidecar, tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(block("toml", "mcp_servers.sandbox"))
    (listed,) = json.loads(await said_by("codex mcp list --json", tmp_path, {}))
    assert (listed["name"], listed["transport"]["command"]) == ("sandbox", "mini-agent")
    await codex_ran(tmp_path, environment(real.url))


async def test_codex_calls_the_shim(real: Sidecar, tmp_path: Path) -> None:
    async with shim_over(real) as url:
        await said_by(block("sh", "codex mcp add").replace(SHIM, url), tmp_path, {})
        await codex_ran(tmp_path, {})


async def test_claude_code_starts_it(real: Sidecar, tmp_path: Path) -> None:
    variables = environment(real.url)
    said = await said_by(block("sh", "claude mcp add sandbox"), tmp_path, variables)
    assert block("text", "Connected").strip() in said
    await claude_ran(tmp_path, variables)


async def test_claude_code_calls_the_shim(real: Sidecar, tmp_path: Path) -> None:
    async with shim_over(real) as url:
        added = block("sh", "claude mcp add --transport").replace(SHIM, url)
        await said_by(added, tmp_path, {})
        await claude_ran(tmp_path, {})


async def test_the_inspector_gets_the_result_over_http(real: Sidecar, tmp_path: Path) -> None:
    async with shim_over(real) as url:
        command = block("sh", "mcp-inspector").replace(SHIM, url)
        said = json.loads(await said_by(command, tmp_path, {}))
    assert said["content"][0]["text"].startswith("exit code 0\nstdout:\n42")


async def test_the_inspector_gets_the_result_over_stdio(real: Sidecar, tmp_path: Path) -> None:
    command = "mcp-inspector --cli mini-agent mcp --method tools/call --tool-name run_code"
    variables = environment(real.url)
    given = " ".join(f"-e {name}={value}" for name, value in variables.items())
    arguments = "--tool-arg language=python --tool-arg 'code=print(6 * 7)'"
    said = await said_by(f"{command} {arguments} {given}", tmp_path, {})
    assert json.loads(said)["content"][0]["text"] == "exit code 0\nstdout:\n42"


async def test_a_mcp_json_is_read_by_claude_code_and_by_our_gateway(
    real: Sidecar, tmp_path: Path
) -> None:
    (tmp_path / ".mcp.json").write_text(block("json", "mcpServers"))
    variables = environment(real.url)
    async with model_calling("mcp__sandbox__run_code") as (model, url):
        where = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none"}
        asked = "claude -p go --mcp-config .mcp.json --allowedTools mcp__sandbox__run_code"
        assert ANSWER in await said_by(asked, tmp_path, variables | where)
    assert "a3b2c1" in json.dumps(model.seen)


async def test_the_sdk_calls_the_shim(real: Sidecar, tmp_path: Path) -> None:
    async with shim_over(real) as url:
        program = tmp_path / "program.py"
        program.write_text(block("python", "Client").replace(SHIM, url))
        said = await said_by(f"{sys.executable} {program}", tmp_path, {})
    assert said.startswith("exit code 0\nstdout:\n42")
