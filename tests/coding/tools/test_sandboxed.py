"""Programs of the model run in the sandbox, where the environment names one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mini_agent.coding.options import PermissionMode
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness
from tests.coding.tools.test_mcp import connect, read_text
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    harness = Harness(tmp_path / "project", tmp_path / "home")
    harness.project.mkdir()
    monkeypatch.chdir(harness.project)
    monkeypatch.setenv("HOME", str(harness.home))
    return harness


@pytest.mark.docker
@pytest.mark.parametrize("mode", ["default", "plan"])
async def test_programs_run_there_without_a_question_and_their_files_stay(
    harness: Harness, real: Sidecar, monkeypatch: pytest.MonkeyPatch, mode: PermissionMode
) -> None:
    monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", real.url)
    monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", TOKEN)
    wrote = scripted_call("exec_python", code="open('x', 'w').write('kept'); print(6 * 7)")
    read = scripted_call("exec_python", code="print(open('x').read())")
    with ScriptedModel(calls_reply(wrote), calls_reply(read), text_reply("42")) as model:
        outcome = await harness.run_prompt(model, "Compute.", permission_mode=mode)
    assert outcome.answer == "42"
    assert "42" in str(model.requests[1].messages[-1]["content"])
    assert "kept" in str(model.requests[2].messages[-1]["content"])
    assert list(harness.project.iterdir()) == []


@pytest.mark.docker
async def test_mcp_clients_have_them_beside_the_others(harness: Harness, real: Sidecar) -> None:
    variables = {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}
    async with connect(harness.project, **variables) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        ran = await client.call_tool("exec_python", {"code": "print(6 * 7)"})
        wrong = await client.call_tool("exec_python", {"code": 1})
    assert {"Read", "Bash", "exec_python", "exec_shell"} <= listed
    assert not ran.is_error
    assert read_text(ran) == "exit code 0\nstdout:\n42"
    assert wrong.is_error


async def test_without_a_sidecar_there_are_no_such_tools(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MINI_AGENT_SIDECAR_URL", raising=False)
    with ScriptedModel(text_reply("hi")) as model:
        await harness.run_prompt(model, "Hi.")
    assert "exec_python" not in str(model.requests[0].tools)
    assert "Bash" in str(model.requests[0].tools)


async def test_a_sidecar_that_is_away_is_an_answer(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", "http://127.0.0.1:9")
    with ScriptedModel(
        calls_reply(scripted_call("exec_python", code="1")), text_reply("away")
    ) as model:
        outcome = await harness.run_prompt(model, "Compute.")
    assert outcome.answer == "away"
    assert "127.0.0.1:9" in str(model.requests[1].messages[-1]["content"])
