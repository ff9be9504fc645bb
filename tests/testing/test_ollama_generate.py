"""Ollama's format, as facts about `/api/generate` that clients rely on."""

from __future__ import annotations

import json

import httpx

from mini_agent.testing import ScriptedServer, call, text
from mini_agent.testing.replies import JsonValue


def generate(server: ScriptedServer, **more: JsonValue) -> httpx.Response:
    turn = {"model": "m", "prompt": "hi", "system": "be brief", **more}
    return httpx.post(f"{server.url}/api/generate", json=turn, trust_env=False)


def test_generate_answers_in_response_with_a_context() -> None:
    with ScriptedServer(["Good day."]) as server:
        answer = generate(server, stream=False).json()
    assert (answer["response"], answer["done_reason"], answer["context"]) == (
        "Good day.",
        "stop",
        [1, 2, 3],
    )


def test_generate_streams_too() -> None:
    with ScriptedServer([text("Good day.", reasoning="hmm")]) as server:
        lines = [*map(json.loads, generate(server).iter_lines())]
    assert "".join(line["response"] for line in lines) == "Good day."
    assert "".join(line.get("thinking", "") for line in lines) == "hmm"
    assert [line["done"] for line in lines].index(True) == len(lines) - 1


def test_generate_knows_no_tools_so_a_call_is_written_out() -> None:
    with ScriptedServer([call("f", x=1)]) as server:
        answer = generate(server, stream=False).json()
    assert answer["response"] == '{"name": "f", "arguments": {"x": 1}}'


def test_a_prompt_is_logged_as_messages() -> None:
    with ScriptedServer(["ok"]) as server:
        generate(server)
    assert server.requests[0].messages == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi"},
    ]
