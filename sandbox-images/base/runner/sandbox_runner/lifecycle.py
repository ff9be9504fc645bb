"""The life of the runner: it says that it is ready, takes snippets one by one, and dies."""

import os
import signal
import time

from sandbox_runner import stream as frames
from sandbox_runner.execution import Turn
from sandbox_runner.process.pipes import seal
from sandbox_runner.process.residents import Residents
from sandbox_runner.process.watch import Source, wake_on_children
from sandbox_runner.python.preload import preload
from sandbox_runner.start import Becoming
from sandbox_runner.stream import Stream

ABOUT = "/opt/mini-agent/about.json"
REST_S = 1.0
# One who sends snippet after snippet does not wait for a fork, nor for what a fork takes away.
SESSION_REST_S = 0.02
SKELETON = "/opt/mini-agent/skeleton"
SKELETON_PLACE = "/tmp/.mini-agent"  # noqa: S108 - the sandbox is its only user


def live(seconds: float, wanted: str = "plain") -> Becoming:
    """Serves snippets for that long; returns only in the process of a Python snippet."""
    if os.getpid() != 1:
        raise SystemExit("the runner is the first process of a sandbox and nothing else")
    seal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = Source(_own_stream(time.monotonic() + seconds), wake_on_children())
    _link_skeleton()
    preload(wanted)
    residents = Residents()
    with open(ABOUT, "rb") as about:
        ready = about.read()
    becoming = residents.replenish()
    if becoming is None:
        source.stream.send(frames.READY, ready)
        becoming = _serve_on(source, residents)
    return becoming


def _serve_on(source: Source, residents: Residents) -> Becoming:
    # A sandbox for a single snippet is removed before the next process to wait costs anything.
    rest_s, served = 0.0, 0
    while True:
        waiting = None if source.stream.speaks_within(rest_s) else residents.replenish()
        becoming = waiting or _serve(source, residents)
        if becoming is not None:
            return becoming
        served += 1
        rest_s = REST_S if served == 1 else SESSION_REST_S


def _serve(source: Source, residents: Residents) -> Becoming | None:
    kind, length = source.stream.head()
    body = source.stream.exactly(length)
    if kind == frames.SNIPPET:
        return Turn(source, residents, body).take()
    if kind == frames.CALL:
        from sandbox_runner.workspace.calls import answer  # noqa: PLC0415 - most sandboxes get no calls

        answer(source.stream, body)
    elif kind != frames.INTERRUPT:  # which may come a moment after the snippet has ended
        raise SystemExit(f"a frame {kind!r} has no place between snippets")
    return None


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
