"""What a process that was forked for a program turns into."""

import os
import time
from collections.abc import Callable

from mini_agent_protocol.order import RunOrder
from mini_agent_protocol.record import Record
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.process.pipes import exec_command
from sandbox_runner.python.program import Program

# The rest of a forked child's life; it does not return.
ChildMain = Callable[[], None]


class Start(Record):
    """How a program starts: with a command, or where there is none, in this very interpreter.

    `program` is the path of the file that an interpreter then runs, `args` are its arguments.
    """

    command: list[str]
    program: str
    args: list[str]
    env: dict[str, str]


def build_start(order: RunOrder, program: str) -> Start:
    """How the order's program starts, whose file is `program`."""
    if _forks_the_runner(order):
        return Start([], program, order.args, order.env)
    if order.compile:
        # What was compiled is the command, or the last word of one.
        return Start([*order.start, *order.args], order.start[-1], [], order.env)
    # In the workspace a file is called by its name.
    name = program.removeprefix(f"{WORKSPACE}/")
    return Start([*order.start, name, *order.args], program, [], order.env)


def child_main(start: Start) -> ChildMain:
    """Replaces this process by the command; returns only where there is none."""
    os.environ.update(start.env)
    if "TZ" in start.env:
        time.tzset()
    if start.command:
        exec_command(tuple(start.command))
    return Program(WORKSPACE, start.program, start.args).run


def _forks_the_runner(order: RunOrder) -> bool:
    # PYTHON* variables are read when an interpreter starts, so they need one that starts anew.
    return order.isolation == "fork" and not any(name.startswith("PYTHON") for name in order.env)
