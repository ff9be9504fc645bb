"""The end of a Python program as its interpreter does it, but for the teardown.

Code of the program runs through `attempt`, the one place where any exception is caught.
"""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType, TracebackType

from mini_agent_protocol.record import TYPE_CHECKING
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.python.preload import modules_since_preload

if TYPE_CHECKING:
    from typing import TextIO, TypeVar

    T = TypeVar("T")

INTERRUPTED = -signal.SIGINT
EXIT_NOT_FLUSHED = 120
SWITCH_INTERVAL_S = 0.05
OUR_FOLDER = os.path.dirname(__file__)
# An event loop runs what is awaited outside of all functions.
OUR_FOLDERS = (OUR_FOLDER, os.path.join(os.path.dirname(os.__file__), "asyncio"))


def attempt(step: "Callable[[], T]") -> "tuple[T | None, BaseException | None]":
    """Runs code of the program; what it returned, or what it raised."""
    try:
        return step(), None
    except BaseException as error:  # noqa: BLE001 - as the interpreter itself does at the top
        return None, error


def report(error: BaseException) -> int:
    """Prints an uncaught error; the exit code, `INTERRUPTED` for an interruption."""
    if isinstance(error, SystemExit):
        return _exit_code(error)
    trace = _skip_runner_frames(error.__traceback__)
    hook = sys.excepthook
    _, second = attempt(lambda: hook(type(error), error.with_traceback(trace), trace))
    if isinstance(second, SystemExit):
        return _exit_code(second)
    if second is not None:
        second.__context__ = None
        behind = _skip_runner_frames(second.__traceback__)
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second.with_traceback(behind), behind)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def exit_process(code: int) -> None:
    """Ends the program: threads, exit handlers, destructors, buffers; then the process."""
    # The rest of an interpreter's end frees what the kernel frees anyway, and takes its time.
    threading = sys.modules.get("threading")
    if threading is not None:
        _call(threading._shutdown)  # noqa: SLF001 - as the interpreter itself does
    _call(atexit._run_exitfuncs)  # noqa: SLF001 - as the interpreter itself does
    flushed = _flush_at_exit()
    _clear_modules()
    # Destructors may have written more, to the streams that the interpreter itself has.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    flush()
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    os._exit(code & 0xFF if flushed else code or EXIT_NOT_FLUSHED)


def flush() -> None:
    """Writes out what is still in the buffers of the standard streams, as far as they have any."""
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)


def _flush_at_exit() -> bool:
    """Does that as an interpreter does when it ends: false, and words on stderr, if it failed."""
    _, failure = _flush(sys.stdout)
    if failure is not None:
        _write_unraisable(failure, "Exception ignored on flushing sys.stdout")
    _, second = _flush(sys.stderr)
    return failure is None and second is None


def _flush(stream: "TextIO | None") -> "tuple[object, BaseException | None]":
    closed, _ = attempt(lambda: bool(stream is None or stream.closed))
    # What cannot say whether it is closed is taken to be open.
    return (None, None) if closed else attempt(lambda: _flush_open(stream))


def _flush_open(stream: "TextIO | None") -> None:
    if stream is not None:
        stream.flush()


def _write_unraisable(error: BaseException, message: str) -> None:
    """Reports an error that nothing can catch any more, in the interpreter's own words."""
    hook, seen = sys.unraisablehook, list[object]()
    # The type of a hook's argument has no name, so one argument is caught.
    sys.unraisablehook = lambda args: seen.append(type(args))
    _Unraisable()
    sys.unraisablehook = hook
    attempt(lambda: hook(seen[0]((type(error), error, None, message, None))))  # type: ignore[operator]


class _Unraisable:
    def __del__(self) -> None:
        raise RuntimeError


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _skip_runner_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _folder(trace) in OUR_FOLDERS:
        trace = trace.tb_next
    left = trace
    # Between a notebook's line and what that runs.
    while left is not None:
        while left.tb_next is not None and _folder(left.tb_next).startswith(OUR_FOLDER):
            left.tb_next = left.tb_next.tb_next
        left = left.tb_next
    return trace


def _folder(trace: TracebackType) -> str:
    return os.path.dirname(trace.tb_frame.f_code.co_filename)


def _call(step: Callable[[], object]) -> None:
    _, error = attempt(step)
    if error is not None:
        report(error)


def _clear_modules() -> None:
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    # Threads that the program did not wait for are frozen here in an interpreter that ends. These
    # run now and then, and what they then miss is not reported.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    threading = sys.modules.get("threading")
    if threading is not None:
        vars(threading)["excepthook"] = _ignore
    spaces = [vars(sys.modules.pop(name)) for name in _program_modules()]
    # Values first, one by one, so that files are written out before what they depend on is closed;
    # their destructors still find the functions and modules that they use.
    for space in spaces:
        _clear(space, (ModuleType, FunctionType, type))
        gc.collect()
    for space in spaces:
        _clear(space, ())
    gc.collect()


def _ignore(_: object) -> None:
    pass


def _clear(space: dict[str, object], kept: tuple[type, ...]) -> None:
    names = [name for name, value in list(space.items()) if not issubclass(type(value), kept)]
    for name in names:
        if name != "__builtins__":
            space[name] = None


def _program_modules() -> list[str]:
    """The main module and those that lie in the workspace; others have exit handlers."""
    imported = [
        name
        for name in modules_since_preload()
        if type(module := sys.modules[name]) is ModuleType
        and str(getattr(module, "__file__", "")).startswith(WORKSPACE)
    ]
    return ["__main__", *imported] if type(sys.modules.get("__main__")) is ModuleType else imported
