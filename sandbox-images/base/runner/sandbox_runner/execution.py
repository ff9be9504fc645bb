"""One snippet, from its frames to the frames of its result."""

import os

from mini_agent_protocol import frames
from mini_agent_protocol.order import (
    RunOrder,
    RunResult,
    decode_order,
    encode_result,
    encode_skipped,
)
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.process.cgroup import oom_kills
from sandbox_runner.process.pipes import Pipes, fork_with_pipes
from sandbox_runner.process.watch import Emit, Inputs, ProcessExit, ProcessWatcher
from sandbox_runner.standby.processes import StandbyProcesses
from sandbox_runner.standby.start import ChildMain, Start, build_start, child_main
from sandbox_runner.workspace.files import WorkspaceError
from sandbox_runner.workspace.program import ProgramFile, place_program

MAX_COMPILER_BYTES = 1 << 20


class SnippetExecution:
    """Receives a snippet's order and files; `run` runs it."""

    def __init__(self, inputs: Inputs, standby: StandbyProcesses, header: bytes) -> None:
        self._inputs, self._standby = inputs, standby
        self._order: RunOrder = decode_order(header)
        self._archive = inputs.stream.receive(frames.FILES)
        self._nonce = b""
        self._program = ProgramFile(WORKSPACE, self._order.program, -1)
        self._oom_kills = oom_kills()

    def run(self) -> ChildMain | None:
        """Runs the snippet and reports; in a forked child, what that goes on as."""
        try:
            self._write_files()
        except (OSError, WorkspaceError) as refused:
            self._receive_nonce()
            self._report(RunResult(failed=str(refused)))
            return None
        if self._order.stateful:
            return self._run_stateful()
        return self._compile() if self._order.compile else self._run_program(0.0)

    def _write_files(self) -> None:
        if self._archive:
            from sandbox_runner.workspace.transfer import unpack  # noqa: PLC0415 - most have no files

            unpack(self._archive)
        if self._order.beside or not self._order.stateful:
            self._program = place_program(self._order)

    def _compile(self) -> ChildMain | None:
        start = Start([*self._order.compile, self._program.path], "", [], {})
        pipes = self._start(start)
        if pipes is None:
            return child_main(start)
        self._receive_nonce()
        output: list[bytes] = []
        watcher = ProcessWatcher(self._inputs, pipes, b"")
        limit_s = self._order.compile_timeout_s
        end = watcher.wait(limit_s, _collect_into(output), self._standby.pids)
        self._withdraw()
        if output:
            self._emit(frames.STDERR, b"".join(output))
        if end.status == 0:
            return self._run_program(end.ms)
        self._report(self._finish(RunResult(phase="compile", compile_ms=end.ms), end))
        return None

    def _run_program(self, compile_ms: float) -> ChildMain | None:
        start = build_start(self._order, self._program.path)
        pipes = self._start(start)
        if pipes is None:
            return child_main(start)
        self._follow(pipes, RunResult(compile_ms=compile_ms))
        return None

    def _start(self, start: Start) -> Pipes | None:
        return self._standby.take(self._order, start) or fork_with_pipes()

    def _run_stateful(self) -> ChildMain | None:
        interpreter = self._standby.interpreter
        state = interpreter.state()
        if state != "kept":
            control = interpreter.start()
            if control is not None:
                from sandbox_runner.python.cells import Cells  # noqa: PLC0415 - slow, and rare

                return Cells(WORKSPACE, control).run
        file = self._program.path if self._order.beside else ""
        pipes = interpreter.send_cell(self._order, file)
        self._follow(pipes, RunResult(python=state), interpreter.control)
        return None

    def _follow(self, pipes: Pipes, begun: RunResult, control: int = -1) -> None:
        self._receive_nonce()
        self._emit(frames.RUNNING, b"")
        stdin = self._order.stdin.encode(errors="surrogateescape")
        max_bytes = self._order.output_bytes
        watcher = ProcessWatcher(self._inputs, pipes, stdin, control, max_bytes)
        end = watcher.wait(self._order.timeout_s, self._emit, self._standby.pids)
        self._withdraw()
        if end.values:
            self._emit(frames.VALUES, end.values)
        self._report(self._finish(begun, end)._replace(run_ms=end.ms))
        if self._order.artifacts:
            self._send_artifacts()

    def _withdraw(self) -> None:
        self._program.withdraw(self._order.code.encode())

    def _receive_nonce(self) -> None:
        # INVARIANT: read only once the child exists, which therefore does not know it.
        if not self._nonce:
            self._nonce = self._inputs.stream.receive(frames.GO)

    def _emit(self, kind: bytes, chunk: bytes) -> None:
        self._inputs.stream.send(kind, self._nonce + chunk)

    def _report(self, result: RunResult) -> None:
        self._emit(frames.RESULT, encode_result(result))

    def _finish(self, begun: RunResult, end: ProcessExit) -> RunResult:
        code = os.waitstatus_to_exitcode(end.status)
        return begun._replace(
            exit_code=max(code, 0),
            signal=max(-code, 0),
            late=end.late,
            flooded=end.flooded,
            oom_kills=oom_kills() - self._oom_kills,
        )

    def _send_artifacts(self) -> None:
        from sandbox_runner.workspace.transfer import collect  # noqa: PLC0415 - most want none

        files = collect(self._order)
        skipped = frames.encode_part(encode_skipped(files.skipped))
        self._emit(frames.ARTIFACTS, skipped + files.archive())


def _collect_into(output: list[bytes]) -> Emit:
    def collect(_kind: bytes, chunk: bytes) -> None:
        if sum(map(len, output)) < MAX_COMPILER_BYTES:
            output.append(chunk)

    return collect
