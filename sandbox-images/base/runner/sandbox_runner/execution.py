"""One snippet, from its frames to the frames of its result."""

import os

from sandbox_runner import stream
from mini_agent_protocol.order import Order, Result, read_order, write_result, write_skipped
from sandbox_runner.process.cgroup import oom_kills
from sandbox_runner.process.pipes import Pipes, fork_with_pipes
from sandbox_runner.standby.processes import StandbyProcesses
from sandbox_runner.process.watch import (
    Emit,
    ProcessExit,
    Inputs,
    ProcessWatcher,
)
from sandbox_runner.paths import GO_TEST, RECIPES, WORKSPACE, file_of
from sandbox_runner.standby.start import ChildMain, Start, child_main, build_start
from sandbox_runner.workspace.files import (
    WorkspaceError,
    remove_if_exists,
    ensure_private_folder,
    write,
)

MAX_COMPILER_BYTES = 1 << 20


class SnippetExecution:
    """Receives the snippet; `take` runs it."""

    def __init__(self, source: Inputs, residents: StandbyProcesses, header: bytes) -> None:
        self._source, self._residents = source, residents
        self._order: Order = read_order(header)
        self._archive = source.stream.receive(stream.FILES)
        self._recipe = RECIPES[self._order.language]
        self._nonce = b""
        self._ooms = oom_kills()

    def take(self) -> ChildMain | None:
        """Runs the snippet and reports; in a forked Python child, what that has to exec_command."""
        try:
            self._place()
        except (OSError, WorkspaceError) as refused:
            self._learn_nonce()
            self._report(Result(failed=str(refused)))
            return None
        if self._order.stateful and self._recipe.file == "main.py":
            return self._run_in_kept()
        return self._run(0.0) if not self._recipe.compile else self._compile(self._recipe.compile)

    def _place(self) -> None:
        ensure_private_folder()
        if self._archive:
            from sandbox_runner.workspace.transfer import unpack  # noqa: PLC0415 - slow, and most bring no files

            unpack(self._archive)
        if self._order.language == "go":
            # The one that an earlier snippet of the session had would be compiled along.
            for name in (self._recipe.file, GO_TEST):
                remove_if_exists(name)
        write(file_of(self._order), self._order.code.encode())

    def _compile(self, command: tuple[str, ...]) -> ChildMain | None:
        start = Start([*command], [], {})
        pipes = self._begin(start)
        if pipes is None:
            return child_main(start)
        self._learn_nonce()
        said: list[bytes] = []
        watch = ProcessWatcher(self._source, pipes, b"")
        limit = self._order.compile_timeout_s
        ending = watch.wait(limit, _keep_in(said), self._residents.pids)
        if ending.status == 0:
            return self._run(ending.ms)
        self._emit(stream.STDERR, b"".join(said))
        self._report(self._ended(Result(phase="compile", compile_ms=ending.ms), ending))
        return None

    def _run(self, compile_ms: float) -> ChildMain | None:
        start = build_start(self._order, self._recipe)
        pipes = self._begin(start)
        if pipes is None:
            return child_main(start)
        self._follow(pipes, Result(compile_ms=compile_ms))
        return None

    def _begin(self, start: Start) -> Pipes | None:
        return self._residents.take(self._order, start) or fork_with_pipes()

    def _run_in_kept(self) -> ChildMain | None:
        state = self._residents.kept.state()
        if state != "kept":
            control = self._residents.kept.start()
            if control is not None:
                from sandbox_runner.python.cells import Cells  # noqa: PLC0415 - slow, and seldom wanted

                return Cells(WORKSPACE, control).run
        self._follow(
            self._residents.kept.hand_over(self._order),
            Result(python=state),
            self._residents.kept.control,
        )
        return None

    def _follow(self, pipes: Pipes, begun: Result, control: int = -1) -> None:
        self._learn_nonce()
        self._emit(stream.RUNNING, b"")
        watch = ProcessWatcher(self._source, pipes, self._order.stdin.encode(), control)
        ending = watch.wait(self._order.timeout_s, self._emit, self._residents.pids)
        if ending.values:
            self._emit(stream.VALUES, ending.values)
        self._report(self._ended(begun, ending)._replace(run_ms=ending.ms))
        if self._order.artifacts:
            self._send_artifacts()

    def _learn_nonce(self) -> None:
        # INVARIANT: read only once the child exists, which therefore does not know it.
        if not self._nonce:
            self._nonce = self._source.stream.receive(stream.GO)

    def _emit(self, kind: bytes, chunk: bytes) -> None:
        self._source.stream.send(kind, self._nonce + chunk)

    def _report(self, result: Result) -> None:
        self._emit(stream.RESULT, write_result(result))

    def _ended(self, begun: Result, ending: ProcessExit) -> Result:
        code = os.waitstatus_to_exitcode(ending.status)
        return begun._replace(
            exit_code=max(code, 0),
            signal=max(-code, 0),
            late=ending.late,
            oom_kills=oom_kills() - self._ooms,
        )

    def _send_artifacts(self) -> None:
        from sandbox_runner.workspace.transfer import collect  # noqa: PLC0415 - slow, and most want no artifacts

        found = collect(self._order, file_of(self._order))
        skipped = write_skipped(found.skipped)
        self._emit(stream.ARTIFACTS, len(skipped).to_bytes(4, "big") + skipped + found.archive())


def _keep_in(said: list[bytes]) -> Emit:
    def keep(_kind: bytes, chunk: bytes) -> None:
        if sum(map(len, said)) < MAX_COMPILER_BYTES:
            said.append(chunk)

    return keep
