"""Checks of the sandbox contract: input and output, outcomes, isolation.

A program that fails is an execution, a sandbox that fails is an error, and nothing of a snippet
outlives it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets

from mini_agent.errors import MiniAgentError
from mini_agent.sandbox.client import Sandbox
from mini_agent_protocol.execution import Execution, Status
from mini_agent_protocol.snippet import Limits, Snippet

CHECK_LIMITS: Limits = Limits(timeout_s=10)


class ContractViolation(AssertionError):
    """The sandbox does not keep the contract."""


async def run_python(sandbox: Sandbox, code: str, status: Status | None = "ok") -> Execution:
    """Run a Python program and check its status; None accepts any."""
    execution = await sandbox.run(Snippet(language="python", code=code, limits=CHECK_LIMITS))
    if status is not None:
        require_status(execution, status)
    return execution


def require_status(execution: Execution, status: Status) -> None:
    """Raise `ContractViolation` unless the execution has this status."""
    ending = f"{execution.status} with {execution.stdout[:200]!r} and {execution.stderr[-300:]!r}"
    require(execution.status == status, f"expected status {status}, got {ending}")


def require(is_so: object, otherwise: str) -> None:
    """Raise `ContractViolation` with `otherwise` unless `is_so`."""
    if not is_so:
        raise ContractViolation(otherwise)


def require_equal(actual: object, expected: object, label: str) -> None:
    """Raise `ContractViolation` unless both are equal."""
    require(actual == expected, f"{label} is {actual!r}, not {expected!r}")


def encode_base64(content: bytes) -> str:
    """Encode a file's content as a snippet carries it."""
    return base64.b64encode(content).decode()


async def files_do_not_survive(sandbox: Sandbox) -> None:
    """Wherever they were left."""
    places = ["/tmp", ".", "/dev/shm", "/var/tmp"]  # noqa: S108 - the sandbox's own
    name = f"left-{secrets.token_hex(4)}"
    each = f"import os\nfor place in {places}:\n    path = f'{{place}}/{name}'\n    "
    await run_python(sandbox, f"{each}try: open(path, 'w').close()\n    except OSError: pass")
    execution = await run_python(sandbox, f"{each}if os.path.exists(path): print(path)")
    require_equal(execution.stdout, "", "what the snippet before it left")


async def changes_to_the_interpreter_do_not_survive(sandbox: Sandbox) -> None:
    """Neither patches nor variables nor limits."""
    await run_python(sandbox, "import builtins, json\nbuiltins.len = json.dumps = None\nleft = 1")
    code = "import json\nprint(len('ab'), json.dumps('a'), 'left' in globals())"
    require_equal((await run_python(sandbox, code)).stdout, '2 "a" False\n', "the next interpreter")


async def processes_do_not_survive_nor_hold_the_answer(sandbox: Sandbox) -> None:
    """An answer comes when the program ends, not when its children do."""
    word = f"child-{secrets.token_hex(4)}"
    child = f"import time; time.sleep(60)  # {word}"
    code = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])"
    try:
        async with asyncio.timeout(20):
            await run_python(sandbox, f"{code}\nprint('done')")
    except TimeoutError:
        raise ContractViolation("a child that goes on held the answer for 20 s") from None
    look = (
        "import glob\nfor path in glob.glob('/proc/[0-9]*/cmdline'):\n"
        f"    try:\n        if {word[:6]!r} + {word[6:]!r} in open(path).read(): print(path)\n"
        "    except OSError: pass"
    )
    require_equal(
        (await run_python(sandbox, look)).stdout, "", "what the snippet before it left running"
    )


async def snippets_at_the_same_time_do_not_mix(sandbox: Sandbox) -> None:
    """Neither their output nor their files."""
    code = (
        "import os, time\nopen('mine', 'a').write('{n} ')\ntime.sleep(0.3)\n"
        "print(open('mine').read(), os.listdir('.').count('mine'))"
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_python(sandbox, code.format(n=n))) for n in range(4)]
    for number, task in enumerate(tasks):
        require_equal(task.result().stdout, f"{number}  1\n", "one of four outputs")


async def there_is_no_way_out(sandbox: Sandbox) -> None:
    """No address can be reached, and the answer to that comes soon."""
    code = (
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 3)\n"
        "except OSError: print('no way')"
    )
    require_equal((await run_python(sandbox, code)).stdout, "no way\n", "the answer")


async def a_snippet_has_no_rights(sandbox: Sandbox) -> None:
    """It is not root, and cannot write where programs are."""
    code = (
        "import os\nprint(os.getuid() != 0)\nfor path in ('/usr/bin/x', '/etc/x', '/x'):\n"
        "    try: print('wrote', open(path, 'w'))\n    except OSError: pass"
    )
    require_equal((await run_python(sandbox, code)).stdout, "True\n", "what it may")


async def a_cancelled_run_frees_the_sandbox(sandbox: Sandbox) -> None:
    """A caller that goes away in the middle leaves a sandbox that answers the next one."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await run_python(sandbox, "import time; time.sleep(8)")
            raise ContractViolation("a program that sleeps for 8 s was done at once")
    execution = await run_python(sandbox, "print('next')")
    require(execution.stdout == "next\n", f"the next one got {execution.stdout!r}")


ISOLATION_CHECKS = (
    files_do_not_survive,
    changes_to_the_interpreter_do_not_survive,
    processes_do_not_survive_nor_hold_the_answer,
    snippets_at_the_same_time_do_not_mix,
    there_is_no_way_out,
    a_snippet_has_no_rights,
    a_cancelled_run_frees_the_sandbox,
)


async def an_exit_code_is_preserved(sandbox: Sandbox) -> None:
    """Also the codes that others use for signals and deadlines."""
    for code in (3, 124, 137, 255):
        execution = await run_python(sandbox, f"raise SystemExit({code})", "nonzero")
        require_equal((execution.exit_code, execution.signal), (code, None), "exit code and signal")


async def an_exception_is_printed_to_stderr(sandbox: Sandbox) -> None:
    """With what was printed before it, on stdout."""
    execution = await run_python(sandbox, "print('before')\nraise ValueError('odd')", "nonzero")
    require_equal((execution.stdout, execution.exit_code), ("before\n", 1), "stdout and exit code")
    require("ValueError: odd" in execution.stderr, f"stderr is {execution.stderr!r}")


async def a_program_that_cannot_be_read_is_an_outcome(sandbox: Sandbox) -> None:
    """And not the caller's mistake."""
    execution = await run_python(sandbox, "print(", "nonzero")
    require("SyntaxError" in execution.stderr, f"stderr is {execution.stderr!r}")


async def a_signal_is_reported(sandbox: Sandbox) -> None:
    """By its name, and by 128 and its number."""
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    execution = await run_python(sandbox, code, "nonzero")
    require_equal((execution.exit_code, execution.signal), (139, "SIGSEGV"), "exit code and signal")


async def the_deadline_is_an_outcome(sandbox: Sandbox) -> None:
    """With what was printed before it, and soon after it, whatever the program ignores."""
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('before')\ntime.sleep(60)"
    )
    async with asyncio.timeout(30):
        limits = Limits(timeout_s=0.5)
        execution = await sandbox.run(Snippet(language="python", code=code, limits=limits))
    require_status(execution, "timeout")
    require_equal(
        (execution.stdout, execution.exit_code), ("before\n", 124), "stdout and exit code"
    )


async def too_much_memory_is_an_outcome(sandbox: Sandbox) -> None:
    """With a status of its own."""
    limits = Limits(timeout_s=10, memory_mb=128)
    code = "print(len(bytearray(b'x' * (400 << 20))))"
    require_status(await sandbox.run(Snippet(language="python", code=code, limits=limits)), "oom")


async def enforced_limits_are_reported(sandbox: Sandbox) -> None:
    """The requested limits, and defaults for the rest."""
    limits = Limits(timeout_s=7, output_bytes=4096)
    enforced = (await sandbox.run(Snippet(language="python", code="", limits=limits))).limits
    require_equal((enforced.timeout_s, enforced.output_bytes), (7, 4096), "what was asked for")
    require(
        enforced.memory_mb > 0 and enforced.pids > 0 and enforced.cpus > 0,
        f"the rest is {enforced!r}",
    )


async def what_cannot_be_run_is_an_error(sandbox: Sandbox) -> None:
    """Never an execution: here, Python with the compilers of another language."""
    snippet = Snippet(language="python", code="print(1)", toolchain="go")
    try:
        execution = await sandbox.run(snippet)
    except MiniAgentError:
        return
    raise ContractViolation(f"a snippet that cannot be was run: {execution.status}")


OUTCOME_CHECKS = (
    an_exit_code_is_preserved,
    an_exception_is_printed_to_stderr,
    a_program_that_cannot_be_read_is_an_outcome,
    a_signal_is_reported,
    the_deadline_is_an_outcome,
    too_much_memory_is_an_outcome,
    enforced_limits_are_reported,
    what_cannot_be_run_is_an_error,
)


UNICODE_TEXT = "é \N{SNOWMAN} \N{GRINNING FACE}"


async def what_is_printed_is_stdout(sandbox: Sandbox) -> None:
    """Byte for byte, with nothing of the sandbox's own."""
    execution = await run_python(sandbox, "print('hello')")
    require_equal(
        (execution.stdout, execution.stderr, execution.exit_code), ("hello\n", "", 0), "the answer"
    )


async def stdout_and_stderr_are_apart(sandbox: Sandbox) -> None:
    """Each has its own lines, in their order."""
    code = "import sys\nfor n in range(50):\n    print(n)\n    print(-n, file=sys.stderr)"
    execution = await run_python(sandbox, code)
    require_equal(execution.stdout.split(), [str(n) for n in range(50)], "stdout")
    require_equal(execution.stderr.split(), [str(-n) for n in range(50)], "stderr")


async def input_reaches_the_program(sandbox: Sandbox) -> None:
    """With its end; where none was given, the end comes at once."""
    code = "import sys; print(repr(sys.stdin.read()))"
    given = Snippet(language="python", code=code, stdin="two\nlines", limits=CHECK_LIMITS)
    require_equal(
        (await sandbox.run(given)).stdout, f"{'two' + chr(10) + 'lines'!r}\n", "the input"
    )
    require_equal((await run_python(sandbox, code)).stdout, "''\n", "no input")


async def arguments_reach_the_program(sandbox: Sandbox) -> None:
    """As they are: no shell has a look at them."""
    words = ("a b", "", "$HOME", "--flag", "'quoted'", UNICODE_TEXT)
    code = "import sys; print(sys.argv[1:])"
    execution = await sandbox.run(
        Snippet(language="python", code=code, args=words, limits=CHECK_LIMITS)
    )
    require_equal(execution.stdout, f"{list(words)}\n", "the arguments")


async def variables_reach_the_program(sandbox: Sandbox) -> None:
    """Those of the snippet, with any text in them."""
    code = "import os; print(os.environ['GIVEN'])"
    given = Snippet(language="python", code=code, env={"GIVEN": UNICODE_TEXT}, limits=CHECK_LIMITS)
    require_equal((await sandbox.run(given)).stdout, f"{UNICODE_TEXT}\n", "the variable")


async def text_of_every_kind_comes_through(sandbox: Sandbox) -> None:
    """In the program, and out of it; a NUL is a character like others."""
    execution = await run_python(sandbox, f"print('{UNICODE_TEXT}', end='\\0')")
    require_equal(execution.stdout, f"{UNICODE_TEXT}\0", "the text")


async def bytes_that_are_no_text_are_still_an_answer(sandbox: Sandbox) -> None:
    """They are replaced, and what is around them stays."""
    execution = await run_python(sandbox, "import os; os.write(1, b'a\\xff\\xfeb')")
    require(
        execution.stdout.startswith("a") and execution.stdout.endswith("b"), f"{execution.stdout!r}"
    )


async def output_is_cut_at_its_limit(sandbox: Sandbox) -> None:
    """The cut is reported, with the full size."""
    limits = Limits(timeout_s=10, output_bytes=1000)
    code = "print('x' * 5000, end='')"
    execution = await sandbox.run(Snippet(language="python", code=code, limits=limits))
    require_equal((execution.stdout, execution.stdout_bytes), ("x" * 1000, 5000), "the output")
    require_equal(
        (execution.truncated.stdout, execution.truncated.stderr), (True, False), "`truncated`"
    )


async def files_reach_the_program(sandbox: Sandbox) -> None:
    """In folders, byte for byte, where the program finds them by their relative path."""
    content = bytes(range(256)) * 20
    code = "import sys; sys.stdout.write(open('in/a.bin', 'rb').read().hex())"
    files = {"in/a.bin": encode_base64(content)}
    execution = await sandbox.run(
        Snippet(language="python", code=code, files=files, limits=CHECK_LIMITS)
    )
    require_equal(execution.stdout, content.hex(), "the file")


async def files_that_were_asked_for_come_back(sandbox: Sandbox) -> None:
    """Byte for byte; others stay, and a link is not followed."""
    code = (
        "import os\nos.makedirs('out')\nopen('out/b.bin', 'wb').write(bytes(range(256)))\n"
        "open('other.txt', 'w').write('x')\nos.symlink('/etc/passwd', 'out/link.bin')"
    )
    snippet = Snippet(language="python", code=code, artifacts=("out/*.bin",), limits=CHECK_LIMITS)
    execution = await sandbox.run(snippet)
    files = {file.path: base64.b64decode(file.base64) for file in execution.artifacts}
    require_equal(files, {"out/b.bin": bytes(range(256))}, "what came back")


IO_CHECKS = (
    what_is_printed_is_stdout,
    stdout_and_stderr_are_apart,
    input_reaches_the_program,
    arguments_reach_the_program,
    variables_reach_the_program,
    text_of_every_kind_comes_through,
    bytes_that_are_no_text_are_still_an_answer,
    output_is_cut_at_its_limit,
    files_reach_the_program,
    files_that_were_asked_for_come_back,
)
