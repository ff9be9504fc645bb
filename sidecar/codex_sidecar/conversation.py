"""The talk with a runner about one snippet: the order, and all that comes back, within bounds."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from codex_sidecar import frames
from codex_sidecar.catalog import COMPILE_TIMEOUT_S
from codex_sidecar.errors import RunnerLost
from codex_sidecar.files import MOST_ARTIFACT_BYTES, MOST_ARTIFACTS, unpack
from codex_sidecar.frames import Frame
from mini_agent.sandbox import Artifact, EnforcedLimits, Snippet, Timings

COLLECT_S: Final = 10.0
LAST_WORDS_S: Final = 5.0
HARD_OUTPUT_BYTES: Final = 8 << 20

Cut = Literal["", "timeout", "flood", "lost"]
Kill = Callable[[], Awaitable[None]]


class Line(Protocol):
    """The two directions of a conversation."""

    async def send(self, kind: bytes, body: bytes) -> None:
        """Sends one frame."""
        ...

    async def receive(self, nonce: bytes) -> Frame:
        """The next frame; raises `RunnerLost` when there is none."""
        ...


class Order(BaseModel):
    """The header of a snippet's frame; the runner's `Order` has the same fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str
    code: str
    stdin: str
    args: tuple[str, ...]
    env: dict[str, str]
    compile_timeout_s: float = COMPILE_TIMEOUT_S
    timeout_s: float
    artifacts: tuple[str, ...]
    artifact_count: int = MOST_ARTIFACTS
    artifact_bytes: int = MOST_ARTIFACT_BYTES


class Result(BaseModel):
    """What the runner says became of the snippet; its `Result` has the same fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: Literal["compile", "run"]
    exit_code: int
    signal: int
    late: bool
    compile_ms: float
    run_ms: float
    oom_kills: int
    failed: str


class Kept:
    """One stream of output: the first bytes of it, and how many there were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self.seen = 0

    @property
    def truncated(self) -> bool:
        """Whether there was more than is kept."""
        return self.seen > len(self._content)

    def add(self, chunk: bytes) -> None:
        """Counts the chunk and keeps what still fits."""
        self.seen += len(chunk)
        self._content += chunk[: self._limit - len(self._content)]

    def text(self) -> str:
        """What is kept, as text; a character that the cut went through is left out."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(bytes(self._content), final=not self.truncated)


class Conversation:
    """One snippet's worth of talk; `heard` afterwards in its attributes."""

    def __init__(self, line: Line, limits: EnforcedLimits) -> None:
        self._line, self._limits = line, limits
        self._nonce = secrets.token_bytes(frames.NONCE_BYTES)
        self.stdout, self.stderr = Kept(limits.output_bytes), Kept(limits.output_bytes)
        self.result: Result | None = None
        self.artifacts: tuple[Artifact, ...] = ()
        self.skipped: tuple[str, ...] = ()
        self.cut: Cut = ""
        self._began = self._running_since = self._ended = 0.0

    def timings(self) -> Timings:
        """How long compiler and program took; by our clock where the runner could not say."""
        if self.result is not None:
            return Timings(compile=self.result.compile_ms, run=self.result.run_ms)
        if not self._running_since:
            return Timings(compile=(self._ended - self._began) * 1000)
        return Timings(run=(self._ended - self._running_since) * 1000)

    async def hold(self, snippet: Snippet, files: bytes, kill: Kill) -> None:
        """Talks until the snippet is done; `kill` ends it at the deadline or in a flood."""
        deadline = asyncio.timeout(COMPILE_TIMEOUT_S)
        self._began = _now()
        try:
            async with deadline:
                await self._order(snippet, files)
                await self._listen(snippet, deadline)
        except TimeoutError:
            self.cut = "timeout"
        except (RunnerLost, OSError):
            self.cut = "lost"
        self._ended = _now()
        # A late collection of artifacts does not change what became of the snippet.
        if self.result is None and self.cut in ("timeout", "flood"):
            await self._end(kill)

    async def _order(self, snippet: Snippet, files: bytes) -> None:
        order = Order(
            language=snippet.language,
            code=snippet.code,
            stdin=snippet.stdin,
            args=snippet.args,
            env=snippet.env,
            timeout_s=self._limits.timeout_s,
            artifacts=snippet.artifacts,
        )
        await self._line.send(frames.SNIPPET, order.model_dump_json().encode())
        await self._line.send(frames.FILES, files)
        await self._line.send(frames.GO, self._nonce)

    async def _listen(self, snippet: Snippet, deadline: asyncio.Timeout) -> None:
        wants = bool(snippet.artifacts)
        while not self.cut and (self.result is None or (wants and self.result.phase == "run")):
            frame = await self._line.receive(self._nonce)
            if frame.kind == frames.RUNNING:
                self._running_since = _now()
                deadline.reschedule(self._running_since + self._limits.timeout_s)
            elif frame.kind == frames.ARTIFACTS:
                self._keep_artifacts(frame.body)
                return
            else:
                self._hear(frame)
            if self.result is not None:
                deadline.reschedule(_now() + COLLECT_S)

    def _hear(self, frame: Frame) -> None:
        if frame.kind == frames.STDOUT:
            self.stdout.add(frame.body)
        elif frame.kind == frames.STDERR:
            self.stderr.add(frame.body)
        elif frame.kind == frames.RESULT:
            self.result = _parsed(frame.body)
        else:
            raise RunnerLost(f"the runner sent a frame of kind {frame.kind!r}")
        most = max(HARD_OUTPUT_BYTES, 2 * self._limits.output_bytes)
        if not self.cut and self.stdout.seen + self.stderr.seen > most:
            self.cut = "flood"

    def _keep_artifacts(self, body: bytes) -> None:
        split = 4 + int.from_bytes(body[:4], "big")
        try:
            self.skipped = _SKIPPED.validate_json(body[4:split])
        except ValidationError as odd:
            raise RunnerLost("the list of skipped files is not one") from odd
        self.artifacts = unpack(body[split:])

    async def _end(self, kill: Kill) -> None:
        # The engine cannot finish a container whose output nobody reads.
        listening = asyncio.create_task(self._last_words())
        try:
            await kill()
        finally:
            await listening

    async def _last_words(self) -> None:
        """What was on its way when the snippet was killed is output too."""
        with contextlib.suppress(TimeoutError, RunnerLost, OSError):
            async with asyncio.timeout(LAST_WORDS_S):
                while True:
                    self._hear(await self._line.receive(self._nonce))


_SKIPPED: Final = TypeAdapter(tuple[str, ...])


def _now() -> float:
    return asyncio.get_running_loop().time()


def _parsed(body: bytes) -> Result:
    try:
        return Result.model_validate_json(body)
    except ValidationError as odd:
        raise RunnerLost("the runner's result is not one") from odd
