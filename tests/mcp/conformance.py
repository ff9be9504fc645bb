"""The official conformance suite of MCP, from npm, with the Node.js that it needs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from tests.npm import npm_packages

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / ".mcp-conformance"
PACKAGES: Final = ("@modelcontextprotocol/conformance@0.1.16", "node@22.23.3")
SERVER_SCENARIOS: Final = (
    "server-initialize",
    "ping",
    "tools-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
)
CLIENT_SCENARIOS: Final = ("initialize", "tools_call", "sse-retry")
CLIENT: Final = f"{sys.executable} -m tests.mcp.conformance_client"


def find_modules() -> Path:
    """Return the suite's node_modules; skips where there is no Node.js."""
    return npm_packages(FOLDER, PACKAGES)


async def run_suite(modules: Path, *arguments: str) -> tuple[int, str]:
    """Run the suite; return its exit code and what it prints."""
    process = await asyncio.create_subprocess_exec(
        modules / ".bin/node",
        modules / "@modelcontextprotocol/conformance/dist/index.js",
        *arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()
