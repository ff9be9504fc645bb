"""What is imported before it is needed: nothing that makes the user wait."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from mini_agent.testing import ScriptedServer
from tests.coding.harness import Harness, build_environment

HEAVY = (
    *("litellm", "openai", "tiktoken", "aiohttp", "mcp", "httpx", "rich", "prompt_toolkit"),
    *("bs4", "markdownify", "yaml"),
)
OF_THE_PROMPT = ("rich", "prompt_toolkit")
PROGRAM = f"""
import json, sys
from mini_agent.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print()
print(json.dumps([name for name in {(*HEAVY, "pydantic")} if name in sys.modules]))
"""


def imported(
    harness: Harness,
    *arguments: str,
    stdin: str = "",
    address: str = "http://127.0.0.1:9",
    **variables: str,
) -> Sequence[str]:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=harness.project,
        env=build_environment(harness, address)
        | {"OLLAMA_API_BASE": address.removesuffix("/v1"), **variables},
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    names: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return names


@pytest.mark.parametrize("asked", ["--help", "--version"])
def test_help_needs_none_of_them(harness: Harness, asked: str) -> None:
    assert imported(harness, asked) == []


def test_a_session_without_a_question_needs_no_litellm(harness: Harness) -> None:
    said = "/help\n/context\n/mcp\n/plan\n/doctor\n"
    names = imported(harness, "--interactive", stdin=said)
    assert set(names) & {"litellm", "openai", "tiktoken", "aiohttp", "mcp"} == set()


@pytest.mark.parametrize("model", ["openai/m", "hosted_vllm/m", "ollama/m"])
def test_a_prompt_to_a_server_of_one_s_own_needs_no_litellm(harness: Harness, model: str) -> None:
    with ScriptedServer(["Hello."]) as server:
        arguments = ("-p", "Hi.", "--model", model)
        variables = {"HOSTED_VLLM_API_BASE": server.openai_url}
        names = imported(harness, *arguments, address=server.openai_url, **variables)
    assert set(names) & {"litellm", "openai", "tiktoken", "aiohttp", "mcp"} == set()


def test_the_prompt_is_there_before_the_rest(harness: Harness) -> None:
    program = "import sys, mini_agent.coding.terminal.startup; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) & {*HEAVY} == {*OF_THE_PROMPT}
