"""The shell of Bash in the sandbox: copies the project, runs, and brings the changes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from mini_agent.coding.sandbox.changes import ChangeSet
from mini_agent.coding.sandbox.copies import Copy, ProjectCopies, open_copies
from mini_agent.coding.sandbox.entries import Report, is_safe_path
from mini_agent.coding.sandbox.mirror import NO_FOLDER, ROOT, WorkspaceLost
from mini_agent.coding.sandbox.patch import quote_path
from mini_agent.coding.sandbox.project import Project
from mini_agent.coding.sandbox.review import ChangeReview
from mini_agent.coding.settings import SandboxSettings
from mini_agent.coding.tools.process_group import PipeReader
from mini_agent.coding.tools.shell import BackgroundJob, CommandResult, Shell
from mini_agent.errors import MiniAgentError, NotConfigured, SandboxUnavailable, SessionOver
from mini_agent.settings import Settings
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import OutputListener
from mini_agent.tools.languages import ShellPolicy
from mini_agent.tools.sandbox_client import open_sandbox
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.languages import USUAL_LANGUAGES, Language

# Its image has the most programs.
USUAL_TOOLCHAIN: Final[Language] = "python"
START: Final = (
    "`docker compose -f compose.exec.yml up --build -d --wait` starts one; then set "
    "MINI_AGENT_SIDECAR_URL=http://127.0.0.1:8077 and MINI_AGENT_SIDECAR_TOKEN (`make token`), "
    "or take --no-sandbox to run commands here, with permission for each"
)
NO_BACKGROUND: Final = (
    "Error: in the sandbox a command cannot stay in the background: what it starts ends with it. "
    "Start a server and what talks to it in one command line."
)
OUT_OF_MEMORY: Final = "it ran out of memory; sandbox.memoryMb in settings.json raises the limit"
LOST: Final = (
    "the sandbox was replaced by a new one: the project's files are there again, what was made "
    "beside them and what git ignores is not"
)


@dataclass(slots=True)
class SandboxShell(Shell):
    """Runs each command in a copy of the project; `review` decides on what it changed there.

    INVARIANT: no command runs on the host; where the sandbox fails, the call fails.
    """

    copies: ProjectCopies | None = None
    review: ChangeReview | None = None
    _folder: str = ""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def describe(self) -> str:
        """Return where commands run, and which changes are not applied."""
        copies = self._require_copies()
        limits, pending = copies.limits, sorted(copies.pending)
        waiting = f"not applied to the project: {', '.join(map(quote_path, pending))}"
        return (
            f"commands run in the sandbox of {copies.client.base_url}, on a copy of the project: "
            f"no network, {limits.workspace_mb} MB of files, {limits.memory_mb} MB of memory; "
            f"{waiting if pending else 'no change waits to be applied'}"
        )

    async def run(self, command: str, timeout_s: float, listener: OutputListener) -> CommandResult:
        """Run a command in the sandbox, and decide on its changes before returning."""
        if "\0" in command:
            raise RejectedCall("Error: the command holds a NUL character.")
        async with self._lock:
            try:
                return await self._run(command, timeout_s, listener)
            except SandboxUnavailable as error:
                raise _describe_failure(error) from None
            except MiniAgentError as error:
                # A command may have made the copy such that it cannot be kept in step.
                await self._require_copies().aclose()
                raise _describe_failure(error) from None

    async def start(self, command: str) -> BackgroundJob:
        """Refuse: between two commands every process in the sandbox is ended."""
        del command
        raise RejectedCall(NO_BACKGROUND)

    async def _run(self, command: str, timeout_s: float, listener: OutputListener) -> CommandResult:
        remarks = list[str]()
        copy = await self._prepare(_select_toolchain(command), remarks)
        try:
            ended = await self._execute(copy, command, timeout_s, listener)
        except (SessionOver, WorkspaceLost):
            copy = await self._replace(copy, remarks)
            ended = await self._execute(copy, command, timeout_s, listener)
        if ended.found_no_folder:
            remarks.append(f"{quote_path(self._folder)} is gone; the shell is in {ROOT}")
            self._folder = ""
            ended = await self._execute(copy, command, timeout_s, listener)
        remarks += self._move(ended.report)
        remarks += await self._take_changes(copy, ended.report)
        return ended.build_result(remarks)

    async def _execute(
        self, copy: Copy, command: str, timeout_s: float, listener: OutputListener
    ) -> _EndedCommand:
        readers = (PipeReader("stdout", listener), PipeReader("stderr", listener))
        copies, feed = self._require_copies(), partial(_feed, readers)
        execution = await copies.run(copy, command, self._folder, timeout_s, feed)
        return _EndedCommand(execution, await copies.report(copy), readers)

    async def _prepare(self, toolchain: Language, remarks: list[str]) -> Copy:
        """Return a copy that is as the project is now."""
        copies = self._require_copies()
        copy = await copies.open(toolchain)
        try:
            if copy.has_run:
                # The command before was stopped by the user, or its report did not arrive.
                remarks += await self._take_changes(copy, await copies.report(copy))
            await copies.synchronize(copy)
        except (SessionOver, WorkspaceLost):
            copy = await self._replace(copy, remarks)
        remarks += copy.remarks
        copy.remarks.clear()
        return copy

    async def _replace(self, copy: Copy, remarks: list[str]) -> Copy:
        copies = self._require_copies()
        if copy.known:
            remarks.append(LOST)
        await copies.drop(copy)
        copy = await copies.open(copy.mirror.toolchain)
        await copies.synchronize(copy)
        return copy

    def _move(self, report: Report) -> list[str]:
        """Follow the command's last folder, in the sandbox and on the host."""
        if not report.cwd:
            return []
        relative = report.cwd.removeprefix(ROOT).lstrip("/")
        if report.cwd != ROOT and not (
            report.cwd.startswith(f"{ROOT}/") and is_safe_path(relative)
        ):
            self._folder, self._cwd = "", None
            return [f"the shell is back in {ROOT}; it stays in the project"]
        self._folder = relative
        self._cwd = self.folders[0] / relative
        return []

    async def _take_changes(self, copy: Copy, report: Report) -> list[str]:
        if report.is_lost:
            await self._require_copies().drop(copy)
            return ["the sandbox's own notes are gone, so its changes cannot be told; " + LOST]
        if not report.changes:
            return []
        return await ChangeSet(self._require_copies(), copy, self.review).take(report.changes)

    def _require_copies(self) -> ProjectCopies:
        if self.copies is None:
            raise RejectedCall("Error: there is no sandbox, and the command is not run without.")
        return self.copies

    async def aclose(self) -> None:
        """Nothing is left running; the sessions are closed by `open_shell`."""


@dataclass(frozen=True, slots=True)
class _EndedCommand:
    """A command that has ended, what it changed, and the readers that hold its output."""

    execution: Execution
    report: Report
    readers: tuple[PipeReader, PipeReader]

    @property
    def found_no_folder(self) -> bool:
        """Whether the folder that it was to begin in is gone, so that it was not run."""
        return self.report.cwd == NO_FOLDER

    def build_result(self, remarks: list[str]) -> CommandResult:
        """Return the result of the call."""
        execution, (stdout, stderr) = self.execution, self.readers
        stdout.connection_lost(None)
        stderr.connection_lost(None)
        cut = [name for name in ("stdout", "stderr") if getattr(execution.truncated, name)]
        if cut:
            remarks.append(f"the end of {' and '.join(cut)} was more than the sandbox keeps")
        if execution.status == "oom":
            remarks.append(OUT_OF_MEMORY)
        rc = None if execution.status == "timeout" else execution.exit_code
        return CommandResult(rc, stdout.take(), stderr.take(), tuple(remarks))


@asynccontextmanager
async def open_shell(
    folders: tuple[Path, ...],
    environment: Mapping[str, str],
    excluded: tuple[str, ...],
    settings: SandboxSettings,
) -> AsyncIterator[SandboxShell]:
    """Yield a shell whose commands run in the sidecar that the environment names.

    Raises `NotConfigured`, `Unauthorized` or `SandboxUnavailable` where there is none to be used.
    """
    sidecar = Settings()
    if not sidecar.sidecar_url:
        raise NotConfigured("Bash is to run in the sandbox, and no sidecar is named", hint=START)
    project = Project(folders[0], environment, excluded, settings.include)
    async with (
        open_sandbox(sidecar) as client,
        open_copies(project, client, settings, USUAL_TOOLCHAIN) as copies,
    ):
        yield SandboxShell(folders, environment, copies=copies)


def _describe_failure(error: MiniAgentError) -> RejectedCall:
    return RejectedCall(f"Error: the command was not run, or not to its end: {error}")


def _select_toolchain(command: str) -> Language:
    """Return the language whose image has the command line's programs."""
    return ShellPolicy(USUAL_LANGUAGES).toolchain(command) or USUAL_TOOLCHAIN


def _feed(readers: tuple[PipeReader, PipeReader], piece: Output) -> None:
    readers[piece.stream == "stderr"].data_received(piece.text.encode())
