"""Debian's Chromium without a screen, driven over its own pipe (DevTools protocol): no package."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from pydantic import JsonValue, TypeAdapter

NAMES: Final = ("chromium-headless-shell", "chromium")
PATIENCE_S: Final = 30.0
# The numbers at which Chromium reads and writes.
COMMANDS, ANSWERS = 3, 4
OUT_OF_THE_WAY: Final = 100
FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-proxy-server",
)
Fields = dict[str, JsonValue]
_FIELDS: Final = TypeAdapter(Fields)


def require_chromium() -> str:
    """Where it is; skips where it is not, and fails there in CI."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    why = "no Chromium: sudo apt-get install chromium-headless-shell"
    if os.environ.get("CI"):
        pytest.fail(f"in CI there has to be a browser: {why}")
    pytest.skip(why)


class Refused(Exception):
    """Chromium could not do what it was told."""


class Line:
    """Commands to one Chromium, and its answers and events by the session they belong to."""

    def __init__(self, writes: int, reads: int) -> None:
        self._writes, self._reads = writes, reads
        self._ids = count(1)
        self._waiting: dict[int, Future[Fields]] = {}
        self._writing = threading.Lock()
        self.events: dict[str, list[Fields]] = {}
        self._reading = threading.Thread(target=self._read, name="chromium")
        self._reading.start()

    def ask(self, method: str, session: str = "", **parameters: JsonValue) -> Fields:
        """What it answers."""
        number, answer = next(self._ids), Future[Fields]()
        self._waiting[number] = answer
        said: Fields = {"id": number, "method": method, "params": parameters}
        if session:
            said["sessionId"] = session
        with self._writing:
            _write_all(self._writes, json.dumps(said).encode() + b"\0")
        came = answer.result(PATIENCE_S)
        if "error" in came:
            raise Refused(f"{method}: {came['error']}")
        return _FIELDS.validate_python(came["result"])

    def close(self) -> None:
        """Nothing follows; Chromium has ended."""
        os.close(self._writes)
        self._reading.join(PATIENCE_S)
        os.close(self._reads)

    def _read(self) -> None:
        left = bytearray()
        while chunk := os.read(self._reads, 1 << 16):
            left += chunk
            *whole, rest = left.split(b"\0")
            left = bytearray(rest)
            for message in whole:
                self._take(_FIELDS.validate_json(bytes(message)))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Refused("Chromium has ended"))

    def _take(self, message: Fields) -> None:
        number = message.get("id")
        if isinstance(number, int):
            self._waiting.pop(number).set_result(message)
        else:
            self.events.setdefault(str(message.get("sessionId", "")), []).append(message)


@contextmanager
def chromium() -> Iterator[Line]:
    """A Chromium with a profile of its own, and what there is of it gone afterwards."""
    path = require_chromium()
    profile = Path(tempfile.mkdtemp(prefix="chromium-"))
    flags = [*FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    its_reads, writes = os.pipe()
    reads, its_writes = os.pipe()
    pid = _started([path, *flags, "about:blank"], its_reads, its_writes)
    line = Line(writes, reads)
    try:
        yield line
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        line.close()
        shutil.rmtree(profile, ignore_errors=True)


def _started(command: list[str], its_reads: int, its_writes: int) -> int:
    # Above the numbers they get, so that none is in the way of another.
    given = (its_reads, its_writes)
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) for end in given]
    null = os.open(os.devnull, os.O_RDWR)
    actions = [
        *((os.POSIX_SPAWN_DUP2, null, standard) for standard in (0, 1, 2)),
        (os.POSIX_SPAWN_DUP2, ends[0], COMMANDS),
        (os.POSIX_SPAWN_DUP2, ends[1], ANSWERS),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    for each in (*given, null, *ends):
        os.close(each)
    return pid


def _write_all(end: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(end, view) :]
