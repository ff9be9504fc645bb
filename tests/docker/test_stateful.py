"""Stateful snippets: cells in one interpreter that is kept between them."""

from __future__ import annotations

import asyncio

import pytest

from mini_agent_protocol import frames
from tests.docker.runner_client import NONCE, RunnerClient, open_runner

pytestmark = pytest.mark.docker


async def cell(runner: RunnerClient, code: str, **more: object) -> tuple[str, object, str]:
    heard = await runner.run(code, stateful=True, **more)
    return heard.stdout, heard.value, heard.end.python


async def test_a_cell_finds_what_the_ones_before_it_left() -> None:
    async with open_runner() as runner:
        assert await cell(runner, "import math\nx = 4") == ("", None, "new")
        assert await cell(runner, "print(x)\nmath.sqrt(x)") == ("4\n", "2.0", "kept")


async def test_a_cell_has_its_own_input_arguments_and_variables() -> None:
    code = "import os, sys\nprint(input(), sys.argv[1:], os.environ.get('WHO'))"
    async with open_runner() as runner:
        first = await cell(runner, code, stdin="one\nmore\n", args=["a"], env={"WHO": "me"})
        assert first[0] == "one ['a'] me\n"
        assert (await cell(runner, code, stdin="two\n"))[0].startswith("two []")


async def test_an_error_is_shown_in_the_cell_it_is_in_and_ends_nothing() -> None:
    async with open_runner() as runner:
        await cell(runner, "def half(n):\n    return n / 0")
        failed = await runner.run("half(1)", stateful=True)
        assert failed.end.exit_code == 1
        assert failed.stderr == (
            "Traceback (most recent call last):\n"
            '  File "<cell 2>", line 1, in <module>\n    half(1)\n    ~~~~^^^\n'
            '  File "<cell 1>", line 2, in half\n    return n / 0\n           ~~^~~\n'
            "ZeroDivisionError: division by zero\n"
        )
        assert (await cell(runner, "half.__name__"))[1:] == ("'half'", "kept")


async def test_exit_ends_the_cell_with_its_code_and_keeps_the_interpreter() -> None:
    async with open_runner() as runner:
        ended = await runner.run("x = 1\nraise SystemExit(3)", stateful=True)
        assert ended.end.exit_code == 3
        assert (await cell(runner, "x"))[1:] == ("1", "kept")


async def test_an_interruption_raises_in_the_cell_and_keeps_its_variables() -> None:
    async with open_runner() as runner:
        await runner.order("x = 5\nprint('on', flush=True)\nwhile True: pass", stateful=True)
        while (await runner.sandbox.receive(NONCE)).kind != frames.STDOUT:
            pass
        await runner.sandbox.send(b"I", b"")
        stopped = await runner.hear()
        assert stopped.stderr.endswith("KeyboardInterrupt\n")
        assert (stopped.end.exit_code, stopped.end.late) == (130, False)
        assert (await cell(runner, "x"))[1:] == ("5", "kept")


async def test_an_interruption_between_cells_means_nothing() -> None:
    async with open_runner() as runner:
        await cell(runner, "x = 5")
        await runner.sandbox.send(b"I", b"")
        assert (await cell(runner, "x"))[1:] == ("5", "kept")


async def test_a_late_cell_is_interrupted_and_what_it_had_is_kept() -> None:
    async with open_runner() as runner:
        late = await runner.run("x = 6\nwhile True: pass", stateful=True, timeout_s=0.3)
        assert (late.end.late, late.end.python) == (True, "new")
        assert (await cell(runner, "x"))[1:] == ("6", "kept")


async def test_an_interpreter_that_will_not_stop_is_killed_and_said_to_be_lost() -> None:
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(30)"
    async with open_runner() as runner:
        await cell(runner, "x = 1")
        late = await runner.run(code, stateful=True, timeout_s=0.2)
        assert (late.end.late, late.end.signal) == (True, 9)
        after = await runner.run("x", stateful=True)
        assert (after.end.python, after.end.exit_code) == ("lost", 1)
        assert (await cell(runner, "2"))[1:] == ("2", "kept")


async def test_an_interpreter_that_ends_itself_is_lost() -> None:
    async with open_runner() as runner:
        ended = await runner.run("import os\nos._exit(7)", stateful=True)
        assert (ended.end.exit_code, ended.end.python) == (7, "new")
        assert (await cell(runner, "1"))[2] == "lost"


async def test_between_cells_nothing_runs_but_the_interpreter_which_stands_still() -> None:
    code = (
        "import subprocess, threading, time\nticks = 0\n"
        "def tick():\n    global ticks\n    while True:\n        ticks += 1\n"
        "        time.sleep(.01)\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "child = subprocess.Popen(['sleep', '77'])\ntime.sleep(.05)\nlast = ticks"
    )
    async with open_runner() as runner:
        await cell(runner, code)
        await asyncio.sleep(2)
        assert (await cell(runner, "ticks - last < 100, child.poll()"))[1] == "(True, -9)"


async def test_other_snippets_run_beside_it_in_processes_of_their_own() -> None:
    async with open_runner() as runner:
        await cell(runner, "x = 1\nopen('shared.txt', 'w').write('seen')")
        beside = await runner.run("print('x' in dir(), open('shared.txt').read())")
        assert (beside.stdout, beside.end.python) == ("False seen\n", "new")
        assert (await cell(runner, "x"))[1:] == ("1", "kept")


async def test_a_module_written_by_one_cell_is_imported_by_the_next() -> None:
    async with open_runner() as runner:
        await cell(runner, "open('fresh.py', 'w').write('word = 1')")
        assert (await cell(runner, "import fresh\nfresh.word"))[1] == "1"
