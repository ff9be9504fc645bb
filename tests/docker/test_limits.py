"""Each limit holds, and its end of a snippet is told from every other."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.docker.sidecar_process import execute

pytestmark = pytest.mark.docker


async def test_the_deadline_ends_a_snippet_and_keeps_what_it_printed(
    client: httpx.AsyncClient,
) -> None:
    began = time.monotonic()
    code = "import time\nprint('before')\ntime.sleep(60)"
    ran = await execute(client, "python", code, limits={"timeout_s": 1})
    assert (ran.status, ran.exit_code, ran.stdout) == ("timeout", 124, "before\n")
    assert time.monotonic() - began < 40


async def test_ignoring_signals_does_not_help_against_the_deadline(
    client: httpx.AsyncClient,
) -> None:
    code = "trap '' TERM INT HUP; kill -STOP 1; while :; do :; done"
    ran = await execute(client, "bash", code, limits={"timeout_s": 1})
    assert ran.status == "timeout"


async def test_too_much_memory_is_told_from_a_plain_kill(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "python", "x = bytearray(900 << 20)")
    assert (ran.status, ran.exit_code, ran.oom_events) == ("oom", 137, 1)
    ran = await execute(client, "python", "import os; os.kill(os.getpid(), 9)")
    assert (ran.status, ran.exit_code, ran.oom_events) == ("killed", 137, 0)


async def test_a_child_that_runs_out_of_memory_is_counted(client: httpx.AsyncClient) -> None:
    code = "python3 -c 'x = bytearray(900 << 20)'; echo survived"
    ran = await execute(client, "bash", code)
    assert (ran.status, ran.stdout, ran.oom_events) == ("ok", "survived\n", 1)


async def test_a_fork_bomb_meets_the_pids_limit(client: httpx.AsyncClient) -> None:
    code = (
        "import os, signal\ncount = 0\ntry:\n    while os.fork():\n        count += 1\n"
        "    signal.pause()\nexcept BlockingIOError:\n    print('stopped at', count)"
    )
    ran = await execute(client, "python", code, limits={"pids": 20})
    # The runner and the snippet itself are two of the twenty.
    assert ran.stdout == "stopped at 18\n"


async def test_output_is_cut_and_its_flood_is_stopped(client: httpx.AsyncClient) -> None:
    ran = await execute(client, "bash", "yes é", limits={"output_bytes": 10})
    # Ten bytes are three lines and half a letter, which is left out.
    assert (ran.status, ran.stdout) == ("output_limit", "é\né\né\n")
    assert ran.truncated.stdout
    assert ran.stdout_bytes > 1_000_000


async def test_output_of_any_length_and_kind_is_counted(client: httpx.AsyncClient) -> None:
    code = "import os\nos.write(1, b'\\xff' + b'a' * 100_000)\nos.write(2, b'\\0')"
    ran = await execute(client, "python", code)
    assert (ran.status, ran.stdout_bytes) == ("ok", 100_001)
    assert 65_000 < len(ran.stdout) <= 65_536
    assert (ran.stdout[:2], ran.stderr, ran.truncated.stderr) == ("\ufffda", "\0", False)


async def test_the_end_of_a_long_output_is_kept_and_the_gap_is_told(
    client: httpx.AsyncClient,
) -> None:
    code = "for number in range(30_000): print(number)\nraise SystemExit('the reason')"
    ran = await execute(client, "python", code)
    first, rest = ran.stdout.split("\n[... ")
    missing, last = rest.split(" bytes are left out here ...]\n")
    assert (first.startswith("0\n1\n2\n"), last.endswith("\n29998\n29999\n")) == (True, True)
    assert ran.stdout_bytes == len(first) + int(missing) + len(last)


async def test_what_was_made_before_a_limit_ended_the_program_comes_back(
    client: httpx.AsyncClient,
) -> None:
    begin = (
        "import matplotlib.pyplot as plt\nopen('early.txt', 'w').write('x')\n"
        "plt.plot([1])\nplt.show()\n"
    )
    ends = {
        "timeout": "while True: pass",
        "oom": "x = bytearray(900 << 20)",
        "output_limit": "while True: print('flood' * 1000)",
    }
    for status, end in ends.items():
        code, asked = begin + end, ["*.txt"]
        ran = await execute(client, "python", code, artifacts=asked, limits={"timeout_s": 8})
        assert (ran.status, [file.path for file in ran.artifacts]) == (status, ["early.txt"])
        assert [rich.media_type for rich in ran.rich] == ["image/png"]


async def test_the_workspace_holds_what_was_asked_for_and_no_more(
    client: httpx.AsyncClient,
) -> None:
    code = "head -c 3M /dev/zero >fits && head -c 3M /dev/zero >too-much; ls -s --block-size=M"
    ran = await execute(client, "bash", code, limits={"workspace_mb": 4})
    assert "No space left on device" in ran.stderr
    assert "3M fits" in ran.stdout


async def test_the_limits_that_held_come_back_from_the_engine(client: httpx.AsyncClient) -> None:
    asked = {"timeout_s": 5.5, "memory_mb": 200, "cpus": 0.5, "pids": 40, "workspace_mb": 30}
    ran = await execute(client, "bash", "true", limits=asked)
    held = {"output_bytes": 65_536, "inodes": 16_384, "open_files": 1024}
    assert ran.limits.model_dump() == asked | held
    assert (ran.sandbox.runtime, ran.sandbox.network) == ("runc", "none")


async def test_compiling_does_not_eat_the_time_of_the_program(client: httpx.AsyncClient) -> None:
    # So many functions are at the compiler for longer than the program may run.
    chain = "".join(f"func f{n}(x int) int {{ return f{n + 1}(x) * {n} }}\n" for n in range(1500))
    last = "func f1500(x int) int { return x }\nfunc main() { println(f0(1)) }"
    code = f"package main\n{chain}{last}"
    ran = await execute(client, "go", code, limits={"timeout_s": 1})
    assert (ran.status, ran.stderr) == ("ok", "0\n")
    assert ran.timings_ms.compile > 0
