"""The life of the runner: it says that it is ready, takes snippets one by one, and dies."""

import os
import signal
import time

from sandbox_runner import stream as frames
from sandbox_runner.execution import SnippetExecution
from sandbox_runner.process.pipes import make_undumpable
from sandbox_runner.standby.processes import StandbyProcesses
from sandbox_runner.process.watch import Inputs, open_child_wakeup
from sandbox_runner.python.preload import preload
from sandbox_runner.standby.start import ChildMain
from sandbox_runner.stream import Stream

ABOUT_FILE = "/opt/mini-agent/about.json"
FIRST_IDLE_S = 1.0
# One who sends snippet after snippet does not wait for a fork, nor for what a fork takes away.
SESSION_IDLE_S = 0.02
SKELETON = "/opt/mini-agent/skeleton"
SKELETON_TARGET = "/tmp/.mini-agent"  # noqa: S108 - the sandbox is its only user


def live(seconds: float, wanted: str = "plain") -> ChildMain:
    """Serves snippets for that long; returns only in the process of a Python snippet."""
    if os.getpid() != 1:
        raise SystemExit("the runner is the first process of a sandbox and nothing else")
    make_undumpable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = Inputs(_own_stream(time.monotonic() + seconds), open_child_wakeup())
    _link_skeleton()
    preload(wanted)
    residents = StandbyProcesses()
    with open(ABOUT_FILE, "rb") as about:
        ready = about.read()
    becoming = residents.replenish()
    if becoming is None:
        source.stream.send(frames.READY, ready)
        becoming = _serve_on(source, residents)
    return becoming


def _serve_on(source: Inputs, residents: StandbyProcesses) -> ChildMain:
    # A sandbox for a single snippet is removed before the next process to wait costs anything.
    rest_s, served = 0.0, 0
    while True:
        waiting = None if source.stream.has_input_within(rest_s) else residents.replenish()
        becoming = waiting or _serve(source, residents)
        if becoming is not None:
            return becoming
        served += 1
        rest_s = FIRST_IDLE_S if served == 1 else SESSION_IDLE_S


def _serve(source: Inputs, residents: StandbyProcesses) -> ChildMain | None:
    kind, length = source.stream.head()
    body = source.stream.exactly(length)
    if kind == frames.SNIPPET:
        return SnippetExecution(source, residents, body).take()
    if kind == frames.CALL:
        from sandbox_runner.workspace.calls import answer_call  # noqa: PLC0415 - most sandboxes get no calls

        answer_call(source.stream, body)
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
        place = SKELETON_TARGET + folder.removeprefix(SKELETON)
        os.makedirs(place, exist_ok=True)
        for name in names:
            os.symlink(f"{folder}/{name}", f"{place}/{name}")
