"""A Python snippet cannot tell that its interpreter was forked."""

from __future__ import annotations

import httpx
import pytest

from tests.docker.engine_here import execute

pytestmark = pytest.mark.docker


async def test_a_traceback_shows_the_snippets_own_lines_and_nothing_else(
    client: httpx.AsyncClient,
) -> None:
    ran = await execute(client, "python", "def half(n):\n    return n / 0\n\nhalf(1)\n")
    assert ran.exit_code == 1
    assert ran.stderr == (
        "Traceback (most recent call last):\n"
        '  File "/workspace/main.py", line 4, in <module>\n    half(1)\n    ~~~~^^^\n'
        '  File "/workspace/main.py", line 2, in half\n    return n / 0\n           ~~^~~\n'
        "ZeroDivisionError: division by zero\n"
    )


async def test_a_syntax_error_looks_as_it_always_does(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", "print(1")
    assert ran.stderr.startswith('  File "/workspace/main.py", line 1\n    print(1\n')
    assert (ran.status, ran.exit_code) == ("nonzero", 1)


async def test_main_is_a_module_that_other_processes_can_import(client: httpx.AsyncClient) -> None:
    code = (
        "import multiprocessing as mp\ndef square(n):\n    return n * n\n"
        'if __name__ == "__main__":\n'
        '    for way in ("fork", "spawn"):\n'
        "        with mp.get_context(way).Pool(2) as pool:\n"
        "            print(way, pool.map(square, [1, 2, 3]))\n"
    )
    ran = await execute(client, "python", code)
    assert (ran.stdout, ran.stderr) == ("fork [1, 4, 9]\nspawn [1, 4, 9]\n", "")


async def test_what_a_program_does_at_its_end_is_done(client: httpx.AsyncClient) -> None:
    code = (
        "import atexit, threading, time\nclass Last:\n    def __del__(self): print('deleted')\n"
        "last = Last()\natexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
    )
    ran = await execute(client, "python", code)
    assert ran.stdout == "thread\nat exit\ndeleted\n"


async def test_variables_that_python_reads_at_its_start_have_their_effect(
    client: httpx.AsyncClient,
) -> None:
    code = "import sys; print(sys.flags.hash_randomization)"
    ran = await execute(client, "python", code, env={"PYTHONHASHSEED": "0"})
    assert ran.stdout == "0\n"


async def test_plots_are_drawn_without_a_display_and_without_a_word(
    client: httpx.AsyncClient,
) -> None:
    code = "import matplotlib.pyplot as p\np.plot([1, 2])\np.savefig('plot.png')"
    ran = await execute(client, "python", code, artifacts=["*.png"])
    assert (ran.status, ran.stderr) == ("ok", "")
    assert [(file.path, file.media_type) for file in ran.artifacts] == [("plot.png", "image/png")]


async def test_the_runner_leaves_no_trace_in_the_snippets_interpreter(
    client: httpx.AsyncClient,
) -> None:
    code = (
        "import os, sys\n"
        "print([name for name in sys.modules if 'runner' in name], '/opt' in str(sys.path))\n"
        "print(sorted(os.listdir('/proc/self/fd')), sys.argv, __file__)"
    )
    ran = await execute(client, "python", code)
    assert ran.stdout == "[] False\n['0', '1', '2', '3'] ['main.py'] /workspace/main.py\n"
