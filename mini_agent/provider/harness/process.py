"""A command in a sandbox as a `litellm.harness` Process."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from mini_agent.errors import MiniAgentError, SandboxError
from mini_agent.sandbox.client import SidecarSession
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Snippet


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """The same fields as LiteLLM's own; what the sandbox did to the command is told in `stderr`."""

    stdout: str
    stderr: str
    exit_code: int


def to_completed_run(execution: Execution) -> CompletedRun:
    """Convert an execution to what LiteLLM's agents read."""
    stderr = "".join((execution.stderr, *(f"[{note}]\n" for note in list_notes(execution))))
    return CompletedRun(execution.stdout, stderr, execution.exit_code)


def list_notes(execution: Execution) -> Iterable[str]:
    """List what the sandbox did to a command: limits reached, output cut, files lost."""
    limits, session = execution.limits, execution.session
    if execution.status == "timeout":
        yield f"cut off after {limits.timeout_s:g} s"
    if execution.status == "oom":
        yield f"ended: it needed more than the {limits.memory_mb} MiB it may use"
    if execution.status == "output_limit":
        yield "ended: it printed more than a program may"
    if execution.status == "killed":
        yield f"ended by {execution.signal or 'the sandbox'}"
    if execution.truncated.stdout:
        yield f"stdout is cut: {execution.stdout_bytes} bytes, {limits.output_bytes} kept"
    if execution.truncated.stderr:
        yield f"stderr is cut: {execution.stderr_bytes} bytes, {limits.output_bytes} kept"
    if session is not None and session.workspace == "lost":
        yield "the files of before are lost: the container that held them was ended"


def format_execution(execution: Execution) -> str:
    """Format an execution as one text for a model."""
    parts = [execution.stdout, execution.stderr]
    if execution.result_repr is not None:
        parts.append(execution.result_repr)
    parts += [f"[{note}]" for note in list_notes(execution)]
    if execution.exit_code:
        parts.append(f"[exit code {execution.exit_code}]")
    return "\n".join(part.rstrip("\n") for part in parts if part.strip()) or "(no output)"


def build_harness_error(message: str) -> Exception:
    """Build LiteLLM's own sandbox error, because its agents catch no other.

    Where nobody has loaded them, it is ours: this file travels with the sidecar, which has no
    LiteLLM, so nothing here imports it.
    """
    loaded = sys.modules.get("litellm.harness.errors")
    kind: type[Exception] = getattr(loaded, "SandboxError", SandboxError)
    return kind(message)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translate our errors to LiteLLM's."""
    try:
        yield
    except MiniAgentError as error:
        raise build_harness_error(str(error)) from error
    except ValidationError as wrong:
        raise build_harness_error(f"not to be run: {wrong.errors()[0]['msg']}") from wrong


KILL_TIMEOUT_S: Final = 5.0
KILLED_EXIT_CODE: Final = 137


class SandboxProcess:
    """Begins at once. Its input is empty: `stdin` is None."""

    def __init__(self, session: SidecarSession, snippet: Snippet) -> None:
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.returncode: int | None = None
        self._failed: Exception | None = None
        self._session = session
        self._following = asyncio.create_task(self._follow(session.stream(snippet)))

    async def wait(self) -> int:
        """Its exit code, once it has one; LiteLLM's `SandboxError` where it could not be run."""
        await asyncio.wait({self._following})
        if self._failed is not None:
            raise self._failed
        return KILLED_EXIT_CODE if self.returncode is None else self.returncode

    async def kill(self) -> None:
        """Ctrl-C; what does not end within seconds is ended with its container, and the files."""
        if self._following.done():
            return
        with contextlib.suppress(MiniAgentError):
            await self._session.interrupt()
        await asyncio.wait({self._following}, timeout=KILL_TIMEOUT_S)
        self._following.cancel()
        await asyncio.wait({self._following})

    async def _follow(self, items: AsyncGenerator[Output | Execution, None]) -> None:
        try:
            async with aclosing(items):
                self.returncode = await self._heard(items)
        except MiniAgentError as error:
            self._failed = build_harness_error(str(error))
            self.stdout.set_exception(self._failed)
            self.stderr.set_exception(self._failed)
        finally:
            self.stdout.feed_eof()
            self.stderr.feed_eof()

    async def _heard(self, items: AsyncGenerator[Output | Execution, None]) -> int:
        async for item in items:
            if isinstance(item, Execution):
                self.stderr.feed_data("".join(f"[{n}]\n" for n in list_notes(item)).encode())
                return item.exit_code
            stream = self.stdout if item.stream == "stdout" else self.stderr
            stream.feed_data(item.text.encode())
        raise MiniAgentError("the command's stream ended without its exit code")
