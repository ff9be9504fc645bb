"""Cells: the stateful snippets of a session, run one after the other in one interpreter."""

import importlib
import json
import linecache
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType, ModuleType

from mini_agent_protocol.record import Record
from sandbox_runner.process.pipes import VALUES_FD
from sandbox_runner.python.exit import INTERRUPTED, attempt, flush, report
from sandbox_runner.python.program import reset_interpreter, run_source
from sandbox_runner.python.values import NO_VALUE, ValueWriter

SIGINT_EXIT = 130
STANDARD = (0, 1, 2, VALUES_FD)

Handler = Callable[[int, FrameType | None], object] | int | None


class Cells(Record):
    """The cells that come on the socket `control`, each with its streams; they run in `folder`."""

    folder: str
    control: int

    def run(self) -> None:
        """Runs cell after cell in one namespace; does not return."""
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
        code, handler = _run(cell, namespace, handler)
        connection.send(str(code).encode())


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
    values, code = ValueWriter(VALUES_FD), 0

    def run_cell() -> None:
        signal.signal(signal.SIGINT, handler)
        values.write(run_source(cell.code, cell.name, namespace))

    _, error = attempt(run_cell)
    if error is not None:
        code = report(error)
        values.write(NO_VALUE)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    flush()
    return (SIGINT_EXIT if code == INTERRUPTED else code), handler
