"""An exchange with a runner about one snippet: the order, and what comes back, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from codex_sidecar.engine.confinement import COMPILE_TIMEOUT_S
from codex_sidecar.errors import RunnerLost
from codex_sidecar.runner.files import MAX_ARTIFACT_BYTES, MAX_ARTIFACTS, unpack_artifacts
from codex_sidecar.runner.frames import Frame, FrameChannel
from codex_sidecar.runner.normalize import normalize_code
from codex_sidecar.runner.output import (
    BoundedOutput,
    Listener,
    NullListener,
    SnippetValues,
    StreamName,
    parse_values,
)
from mini_agent_protocol import frames
from mini_agent_protocol.execution import Artifact, EnforcedLimits, Timings
from mini_agent_protocol.languages import SPECS
from mini_agent_protocol.order import RunOrder, RunResult, decode_result, encode_order
from mini_agent_protocol.snippet import Snippet

ARTIFACTS_TIMEOUT_S: Final = 10.0
DRAIN_TIMEOUT_S: Final = 5.0
MIN_FLOOD_BYTES: Final = 8 << 20

_SKIPPED: Final = TypeAdapter(tuple[str, ...])

CutReason = Literal["", "timeout", "flood", "lost"]
Kill = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DeadlineMargins:
    """Seconds after a snippet's deadline until the runner ends it, and until the sidecar does."""

    runner_s: float
    sidecar_s: float


# The runner comes first: it ends the snippet alone, and what that has left can still be fetched.
RUNNER_FIRST: Final = DeadlineMargins(runner_s=0.0, sidecar_s=3.0)
# Bytes of output beyond its limit that the runner may still have sent.
FLOOD_MARGIN_BYTES: Final = 1 << 20


class Exchange:
    """Runs one snippet on a runner; its attributes hold what was received."""

    def __init__(
        self,
        channel: FrameChannel,
        limits: EnforcedLimits,
        margins: DeadlineMargins = RUNNER_FIRST,
        listener: Listener | None = None,
    ) -> None:
        self._channel, self._limits, self._margins = channel, limits, margins
        self._listener = listener or NullListener()
        self._nonce = secrets.token_bytes(frames.NONCE_BYTES)
        self.stdout = BoundedOutput(limits.output_bytes)
        self.stderr = BoundedOutput(limits.output_bytes)
        self.result: RunResult | None = None
        self.values = SnippetValues()
        self.artifacts: tuple[Artifact, ...] = ()
        self.skipped: tuple[str, ...] = ()
        self.normalized: tuple[str, ...] = ()
        self.cut: CutReason = ""
        self.finished = asyncio.Event()
        self._expects_artifacts = self._has_artifacts = False
        self._is_sent = self._interrupt_when_sent = False
        self._began = self._running_since = self._ended = 0.0

    @property
    def has_started(self) -> bool:
        """Whether the program itself was started."""
        return self._running_since > 0

    @property
    def _max_output_bytes(self) -> int:
        return max(MIN_FLOOD_BYTES, 2 * self._limits.output_bytes)

    @property
    def timed_out(self) -> bool:
        """Whether the program ran for longer than it may, even if it then ended by itself."""
        max_ms = self._limits.timeout_s * 1000
        return self.result is not None and (self.result.late or self.result.run_ms > max_ms)

    @property
    def is_complete(self) -> bool:
        """Whether the runner has sent everything and awaits the next snippet."""
        if self.result is None:
            return False
        is_artifacts_pending = (
            self._expects_artifacts and self.result.phase == "run" and not self.result.failed
        )
        return self._has_artifacts or not is_artifacts_pending

    def timings(self) -> Timings:
        """Return compile and run times; by our own clock where the runner reported none."""
        if self.result is not None:
            return Timings(compile=self.result.compile_ms, run=self.result.run_ms)
        if not self.has_started:
            return Timings(compile=(self._ended - self._began) * 1000)
        return Timings(run=(self._ended - self._running_since) * 1000)

    async def run(self, snippet: Snippet, files: bytes, kill: Kill) -> None:
        """Exchange frames until the snippet is done; `kill` ends it at the deadline or a flood."""
        self._expects_artifacts = bool(snippet.artifacts)
        deadline = asyncio.timeout(COMPILE_TIMEOUT_S + self._margins.sidecar_s)
        self._began = _now()
        try:
            async with deadline:
                await self._send_order(snippet, files)
                await self._receive_all(deadline)
        except TimeoutError:
            self.cut = "timeout"
        except (RunnerLost, OSError):
            self.cut = "lost"
        self._ended = _now()
        # Artifacts that take too long do not change the result.
        if self.result is None and self.cut in ("timeout", "flood"):
            await self._kill_and_drain(kill)
        self._send_ends()

    async def interrupt(self) -> None:
        """Send the program, or its compiler, what Ctrl-C sends (SIGINT)."""
        self._interrupt_when_sent = not self._is_sent
        if self._is_sent and self.result is None:
            await self._channel.send_frames(Frame(frames.INTERRUPT, b""))

    async def _send_order(self, snippet: Snippet, files: bytes) -> None:
        order = self._build_order(snippet)
        await self._channel.send_frames(
            Frame(frames.SNIPPET, encode_order(order)),
            Frame(frames.FILES, files),
            Frame(frames.GO, self._nonce),
        )
        self._is_sent = True
        if self._interrupt_when_sent:
            await self.interrupt()

    def _build_order(self, snippet: Snippet) -> RunOrder:
        spec = SPECS[snippet.language]
        code, self.normalized = normalize_code(snippet.code, snippet.language)
        return RunOrder(
            program=spec.program,
            beside=spec.lies_beside(code) or _starts_anew(snippet),
            code=spec.source(code),
            start=list(spec.start),
            compile=list(spec.compile),
            # Bytes that are no text go as lone surrogates, which the runner turns back.
            stdin=snippet.input_bytes().decode(errors="surrogateescape"),
            args=list(snippet.args),
            env=snippet.env,
            compile_timeout_s=COMPILE_TIMEOUT_S + self._margins.runner_s,
            timeout_s=self._limits.timeout_s + self._margins.runner_s,
            artifacts=list(snippet.artifacts),
            artifact_count=MAX_ARTIFACTS,
            artifact_bytes=MAX_ARTIFACT_BYTES,
            output_bytes=self._max_output_bytes,
            isolation=snippet.isolation if spec.forks else "spawn",
            stateful=snippet.stateful,
        )

    async def _receive_all(self, deadline: asyncio.Timeout) -> None:
        while not self.cut and not self.is_complete:
            frame = await self._channel.receive(self._nonce)
            self._handle(frame)
            if frame.kind == frames.RUNNING:
                limit_s = self._limits.timeout_s + self._margins.sidecar_s
                deadline.reschedule(self._running_since + limit_s)
            elif frame.kind == frames.RESULT:
                deadline.reschedule(_now() + ARTIFACTS_TIMEOUT_S)

    def _handle(self, frame: Frame) -> None:
        match frame.kind:
            case frames.STDOUT:
                self._add_output("stdout", frame.body)
            case frames.STDERR:
                self._add_output("stderr", frame.body)
            case frames.RUNNING:
                self._running_since = self._running_since or _now()
                self._listener.on_start()
            case frames.VALUES:
                self.values = parse_values(frame.body)
            case frames.RESULT:
                self.result = _parse_result(frame.body)
            case frames.ARTIFACTS:
                self._unpack_artifacts(frame.body)
            case other:
                raise RunnerLost(f"the runner sent a frame of kind {other!r}")
        if self.is_complete:
            self.finished.set()

    def _add_output(self, stream: StreamName, content: bytes) -> None:
        accepted = (self.stdout if stream == "stdout" else self.stderr).add(content)
        if accepted:
            self._listener.on_output(stream, accepted)
        max_bytes = self._max_output_bytes + FLOOD_MARGIN_BYTES
        if not self.cut and self.stdout.total_bytes + self.stderr.total_bytes > max_bytes:
            self.cut = "flood"

    def _send_ends(self) -> None:
        """Give the listener what was held back of the streams until there was no more."""
        if end := self.stdout.close():
            self._listener.on_output("stdout", end)
        if end := self.stderr.close():
            self._listener.on_output("stderr", end)

    def _unpack_artifacts(self, body: bytes) -> None:
        skipped, archive = frames.split_parts(body)
        try:
            self.skipped = _SKIPPED.validate_json(skipped)
        except ValidationError as error:
            raise RunnerLost("the list of skipped files is not one") from error
        self.artifacts = unpack_artifacts(archive)
        self._has_artifacts = True

    async def _kill_and_drain(self, kill: Kill) -> None:
        # The engine cannot end a container whose output is not read.
        draining = asyncio.create_task(self._drain_output())
        try:
            await kill()
        finally:
            await draining

    async def _drain_output(self) -> None:
        """Take in the output that was on its way when the snippet was killed."""
        with contextlib.suppress(TimeoutError, RunnerLost, OSError):
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                while not self.is_complete:
                    self._handle(await self._channel.receive(self._nonce))


def _starts_anew(snippet: Snippet) -> bool:
    """Whether an interpreter starts for it that looks for modules beside the program's file."""
    has_own_options = any(name.startswith("PYTHON") for name in snippet.env)
    is_clean = snippet.isolation == "spawn" or has_own_options
    return SPECS[snippet.language].forks and is_clean


def _now() -> float:
    return asyncio.get_running_loop().time()


def _parse_result(body: bytes) -> RunResult:
    try:
        return decode_result(body)
    except ValueError as error:
        raise RunnerLost("the runner's result is not one") from error
