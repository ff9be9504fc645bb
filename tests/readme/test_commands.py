"""Every command of the README, run."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.readme.conftest import ROOT, blocks, shell

pytestmark = [pytest.mark.stack, pytest.mark.docker, pytest.mark.timeout(900)]

TESTED_HERE = {"make demo", "make up", "make logs", "make down"}
WHAT_RUNS_THIS = {"make test"}
NUMBERS = re.compile(r"[\d.]+ (ms|s)\b")


def test_the_readme_shows_no_command_that_is_not_run() -> None:
    lines = "".join(blocks("sh")).splitlines()
    commands = {line.partition("#")[0].strip() for line in lines}
    assert commands == TESTED_HERE | WHAT_RUNS_THIS


def test_the_demo_prints_what_the_readme_shows() -> None:
    shown = blocks("text")[0]
    assert NUMBERS.sub("_", shell("make demo")) == NUMBERS.sub("_", shown)


def test_the_demo_takes_a_string_of_ones_own() -> None:
    assert "answer  The compressed form is a1b5" in shell("make demo TEXT=abbbbb")


def test_a_string_the_demo_model_does_not_know_is_refused_in_words() -> None:
    said = shell("make demo TEXT='a b' 2>&1 || true")
    assert "1 to 16 letters and digits" in said


def test_the_task_runs_without_docker_and_says_that_this_is_no_sandbox() -> None:
    said = shell(".venv/bin/mini-agent demo --local")
    assert "NOT A SANDBOX" in said
    assert "answer  The compressed form is a3b2c1" in said


@pytest.mark.usefixtures("stack_again")
def test_the_stack_comes_up_with_ollama_is_heard_and_goes_down(
    stand_in: str, tmp_path: Path
) -> None:
    ollama = {"OLLAMA_IMAGE": stand_in, "OLLAMA_DATA_DIR": str(tmp_path)}
    shell("make up", **ollama)
    assert "litellm-mini-agent" in shell("timeout 5 make logs || true", **ollama)
    shell("docker exec ollama ollama pull qwen2.5-coder:3b")
    prompt = 'Run-length encode "aaabbc" by running Python.'
    answered = httpx.post(
        "http://127.0.0.1:8788/agent/run",
        json={"messages": [{"role": "user", "content": prompt}]},
        timeout=150,
    )
    assert "a3b2c1" in answered.json()["final_answer"]
    shell("make down", **ollama)
    assert shell("docker ps -q --filter label=com.docker.compose.project=mini-agent") == ""


@pytest.mark.usefixtures("stack_again")
def test_the_sandboxes_alone_answer_with_the_token() -> None:
    shell("docker compose -f compose.agents.yml --profile demo down")
    shell("docker compose -f compose.exec.yml up --build -d --wait")
    answered = httpx.post(
        "http://127.0.0.1:8077/v1/execute",
        json={"language": "python", "code": "print(6 * 7)"},
        headers={"Authorization": f"Bearer {shell('make token').strip()}"},
        timeout=150,
    )
    assert answered.json()["stdout"] == "42\n"
    shell("docker compose -f compose.exec.yml down")


@pytest.mark.usefixtures("stack_again")
def test_the_stack_comes_up_by_compose_alone(stand_in: str, tmp_path: Path) -> None:
    ollama = {"OLLAMA_IMAGE": stand_in, "OLLAMA_DATA_DIR": str(tmp_path)}
    assert not (ROOT / ".env").exists()
    shell("docker compose -f compose.agents.yml up --build -d", **ollama)
    running = shell("docker compose -f compose.agents.yml ps --format '{{.Service}}'", **ollama)
    assert {"mini-agent", "codex-agent", "ollama"} <= set(running.split())
