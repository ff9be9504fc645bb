"""The MCP clients that people have, from npm, and the blocks of the docs that set them up."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path

from tests.npm import npm_packages

ROOT = Path(__file__).parents[3]
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
    return npm_packages(FOLDER, CLIENTS) / ".bin"


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
