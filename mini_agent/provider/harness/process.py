"""What comes of a command in a sandbox, in the words of `litellm.harness`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from mini_agent.errors import MiniAgentError, SandboxError
from mini_agent_protocol.execution import Execution


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """The same fields as LiteLLM's own; what the sandbox did to the command is told in `stderr`."""

    stdout: str
    stderr: str
    exit_code: int


def completed(execution: Execution) -> CompletedRun:
    """What LiteLLM's agents read of it."""
    stderr = "".join((execution.stderr, *(f"[{note}]\n" for note in notes_on(execution))))
    return CompletedRun(execution.stdout, stderr, execution.exit_code)


def notes_on(execution: Execution) -> Iterable[str]:
    """What a command cannot tell of itself."""
    limits, session = execution.limits, execution.session
    if execution.status == "timeout":
        yield f"cut off after {limits.timeout_s:g} s"
    if execution.status == "oom":
        yield f"ended: it needed more than the {limits.memory_mb} MiB it may use"
    if execution.status == "killed":
        yield f"ended by {execution.signal or 'the sandbox'}"
    if execution.truncated.stdout:
        yield f"stdout is cut: {execution.stdout_bytes} bytes, {limits.output_bytes} kept"
    if execution.truncated.stderr:
        yield f"stderr is cut: {execution.stderr_bytes} bytes, {limits.output_bytes} kept"
    if session is not None and session.workspace == "lost":
        yield "the files of before are lost: the container that held them was ended"


def shown(execution: Execution) -> str:
    """The same as one text, for a model."""
    parts = [execution.stdout, execution.stderr]
    if execution.result_repr is not None:
        parts.append(execution.result_repr)
    parts += [f"[{note}]" for note in notes_on(execution)]
    if execution.exit_code:
        parts.append(f"[exit code {execution.exit_code}]")
    return "\n".join(part.rstrip("\n") for part in parts if part.strip()) or "(no output)"


def harness_error(message: str) -> Exception:
    """LiteLLM's own error for what a sandbox could not do, as its agents catch no other.

    Where nobody has loaded them, it is ours: this file travels with the sidecar, which has no
    LiteLLM, so nothing here imports it.
    """
    loaded = sys.modules.get("litellm.harness.errors")
    kind: type[Exception] = getattr(loaded, "SandboxError", SandboxError)
    return kind(message)


@contextmanager
def in_harness_words() -> Iterator[None]:
    """Raises ours as LiteLLM's."""
    try:
        yield
    except MiniAgentError as error:
        raise harness_error(str(error)) from error
    except ValidationError as wrong:
        raise harness_error(f"not to be run: {wrong.errors()[0]['msg']}") from wrong
