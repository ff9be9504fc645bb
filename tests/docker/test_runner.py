"""The runner, spoken to frame by frame."""

from __future__ import annotations

import asyncio

import pytest

from codex_sidecar.engine.client import Engine
from codex_sidecar.errors import RunnerLost
from mini_agent_protocol import frames
from tests.docker.runner_client import (
    NONCE,
    RunnerClient,
    container,
    open_runner,
)

pytestmark = pytest.mark.docker

WAIT = "print('on', flush=True)\nimport time\ntime.sleep(30)"


async def started(runner: RunnerClient, code: str) -> None:
    """Orders a snippet and returns when it has printed something."""
    await runner.order(code)
    while (await runner.sandbox.receive(NONCE)).kind != frames.STDOUT:
        pass


async def test_one_runner_serves_snippet_after_snippet_with_nothing_alive_between() -> None:
    first = (
        "import json, subprocess\njson.dumps = None\nx = 1\n"
        "subprocess.Popen(['sleep', '77'], start_new_session=True)\nprint('one')"
    )
    second = (
        "import json, pathlib\nprint('x' in dir(), json.dumps([]))\n"
        "print(sorted(path.parent.name for path in pathlib.Path('/proc').glob('[0-9]*/cmdline')"
        " if b'sleep' in path.read_bytes()))"
    )
    async with open_runner() as runner:
        assert (await runner.run(first)).stdout == "one\n"
        assert (await runner.run(second)).stdout == "False []\n[]\n"


async def test_output_arrives_while_the_snippet_runs() -> None:
    async with open_runner() as runner, asyncio.timeout(25):
        await started(runner, WAIT)


async def test_the_runner_keeps_the_deadline() -> None:
    async with open_runner() as runner:
        late = await runner.run("while True: pass", timeout_s=0.2)
    assert (late.end.late, late.end.signal) == (True, 9)
    assert 200 <= late.end.run_ms < 10_000


async def test_an_interruption_is_what_ctrl_c_does() -> None:
    code = (
        f"try:\n    {WAIT.replace(chr(10), '; ')}\nexcept KeyboardInterrupt:\n    print('stopped')"
    )
    async with open_runner() as runner:
        await started(runner, code)
        await runner.sandbox.send(b"I", b"")
        heard = await runner.hear()
    assert (heard.stdout, heard.end.exit_code, heard.end.late) == ("stopped\n", 0, False)


async def test_an_interruption_reaches_the_children_too() -> None:
    async with open_runner("bash") as runner:
        await started(runner, "echo on; sleep 30; echo not reached")
        await runner.sandbox.send(b"I", b"")
        heard = await runner.hear()
    assert (heard.stdout, heard.end.signal) == ("", 2)


async def test_an_interruption_that_comes_too_late_means_nothing() -> None:
    async with open_runner() as runner:
        await runner.run("pass")
        await runner.sandbox.send(b"I", b"")
        assert (await runner.run("print(1)")).stdout == "1\n"


async def test_a_snippet_does_not_know_its_nonce() -> None:
    # Each half alone is no nonce: only the runner could have left the whole in this memory.
    code = (
        f"first, second = bytes({list(NONCE[:8])}), bytes({list(NONCE[8:])})\nfound = 0\n"
        "for line in open('/proc/self/maps').readlines():\n"
        "    start, end = (int(part, 16) for part in line.split()[0].split('-'))\n"
        "    if ' rw' in line:\n"
        "        with open('/proc/self/mem', 'rb', 0) as memory:\n"
        "            memory.seek(start)\n            content = memory.read(end - start)\n"
        "        for place in range(content.count(first)):\n"
        "            at = content.index(first)\n"
        "            found += content[at + 8 : at + 16] == second\n"
        "            content = content[at + 8 :]\n"
        "print('found', found)"
    )
    async with open_runner() as runner:
        assert (await runner.run(code)).stdout == "found 0\n"


@pytest.mark.parametrize("made", ["os.mkfifo", "lambda path: os.symlink('/dev/null', path)"])
async def test_a_program_takes_the_place_of_what_the_last_one_put_there(made: str) -> None:
    code = f"import os\nos.unlink('/tmp/.snippet/main.py')\n({made})('/tmp/.snippet/main.py')"
    async with open_runner() as runner:
        await runner.run(code)
        assert (
            (await runner.run("f()"))
            .stderr.splitlines()[1]
            .startswith('  File "/tmp/.snippet/main.py", line 1')
        )


@pytest.mark.parametrize(
    "made",
    ["os.mkdir('/tmp/.snippet/main.py')", "os.chmod('/tmp/.snippet', 0)", "os.mkdir('main.py')"],
)
async def test_a_program_runs_whatever_the_last_one_made_of_its_place(made: str) -> None:
    async with open_runner() as runner:
        await runner.run(f"import os\nos.unlink('/tmp/.snippet/main.py')\n{made}")
        assert (await runner.run("print(1)")).stdout == "1\n"
        assert (await runner.run("print(open(__file__).read())")).stdout.startswith("print(open")


async def test_a_file_of_the_users_with_the_programs_name_stays_and_can_be_imported() -> None:
    async with open_runner() as runner:
        await runner.call("write", "main.py", b"value = 42")
        assert (await runner.run("import main\nprint(main.value)")).stdout == "42\n"
        code = "import main, os\nprint(main.value, __file__, open(__file__).readline(), end='')"
        ran = await runner.run(code)
        assert ran.stdout == "42 /workspace/main_2.py import main, os\n"
        assert (await runner.call("read", "main.py")).content == b"value = 42"
        assert [file.path for file in (await runner.call("list")).files] == ["main.py"]


async def test_a_file_that_the_program_makes_of_its_own_is_the_users() -> None:
    async with open_runner() as runner:
        await runner.run("open('main.py', 'w').write('mine')")
        assert (await runner.call("read", "main.py")).content == b"mine"


@pytest.mark.parametrize(
    ("made", "skipped"),
    [
        ("os.makedirs('d/e')\nopen('d/e/x', 'w')\nos.chmod('d', 0)", "d: Permission denied"),
        ("os.symlink('.', 'x')", "x: a symbolic link"),
        ("os.mkfifo('x')", "x: not a regular file"),
        ("import socket\nsocket.socket(1).bind('x')", "x: not a regular file"),
        ("os.truncate(os.open('x', 66), 60 << 20)", "x: a sparse file"),
        ("open(b'\\xff', 'w')", "\\xff: its name is not UTF-8"),
        ("for n in range(80): open(f'x{n}', 'w')", "more than 64 files"),
        ("for n in range(12_000): open(str(n), 'w')", "more files were skipped"),
        (
            "for n in range(10):\n    os.mkdir('n' * 200)\n    os.chdir('n' * 200)",
            "its path is too long",
        ),
    ],
)
async def test_what_is_odd_in_a_workspace_stays_behind_with_its_reason(
    made: str, skipped: str
) -> None:
    async with open_runner() as runner:
        heard = await runner.run(f"import os\n{made}", artifacts=["**/*"])
    assert heard.end.exit_code == 0
    assert any(skipped in reason for reason in heard.skipped)


async def test_a_runner_dies_by_itself_at_the_end_of_its_life() -> None:
    engine = Engine("/var/run/docker.sock")
    sandbox = container(engine, lifetime_s=0.5)
    try:
        await sandbox.start()
        with pytest.raises(RunnerLost):
            await sandbox.receive(b"")
        assert not (await engine.inspect_container(sandbox.name)).state.running
    finally:
        await sandbox.remove()
        await engine.aclose()
