"""Checks of a sandbox: what goes in and comes out of a program."""

from __future__ import annotations

import base64

from mini_agent.sandbox.client import Sandbox
from mini_agent.testing.sandbox_asking import PATIENCE, encoded, ran, require, require_same
from mini_agent_protocol.snippet import Limits, Snippet

TEXT = "é \N{SNOWMAN} \N{GRINNING FACE}"


async def what_is_printed_is_stdout(sandbox: Sandbox) -> None:
    """Byte for byte, with nothing of the sandbox's own."""
    done = await ran(sandbox, "print('hello')")
    require_same((done.stdout, done.stderr, done.exit_code), ("hello\n", "", 0), "the answer")


async def stdout_and_stderr_are_apart(sandbox: Sandbox) -> None:
    """Each has its own lines, in their order."""
    code = "import sys\nfor n in range(50):\n    print(n)\n    print(-n, file=sys.stderr)"
    done = await ran(sandbox, code)
    require_same(done.stdout.split(), [str(n) for n in range(50)], "stdout")
    require_same(done.stderr.split(), [str(-n) for n in range(50)], "stderr")


async def input_reaches_the_program(sandbox: Sandbox) -> None:
    """With its end; where none was given, the end comes at once."""
    code = "import sys; print(repr(sys.stdin.read()))"
    given = Snippet(language="python", code=code, stdin="two\nlines", limits=PATIENCE)
    require_same((await sandbox.run(given)).stdout, f"{'two' + chr(10) + 'lines'!r}\n", "the input")
    require_same((await ran(sandbox, code)).stdout, "''\n", "no input")


async def arguments_reach_the_program(sandbox: Sandbox) -> None:
    """As they are: no shell has a look at them."""
    words = ("a b", "", "$HOME", "--flag", "'quoted'", TEXT)
    code = "import sys; print(sys.argv[1:])"
    done = await sandbox.run(Snippet(language="python", code=code, args=words, limits=PATIENCE))
    require_same(done.stdout, f"{list(words)}\n", "the arguments")


async def variables_reach_the_program(sandbox: Sandbox) -> None:
    """Those of the snippet, with any text in them."""
    code = "import os; print(os.environ['GIVEN'])"
    given = Snippet(language="python", code=code, env={"GIVEN": TEXT}, limits=PATIENCE)
    require_same((await sandbox.run(given)).stdout, f"{TEXT}\n", "the variable")


async def text_of_every_kind_comes_through(sandbox: Sandbox) -> None:
    """In the program, and out of it; a NUL is a character like others."""
    done = await ran(sandbox, f"print('{TEXT}', end='\\0')")
    require_same(done.stdout, f"{TEXT}\0", "the text")


async def bytes_that_are_no_text_are_still_an_answer(sandbox: Sandbox) -> None:
    """They are replaced, and what is around them stays."""
    done = await ran(sandbox, "import os; os.write(1, b'a\\xff\\xfeb')")
    require(done.stdout.startswith("a") and done.stdout.endswith("b"), f"{done.stdout!r}")


async def output_is_cut_at_its_limit(sandbox: Sandbox) -> None:
    """The cut is told, and so is how much there was."""
    limits = Limits(timeout_s=10, output_bytes=1000)
    code = "print('x' * 5000, end='')"
    done = await sandbox.run(Snippet(language="python", code=code, limits=limits))
    require_same((done.stdout, done.stdout_bytes), ("x" * 1000, 5000), "the output")
    require_same((done.truncated.stdout, done.truncated.stderr), (True, False), "`truncated`")


async def files_reach_the_program(sandbox: Sandbox) -> None:
    """In folders, byte for byte, where the program finds them by their relative path."""
    content = bytes(range(256)) * 20
    code = "import sys; sys.stdout.write(open('in/a.bin', 'rb').read().hex())"
    files = {"in/a.bin": encoded(content)}
    done = await sandbox.run(Snippet(language="python", code=code, files=files, limits=PATIENCE))
    require_same(done.stdout, content.hex(), "the file")


async def files_that_were_asked_for_come_back(sandbox: Sandbox) -> None:
    """Byte for byte; others stay, and a link is not followed."""
    code = (
        "import os\nos.makedirs('out')\nopen('out/b.bin', 'wb').write(bytes(range(256)))\n"
        "open('other.txt', 'w').write('x')\nos.symlink('/etc/passwd', 'out/link.bin')"
    )
    wanted = Snippet(language="python", code=code, artifacts=("out/*.bin",), limits=PATIENCE)
    done = await sandbox.run(wanted)
    found = {file.path: base64.b64decode(file.base64) for file in done.artifacts}
    require_same(found, {"out/b.bin": bytes(range(256))}, "what came back")


CHECKS = (
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
