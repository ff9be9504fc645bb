"""The clients of docs/openai.md, installed once, and its blocks, run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.npm import npm_packages

ROOT = Path(__file__).parents[3]
ADDRESS = "http://127.0.0.1:8788"
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
LANGCHAIN = "langchain-openai==1.7.3"
NODE = ROOT / ".cache/openai-node"
NODE_CLIENTS = ("openai@7.55.0", "@openai/codex@0.169.0")
TIMEOUT_S = 280


def block(language: str, holding: str, url: str) -> str:
    """The one block in this language with this text in it, for the shim at `url`."""
    text = (ROOT / "docs/openai.md").read_text()
    (found,) = (code for name, code in FENCED.findall(text) if name == language and holding in code)
    return str(found).replace(ADDRESS, url)


def node_modules() -> Path:
    """Where the clients from npm are; skips, by name, where there is no Node.js."""
    return npm_packages(NODE, NODE_CLIENTS)


def python_with_langchain() -> Path:
    """A Python of its own, because LangChain is none of our dependencies."""
    folder = ROOT / ".cache/langchain"
    python = folder / "bin/python"
    made_of = folder / ".made-of"
    if not made_of.exists() or made_of.read_text() != LANGCHAIN:
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", python, LANGCHAIN], check=True)
        made_of.write_text(LANGCHAIN)
    return python


async def printed(*command: str | Path, folder: Path, **variables: str) -> str:
    """What a command prints; it has to end well."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    assert process.returncode == 0, (said.decode(), complaints.decode())
    return said.decode()
