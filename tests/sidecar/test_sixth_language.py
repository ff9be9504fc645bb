"""A language that is added to the one table is in every list that derives from it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import LANGUAGES
from tests.docker.sidecar_process import HEADERS, sidecar
from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.sixth_language import ROOT, add_language


def test_it_is_in_every_list_of_the_sidecar_and_of_the_library(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tests.sidecar.sixth_language_lists"],
        cwd=ROOT,
        env=os.environ | add_language(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(printed.stdout) == {
        "alias": "perl",
        "snippet": "perl",
        "image": "x/perl:y",
        "timeout_s": 10.0,
        "kind": "perl",
        "warm": 1,
        "doctor": "perl",
        "commands": ["echo", "perl"],
        "meant": "perl",
        "tool": "exec_perl",
        "words": "Run a program in Perl and get what it prints.",
    }


async def test_the_service_lists_it(
    engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.images.add("mini-agent/sandbox-perl:local")
    for name, value in add_language(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CODEX_SIDECAR_IMAGE_TAG", "local")
    cards = await asyncio.to_thread(list_languages, tmp_path, engine)
    assert [card["name"] for card in cards] == [*LANGUAGES, "perl"]
    assert (cards[-1]["aliases"], cards[-1]["image"]) == (["pl"], "mini-agent/sandbox-perl:local")
    assert cards[-1]["available"]


def list_languages(folder: Path, engine: ScriptedEngine) -> list[dict[str, object]]:
    """What a sidecar in a process of its own says over the scripted engine."""
    with sidecar(folder, docker_socket=str(engine.socket)) as running:
        answer = httpx.get(
            f"{running.url}/v1/languages", headers=HEADERS, timeout=30, trust_env=False
        )
    languages: list[dict[str, object]] = answer.json()["languages"]
    return languages
