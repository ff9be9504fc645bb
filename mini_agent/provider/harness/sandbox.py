"""A session of the sidecar as a `litellm.harness` Sandbox, for LiteLLM's own agents."""

from __future__ import annotations

import asyncio
import posixpath
import secrets
import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Final, Self
from weakref import WeakKeyDictionary

from mini_agent.provider.harness.process import (
    CompletedRun,
    SandboxProcess,
    build_harness_error,
    format_execution,
    to_completed_run,
    translate_errors,
)
from mini_agent.sandbox.client import SidecarClient, SidecarSession
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits, Snippet
from mini_agent_protocol.workspace import MAX_TTL_S

WORKSPACE: Final = "/workspace"
# Beside it lie the programs of snippets themselves, and temporary folders.
WORKDIR: Final = f"{WORKSPACE}/work"
MAX_TIMEOUT_S: Final = 600.0
MIN_TIMEOUT_S: Final = 0.1
MAX_OUTPUT_BYTES: Final = 8_388_608
MAX_HASHED_BYTES: Final = 50 << 20
# Folders that LiteLLM's own snapshots leave out, too.
SKIPPED_FOLDERS: Final = (
    *(".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv"),
    *("__pycache__", "node_modules", "venv"),
)
NO_VARIABLES: Final = MappingProxyType[str, str]({})


def build_snippet(
    cmd: Sequence[str],
    toolchain: Language | None,
    limits: Limits,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Snippet:
    """Build the snippet of a command; raise LiteLLM's `SandboxError` for an invalid one."""
    if not cmd:
        raise build_harness_error("the command is empty: name a program")
    place = shlex.quote(posixpath.join(WORKDIR, cwd or ""))
    line = shlex.join([*_build_env_prefix(env or NO_VARIABLES), *cmd])
    code = f"mkdir -p {WORKDIR} && cd -- {place} && exec {line}"
    if "\0" in code:
        raise build_harness_error("the command holds a NUL byte: write it to a file and run that")
    with translate_errors():
        return Snippet(language="bash", code=code, limits=limits, toolchain=toolchain)


def clamp_limits(limits: Limits, timeout_s: float | None) -> Limits:
    """Clamp the limits of one command to what a session allows."""
    seconds = (
        MAX_TIMEOUT_S if timeout_s is None else min(max(timeout_s, MIN_TIMEOUT_S), MAX_TIMEOUT_S)
    )
    return Limits(timeout_s=seconds, output_bytes=limits.output_bytes or MAX_OUTPUT_BYTES)


def resolve_workspace_path(path: str) -> str:
    """Resolve a path in the workspace; raise LiteLLM's `SandboxError` where it leads out of it."""
    whole = posixpath.normpath(posixpath.join(WORKDIR, path))
    if not whole.startswith(f"{WORKSPACE}/"):
        raise build_harness_error(f"{path!r} is outside of {WORKSPACE}, where the files are")
    return whole.removeprefix(f"{WORKSPACE}/")


def build_hash_command() -> tuple[str, ...]:
    """Build the command that prints each file's digest and name, NUL-terminated."""
    names = " -o ".join(f"-name {name}" for name in SKIPPED_FOLDERS)
    found = f"-type f -size -{MAX_HASHED_BYTES + 1}c -print0"
    files = f"find . -type d \\( {names} \\) -prune -o {found}"
    return ("sh", "-c", f"{files} | xargs -0r sha256sum -z --")


def _build_env_prefix(env: Mapping[str, str]) -> list[str]:
    wrong = next((name for name in env if not name or "=" in name), None)
    if wrong is not None:
        raise build_harness_error(f"{wrong!r} cannot be the name of an environment variable")
    return ["env", "--", *(f"{name}={value}" for name, value in env.items())] if env else []


CHDIR_CODE: Final = f"import os; os.makedirs({WORKDIR!r}, exist_ok=True); os.chdir({WORKDIR!r})"
DIGEST_CHARS: Final = 64


class SidecarSandbox:
    """Give it to `litellm.agent(..., sandbox=...)`; `close` it afterwards.

    Commands run in the image of `language`, one after the other, without a network. The session
    starts with the first of them, and ends after an hour if it is not closed before. What cannot
    be done raises the `SandboxError` of `litellm.harness`, or ours where that is not loaded.
    """

    is_container = True

    def __init__(
        self,
        base_url: str,
        token: str = "",
        *,
        language: Language = "python",
        limits: Limits | None = None,
    ) -> None:
        self.workdir: str = WORKDIR
        self._toolchain: Language | None = None if language == "bash" else language
        self._base_url, self._token = base_url, token
        self._limits = limits or Limits()
        self._starting = asyncio.Lock()
        self.session_id: str | None = None
        self._is_closed = False
        # Connections belong to an event loop, and LiteLLM's agents have one of their own.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, SidecarClient] = (
            WeakKeyDictionary()
        )

    async def __aenter__(self) -> Self:
        await self._session()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def exec(
        self,
        cmd: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> SandboxProcess:
        """Begins a command."""
        with translate_errors():
            snippet = build_snippet(
                cmd, self._toolchain, clamp_limits(self._limits, None), env, cwd
            )
            return SandboxProcess(await self._session(), snippet)

    async def run(
        self,
        cmd: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - LiteLLM's own signature
    ) -> CompletedRun:
        """Run a command within `timeout` seconds, ten minutes at most."""
        snippet = build_snippet(cmd, self._toolchain, clamp_limits(self._limits, timeout), env, cwd)
        execution = await self._executed(snippet)
        if execution.status == "timeout":
            raise build_harness_error(
                f"command timed out after {execution.limits.timeout_s:g}s: {cmd[0]}"
            )
        return to_completed_run(execution)

    async def exec_python(self, code: str) -> str:
        """Run a Python program in the sandbox and return what it printed.

        Variables, and files in the working folder, stay for the next call.
        """
        with translate_errors():
            program = Snippet(language="python", code=code, stateful=True)
        await self._executed(Snippet(language="python", code=CHDIR_CODE, stateful=True))
        return format_execution(await self._executed(program))

    async def exec_shell(self, cmd: str) -> str:
        """Run shell commands in the sandbox and return what they printed.

        Files in the working folder stay for the next call. There is no network.
        """
        snippet = build_snippet(("bash", "-c", cmd), self._toolchain, Limits())
        return format_execution(await self._executed(snippet))

    async def read(self, path: str) -> bytes:
        """A file of the workspace."""
        with translate_errors():
            return await (await self._session()).read(resolve_workspace_path(path))

    async def write(self, path: str, data: bytes) -> None:
        """Makes a file, or replaces it, and the folders it lies in."""
        with translate_errors():
            await (await self._session()).write(resolve_workspace_path(path), data)

    def host_url(self, port: int) -> str:
        """There is no way from the sandbox to this machine, so this raises."""
        raise build_harness_error(
            f"nothing in the sandbox can reach port {port} of this machine: it has no network; use "
            "Harness.TOOL_LOOP or Harness.DEEPAGENTS, whose models are called from outside"
        )

    async def which(self, binary: str) -> str | None:
        """Where a program is, None where it is not."""
        found = await self.run(("sh", "-c", 'command -v -- "$1"', "sh", binary))
        return found.stdout.strip() or None

    async def tempdir(self) -> str:
        """A new folder, which is not in snapshots."""
        path = f"{WORKSPACE}/temporary-{secrets.token_hex(8)}"
        made = await self.run(("mkdir", "-m", "700", path))
        if made.exit_code:
            raise build_harness_error(f"no temporary folder: {made.stderr.strip()}")
        return path

    async def snapshot(self) -> Mapping[str, str]:
        """The SHA-256 of each file of 50 MiB or less, by its path in the workspace."""
        hashed = await self.run(build_hash_command())
        if hashed.exit_code or hashed.stderr:
            raise build_harness_error(f"no snapshot: {hashed.stderr.strip() or hashed.exit_code}")
        lines = hashed.stdout.split("\0")[:-1]
        return MappingProxyType(
            {line[DIGEST_CHARS + 2 :].removeprefix("./"): line[:DIGEST_CHARS] for line in lines}
        )

    async def close(self) -> None:
        """Ends the session, and whatever runs in it; nothing of it is left."""
        if self._is_closed:
            return
        try:
            if self.session_id is not None:
                with translate_errors():
                    await self._client().session(self.session_id).aclose()
        finally:
            self._is_closed = True
            await self._hang_up()

    async def _executed(self, snippet: Snippet) -> Execution:
        with translate_errors():
            return await (await self._session()).run(snippet)

    async def _session(self) -> SidecarSession:
        if self._is_closed:
            raise build_harness_error("the sandbox is closed; make another")
        async with self._starting:
            if self.session_id is None:
                opened = await self._client().open_session(ttl_s=MAX_TTL_S, limits=self._limits)
                self.session_id = opened.id
        return self._client().session(self.session_id)

    def _client(self) -> SidecarClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = SidecarClient(self._base_url, self._token)
        return self._clients[loop]

    async def _hang_up(self) -> None:
        here = asyncio.get_running_loop()
        for loop, client in tuple(self._clients.items()):
            if loop is here:
                await client.aclose()
            elif loop.is_running():
                there = asyncio.run_coroutine_threadsafe(client.aclose(), loop)
                await asyncio.wrap_future(there)
