"""Sessions in real sandboxes, through the Python client."""

from __future__ import annotations

import base64
import json

import pytest

from mini_agent.errors import BadRequest
from mini_agent.sandbox import (
    Execution,
    Language,
    Output,
    SidecarSession,
    Snippet,
)
from tests.docker.session_runs import ran, workspace

pytestmark = pytest.mark.docker

READERS: dict[Language, str] = {
    "python": "print(open('said').read(), end='')\nopen('said', 'w').write('python')",
    "node": "const fs = require('fs'); console.log(fs.readFileSync('said', 'utf8'));"
    "fs.writeFileSync('said', 'node')",
    "bash": "cat said; printf bash >said",
    "go": 'package main\nimport ("fmt"; "os")\nfunc main() { said, _ := os.ReadFile("said")\n'
    'fmt.Print(string(said)); os.WriteFile("said", []byte("go"), 0o644) }',
    "rust": 'fn main() { print!("{}", std::fs::read_to_string("said").unwrap());'
    'std::fs::write("said", "rust").unwrap() }',
}


async def test_files_stay_from_one_language_to_the_next(session: SidecarSession) -> None:
    await session.write("said", b"client")
    heard = [
        (await ran(session, code, language)).stdout.strip() for language, code in READERS.items()
    ]
    assert heard == ["client", "python", "node", "bash", "go"]
    assert await session.read("said") == b"rust"


async def test_folders_modes_and_links_that_stay_inside_go_along(session: SidecarSession) -> None:
    await ran(
        session,
        "mkdir -p a/empty; echo x >a/file; ln -s file a/link; ln -s /etc/passwd a/out;"
        "printf '#!/bin/sh\\necho ran' >tool; chmod +x tool",
        "bash",
    )
    there = await ran(
        session,
        "import os, subprocess\nprint(sorted(os.listdir('a')), open('a/link').read().strip(),"
        " subprocess.run(['./tool'], capture_output=True, text=True).stdout.strip())",
    )
    assert there.stdout == "['empty', 'file', 'link'] x ran\n"


async def test_nothing_but_files_is_left_of_a_snippet(session: SidecarSession) -> None:
    await ran(
        session, "sleep 77 & setsid sleep 77 & echo x >/tmp/left; echo x >/dev/shm/left", "bash"
    )
    after = await ran(session, "x", "bash")
    assert after.status == "nonzero"
    after = await ran(session, "ps -e | grep -c sleep; true", "bash")
    assert after.stdout == "0\n"


async def test_variables_stay_where_that_is_asked_for(session: SidecarSession) -> None:
    first = await ran(session, "import math\nx = 20", stateful=True)
    apart = await ran(session, "print('x' in dir())")
    third = await ran(session, "x + math.floor(1.5)", stateful=True)
    assert first.session is not None
    assert third.session is not None
    assert (first.session.python, third.session.python) == ("new", "kept")
    assert (apart.stdout, third.result_repr) == ("False\n", "21")


async def test_a_workspace_too_large_for_another_language_is_refused_and_stays(
    session: SidecarSession,
) -> None:
    write = 'os.WriteFile("{}", make([]byte, 50<<20), 0o644)'
    writes = "; ".join(write.format(name) for name in ("big", "bigger"))
    go = f'package main\nimport "os"\nfunc main() {{ {writes} }}'
    assert (await ran(session, go, "go")).status == "ok"
    with pytest.raises(BadRequest, match="cannot be brought"):
        await ran(session, "ls", "bash")
    assert [file.path for file in await session.files()] == ["big", "bigger"]


async def test_what_a_program_leaves_for_a_reader_to_fall_over_is_not_read(
    session: SidecarSession,
) -> None:
    await ran(session, "mkfifo pipe; ln -s /etc/passwd link; mkdir folder", "bash")
    assert {"pipe", "link", "folder"}.isdisjoint(file.path for file in await session.files())
    for path in ("pipe", "link", "folder", "folder/none"):
        with pytest.raises(BadRequest, match=path):
            await session.read(path)
    assert (await ran(session, "echo on", "bash")).stdout == "on\n"


async def test_a_full_workspace_is_told_and_does_no_harm(session: SidecarSession) -> None:
    for number in range(4):
        await session.write(f"f{number}", bytes(14 << 20))
    with pytest.raises(BadRequest, match="f4"):
        await session.write("f4", bytes(14 << 20))
    await session.delete("f0")
    assert [file.path for file in await session.files()] == ["f1", "f2", "f3"]


async def test_artifacts_of_a_snippet_are_told_by_what_they_hold(session: SidecarSession) -> None:
    code = (
        "import json\nopen('a.txt', 'wb').write(bytes.fromhex('89504e470d0a1a0a'))\n"
        "open('fake.png', 'w').write('no image')\njson.dump([1], open('b.dat', 'w'))\n"
        "open('c.csv', 'w').write('a,b')"
    )
    patterns = ("a.txt", "fake.png", "b.dat", "c.csv")
    done = await session.run(Snippet(language="python", code=code, artifacts=patterns))
    assert {file.path: file.media_type for file in done.artifacts} == {
        "a.txt": "image/png",
        "fake.png": "text/plain",
        "b.dat": "application/json",
        "c.csv": "text/csv",
    }


async def test_a_figure_and_a_table_come_back_as_media(session: SidecarSession) -> None:
    code = (
        "import pandas as pd, matplotlib.pyplot as plt\nplt.plot([1, 2])\npd.DataFrame({'a': [1]})"
    )
    shown = await ran(session, code)
    media = {rich.media_type: rich for rich in shown.rich}
    assert base64.b64decode(media["image/png"].base64 or "").startswith(b"\x89PNG")
    assert "<table" in (media["text/html"].text or "")
    assert json.loads(media["application/json"].text or "null")


async def test_a_session_streams_its_snippets_too(session: SidecarSession) -> None:
    snippet = Snippet(language="bash", code="echo one; sleep 0.2; echo two >&2")
    *outputs, last = [item async for item in session.stream(snippet)]
    assert outputs == [Output(stream="stdout", text="one\n"), Output(stream="stderr", text="two\n")]
    assert isinstance(last, Execution)
    assert (last.stdout, workspace(last)) == ("one\n", "new")
