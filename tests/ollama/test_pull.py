"""The pull job's script, run by a plain shell as in Ollama's image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ollama.command import ROOT, Ollama, installed, serving

PULL = ("/bin/sh", str(ROOT / "ollama" / "pull"))
MODEL = "qwen2.5-coder:3b"


@pytest.fixture
def ollama(tmp_path: Path) -> Iterator[Ollama]:
    with serving(installed(tmp_path), tmp_path / "models") as running:
        yield running


def that_says(folder: Path, error: str) -> Ollama:
    script = f'#!/bin/sh\n[ "$1" != pull ] || echo "{error}" >&2\nexit 1\n'
    return Ollama(installed(folder, script), "http://ollama:11434")


@pytest.mark.parametrize("prefix", ["ollama/", "ollama_chat/"])
def test_the_default_model_is_pulled_and_its_progress_shown(ollama: Ollama, prefix: str) -> None:
    pulled = ollama.run(*PULL, LITELLM_DEFAULT_CODE_MODEL=prefix + MODEL)
    assert pulled.returncode == 0
    lines = pulled.stdout.splitlines()
    assert (lines[0], lines[-1]) == (
        f"ollama-pull: pulling {MODEL}",
        f"ollama-pull: {MODEL} is here",
    )
    assert [line for line in lines if " 50%" in line]
    assert "  success" in lines
    assert "\x1b" not in pulled.stdout


def test_a_model_that_is_there_is_not_pulled_again(ollama: Ollama) -> None:
    first, second = (ollama.run(*PULL, LITELLM_DEFAULT_CODE_MODEL=f"ollama/{MODEL}") for _ in "12")
    assert first.returncode == 0
    assert (second.returncode, second.stdout) == (0, f"ollama-pull: {MODEL} is here already\n")


def test_more_models_are_pulled_by_name(ollama: Ollama) -> None:
    more = "qwen2.5-coder:7b, ollama/qwen2.5-coder:14b"
    pulled = ollama.run(*PULL, LITELLM_DEFAULT_CODE_MODEL=f"ollama/{MODEL}", MODELS=more)
    assert pulled.returncode == 0
    listed = ollama.run("ollama", "list").stdout
    assert {"3b", "7b", "14b"} == {
        line.split()[0].split(":")[1] for line in listed.splitlines()[1:]
    }


@pytest.mark.parametrize("model", ["gpt-4o-mini", "llamafile/tiny-agent", "ollama/"])
def test_a_model_that_is_not_ollama_s_is_said_so_and_no_failure(ollama: Ollama, model: str) -> None:
    ended = ollama.run(*PULL, LITELLM_DEFAULT_CODE_MODEL=model)
    assert (ended.returncode, ended.stdout) == (0, "ollama-pull: no model to pull\n")
    assert ended.stderr.startswith(f"ollama-pull: {model} is not a model of Ollama's")


def test_nothing_asked_is_nothing_pulled(ollama: Ollama) -> None:
    ended = ollama.run(*PULL)
    assert (ended.returncode, ended.stdout) == (0, "ollama-pull: no model to pull\n")


def test_one_model_that_fails_does_not_keep_the_others(ollama: Ollama) -> None:
    ended = ollama.run(*PULL, MODELS=f"no-such-model {MODEL}")
    assert ended.returncode == 1
    assert "no-such-model was not pulled: Ollama has no model of this name." in ended.stdout
    assert ended.stdout.endswith(f"{MODEL} is here\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Error: pull model manifest: file does not exist", "Ollama has no model of this name"),
        (
            "Error: pull model manifest: dial tcp: lookup registry: no such host",
            "no network from the container to Ollama's registry (no such host)",
        ),
        ("Error: write /root/x: no space left on device", "the disk under OLLAMA_DATA_DIR"),
        ("Error: could not connect to ollama server", "no Ollama server at http://ollama:11434"),
        ("Error: 412: needs a newer version", "Error: 412: needs a newer version. To try again: "),
        ("", "ollama pull failed without a word. To try again: docker compose"),
    ],
)
def test_why_a_pull_failed_is_one_line_that_says_what_to_do(
    tmp_path: Path, error: str, said: str
) -> None:
    ended = that_says(tmp_path, error).run(*PULL, MODELS=MODEL)
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1].startswith(f"ollama-pull: {MODEL} was not pulled: {said}")
