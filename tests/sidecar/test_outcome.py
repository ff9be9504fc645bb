"""How a snippet ended, told from every other end."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from codex_sidecar.errors import RunnerLost
from codex_sidecar.runner.exchange import CutReason, Exchange
from codex_sidecar.runner.frames import Frame
from codex_sidecar.runner.outcome import determine_outcome
from mini_agent.errors import BadRequest
from mini_agent.sandbox import EnforcedLimits
from mini_agent_protocol.order import RunResult, decode_result

LIMITS = EnforcedLimits(
    timeout_s=1, memory_mb=64, cpus=1, pids=10, output_bytes=100, workspace_mb=10
)


class ClosedChannel:
    async def send(self, kind: bytes, body: bytes) -> None:
        raise RunnerLost(f"nobody to hear {kind!r} of {len(body)} bytes")

    async def send_frames(self, *sent: Frame) -> None:
        raise RunnerLost(f"nobody to hear {len(sent)} frames")

    async def receive(self, nonce: bytes, max_bytes: int = 0) -> Frame:
        raise RunnerLost(f"nobody to say {nonce!r} in {max_bytes} bytes")


def exchanged(cut: CutReason = "", **result: JsonValue) -> Exchange:
    exchange = Exchange(ClosedChannel(), LIMITS)
    exchange.cut = cut
    exchange.result = _parse_result(result) if result else None
    return exchange


def _parse_result(changes: dict[str, JsonValue]) -> RunResult:
    return decode_result(json.dumps(RunResult()._asdict() | changes).encode())


@pytest.mark.parametrize(
    ("exchange", "expected"),
    [
        (exchanged(exit_code=0), ("ok", 0, None)),
        (exchanged(exit_code=0, oom_kills=1), ("ok", 0, None)),
        (exchanged(exit_code=0, run_ms=1001), ("timeout", 124, "SIGKILL")),
        (exchanged(exit_code=3), ("nonzero", 3, None)),
        (exchanged(exit_code=137), ("nonzero", 137, None)),
        (exchanged(exit_code=1, oom_kills=1), ("oom", 1, None)),
        (exchanged(signal=11), ("nonzero", 139, "SIGSEGV")),
        (exchanged(signal=9), ("killed", 137, "SIGKILL")),
        (exchanged(signal=9, oom_kills=1), ("oom", 137, "SIGKILL")),
        (exchanged(signal=35), ("nonzero", 163, "signal 35")),
        (exchanged(exit_code=1, phase="compile"), ("compile_error", 1, None)),
        (exchanged(exit_code=1, phase="compile", oom_kills=2), ("oom", 1, None)),
        (exchanged(signal=9, late=True), ("timeout", 124, "SIGKILL")),
        (exchanged("timeout"), ("timeout", 124, "SIGKILL")),
        (exchanged("timeout", exit_code=0), ("ok", 0, None)),
        (exchanged("flood"), ("output_limit", 137, "SIGKILL")),
        (exchanged(signal=9, flooded=True), ("output_limit", 137, "SIGKILL")),
        (exchanged("lost"), ("killed", 137, "SIGKILL")),
    ],
)
def test_an_end_has_one_outcome(exchange: Exchange, expected: tuple[str, int, str | None]) -> None:
    outcome = determine_outcome(exchange, oom_killed=False)
    assert (outcome.status, outcome.exit_code, outcome.signal) == expected


def test_a_sandbox_that_the_engine_saw_run_out_of_memory_did() -> None:
    assert determine_outcome(exchanged("lost"), oom_killed=True).status == "oom"


def test_files_that_did_not_fit_are_the_callers_affair() -> None:
    with pytest.raises(BadRequest, match="No space left on device"):
        determine_outcome(exchanged(failed="No space left on device"), oom_killed=False)
