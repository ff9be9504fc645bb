"""The stand-in for Ollama's image: its command, and the scripted model behind it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mini_agent.testing.replies import JsonObject
from tests.ollama.command import Ollama, installed, serving

MODEL = "qwen2.5-coder:3b"
TASK = "Run-length encode each by running Python, as in xxy -> x2y1: aaabbc and zzzz"


@pytest.fixture
def ollama(tmp_path: Path) -> Iterator[Ollama]:
    with serving(installed(tmp_path), tmp_path / "models") as running:
        yield running


def chat(ollama: Ollama, messages: list[JsonObject]) -> JsonObject:
    turn = {"model": MODEL, "messages": messages, "stream": False}
    answer = httpx.post(f"http://{ollama.host}/api/chat", json=turn, trust_env=False)
    message: JsonObject = answer.raise_for_status().json()["message"]
    return message


def code_of(message: JsonObject) -> str:
    match message:
        case {
            "tool_calls": [{"function": {"name": "exec_python", "arguments": {"code": str(code)}}}]
        }:
            return code
    return f"raise SystemExit({message!r})"


def printed_by(code: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code], text=True, timeout=150)


def test_a_model_is_listed_once_it_is_pulled(ollama: Ollama) -> None:
    before, pulled, after = (ollama.run("ollama", *words.split()) for words in PULLING)
    assert (before.returncode, before.stdout.count("\n")) == (0, 1)
    assert (pulled.returncode, "100%" in pulled.stderr) == (0, True)
    assert f"\n{MODEL} " in after.stdout


PULLING = ("list", f"pull {MODEL}", "list")


def test_pulled_models_are_on_the_disk_when_the_server_comes_back(tmp_path: Path) -> None:
    command = installed(tmp_path)
    with serving(command, tmp_path / "models") as ollama:
        ollama.run("ollama", "pull", MODEL)
    with serving(command, tmp_path / "models") as ollama:
        assert MODEL in ollama.run("ollama", "ps").stdout


def test_a_model_that_is_not_there_cannot_be_shown(ollama: Ollama) -> None:
    shown = ollama.run("ollama", "show", MODEL)
    assert (shown.returncode, shown.stderr) == (1, f"Error: model '{MODEL}' not found\n")


def test_a_model_that_does_not_exist_cannot_be_pulled(ollama: Ollama) -> None:
    pulled = ollama.run("ollama", "pull", "no-such-model")
    assert pulled.returncode == 1
    assert pulled.stderr.endswith("Error: pull model manifest: file does not exist\n")


def test_no_server_is_said_in_one_line(tmp_path: Path) -> None:
    ended = Ollama(installed(tmp_path), "127.0.0.1:9").run("ollama", "list")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: could not connect to ollama server")


def test_the_model_computes_nothing_but_calls_python_and_quotes_what_it_printed(
    ollama: Ollama,
) -> None:
    ollama.run("ollama", "pull", MODEL)
    asked: JsonObject = {"role": "user", "content": TASK}
    called = chat(ollama, [asked])
    stdout = printed_by(code_of(called))
    observed: JsonObject = {"role": "tool", "content": f"[exec_python rc=0]\nstdout:\n{stdout}"}
    said = chat(ollama, [asked, called, observed])
    assert stdout.split() == ["a3b2c1", "z4"]
    assert str(said["content"]).split()[-2:] == ["a3b2c1", "z4"]


def test_the_model_quotes_even_an_output_that_is_wrong(ollama: Ollama) -> None:
    ollama.run("ollama", "pull", MODEL)
    observed: JsonObject = {"role": "tool", "content": "[exec_python rc=0]\nstdout:\nq9"}
    said = chat(ollama, [{"role": "user", "content": TASK}, observed])
    assert said["content"] == "The program printed:\nq9"


def test_the_model_calls_again_after_a_failure_and_gives_up_after_three(ollama: Ollama) -> None:
    ollama.run("ollama", "pull", MODEL)
    asked: JsonObject = {"role": "user", "content": 'Run-length encode "aab" by running Python.'}
    failed: JsonObject = {"role": "tool", "content": "[exec_python rc=1]\nstderr:\nboom"}
    assert printed_by(code_of(chat(ollama, [asked, failed]))) == "a2b1\n"
    assert "boom" in str(chat(ollama, [asked, failed, failed, failed])["content"])
