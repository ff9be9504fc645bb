"""A sandbox provider for Inspect (PyPI: inspect-ai): `sandbox="mini-agent"` in a task.

Inspect finds it by its entry point. Each sample has a session of its own: a workspace, without a
network, whose commands run in the image of `MiniAgentSandboxConfig.toolchain`.
"""

from __future__ import annotations

import base64
import errno
import os
import secrets
import shlex
from contextlib import AsyncExitStack
from functools import cache
from posixpath import join, normpath
from typing import TYPE_CHECKING, Any, Final, Literal, Self, overload

from pydantic import BaseModel, ConfigDict, Field

from mini_agent.errors import BadRequest, SandboxError
from mini_agent.sandbox import Execution, Language, Limits, SidecarClient, SidecarSession, Snippet
from mini_agent.settings import Settings, require_extra
from mini_agent.tools.sandbox_client import open_sandbox

if TYPE_CHECKING:
    from inspect_ai.util import ExecResult

WORKSPACE: Final = "/workspace"
USER: Final = "sandbox"
MAX_TIMEOUT_S: Final = 600
MAX_OUTPUT_BYTES: Final = 8 << 20
# Longer input goes as a file.
MAX_STDIN_BYTES: Final = 1 << 20
CANNOT_EXECUTE: Final = 126
ENVIRONMENT: Final = "default"
TOKEN_BYTES: Final = 8


class MiniAgentSandboxConfig(BaseModel):
    """What a task says of its sandboxes: `sandbox=("mini-agent", MiniAgentSandboxConfig(...))`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    toolchain: Language = Field(
        default="python", description="The language whose image runs the commands."
    )
    ttl_s: float = Field(
        default=3600.0, description="Seconds without a call after which a sandbox ends."
    )
    limits: Limits = Field(
        default=Limits(memory_mb=1024, workspace_mb=512, pids=256, cpus=1),
        description="What a sandbox may spend; a command's own timeout is Inspect's.",
    )


# Made on first use: Inspect, whose class it is derived from, is an extra.
def __getattr__(name: str) -> type[InspectSandbox]:
    if name != "MiniAgentSandboxEnvironment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _create_provider()


@cache
def _create_provider() -> type[InspectSandbox]:
    with require_extra("inspect", what="the sandbox provider for Inspect"):
        from inspect_ai.util import SandboxEnvironment, sandboxenv
    named: type[InspectSandbox] = type(
        "MiniAgentSandboxEnvironment", (InspectSandbox, SandboxEnvironment), {}
    )
    provider: type[InspectSandbox] = sandboxenv(name="mini-agent")(named)
    return provider


class InspectSandbox:
    """One session of a sidecar, with the methods of Inspect's `SandboxEnvironment`."""

    def __init__(self, client: SidecarClient, session: SidecarSession, toolchain: Language) -> None:
        super().__init__()
        self._client, self._session, self._toolchain = client, session, toolchain

    @classmethod
    async def sample_init(
        cls, task_name: str, config: object, metadata: dict[str, str]
    ) -> dict[str, Self]:
        """Open a sample's session; raises `SandboxUnavailable` where no sidecar answers."""
        del task_name, metadata
        wanted = config if isinstance(config, MiniAgentSandboxConfig) else MiniAgentSandboxConfig()
        async with AsyncExitStack() as opened:
            client = await opened.enter_async_context(open_sandbox(Settings()))
            session = await client.open_session(ttl_s=wanted.ttl_s, limits=wanted.limits)
            # From here on `aclose` closes it.
            opened.pop_all()
        return {ENVIRONMENT: cls(client, session, wanted.toolchain)}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: object,
        environments: dict[str, Self],
        interrupted: bool,
    ) -> None:
        """Close a sample's session; what still runs in it is killed."""
        del task_name, config, interrupted
        for environment in environments.values():
            await environment.aclose()

    @classmethod
    def config_deserialize(cls, config: dict[str, Any]) -> BaseModel:
        """Read a configuration from a log."""
        return MiniAgentSandboxConfig.model_validate(config)

    async def aclose(self) -> None:
        """Close the session and the connection."""
        try:
            await self._session.aclose()
        finally:
            await self._client.aclose()

    async def exec(  # noqa: PLR0913, PLR0917 - Inspect's signature
        self,
        cmd: list[str],
        input: str | bytes | None = None,  # noqa: A002 - Inspect's name
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,  # noqa: ASYNC109 - Inspect's name
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run a command; the sandbox itself bounds how many run at once."""
        del timeout_retry, concurrency
        if user not in (None, USER):
            raise _unsupported_user(user)
        content = input.encode() if isinstance(input, str) else input or b""
        redirection = await self._send_input(content)
        folder = shlex.quote(normpath(join(WORKSPACE, cwd or "")))
        code = f"cd -- {folder} && {redirection}exec {shlex.join(cmd)}"
        direct = b"" if redirection else content
        return _result(await self._run(code, direct, env or {}, timeout), cmd)

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file, and make the folders it is in."""
        content = contents.encode() if isinstance(contents, str) else contents
        inside = _relative(file)
        if inside is None or not await self._wrote(inside, content):
            await self._write_anywhere(file, content)

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        """Read a file, wherever in the sandbox it is."""
        from inspect_ai.util import OutputLimitExceededError, SandboxEnvironmentLimits

        inside = _relative(file)
        content = None if inside is None else await self._read(inside)
        if content is None:
            content = await self._read_anywhere(file)
        if len(content) > SandboxEnvironmentLimits.MAX_READ_FILE_SIZE:
            raise OutputLimitExceededError(
                limit_str=SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, truncated_output=None
            )
        return content.decode() if text else content

    async def _run(
        self, code: str, stdin: bytes, env: dict[str, str], timeout_s: int | None
    ) -> Execution:
        snippet = Snippet(
            language="bash",
            code=code,
            stdin_base64=base64.b64encode(stdin).decode(),
            env=env,
            toolchain=None if self._toolchain == "bash" else self._toolchain,
            limits=Limits(
                timeout_s=min(timeout_s or MAX_TIMEOUT_S, MAX_TIMEOUT_S),
                output_bytes=MAX_OUTPUT_BYTES,
            ),
        )
        try:
            return await self._session.run(snippet)
        except SandboxError as away:
            from inspect_ai.util import SandboxUnavailableError

            raise SandboxUnavailableError(str(away)) from away

    async def _send_input(self, content: bytes) -> str:
        """Send long input as a file; returns what a shell reads it with, and removes it."""
        if len(content) <= MAX_STDIN_BYTES:
            return ""
        name = _new_name()
        await self._session.write(name, content)
        path = f"{WORKSPACE}/{name}"
        return f"exec <{path} && rm {path} && "

    async def _wrote(self, path: str, content: bytes) -> bool:
        try:
            await self._session.write(path, content)
        except BadRequest:
            return False
        return True

    async def _read(self, path: str) -> bytes | None:
        try:
            return await self._session.read(path)
        except BadRequest:
            return None

    async def _write_anywhere(self, file: str, content: bytes) -> None:
        """Write through a shell, which says in an `errno` what is in the way."""
        name, place = _new_name(), shlex.quote(normpath(join(WORKSPACE, file)))
        await self._session.write(name, content)
        folder = f'"$(dirname -- {place})"'
        await self._require(
            f"trap 'rm -f {WORKSPACE}/{name}' EXIT; [ ! -d {place} ] || exit {errno.EISDIR}\n"
            f"mkdir -p -- {folder} && cat {WORKSPACE}/{name} >{place} || exit {errno.EACCES}",
            file,
        )

    async def _read_anywhere(self, file: str) -> bytes:
        name, place = _new_name(), shlex.quote(normpath(join(WORKSPACE, file)))
        await self._require(
            f"[ -e {place} ] || exit {errno.ENOENT}; [ ! -d {place} ] || exit {errno.EISDIR}\n"
            f"[ -r {place} ] && cat {place} >{WORKSPACE}/{name} || exit {errno.EACCES}",
            file,
        )
        try:
            return await self._session.read(name)
        finally:
            await self._session.delete(name)

    async def _require(self, code: str, file: str) -> None:
        """Run a command whose exit code is an `errno`; raises the `OSError` of it."""
        ran = await self._run(code, b"", {}, None)
        if ran.exit_code:
            raise OSError(ran.exit_code, os.strerror(ran.exit_code), file)


def _unsupported_user(user: str | None) -> Exception:
    from inspect_ai.util import SandboxUserUnsupportedError

    words = f"a sandbox has one user, {USER!r}, and no root: it cannot run as {user!r}"
    unsupported: Exception = SandboxUserUnsupportedError(words)
    return unsupported


def _result(ran: Execution, cmd: list[str]) -> ExecResult[str]:
    from inspect_ai.util import ExecResult, OutputLimitExceededError

    if ran.status == "timeout":
        raise TimeoutError(f"the command ran for longer than {ran.limits.timeout_s:g} s")
    if ran.exit_code == CANNOT_EXECUTE and "permission denied" in ran.stderr.lower():
        raise PermissionError(errno.EACCES, ran.stderr.strip(), cmd[0])
    if ran.truncated.stdout or ran.truncated.stderr:
        raise OutputLimitExceededError(
            limit_str=f"{MAX_OUTPUT_BYTES >> 20} MiB", truncated_output=ran.stdout + ran.stderr
        )
    return ExecResult(ran.status == "ok", ran.exit_code, ran.stdout, ran.stderr)


def _relative(file: str) -> str | None:
    """Return the path below the workspace; None for one elsewhere."""
    path = normpath(join(WORKSPACE, file))
    inside = path.startswith(f"{WORKSPACE}/")
    return path.removeprefix(f"{WORKSPACE}/") if inside else None


def _new_name() -> str:
    return f".inspect-{secrets.token_hex(TOKEN_BYTES)}"
