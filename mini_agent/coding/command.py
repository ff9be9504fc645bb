"""`mini-agent` without a command: the assistant, with a terminal or without."""

from __future__ import annotations

import importlib
import os
import sys

from mini_agent.blocking import run_blocking
from mini_agent.coding.doctor import checked_up, told
from mini_agent.coding.ground import ground_of
from mini_agent.coding.headless.run import run_headless
from mini_agent.coding.options import Options


def run_assistant(options: Options) -> int:
    """The exit code: 0 done, 1 failed, 2 tools withheld; an interrupt is raised."""
    ground = ground_of(options, dict(os.environ))
    if options.interactive:
        # The terminal's libraries are not imported where there is none.
        terminal = importlib.import_module("mini_agent.coding.terminal.run")
        done: int = terminal.run_terminal(ground)
        return done
    return run_blocking(run_headless(ground))


def run_doctor(options: Options) -> int:
    """0 when all is well, else 1."""
    checks = checked_up(ground_of(options, dict(os.environ)))
    sys.stdout.write(f"{told(checks)}\n")
    return 0 if all(each.is_well for each in checks) else 1
