"""The life of the runner: it says that it is ready, takes snippets one by one, and dies."""

from __future__ import annotations

import os
import signal
import time

from sandbox_runner import frames
from sandbox_runner.frames import Stream
from sandbox_runner.process import seal
from sandbox_runner.program import Program
from sandbox_runner.turn import Turn
from sandbox_runner.watch import wake_on_children

ABOUT = "/opt/mini-agent/about.json"
SKELETON = "/opt/mini-agent/skeleton"
SKELETON_PLACE = "/tmp/.mini-agent"  # noqa: S108 - the sandbox is its only user


def live(seconds: float) -> Program:
    """Serves snippets for that long; returns only in the process of a Python snippet."""
    if os.getpid() != 1:
        raise SystemExit("the runner is the first process of a sandbox and nothing else")
    seal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stream = _own_stream(time.monotonic() + seconds)
    awake = wake_on_children()
    _link_skeleton()
    with open(ABOUT, "rb") as about:
        stream.send(frames.READY, about.read())
    while True:
        program = Turn(stream, awake).take()
        if program is not None:
            return program


def _own_stream(end: float) -> Stream:
    # The snippet's processes get streams of their own: these two leave the places they would be in.
    stream = Stream(os.dup(0), os.dup(1), end)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return stream


def _link_skeleton() -> None:
    """An image may bring files that programs want in a place they can write to."""
    for folder, _, names in os.walk(SKELETON):
        place = SKELETON_PLACE + folder.removeprefix(SKELETON)
        os.makedirs(place, exist_ok=True)
        for name in names:
            os.symlink(f"{folder}/{name}", f"{place}/{name}")
