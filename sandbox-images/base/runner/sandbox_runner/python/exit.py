"""The end of a Python program, as its interpreter brings it about, but for the teardown."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType, TracebackType

from sandbox_runner.python.preload import imported_since
from sandbox_runner.recipes import WORKSPACE

INTERRUPTED = -signal.SIGINT
NOT_FLUSHED = 120
SELDOM_S = 0.05
OUR_FOLDER = os.path.dirname(__file__)


def report(error: BaseException) -> int:
    """Says what an uncaught error says; the exit code, `INTERRUPTED` for an interruption."""
    if isinstance(error, SystemExit):
        return _code_of(error)
    trace = _of_the_program(error.__traceback__)
    try:
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    except SystemExit as end:
        return _code_of(end)
    except BaseException as second:  # noqa: BLE001 - it is the program's own code
        second.__context__ = None
        behind = _of_the_program(second.__traceback__)
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(second), second.with_traceback(behind), behind)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def exit_as(code: int) -> None:
    """Ends the program: threads, exit handlers, destructors, buffers; then the process."""
    # The rest of an interpreter's end frees what the kernel frees anyway, and takes its time.
    threading = sys.modules.get("threading")
    if threading is not None:
        _carry_out(threading._shutdown)  # noqa: SLF001 - as the interpreter itself does
    _carry_out(atexit._run_exitfuncs)  # noqa: SLF001 - as the interpreter itself does
    flushed = flush()
    _let_go_of_modules()
    flushed = flush() and flushed
    if code == INTERRUPTED:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    os._exit(code & 0xFF if flushed else code or NOT_FLUSHED)


def flush() -> bool:
    """Writes out what is still in buffers; whether that went well."""
    fine = True
    for stream in {id(one): one for one in (sys.stdout, sys.__stdout__, sys.stderr)}.values():
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:  # noqa: BLE001 - it may be the program's own code
            fine = False
    return fine


def _code_of(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _of_the_program(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and os.path.dirname(trace.tb_frame.f_code.co_filename) == OUR_FOLDER:
        trace = trace.tb_next
    return trace


def _carry_out(step: Callable[[], object]) -> None:
    try:
        step()
    except BaseException as error:  # noqa: BLE001 - it is the program's own code
        report(error)


def _let_go_of_modules() -> None:
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    # Threads that the program did not wait for stand still here in an interpreter that ends. These
    # get a turn now and then, and what they miss in it is not told.
    sys.setswitchinterval(SELDOM_S)
    threading = sys.modules.get("threading")
    if threading is not None:
        vars(threading)["excepthook"] = _say_nothing
    spaces = [vars(sys.modules.pop(name)) for name in _names_of_the_program()]
    # Values first, one by one, so that files are written out before what they stand on is closed;
    # their destructors still find the functions and modules that they use.
    for space in spaces:
        _let_go(space, (ModuleType, FunctionType, type))
        gc.collect()
    for space in spaces:
        _let_go(space, ())
    gc.collect()


def _say_nothing(_: object) -> None:
    pass


def _let_go(space: dict[str, object], kept: tuple[type, ...]) -> None:
    names = [name for name, value in list(space.items()) if not issubclass(type(value), kept)]
    for name in names:
        if name != "__builtins__":
            space[name] = None


def _names_of_the_program() -> list[str]:
    """The main module and those that lie in the workspace; others have exit handlers."""
    imported = [
        name
        for name in imported_since()
        if type(module := sys.modules[name]) is ModuleType
        and str(getattr(module, "__file__", "")).startswith(WORKSPACE)
    ]
    return ["__main__", *imported] if type(sys.modules.get("__main__")) is ModuleType else imported
