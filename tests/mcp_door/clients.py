"""The MCP clients that people have, from npm, and the blocks of the docs that set them up."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".mcp-clients"
CLIENTS = (
    "@anthropic-ai/claude-code@2.1.197",
    "@modelcontextprotocol/inspector@2.12.0",
    "@openai/codex@0.169.0",
)
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
QUIET = {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


def installed() -> Path:
    """The folder of their commands; skips, by name, where there is no Node.js."""
    if shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm on this machine: sudo apt-get install nodejs npm")
    made_of = FOLDER / ".made-of"
    if not made_of.exists() or made_of.read_text() != " ".join(CLIENTS):
        npm = ["npm", "install", "--prefix", str(FOLDER), "--no-save", "--no-package-lock"]
        subprocess.run([*npm, "--no-audit", "--no-fund", "--silent", *CLIENTS], check=True)
        made_of.write_text(" ".join(CLIENTS))
    return FOLDER / "node_modules/.bin"


def block(language: str, holding: str) -> str:
    """The one block of docs/mcp.md in this language with this text in it."""
    text = (ROOT / "docs/mcp.md").read_text()
    (found,) = (code for name, code in FENCED.findall(text) if name == language and holding in code)
    return str(found)


async def said_by(command: str, home: Path, variables: Mapping[str, str]) -> str:
    """What a command line prints, with a home of its own; it has to end well."""
    path = f"{installed()}:{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(home), "CODEX_HOME": str(home / ".codex")}
    (home / ".codex").mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        cwd=home,
        env=environment | QUIET | dict(variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await asyncio.wait_for(process.communicate(), 280)
    assert process.returncode == 0, (printed.decode(), complaints.decode())
    return printed.decode()
