"""Formats an execution as OpenSandbox's events, which LiteLLM reads."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from typing import Final

from pydantic import JsonValue

from mini_agent_protocol.execution import Execution, Output, Rich
from mini_agent_protocol.problems import Problem
from mini_agent_protocol.sse import format_event

Event = dict[str, JsonValue]

TRACEBACK_HEADER: Final = "Traceback (most recent call last):\n"
EXCEPTION_LINE: Final = re.compile(r"([A-Za-z_][\w.]*)(?::|$)")
MAX_MESSAGE_CHARS: Final = 2000


class OpenSandboxEventFormat:
    """The events of one execution; `number` counts the executions of its sandbox."""

    def __init__(self, number: int) -> None:
        self._number = number

    def output(self, output: Output) -> str:
        """Format a piece of output."""
        return _format({"type": output.stream, "text": output.text})

    def execution(self, execution: Execution) -> str:
        """Format the value, the failure, and the end."""
        events: list[Event] = [
            *_truncation_events(execution),
            {"type": "execution_count", "execution_count": self._number},
            *(_result_event(bundle) for bundle in build_results(execution)),
        ]
        if execution.status != "ok":
            events.append(_error_event(*describe_failure(execution), execution.stderr.splitlines()))
        ms = round(execution.timings_ms.run)
        events.append({"type": "execution_complete", "execution_time": ms})
        return "".join(map(_format, events))

    def error(self, problem: Problem) -> str:
        """Format the error, where there is no execution."""
        message = problem.error
        what = f"{message.message} ({message.hint})" if message.hint else message.message
        return _format(_error_event(message.code, what, []))


def build_results(execution: Execution) -> list[Event]:
    """Return the last expression's value in all its media types, and each figure by itself."""
    bundles: list[Event] = []
    value = execution.result_repr
    values = [] if value is None else [Rich(media_type="text/plain", text=value)]
    for rich in (*values, *execution.rich):
        if not bundles or rich.media_type in bundles[-1]:
            bundles.append({})
        bundles[-1][rich.media_type] = rich.text if rich.base64 is None else rich.base64
    return bundles


def describe_failure(execution: Execution) -> tuple[str, str]:
    """Return a failure's name and message.

    LiteLLM shows the model only the message, so it holds everything, including the name of a Python
    exception.
    """
    message = execution.stderr.strip()
    if ended := _describe_limit(execution):
        return ended
    if execution.status == "compile_error":
        return "CompileError", message[:MAX_MESSAGE_CHARS]
    if execution.language == "python" and (raised := _parse_exception(message)):
        return raised
    code = f"the code ended with exit code {execution.exit_code}"
    return "ExitCode", f"{code}: {message[-MAX_MESSAGE_CHARS:]}" if message else code


def _describe_limit(execution: Execution) -> tuple[str, str] | None:
    limits = execution.limits
    if execution.status == "timeout":
        return "TimeLimit", f"the code was cut off after {limits.timeout_s:g} s"
    if execution.status == "oom":
        return "OutOfMemory", f"the code needed more than the {limits.memory_mb} MiB it may use"
    if execution.status == "output_limit":
        return "OutputLimit", "the code printed more than a program may"
    if execution.status == "killed":
        return "Killed", f"the code was ended by {execution.signal or 'the sandbox'}"
    return None


def _parse_exception(stderr: str) -> tuple[str, str] | None:
    """Return name and message of the exception that ended a Python program, if one did."""
    lines = stderr.rpartition(TRACEBACK_HEADER)[2].splitlines()
    indented = [number for number, line in enumerate(lines) if line.startswith(" ")]
    last = lines[indented[-1] + 1 :] if indented else []
    named = EXCEPTION_LINE.match(last[0]) if last else None
    return (named[1], "\n".join(last)[:MAX_MESSAGE_CHARS]) if named else None


def _truncation_events(execution: Execution) -> Iterable[Event]:
    """Yield output that says what was cut; LiteLLM has no event for it."""
    if execution.truncated.stdout:
        yield _truncation_event("stdout", execution.stdout_bytes, execution.limits.output_bytes)
    if execution.truncated.stderr:
        yield _truncation_event("stderr", execution.stderr_bytes, execution.limits.output_bytes)


def _truncation_event(stream: str, written: int, limit: int) -> Event:
    return {"type": stream, "text": f"\n[cut: of {written} bytes, {limit} were kept]\n"}


def _result_event(bundle: Event) -> Event:
    return {"type": "result", "results": bundle}


def _error_event(name: str, value: str, traceback: list[str]) -> Event:
    lines: list[JsonValue] = [*traceback]
    return {"type": "error", "error": {"ename": name, "evalue": value, "traceback": lines}}


def _format(event: Event) -> str:
    # In ASCII: LiteLLM's reader takes U+2028 and the like for line ends.
    return format_event(json.dumps(event | {"timestamp": int(time.time() * 1000)}))
