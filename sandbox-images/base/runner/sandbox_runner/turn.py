"""One snippet, from its frames to the frames of its result."""

from __future__ import annotations

import os

from sandbox_runner import frames
from sandbox_runner.cgroup import oom_kills
from sandbox_runner.frames import Stream
from sandbox_runner.order import Order, Result, read_order, write_result, write_skipped
from sandbox_runner.process import Pipes, become, fork_with_pipes
from sandbox_runner.program import Program
from sandbox_runner.recipes import OURS, RECIPES, WORKSPACE, compile_command, forks_the_runner
from sandbox_runner.watch import Emit, Ending, Watch

MOST_COMPILER_OUTPUT = 1 << 20
# The deadline is kept by the sidecar, from outside. This one is the second line.
GRACE_S = 2.0


class Turn:
    """Receives the snippet; `take` runs it."""

    def __init__(self, stream: Stream, awake: int) -> None:
        self._stream, self._awake = stream, awake
        self._order: Order = read_order(stream.receive(frames.SNIPPET))
        self._archive = stream.receive(frames.FILES)
        self._recipe = RECIPES[self._order.language]
        self._nonce = b""
        self._ooms = oom_kills()

    def take(self) -> Program | None:
        """Runs the snippet and reports; in a forked Python child, the program it has to become."""
        try:
            self._place()
        except OSError as refused:
            self._learn_nonce()
            self._report(Result(failed=refused.strerror or str(refused)))
            return None
        command = compile_command(self._recipe)
        if not command:
            return self._run(0.0)
        compiled = self._compile(command)
        if compiled.exit_code or compiled.signal:
            self._report(compiled)
            return None
        return self._run(compiled.compile_ms)

    def _place(self) -> None:
        os.makedirs(f"{WORKSPACE}/{OURS}", exist_ok=True)
        if self._archive:
            from sandbox_runner.files import unpack  # noqa: PLC0415 - slow, and most bring no files

            unpack(self._archive)
        with open(f"{WORKSPACE}/{self._recipe.file}", "wb") as program:
            program.write(self._order.code.encode())

    def _compile(self, command: tuple[str, ...]) -> Result:
        pipes = fork_with_pipes()
        if pipes is None:
            become(command)
            raise AssertionError
        self._learn_nonce()
        said: list[bytes] = []
        ending = self._watch(pipes, b"", self._order.compile_timeout_s, _keep_in(said))
        if ending.status:
            self._emit(frames.STDERR, b"".join(said))
        return self._result(ending, "compile")._replace(compile_ms=ending.ms)

    def _run(self, compile_ms: float) -> Program | None:
        pipes = fork_with_pipes()
        if pipes is None:
            return self._become_the_snippet()
        self._learn_nonce()
        self._emit(frames.RUNNING, b"")
        stdin = self._order.stdin.encode()
        ending = self._watch(pipes, stdin, self._order.timeout_s, self._emit)
        self._report(self._result(ending, "run")._replace(compile_ms=compile_ms, run_ms=ending.ms))
        if self._order.artifacts:
            self._send_artifacts()
        return None

    def _become_the_snippet(self) -> Program:
        os.environ.update(self._order.env)
        if not forks_the_runner(self._order.env, self._recipe):
            become((*self._recipe.start, *self._order.args))
        return Program(WORKSPACE, self._recipe.file, self._order.args)

    def _watch(self, pipes: Pipes, stdin: bytes, timeout_s: float, emit: Emit) -> Ending:
        watch = Watch(self._stream.source, self._awake, pipes, stdin)
        return watch.until_the_end(timeout_s + GRACE_S, emit)

    def _learn_nonce(self) -> None:
        # INVARIANT: read only once the child exists, which therefore does not know it.
        if not self._nonce:
            self._nonce = self._stream.receive(frames.GO)

    def _emit(self, kind: bytes, chunk: bytes) -> None:
        self._stream.send(kind, self._nonce + chunk)

    def _report(self, result: Result) -> None:
        self._emit(frames.RESULT, write_result(result))

    def _result(self, ending: Ending, phase: str) -> Result:
        code = os.waitstatus_to_exitcode(ending.status)
        return Result(
            phase=phase,
            exit_code=max(code, 0),
            signal=max(-code, 0),
            late=ending.late,
            oom_kills=oom_kills() - self._ooms,
        )

    def _send_artifacts(self) -> None:
        from sandbox_runner.files import collect  # noqa: PLC0415 - slow, and most want no artifacts

        found = collect(self._order, self._recipe.file)
        skipped = write_skipped(found.skipped)
        self._emit(frames.ARTIFACTS, len(skipped).to_bytes(4, "big") + skipped + found.archive())


def _keep_in(said: list[bytes]) -> Emit:
    def keep(_kind: bytes, chunk: bytes) -> None:
        if sum(map(len, said)) < MOST_COMPILER_OUTPUT:
            said.append(chunk)

    return keep
