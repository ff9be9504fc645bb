"""The end of a Python program as its interpreter does it, but for the teardown.

Code of the program runs through `attempt`, the one place where any exception is caught.
"""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
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
    flushed = flush()
    _clear_modules()
    flushed = flush() and flushed
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    os._exit(code & 0xFF if flushed else code or EXIT_NOT_FLUSHED)


def flush() -> bool:
    """Writes out what is still in buffers; false where that failed."""
    fine = True
    for stream in {id(one): one for one in (sys.stdout, sys.__stdout__, sys.stderr)}.values():
        _, error = attempt(partial(_flush, stream))
        if error is not None:
            if not isinstance(error, Exception):
                raise error
            fine = False
    return fine


def _flush(stream: "TextIO | None") -> None:
    if stream is not None and not stream.closed:
        stream.flush()


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _skip_runner_frames(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and os.path.dirname(trace.tb_frame.f_code.co_filename) == OUR_FOLDER:
        trace = trace.tb_next
    return trace


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
