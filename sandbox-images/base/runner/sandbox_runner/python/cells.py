"""Cells: the stateful snippets of a session, run one after the other in one interpreter."""

import builtins
import importlib
import json
import linecache
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType, ModuleType

from mini_agent_protocol.record import Record
from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python.exit import INTERRUPTED, attempt, flush, report
from sandbox_runner.python.hooks import HOOKS
from sandbox_runner.python.interpreter import reset_interpreter
from sandbox_runner.python.program import run_source
from sandbox_runner.python.values import NO_VALUE, ValueWriter

SIGINT_EXIT = 130
CELL_PREFIX = "<cell "
STANDARD = (0, 1, 2, VALUES_FD)

Handler = Callable[[int, FrameType | None], object] | int | None


class Cells(Record):
    """The cells that come on the socket `control`, each with its streams; they run in `folder`."""

    folder: str
    control: int

    def run(self) -> None:
        """Runs cell after cell in one namespace; does not return."""
        values = reset_interpreter(self.folder, [""])
        HOOKS.add("inspect", find_classes_of_cells)
        main = ModuleType("__main__")
        sys.modules["__main__"] = main
        _serve(self.control, vars(main), values)
        os._exit(0)


class Cell(Record):
    """One snippet of the session; `file` is the path of the file it also lies in, if any."""

    name: str
    code: str
    args: list[str]
    env: dict[str, str]
    file: str


def _serve(control: int, namespace: dict[str, object], values: ValueWriter) -> None:
    connection = socket.socket(fileno=control)
    # The program may set a handler of its own; between its cells nothing interrupts.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = 0
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1, 1 + len(STANDARD))
        if not message:
            return
        number += 1
        cell = _receive(number, descriptors)
        code, handler = _run(cell, namespace, values, handler)
        connection.send(str(code).encode())


def _receive(number: int, descriptors: list[int]) -> Cell:
    *streams, text = descriptors
    for stream, place in zip(streams, STANDARD, strict=True):
        os.dup2(stream, place, inheritable=place != VALUES_FD)
        os.close(stream)
    # What is left in the buffer of the last cell's input is not this one's.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    with open(text, "rb") as header:
        return Cell(f"{CELL_PREFIX}{number}>", **json.load(header))


def _run(
    cell: Cell, namespace: dict[str, object], values: ValueWriter, handler: Handler
) -> tuple[int, Handler]:
    linecache.cache[cell.name] = (len(cell.code), None, cell.code.splitlines(True), cell.name)
    sys.argv = [cell.file, *cell.args]
    importlib.invalidate_caches()
    values.begin()
    code = 0

    def run_cell() -> None:
        signal.signal(signal.SIGINT, handler)
        value = run_source(cell.code, cell.name, namespace)
        if value is not NO_VALUE and value is not None:
            # As at every Python prompt.
            vars(builtins)["_"] = value
        values.write(value)

    before = _set_variables(cell.env)
    _set_file(namespace, cell.file)
    _, error = attempt(run_cell)
    if error is not None:
        code = report(error)
        values.write(NO_VALUE)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    _set_variables(before)
    _set_file(namespace, "")
    flush()
    return (SIGINT_EXIT if code == INTERRUPTED else code), handler


def _set_variables(variables: Mapping[str, str | None]) -> dict[str, str | None]:
    """Sets environment variables, or removes those that are None; what they were before."""
    before = {name: os.environ.get(name) for name in variables}
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if "TZ" in variables:
        time.tzset()
    return before


def _set_file(namespace: dict[str, object], path: str) -> None:
    # Without a file there is no name of one: another process would try to read it.
    if path:
        namespace["__file__"] = path
    else:
        namespace.pop("__file__", None)


def find_classes_of_cells(inspect: ModuleType) -> None:
    """Lets `inspect` find the source of classes that cells defined, as it finds functions'."""
    original = inspect.getfile

    def getfile(object: object) -> str:  # noqa: A002 - its name in the library
        if isinstance(object, type) and object.__module__ == "__main__":
            return _cell_of(object) or str(original(object))
        return str(original(object))

    getfile.__doc__ = original.__doc__
    vars(inspect)["getfile"] = getfile


def _cell_of(defined: type) -> str:
    """The latest cell with that class in the line that the class has; empty for none."""
    number = vars(defined).get("__firstlineno__", 0)
    for name, entry in reversed(linecache.cache.items()):
        lines = entry[2] if name.startswith(CELL_PREFIX) and len(entry) > 1 else []
        begun = lines[number - 1 :] if number else []
        statement = next((line.strip() for line in begun if not line.lstrip().startswith("@")), "")
        if statement.partition("(")[0].rstrip(" :") == f"class {defined.__name__}":
            return name
    return ""
