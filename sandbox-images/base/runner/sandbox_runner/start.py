"""What a process that was forked for a program turns into."""

import os
from collections.abc import Callable

from sandbox_runner.order import Order
from sandbox_runner.process.pipes import become
from sandbox_runner.python.program import Program
from sandbox_runner.recipes import WORKSPACE, Recipe, forks_the_runner
from sandbox_runner.record import Record

# What is left to do instead of being the runner; it does not come back from it.
Becoming = Callable[[], None]


class Start(Record):
    """A command, or none: then the process runs the Python program with the interpreter it is."""

    command: list[str]
    args: list[str]
    env: dict[str, str]


def start_of(order: Order, recipe: Recipe) -> Start:
    """How the order's program starts."""
    if forks_the_runner(order, recipe):
        return Start([], order.args, order.env)
    return Start([*recipe.start, *order.args], [], order.env)


def go_on_as(start: Start) -> Becoming:
    """Replaces this process by the command; returns only where there is none."""
    os.environ.update(start.env)
    if start.command:
        become(tuple(start.command))
    return Program(WORKSPACE, "main.py", start.args).run
