"""The page about tools, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from mini_agent.testing import ScriptedReply, ScriptedServer, call
from tests.mcp.gateway.conftest import ours
from tests.tools.conftest import ROOT, Notes
from tests.tools.gateway import Gateway
from tests.tools.services import Service

PAGE = (ROOT / "docs" / "tools.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILES, JOINED, GATEWAY, RESEARCH = BLOCK.findall(PAGE)
(BY_NAME,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def ran(program: str, does: ScriptedReply, says: str, **environment: str) -> str:
    with ScriptedServer([does, says]) as server:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OLLAMA_API_BASE": server.url, **environment},
            cwd=ROOT / "docs",
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def path(from_npm: Path, tmp_path: Path) -> str:
    """A PATH whose npx takes the servers that are here already."""
    npx = tmp_path / "npx"
    npx.write_text(f'#!/bin/sh\nshift; server=${{1#*/}}; shift\nexec {from_npm}/mcp-$server "$@"\n')
    npx.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_files_of_a_folder_are_listed(path: str) -> None:
    looks = call("list_directory", path=".")
    with_answer = ran(FILES, looks, "There is tools.md.", PATH=path)
    assert with_answer == "There is tools.md. success\n"


def test_a_server_is_joined_with_local_tools(path: str) -> None:
    assert ran(JOINED, call("all__get-sum", a=40, b=2), "It is 42.", PATH=path) == "It is 42.\n"


def test_a_gateway_is_asked() -> None:
    gateway = Gateway()
    with gateway.served() as url:
        program = GATEWAY.replace("http://127.0.0.1:8787", url)
        assert ran(program, call("search_docs", query="auth"), "Three.") == "Three.\n"
    assert gateway.asked == ["GET /tools", "POST /invoke"]


def test_research_is_done() -> None:
    answer = JSONResponse({"choices": [{"message": {"content": "Template strings."}}]})
    asks = call("research_perplexity", query="What is new?")
    with Service([answer]).served() as url:
        said = ran(RESEARCH, asks, "T-strings.", PPLX_API_KEY="k", PPLX_API_BASE=url)
    assert said == "T-strings.\n"


def test_tools_are_joined_by_name(tmp_path: Path, notes: Notes) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text(ours("here", notes=notes.path))
    answer = JSONResponse({"choices": [{"message": {"content": "Template strings."}}]})
    turns: list[ScriptedReply | str] = [
        call("here__add", a=40, b=2),
        call("research_perplexity", query="What is new?"),
        call("exec_python", code="print(6 * 7)"),
        "T-strings, and 42.",
    ]
    with Service([answer]).served() as url, ScriptedServer(turns) as server:
        done = subprocess.run(
            ["sh", "-c", BY_NAME],
            env={
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "OLLAMA_API_BASE": server.url,
                "LITELLM_DEFAULT_CODE_MODEL": "ollama/m",
                "PPLX_API_KEY": "k",
                "PPLX_API_BASE": url,
            },
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
    assert (done.stdout, done.returncode) == ("T-strings, and 42.\n", 0), done.stderr
    assert "add 40 2" in notes.text()
    assert "research_perplexity ended with rc 0" in done.stderr
