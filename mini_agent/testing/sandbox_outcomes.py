"""Checks of a sandbox: a program that fails is an outcome, a sandbox that fails is an error."""

from __future__ import annotations

import asyncio

from mini_agent.errors import MiniAgentError
from mini_agent.sandbox.client import Sandbox
from mini_agent.testing.sandbox_asking import (
    Unsound,
    ran,
    require,
    require_same,
    require_status,
)
from mini_agent_protocol.snippet import Limits, Snippet


async def an_exit_code_is_kept(sandbox: Sandbox) -> None:
    """Also the codes that others use for signals and deadlines."""
    for code in (3, 124, 137, 255):
        done = await ran(sandbox, f"raise SystemExit({code})", "nonzero")
        require_same((done.exit_code, done.signal), (code, None), "exit code and signal")


async def an_exception_is_told_on_stderr(sandbox: Sandbox) -> None:
    """With what was printed before it, on stdout."""
    done = await ran(sandbox, "print('before')\nraise ValueError('odd')", "nonzero")
    require_same((done.stdout, done.exit_code), ("before\n", 1), "stdout and exit code")
    require("ValueError: odd" in done.stderr, f"stderr is {done.stderr!r}")


async def a_program_that_cannot_be_read_is_an_outcome(sandbox: Sandbox) -> None:
    """And not the caller's mistake."""
    done = await ran(sandbox, "print(", "nonzero")
    require("SyntaxError" in done.stderr, f"stderr is {done.stderr!r}")


async def a_signal_is_told(sandbox: Sandbox) -> None:
    """By its name, and by 128 and its number."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    done = await ran(sandbox, code, "nonzero")
    require_same((done.exit_code, done.signal), (139, "SIGSEGV"), "exit code and signal")


async def the_deadline_is_an_outcome(sandbox: Sandbox) -> None:
    """With what was printed before it, and soon after it, whatever the program ignores."""
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('before')\ntime.sleep(60)"
    )
    async with asyncio.timeout(30):
        limits = Limits(timeout_s=0.5)
        done = await sandbox.run(Snippet(language="python", code=code, limits=limits))
    require_status(done, "timeout")
    require_same((done.stdout, done.exit_code), ("before\n", 124), "stdout and exit code")


async def too_much_memory_is_an_outcome(sandbox: Sandbox) -> None:
    """Told apart from other ways to end."""
    limits = Limits(timeout_s=10, memory_mb=128)
    code = "print(len(bytearray(b'x' * (400 << 20))))"
    require_status(await sandbox.run(Snippet(language="python", code=code, limits=limits)), "oom")


async def the_limits_that_held_are_told(sandbox: Sandbox) -> None:
    """Those that were asked for, and some for the rest."""
    limits = Limits(timeout_s=7, output_bytes=4096)
    told = (await sandbox.run(Snippet(language="python", code="", limits=limits))).limits
    require_same((told.timeout_s, told.output_bytes), (7, 4096), "what was asked for")
    require(told.memory_mb > 0 and told.pids > 0 and told.cpus > 0, f"the rest is {told!r}")


async def what_cannot_be_run_is_an_error(sandbox: Sandbox) -> None:
    """Never an execution: here, Python with the compilers of another language."""
    snippet = Snippet(language="python", code="print(1)", toolchain="go")
    try:
        done = await sandbox.run(snippet)
    except MiniAgentError:
        return
    raise Unsound(f"a snippet that cannot be was run: {done.status}")


CHECKS = (
    an_exit_code_is_kept,
    an_exception_is_told_on_stderr,
    a_program_that_cannot_be_read_is_an_outcome,
    a_signal_is_told,
    the_deadline_is_an_outcome,
    too_much_memory_is_an_outcome,
    the_limits_that_held_are_told,
    what_cannot_be_run_is_an_error,
)
