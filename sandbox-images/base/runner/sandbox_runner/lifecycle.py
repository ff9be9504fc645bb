"""The runner's life: it says that it is ready, runs snippets one by one, and exits."""

import os
import signal
import time

from mini_agent_protocol import frames
from sandbox_runner.execution import SnippetExecution
from sandbox_runner.paths import WORKSPACE
from sandbox_runner.process.pipes import make_undumpable
from sandbox_runner.process.watch import Inputs, open_child_wakeup
from sandbox_runner.python.interpreter import prepare_interpreter
from sandbox_runner.python.preload import preload
from sandbox_runner.standby.processes import StandbyProcesses
from sandbox_runner.standby.start import ChildMain
from sandbox_runner.stream import Stream
from sandbox_runner.workspace.program import link_workspace

ABOUT_FILE = "/opt/mini-agent/about.json"
IDLE_S = 1.0
# A caller that sends snippet after snippet waits for no fork, nor for what a fork takes away.
SESSION_IDLE_S = 0.02
SKELETON = "/opt/mini-agent/skeleton"
USER = "sandbox"
SKELETON_TARGET = "/tmp/.mini-agent"  # noqa: S108 - the sandbox is its only user


def serve(seconds: float, preload_set: str = "plain") -> ChildMain:
    """Runs snippets for that long; returns only in a forked child, what that goes on as."""
    if os.getpid() != 1:
        raise SystemExit("the runner is the first process of a sandbox and nothing else")
    make_undumpable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    inputs = Inputs(_move_stream(time.monotonic() + seconds), open_child_wakeup())
    _link_skeleton()
    link_workspace()
    _name_user()
    if preload(preload_set):
        prepare_interpreter()
    standby = StandbyProcesses()
    with open(ABOUT_FILE, "rb") as about:
        ready = about.read()
    child = standby.replenish()
    if child is None:
        inputs.stream.send(frames.READY, ready)
        child = _serve_all(inputs, standby)
    return child


def _serve_all(inputs: Inputs, standby: StandbyProcesses) -> ChildMain:
    # A sandbox for a single snippet is removed before the next waiting process costs anything.
    idle_s, served = 0.0, 0
    while True:
        waiting = None if inputs.stream.has_input_within(idle_s) else standby.replenish()
        child = waiting or _serve_one(inputs, standby)
        if child is not None:
            return child
        served += 1
        idle_s = IDLE_S if served == 1 else SESSION_IDLE_S


def _serve_one(inputs: Inputs, standby: StandbyProcesses) -> ChildMain | None:
    kind, length = inputs.stream.head()
    body = inputs.stream.exactly(length)
    if kind == frames.SNIPPET:
        return SnippetExecution(inputs, standby, body).run()
    if kind == frames.WORKSPACE:
        from sandbox_runner.workspace.calls import answer_call  # noqa: PLC0415 - most get no calls

        answer_call(inputs.stream, body)
    elif kind != frames.INTERRUPT:  # which may come a moment after the snippet has ended
        raise SystemExit(f"a frame {kind!r} has no place between snippets")
    return None


def _move_stream(end: float) -> Stream:
    # The snippet's processes get streams of their own in the places of these two.
    stream = Stream(os.dup(0), os.dup(1), end)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return stream


def _link_skeleton() -> None:
    """Links an image's files to where programs expect them, in a place they can write to."""
    for folder, _, names in os.walk(SKELETON):
        target = SKELETON_TARGET + folder.removeprefix(SKELETON)
        os.makedirs(target, exist_ok=True)
        for name in names:
            os.symlink(f"{folder}/{name}", f"{target}/{name}")


def _name_user() -> None:
    """Gives the user and the group of this sandbox a name, for programs that ask for one."""
    user, group = os.getuid(), os.getgid()
    with open(f"{SKELETON_TARGET}/users/passwd", "w", encoding="ascii") as users:
        users.write(f"{USER}:x:{user}:{group}::{WORKSPACE}:/bin/bash\n")
    with open(f"{SKELETON_TARGET}/users/group", "w", encoding="ascii") as groups:
        groups.write(f"{USER}:x:{group}:\n")
