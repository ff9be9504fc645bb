"""The user's shell: one process a command, a working folder that is kept, background commands."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.non_interactive import NON_INTERACTIVE, describe_prompt
from mini_agent.coding.tools.process_group import ProcessGroup, start_group
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import OutputListener

TIMEOUT_EXIT_CODE: Final = 124
MAX_JOBS: Final = 100
PROMPT_INTERVAL_S: Final = 1.0
NO_TEMPORARY_FILES: Final = (
    "the next command starts where this one did: there is no room for temporary files"
)


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The exit code and output of a command.

    `rc` is None after a timeout, and where the command was ended because it waited for input.
    """

    rc: int | None
    stdout: str
    stderr: str
    remarks: tuple[str, ...] = ()
    is_waiting: bool = False


@dataclass(frozen=True, slots=True)
class _End:
    rc: int | None
    prompt: str = ""


@dataclass(slots=True)
class BackgroundJob:
    """A command in the background."""

    id: str
    command: str
    group: ProcessGroup
    rc: int | None = None
    was_stopped: bool = False
    waiter: asyncio.Task[None] | None = None

    @property
    def status(self) -> str:
        """Return "running", "completed", "failed" or "stopped"."""
        if self.was_stopped:
            return "stopped"
        if self.rc is None:
            return "running"
        return "completed" if self.rc == 0 else "failed"


@dataclass(slots=True)
class Shell:
    """Starts a process for each command, in the folder where the one before ended.

    A command that ends outside `folders` puts the shell back into the first of them.
    """

    folders: tuple[Path, ...]
    environment: Mapping[str, str]
    jobs: dict[str, BackgroundJob] = field(default_factory=dict)
    _cwd: Path | None = None
    _count: int = 0

    @property
    def cwd(self) -> Path:
        """Return the working folder; the first of `folders` if it no longer exists."""
        if self._cwd is not None and self._cwd.is_dir():
            return self._cwd
        return self.folders[0]

    def describe(self) -> str:
        """Return where commands run, for the user."""
        return f"commands run on this machine, in {self.cwd}; --sandbox runs them in the sandbox"

    async def run(self, command: str, timeout_s: float, listener: OutputListener) -> CommandResult:
        """Run a command; on timeout or cancellation its whole process group is ended."""
        with _open_cwd_file() as cwd_file:
            group = await self._start_process(
                _record_cwd(command, cwd_file) if cwd_file else command, listener
            )
            try:
                end = await _wait_until(group, timeout_s)
            except BaseException:
                await asyncio.shield(group.kill())
                raise
            finally:
                group.close()
            remarks = self._update_cwd(cwd_file) if cwd_file else [NO_TEMPORARY_FILES]
        if group.has_leftovers:
            remarks.append("what it left running was stopped; use run_in_background for that")
        if end.prompt:
            remarks.append(describe_prompt(end.prompt))
        stdout, stderr = group.stdout.take(), group.stderr.take()
        return CommandResult(end.rc, stdout, stderr, tuple(remarks), is_waiting=bool(end.prompt))

    async def start(self, command: str) -> BackgroundJob:
        """Start a command in the background."""
        running = [job for job in self.jobs.values() if job.rc is None]
        if len(running) >= MAX_JOBS:
            raise RejectedCall(f"Error: {MAX_JOBS} commands are running in the background already.")
        group = await self._start_process(command, lambda _piece: None)
        self._count += 1
        job = BackgroundJob(f"bash_{self._count}", command, group)
        job.waiter = asyncio.create_task(_wait_for_job(job))
        self.jobs[job.id] = job
        return job

    async def stop(self, job: BackgroundJob) -> None:
        """Stop a background command."""
        if job.rc is None:
            job.was_stopped = True
            await job.group.stop()
        if job.waiter is not None:
            await job.waiter

    async def aclose(self) -> None:
        """Stop all background commands."""
        async with asyncio.TaskGroup() as tasks:
            for job in self.jobs.values():
                tasks.create_task(self.stop(job))

    async def _start_process(self, command: str, listener: OutputListener) -> ProcessGroup:
        if "\0" in command:
            raise RejectedCall("Error: the command holds a NUL character.")
        cwd = self.cwd
        if not cwd.is_dir():
            raise RejectedCall(f"Error: the folder {cwd} is gone; the shell has nowhere to be.")
        path = self.environment.get("PATH")
        shell = shutil.which("bash", path=path) or "/bin/sh"
        environment = {**self.environment, **NON_INTERACTIVE}
        return await start_group((shell, "-c", command), cwd, environment, listener)

    def _update_cwd(self, cwd_file: Path) -> list[str]:
        try:
            cwd = Path(cwd_file.read_text(encoding="utf-8", errors="surrogateescape")[:-1])
        except FileNotFoundError:
            return []
        if not cwd.is_absolute():
            return []
        if any(cwd.is_relative_to(folder) for folder in self.folders):
            self._cwd = cwd
            return []
        self._cwd = None
        return [f"the shell is back in {self.folders[0]}; it stays in the project"]


@contextmanager
def _open_cwd_file() -> Iterator[Path | None]:
    """Yield a path where a command can note its last folder; None if the disk is full."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="mini-agent-")
    except OSError:
        yield None
        return
    with folder as name:
        yield Path(name, "cwd")


def _record_cwd(command: str, cwd_file: Path) -> str:
    """Return the command line with a trap that writes its last folder to `cwd_file`."""
    trap_command = f"{{ pwd -P >{shlex.quote(str(cwd_file))}; }} 2>/dev/null"
    return f"trap {shlex.quote(trap_command)} EXIT\n{command}\n"


async def _wait_until(group: ProcessGroup, timeout_s: float) -> _End:
    """Wait for the end; stop the group at the timeout, and where it waits for input."""
    ended = asyncio.ensure_future(group.process.wait())
    deadline = time.monotonic() + timeout_s
    try:
        while not ended.done() and time.monotonic() < deadline:
            left = min(PROMPT_INTERVAL_S, deadline - time.monotonic())
            await asyncio.wait({ended}, timeout=max(0.0, left))
            prompt = "" if ended.done() else group.find_prompt()
            if prompt:
                await group.stop()
                return _End(None, prompt)
    finally:
        ended.cancel()
    if ended.done() and not ended.cancelled():
        return _End(await group.wait())
    await group.stop()
    return _End(None)


async def _wait_for_job(job: BackgroundJob) -> None:
    try:
        job.rc = await job.group.wait()
    finally:
        job.group.close()
