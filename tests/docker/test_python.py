"""A Python snippet cannot tell that its interpreter was forked."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.docker.runner_client import open_runner
from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker

COUNTING = (
    "import threading\ncount = 0\ndef counting():\n    global count\n    while True: count += 1\n"
    "threading.Thread(target=counting, daemon=True).start()"
)
# Long enough for every other thread to ask for its turn while the program is taken apart.
SLOW_END = (
    "\nimport time\ntime.sleep(0.05)\nclass Slow:\n    def __del__(self):\n"
    "        end = time.monotonic() + 0.2\n"
    "        while time.monotonic() < end: pass\nslow = Slow()"
)


async def test_a_traceback_shows_the_snippets_own_lines_and_nothing_else(
    client: httpx.AsyncClient,
) -> None:
    ran = await execute(client, "python", "def half(n):\n    return n / 0\n\nhalf(1)\n")
    assert ran.exit_code == 1
    assert ran.stderr == (
        "Traceback (most recent call last):\n"
        '  File "/tmp/.snippet/main.py", line 4, in <module>\n    half(1)\n    ~~~~^^^\n'
        '  File "/tmp/.snippet/main.py", line 2, in half\n    return n / 0\n           ~~^~~\n'
        "ZeroDivisionError: division by zero\n"
    )


async def test_a_syntax_error_looks_as_it_always_does(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", "print(1")
    assert ran.stderr.startswith('  File "/tmp/.snippet/main.py", line 1\n    print(1\n')
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


async def test_the_runner_leaves_no_trace_in_a_snippet_but_the_pipe_for_its_values(
    client: httpx.AsyncClient,
) -> None:
    code = (
        "import os, sys\n"
        "print([name for name in sys.modules if 'runner' in name], '/opt' in str(sys.path))\n"
        "print(sorted(os.listdir('/proc/self/fd')), sys.argv, __file__)"
    )
    ran = await execute(client, "python", code)
    assert ran.stdout == "[] False\n['0', '1', '1000', '2', '3'] ['main.py'] /workspace/main.py\n"


@pytest.mark.parametrize(
    ("code", "exit_code", "stderr"),
    [
        ("import sys; sys.exit('bye')", 1, "bye\n"),
        ("import sys; sys.exit(-1)", 255, ""),
        ("raise SystemExit", 0, ""),
        ("import threading; threading.Thread(target=exit, args=(3,)).start()", 0, ""),
        ("import sys; sys.stdout = open('/dev/full', 'w'); print('x')", 120, None),
        ("import atexit; atexit.register(lambda: 1 / 0)", 0, None),
        (COUNTING, 0, ""),
        (COUNTING + SLOW_END, 0, ""),
        (COUNTING.replace("count += 1", "pass") + SLOW_END, 0, ""),
        ("import sys; del sys.modules['__main__']", 0, ""),
        ("import sys; sys.modules['__main__'] = 5", 0, ""),
        (
            "import sys; sys.excepthook = lambda *_: print('mine', file=sys.stderr); 1/0",
            1,
            "mine\n",
        ),
    ],
)
async def test_a_program_ends_as_it_does_in_an_interpreter_of_its_own(
    client: httpx.AsyncClient, code: str, exit_code: int, stderr: str | None
) -> None:
    forked = await execute(client, "python", code)
    spawned = await execute(client, "python", code, isolation="spawn")
    assert forked.exit_code == spawned.exit_code == exit_code
    assert stderr is None or forked.stderr == spawned.stderr == stderr


async def test_an_interruption_nobody_catches_ends_the_program_by_its_signal(
    client: httpx.AsyncClient,
) -> None:
    ran = await execute(client, "python", "raise KeyboardInterrupt")
    assert (ran.signal, ran.exit_code) == ("SIGINT", 130)
    assert ran.stderr.endswith("KeyboardInterrupt\n")


async def test_files_that_nobody_closed_are_written_out(client: httpx.AsyncClient) -> None:
    code = (
        "import helper\nout = open('main.txt', 'w')\nout.write('main')\n"
        "class Last:\n    def __del__(self): print('last', helper.word)\n"
        "last = Last()\nlast.itself = last\ndef f(): return last"
    )
    module = b"word = 'w'\nout = open('helper.txt', 'w')\nout.write('helper')\n"
    files = {"helper.py": base64.b64encode(module).decode()}
    ran = await execute(client, "python", code, files=files, artifacts=["*.txt"])
    assert {one.path: base64.b64decode(one.base64) for one in ran.artifacts} == {
        "helper.txt": b"helper",
        "main.txt": b"main",
    }
    assert ran.stdout == "last w\n"


@pytest.mark.parametrize(
    "code",
    [
        "import random; print(random.random())",
        "import numpy as np; print(np.random.rand())",
        "import uuid; print(uuid.uuid4())",
        "import tempfile; print(tempfile.mktemp())",
    ],
)
async def test_each_snippet_of_one_runner_has_chances_of_its_own(code: str) -> None:
    async with open_runner() as runner:
        assert (await runner.run(code)).stdout != (await runner.run(code)).stdout


async def test_a_class_of_the_main_module_survives_pickling_and_process_pools(
    client: httpx.AsyncClient,
) -> None:
    code = (
        "import pickle\nfrom concurrent.futures import ProcessPoolExecutor\n"
        "class Point:\n    def __init__(self, x): self.x = x\n"
        "def move(p): return Point(p.x + 1)\n"
        "if __name__ == '__main__':\n    with ProcessPoolExecutor(2) as pool:\n"
        "        print([p.x for p in pool.map(move, [Point(1), Point(2)])])\n"
        "    print(pickle.loads(pickle.dumps(Point(5))).x)"
    )
    ran = await execute(client, "python", code)
    assert (ran.stdout, ran.stderr) == ("[2, 3]\n5\n", "")


async def test_a_clean_interpreter_on_request_is_python_as_it_starts_anywhere(
    client: httpx.AsyncClient,
) -> None:
    code = "import sys; print(sys.flags.isolated, sys.argv, sys.path[0], __name__, 'json' in dir())"
    ran = await execute(client, "python", code, isolation="spawn", args=["a"])
    assert ran.stdout == "0 ['main.py', 'a'] /workspace __main__ False\n"


async def test_recursion_is_as_deep_as_it_is_set_to_be(client: httpx.AsyncClient) -> None:
    code = (
        "import sys\nsys.setrecursionlimit(20_000)\n"
        "def down(n): return n and down(n - 1)\nprint(down(19_000))"
    )
    assert (await execute(client, "python", code)).stdout == "0\n"


async def test_places_that_programs_write_to_besides_the_workspace_are_there(
    client: httpx.AsyncClient,
) -> None:
    code = "for place in ('/tmp', '/var/tmp', '/run/lock', '/dev/shm'): open(f'{place}/x', 'x')"
    assert (await execute(client, "python", code)).stderr == ""


IMPORTED = (
    "import sys; print([name for name in ('json', 'numpy', 'pandas') if name in sys.modules])"
)


async def test_the_larger_set_is_imported_before_the_program_starts() -> None:
    async with open_runner(preload="data") as runner:
        assert (await runner.run(IMPORTED)).stdout == "['json', 'numpy', 'pandas']\n"


async def test_the_larger_set_is_left_out_where_it_would_take_all_the_memory() -> None:
    async with open_runner(preload="data", memory_mb=64) as runner:
        assert (await runner.run(IMPORTED)).stdout == "['json']\n"
