"""A bundle of a run does its programs again and tells what came out otherwise."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mini_agent.agent.replay import Bundle
from mini_agent.cli.replay import replay_file
from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.messages import JsonObject
from mini_agent_shim.settings import ShimSettings
from tests.shim.runs.run_client import REQUEST
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, open_client, program_turn, text_turn
from tests.shim.serving import serve_app


async def recorded(folder: Path, sidecar: ScriptedSidecar) -> str:
    """The file of a run in these sandboxes."""
    with serve_app(sidecar.app()) as url:
        settings = ShimSettings.model_validate({"sidecar_url": url, "sidecar_token": "token"})
        model = ScriptedModel([program_turn("print(42)"), text_turn("It is 42.")])
        async with open_client(model, settings) as client:
            asked = REQUEST | {"tool_backend": "sidecar", "api_key": "sk-never-kept"}
            answer = await client.post("/agent/run", json=asked)
            bundle = await client.get(f"/runs/{answer.headers['x-run-id']}/bundle")
    assert "sk-never-kept" not in bundle.text
    file = folder / "run.json"
    file.write_text(bundle.text)
    return str(file)


def replay(file: str, sidecar: ScriptedSidecar, monkeypatch: pytest.MonkeyPatch) -> int:
    with serve_app(sidecar.app()) as url:
        monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", url)
        monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", "token")
        return replay_file(file)


def test_a_program_that_comes_to_the_same_is_as_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = asyncio.run(recorded(tmp_path, ScriptedSidecar()))
    again = ScriptedSidecar()
    assert replay(file, again, monkeypatch) == 0
    assert [snippet.code for snippet in again.snippets] == ["print(42)"]
    assert capsys.readouterr().out.endswith(": 1 call, all as recorded\n")


def test_what_comes_out_otherwise_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = asyncio.run(recorded(tmp_path, ScriptedSidecar()))
    assert replay(file, ScriptedSidecar(prints="43\x1b[31m\n"), monkeypatch) == 1
    said = capsys.readouterr().out
    assert "call 1: stdout is different" in said
    assert "  -42\n  +43\\x1b[31m\n" in said


def test_an_image_that_was_built_anew_is_shown_though_its_name_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = asyncio.run(recorded(tmp_path, ScriptedSidecar(image_id="sha256:1")))
    assert replay(file, ScriptedSidecar(image_id="sha256:2"), monkeypatch) == 1
    assert "call 1: image_id is different" in capsys.readouterr().out
    assert replay(file, ScriptedSidecar(image_id=""), monkeypatch) == 0


def test_what_is_no_bundle_is_told_with_what_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text("{}")
    with pytest.raises(BadRequest, match="is no bundle"):
        replay_file(str(file))
    with pytest.raises(BadRequest, match="cannot be read"):
        replay_file(str(tmp_path / "nothing.json"))


def test_nothing_is_run_on_this_machine_instead(tmp_path: Path) -> None:
    request: JsonObject = {"messages": [{"role": "user", "content": "x"}], "model": "a/b"}
    bundle = Bundle(run_id="0" * 32, request=request, events=())
    file = tmp_path / "run.json"
    file.write_text(bundle.model_dump_json())
    with pytest.raises(NotConfigured, match="no sidecar is named to run snippets in"):
        replay_file(str(file))
