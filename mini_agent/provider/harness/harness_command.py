"""Commands of LiteLLM's agents as snippets, and paths as they name them in the workspace."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from mini_agent.provider.harness.process import harness_error, in_harness_words
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits, Snippet

WORKSPACE: Final = "/workspace"
# Beside it lie the programs of snippets themselves, and temporary folders.
WORK: Final = f"{WORKSPACE}/work"
LONGEST_S: Final = 600.0
SHORTEST_S: Final = 0.1
MOST_OUTPUT_BYTES: Final = 8_388_608
MOST_HASHED_BYTES: Final = 50 << 20
# Folders that LiteLLM's own snapshots leave out, too.
SKIPPED: Final = (
    *(".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"),
    *("__pycache__", "node_modules", "venv"),
)
NOTHING: Final = MappingProxyType[str, str]({})


def command(
    cmd: Sequence[str],
    toolchain: Language | None,
    limits: Limits,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Snippet:
    """The snippet that becomes this command; LiteLLM's `SandboxError` where none can."""
    if not cmd:
        raise harness_error("the command is empty: name a program")
    place = shlex.quote(posixpath.join(WORK, cwd or ""))
    line = shlex.join([*_setting(env or NOTHING), *cmd])
    code = f"mkdir -p {WORK} && cd -- {place} && exec {line}"
    if "\0" in code:
        raise harness_error("the command holds a NUL byte: write it to a file and run that")
    with in_harness_words():
        return Snippet(language="bash", code=code, limits=limits, toolchain=toolchain)


def within(limits: Limits, timeout_s: float | None) -> Limits:
    """What holds for one command in a session with these limits."""
    seconds = LONGEST_S if timeout_s is None else min(max(timeout_s, SHORTEST_S), LONGEST_S)
    return Limits(timeout_s=seconds, output_bytes=limits.output_bytes or MOST_OUTPUT_BYTES)


def place_of(path: str) -> str:
    """The same path from the workspace on; LiteLLM's `SandboxError` where it leads out of it."""
    whole = posixpath.normpath(posixpath.join(WORK, path))
    if not whole.startswith(f"{WORKSPACE}/"):
        raise harness_error(f"{path!r} is outside of {WORKSPACE}, where the files are")
    return whole.removeprefix(f"{WORKSPACE}/")


def hashing() -> tuple[str, ...]:
    """The command that prints the digest and the name of each file that counts, NUL after each."""
    names = " -o ".join(f"-name {name}" for name in SKIPPED)
    found = f"-type f -size -{MOST_HASHED_BYTES + 1}c -print0"
    files = f"find . -type d \\( {names} \\) -prune -o {found}"
    return ("sh", "-c", f"{files} | xargs -0r sha256sum -z --")


def _setting(env: Mapping[str, str]) -> list[str]:
    wrong = next((name for name in env if not name or "=" in name), None)
    if wrong is not None:
        raise harness_error(f"{wrong!r} cannot be the name of an environment variable")
    return ["env", "--", *(f"{name}={value}" for name, value in env.items())] if env else []
