"""A program that sets resource limits on itself, then executes the command it is given.

The limits hold from the command's first instruction on, and for all its children.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

MAX_MEMORY_BYTES = 1 << 30
MAX_FILE_BYTES = 64 << 20


def main(cpu_seconds: str, *command: str) -> None:
    """Becomes `command`, which may use `cpu_seconds` of processor time a process."""
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_CPU, int(cpu_seconds))
    _set_limit(resource.RLIMIT_DATA, MAX_MEMORY_BYTES)
    _set_limit(resource.RLIMIT_FSIZE, MAX_FILE_BYTES)
    # Python ignores these two, and what is ignored stays ignored in the command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606, there is no shell to be tricked
    except OSError as broken:
        sys.exit(f"{command[0]}: {broken.strerror}")


def _set_limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    main(*sys.argv[1:])
