"""The compose services on a real engine: up, healthy, models pulled and kept."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.ollama.composed import Composed

pytestmark = [pytest.mark.docker, pytest.mark.timeout(500)]

MODEL = "qwen2.5-coder:3b"


def names(composed: Composed) -> list[str]:
    listed = httpx.get(f"{composed.url()}/api/tags", trust_env=False).json()["models"]
    return [model["name"] for model in listed]


def test_the_server_gets_healthy_and_is_published_on_loopback(composed: Composed) -> None:
    composed.run("up", "-d", "--wait", "ollama")
    assert composed.url().startswith("http://127.0.0.1:")
    assert httpx.get(composed.url(), trust_env=False).text == "Ollama is running"


def test_the_job_pulls_the_default_model_and_ends_0(composed: Composed) -> None:
    told = composed.run("run", "--rm", "ollama-pull")
    assert f"ollama-pull: pulling {MODEL}" in told
    assert " 50%" in told
    assert told.rstrip().endswith(f"ollama-pull: {MODEL} is here")
    assert names(composed) == [MODEL]


def test_an_unknown_model_is_one_clear_line_and_the_server_stays_healthy(
    composed: Composed,
) -> None:
    ended = composed.attempt("run", "--rm", "ollama-pull", LITELLM_DEFAULT_CODE_MODEL="ollama/typo")
    assert ended.returncode == 1
    assert "ollama-pull: typo was not pulled: Ollama has no model of this name." in ended.stdout
    state = json.loads(composed.run("ps", "--format", "json", "ollama"))
    assert state["Health"] == "healthy"


def test_weights_survive_down_and_up(composed: Composed) -> None:
    composed.run("run", "--rm", "ollama-pull")
    composed.run("down", "--volumes", "--timeout", "3")
    composed.run("up", "-d", "--wait", "ollama")
    assert names(composed) == [MODEL]


def test_up_starts_the_job_beside_the_server_and_does_not_wait_for_it(composed: Composed) -> None:
    composed.run("up", "-d", LITELLM_DEFAULT_CODE_MODEL="ollama/typo")
    composed.run("up", "-d", "--wait", "ollama")
    assert names(composed) == []
