"""The cells of a session in one interpreter, which lives from the first of them to the last."""

import importlib
import json
import linecache
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType, ModuleType

from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python.exit import INTERRUPTED, flush, report
from sandbox_runner.python.program import reset_interpreter
from sandbox_runner.python.source import run_source
from sandbox_runner.python.values import NO_VALUE, ValueWriter
from mini_agent_protocol.record import Record

SIGINT_EXIT = 130
STANDARD = (0, 1, 2, VALUES_FD)

Handler = Callable[[int, FrameType | None], object] | int | None


class Cells(Record):
    """Cells on a socket, each with its streams; `folder` is where they run."""

    folder: str
    control: int

    def run(self) -> None:
        """Runs cell after cell in one namespace; does not come back."""
        reset_interpreter(self.folder, [""])
        main = ModuleType("__main__")
        sys.modules["__main__"] = main
        _serve(self.control, vars(main))
        os._exit(0)


class Cell(Record):
    """One snippet of the session."""

    name: str
    code: str
    args: list[str]
    env: dict[str, str]


def _serve(control: int, namespace: dict[str, object]) -> None:
    line = socket.socket(fileno=control)
    # The program may set a handler of its own; between its cells nothing interrupts.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    number = 0
    while True:
        called, descriptors, _, _ = socket.recv_fds(line, 1, 1 + len(STANDARD))
        if not called:
            return
        number += 1
        cell = _receive(number, descriptors)
        code, handler = _run(cell, namespace, handler)
        line.send(str(code).encode())


def _receive(number: int, descriptors: list[int]) -> Cell:
    *streams, text = descriptors
    for stream, place in zip(streams, STANDARD, strict=True):
        os.dup2(stream, place, inheritable=place != VALUES_FD)
        os.close(stream)
    # What is left in the buffer of the last cell's input is not this one's.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    with open(text, "rb") as header:
        return Cell(f"<cell {number}>", **json.load(header))


def _run(cell: Cell, namespace: dict[str, object], handler: Handler) -> tuple[int, Handler]:
    linecache.cache[cell.name] = (len(cell.code), None, cell.code.splitlines(True), cell.name)
    sys.argv = ["", *cell.args]
    importlib.invalidate_caches()
    os.environ.update(cell.env)
    values, value, code = ValueWriter(VALUES_FD), NO_VALUE, 0
    try:
        signal.signal(signal.SIGINT, handler)
        value = run_source(cell.code, cell.name, namespace)
        values.tell(value)
    except BaseException as error:  # noqa: BLE001 - as the interpreter itself does at the top
        code = report(error)
        values.tell(NO_VALUE)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    flush()
    return (SIGINT_EXIT if code == INTERRUPTED else code), handler
