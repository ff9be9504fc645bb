"""Models that are pulled, can be pulled, or do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import Models, ScriptedServer
from mini_agent.testing.replies import JsonValue

NOTHING = Models(pulled=())


def post(server: ScriptedServer, path: str, **body: JsonValue) -> httpx.Response:
    return httpx.post(f"{server.url}{path}", json=body, trust_env=False)


def chat(server: ScriptedServer, model: str) -> httpx.Response:
    messages: list[JsonValue] = [{"role": "user", "content": "hi"}]
    return post(server, "/api/chat", model=model, messages=messages, stream=False)


def names(server: ScriptedServer) -> list[str]:
    listed = httpx.get(f"{server.url}/api/tags", trust_env=False).json()["models"]
    return [model["name"] for model in listed]


def test_every_model_is_there_unless_told_otherwise() -> None:
    with ScriptedServer(["ok"]) as server:
        assert chat(server, "anything:7b").status_code == 200


def test_a_model_is_not_found_until_it_is_pulled() -> None:
    with ScriptedServer(["ok"], models=NOTHING) as server:
        missing = chat(server, "qwen2.5-coder:3b")
        post(server, "/api/pull", model="qwen2.5-coder:3b")
        pulled = chat(server, "qwen2.5-coder:3b")
    assert missing.status_code == 404
    assert missing.json() == {"error": "model 'qwen2.5-coder:3b' not found"}
    assert pulled.json()["message"]["content"] == "ok"


def test_openai_s_format_says_so_in_its_own_way() -> None:
    with ScriptedServer(models=NOTHING) as server:
        missing = post(server, "/v1/chat/completions", model="m", messages=[])
        one = httpx.get(f"{server.url}/v1/models/m", trust_env=False)
    assert (missing.status_code, one.status_code) == (404, 404)
    assert missing.json()["error"]["type"] == "not_found_error"


def test_a_pull_tells_its_progress_and_ends_with_success() -> None:
    with ScriptedServer(models=NOTHING) as server:
        response = post(server, "/api/pull", name="m")
    steps = [*map(json.loads, response.iter_lines())]
    assert response.headers["content-type"] == "application/x-ndjson"
    assert (steps[0]["status"], steps[-1]) == ("pulling manifest", {"status": "success"})
    arrived = [step["completed"] / step["total"] for step in steps if "completed" in step]
    assert arrived == [0.25, 0.5, 1.0]


def test_a_pull_that_does_not_stream_says_only_how_it_ended() -> None:
    with ScriptedServer(models=NOTHING) as server:
        assert post(server, "/api/pull", model="m", stream=False).json() == {"status": "success"}


def test_a_pull_of_an_unknown_model_is_a_200_that_ends_in_an_error() -> None:
    with ScriptedServer(models=Models(pulled=(), known=["m"])) as server:
        response = post(server, "/api/pull", model="typo")
        assert names(server) == []
    assert response.status_code == 200
    last = json.loads(response.text.splitlines()[-1])
    assert last == {"error": "pull model manifest: file does not exist"}


def test_no_tag_means_latest() -> None:
    with ScriptedServer(["ok"], models=Models(pulled=["m"])) as server:
        assert names(server) == ["m:latest"]
        assert chat(server, "m:latest").status_code == 200


def test_pulled_models_outlive_the_server_where_it_has_a_folder(tmp_path: Path) -> None:
    models = Models(pulled=(), folder=tmp_path)
    with ScriptedServer(models=models) as server:
        post(server, "/api/pull", model="org/coder:3b")
    with ScriptedServer(models=models) as server:
        assert names(server) == ["org/coder:3b"]


@pytest.mark.parametrize("key", ["model", "name"])
def test_show_takes_both_names_of_its_key_and_tells_what_a_model_can_do(key: str) -> None:
    with ScriptedServer(models=Models(pulled=["m"])) as server:
        shown = post(server, "/api/show", **{key: "m"}).json()
        missing = post(server, "/api/show", **{key: "x"})
    assert shown["capabilities"] == ["completion", "tools"]
    assert shown["model_info"]["scripted.context_length"] > 4096
    assert (missing.status_code, missing.json()["error"]) == (404, "model 'x' not found")


def test_ps_lists_what_is_loaded() -> None:
    with ScriptedServer(models=Models(pulled=["m"])) as server:
        (loaded,) = httpx.get(f"{server.url}/api/ps", trust_env=False).json()["models"]
    assert loaded["name"] == "m:latest"
    assert {"expires_at", "size_vram", "digest", "details"} <= loaded.keys()
