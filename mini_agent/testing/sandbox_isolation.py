"""Checks of a sandbox: snippets have nothing to do with each other, nor with the world."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from mini_agent.sandbox.client import Sandbox
from mini_agent.testing.sandbox_asking import Unsound, ran, require, require_same


async def files_do_not_survive(sandbox: Sandbox) -> None:
    """Wherever they were left."""
    places = ["/tmp", ".", "/dev/shm", "/var/tmp"]  # noqa: S108 - the sandbox's own
    name = f"left-{secrets.token_hex(4)}"
    each = f"import os\nfor place in {places}:\n    path = f'{{place}}/{name}'\n    "
    await ran(sandbox, f"{each}try: open(path, 'w').close()\n    except OSError: pass")
    found = await ran(sandbox, f"{each}if os.path.exists(path): print(path)")
    require_same(found.stdout, "", "what the snippet before it left")


async def changes_to_the_interpreter_do_not_survive(sandbox: Sandbox) -> None:
    """Neither patches nor variables nor limits."""
    await ran(sandbox, "import builtins, json\nbuiltins.len = json.dumps = None\nleft = 1")
    code = "import json\nprint(len('ab'), json.dumps('a'), 'left' in globals())"
    require_same((await ran(sandbox, code)).stdout, '2 "a" False\n', "the next interpreter")


async def processes_do_not_survive_nor_hold_the_answer(sandbox: Sandbox) -> None:
    """An answer comes when the program ends, not when its children do."""
    word = f"child-{secrets.token_hex(4)}"
    child = f"import time; time.sleep(60)  # {word}"
    code = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])"
    try:
        async with asyncio.timeout(20):
            await ran(sandbox, f"{code}\nprint('done')")
    except TimeoutError:
        raise Unsound("a child that goes on held the answer for 20 s") from None
    look = (
        "import glob\nfor path in glob.glob('/proc/[0-9]*/cmdline'):\n"
        f"    try:\n        if {word[:6]!r} + {word[6:]!r} in open(path).read(): print(path)\n"
        "    except OSError: pass"
    )
    require_same((await ran(sandbox, look)).stdout, "", "what the snippet before it left running")


async def snippets_at_the_same_time_do_not_mix(sandbox: Sandbox) -> None:
    """Neither their output nor their files."""
    code = (
        "import os, time\nopen('mine', 'a').write('{n} ')\ntime.sleep(0.3)\n"
        "print(open('mine').read(), os.listdir('.').count('mine'))"
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ran(sandbox, code.format(n=n))) for n in range(4)]
    for number, task in enumerate(tasks):
        require_same(task.result().stdout, f"{number}  1\n", "one of four outputs")


async def there_is_no_way_out(sandbox: Sandbox) -> None:
    """No address can be reached, and the answer to that comes soon."""
    code = (
        "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 3)\n"
        "except OSError: print('no way')"
    )
    require_same((await ran(sandbox, code)).stdout, "no way\n", "the answer")


async def a_snippet_has_no_rights(sandbox: Sandbox) -> None:
    """It is not root, and cannot write where programs are."""
    code = (
        "import os\nprint(os.getuid() != 0)\nfor path in ('/usr/bin/x', '/etc/x', '/x'):\n"
        "    try: print('wrote', open(path, 'w'))\n    except OSError: pass"
    )
    require_same((await ran(sandbox, code)).stdout, "True\n", "what it may")


async def whoever_gives_up_is_not_waited_for(sandbox: Sandbox) -> None:
    """A caller that goes away in the middle leaves a sandbox that answers the next one."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await ran(sandbox, "import time; time.sleep(8)")
            raise Unsound("a program that sleeps for 8 s was done at once")
    done = await ran(sandbox, "print('next')")
    require(done.stdout == "next\n", f"the next one got {done.stdout!r}")


CHECKS = (
    files_do_not_survive,
    changes_to_the_interpreter_do_not_survive,
    processes_do_not_survive_nor_hold_the_answer,
    snippets_at_the_same_time_do_not_mix,
    there_is_no_way_out,
    a_snippet_has_no_rights,
    whoever_gives_up_is_not_waited_for,
)
