"""Builds the execution from what the runner, the engine and the sidecar's own clock report."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Final

from codex_sidecar.runner.exchange import Exchange
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import EnforcedLimits, Execution, SandboxFacts, Status, Truncated
from mini_agent_protocol.order import RunResult
from mini_agent_protocol.snippet import Snippet

DEADLINE_EXIT: Final = 124
SIGNAL_BASE: Final = 128
KILLED_EXIT: Final = SIGNAL_BASE + signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a snippet ended."""

    status: Status
    exit_code: int
    signal: str | None = None


def determine_outcome(exchange: Exchange, *, oom_killed: bool) -> Outcome:
    """Decide how a snippet ended.

    `oom_killed`: the engine saw a sandbox run out of memory that died without a result. Raises
    `BadRequest` where the snippet's files could not be placed.
    """
    result = exchange.result
    if result is not None and result.failed:
        raise BadRequest(
            f"the snippet's files could not be placed in its workspace: {result.failed}",
            field="files",
        )
    if exchange.cut == "flood" or (result is not None and result.flooded):
        return Outcome("output_limit", KILLED_EXIT, "SIGKILL")
    if result is not None and not exchange.timed_out:
        return _result_outcome(result)
    if exchange.cut == "lost":
        return Outcome("oom" if oom_killed else "killed", KILLED_EXIT, "SIGKILL")
    return Outcome("timeout", DEADLINE_EXIT, "SIGKILL")


def _result_outcome(result: RunResult) -> Outcome:
    if result.exit_code == 0 and result.signal == 0:
        return Outcome("ok", 0)
    exit_code = SIGNAL_BASE + result.signal if result.signal else result.exit_code
    return Outcome(_failure_status(result), exit_code, _signal_name(result.signal))


def _failure_status(result: RunResult) -> Status:
    # A failure during which the kernel killed for memory counts as one of memory.
    if result.oom_kills:
        return "oom"
    if result.phase == "compile":
        return "compile_error"
    return "killed" if result.signal == signal.SIGKILL else "nonzero"


def _signal_name(number: int) -> str | None:
    if number == 0:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def build_execution(
    snippet: Snippet,
    exchange: Exchange,
    limits: EnforcedLimits,
    facts: SandboxFacts,
    *,
    oom_killed: bool,
) -> Execution:
    """Build the execution; `oom_killed` as in `determine_outcome`."""
    outcome = determine_outcome(exchange, oom_killed=oom_killed)
    result = exchange.result
    return Execution(
        language=snippet.language,
        status=outcome.status,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        stdout=exchange.stdout.text(),
        stderr=exchange.stderr.text(),
        stdout_bytes=exchange.stdout.total_bytes,
        stderr_bytes=exchange.stderr.total_bytes,
        truncated=Truncated(stdout=exchange.stdout.truncated, stderr=exchange.stderr.truncated),
        oom_events=result.oom_kills if result else int(oom_killed),
        result_repr=exchange.values.result_repr,
        rich=exchange.values.rich,
        rich_skipped=exchange.values.skipped,
        artifacts=exchange.artifacts,
        artifacts_skipped=exchange.skipped,
        normalized=exchange.normalized,
        timings_ms=exchange.timings(),
        limits=limits,
        sandbox=facts,
    )
