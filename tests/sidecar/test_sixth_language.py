"""A language that is added to the one table is in every list that derives from it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import LANGUAGES
from tests.docker.sidecar_process import HEADERS, sidecar
from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.sixth_language import FILE, ROOT, add_language, name_language

Way = Callable[[Path], Mapping[str, str]]
WAYS = (add_language, name_language)


@pytest.mark.parametrize("add", WAYS)
def test_it_is_in_every_list_of_the_sidecar_and_of_the_library(tmp_path: Path, add: Way) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tests.sidecar.sixth_language_lists"],
        cwd=ROOT,
        env=os.environ | add(tmp_path),
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


@pytest.mark.parametrize("add", WAYS)
async def test_the_service_lists_it(
    engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, add: Way
) -> None:
    engine.images.add("mini-agent/sandbox-perl:local")
    for name, value in add(tmp_path).items():
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE.replace('"perl"\nprogram', '"evil.example/x:y"\nprogram'), "perl.image: "),
        (FILE.replace('"main.pl"\nstart', '"../main.pl"\nstart'), "perl.program: "),
        (FILE.replace("start", "begin"), "perl.start: Field required"),
        (FILE + 'net = "host"', "perl.net: Extra inputs are not permitted"),
        (FILE.replace("[perl]", "[python]"), "two languages have the name python"),
        (FILE.replace('["pl"]', '["sh"]'), "two languages have the name sh"),
        (FILE.replace("[perl]", "[Per-l]"), "Per-l: "),
        ("[perl", "is no TOML: "),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_and_says_why(
    tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "languages.toml"
    if text is not None:
        path.write_text(text)
    started = subprocess.run(
        [sys.executable, "-c", "import mini_agent_protocol.languages"],
        env=os.environ | {"SANDBOX_LANGUAGES_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    last = started.stderr.splitlines()[-1]
    assert said in last
    assert "SANDBOX_LANGUAGES_FILE" in last


def test_an_empty_file_adds_nothing() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", "import mini_agent_protocol.languages as l; print(l.LANGUAGES)"],
        env=os.environ | {"SANDBOX_LANGUAGES_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == f"{LANGUAGES}\n"
