"""A copy of the project in one session of the sidecar, whose commands run in one image."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from mini_agent.coding.sandbox.entries import (
    PART_BYTES,
    Entry,
    EntryFacts,
    Report,
    decode_bundle,
    encode_rounds,
    parse_report,
    split_parts,
)
from mini_agent.coding.sandbox.project import GENERATED_FOLDERS
from mini_agent.errors import BadRequest, SandboxError
from mini_agent.sandbox.client import SidecarClient, SidecarSession
from mini_agent.tools.arguments import RejectedCall
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits, Snippet

WORKSPACE: Final = "/workspace"
ROOT: Final = f"{WORKSPACE}/project"
TTL_S: Final = 3600.0
OPERATION_TIMEOUT_S: Final = 60.0
# A report of 50,000 changes; a command's output beyond it is left out.
REPORT_BYTES: Final = 8 << 20
# Of one path in a bundle: it and the target of a link, every byte escaped.
MAX_FACTS_BYTES: Final = 1 << 16
OUTPUT_BYTES: Final = 4 << 20
MAX_COMMAND_S: Final = 600.0
# In the place of a path, which begins with a slash.
NO_FOLDER: Final = "none"
SIZES_HINT: Final = "sandbox.workspaceMb and sandbox.memoryMb in settings.json set its size"
# Nobody answers an editor, a pager or a prompt in there.
COMMAND_ENVIRONMENT: Final = {
    **dict.fromkeys(("PAGER", "GIT_PAGER", "MANPAGER"), "cat"),
    **dict.fromkeys(("EDITOR", "VISUAL", "GIT_EDITOR"), "true"),
    **dict.fromkeys(("GIT_TERMINAL_PROMPT", "GIT_OPTIONAL_LOCKS"), "0"),
    "TERM": "dumb",
}
COMMAND: Final = """\
rm -f {sync}/cwd
cd -- {folder} || {{ echo {no_folder} >{sync}/cwd; exit 1; }}
trap '{{ pwd -P >{sync}/cwd; }} 2>/dev/null' EXIT
{command}
"""


class WorkspaceLost(SandboxError):
    """The sandbox was replaced by an empty one."""


@dataclass(slots=True)
class Mirror:
    """The copy in one session; `has_git` says whether its image has git.

    Calls raise `SessionOver` and `WorkspaceLost` where the copy is gone, and other errors of the
    sidecar as they are.
    """

    session: SidecarSession
    toolchain: Language
    has_git: bool = False

    @classmethod
    async def open(cls, client: SidecarClient, toolchain: Language, limits: Limits) -> Mirror:
        """Open a session, and start its sandbox."""
        try:
            session = await client.open_session(ttl_s=TTL_S, limits=limits)
        except BadRequest as refused:
            raise BadRequest(refused.message, hint=SIZES_HINT) from None
        mirror = cls(session, toolchain)
        begun = await mirror.run_script("mkdir -p sync project && command -v git")
        mirror.has_git = begun.exit_code == 0
        return mirror

    async def aclose(self) -> None:
        """Close the session; nothing of the copy is left."""
        await self.session.aclose()

    async def write(self, entries: Iterable[Entry]) -> None:
        """Bring the entries into the copy, over what is there."""
        for bundle in encode_rounds(entries):
            for number, part in enumerate(split_parts(bundle)):
                await self.session.write(f"sync/in.{number}", part)
            await self._operate("write")

    async def run(
        self, command: str, folder: str, timeout_s: float, listener: Callable[[Output], None]
    ) -> Execution:
        """Run a command line in a folder of the copy, given relative to it."""
        line = COMMAND.format(
            sync=f"{WORKSPACE}/sync",
            folder=shlex.quote(f"{ROOT}/{folder}" if folder else ROOT),
            no_folder=NO_FOLDER,
            command=command,
        )
        limits = Limits(timeout_s=min(timeout_s, MAX_COMMAND_S), output_bytes=OUTPUT_BYTES)
        snippet = self._build_snippet(line, limits, env=COMMAND_ENVIRONMENT)
        execution = await self.session.run_streaming(snippet, listener)
        _require_workspace(execution)
        return execution

    async def report(self) -> Report:
        """Report what commands have changed since the last `write` or `take`."""
        return parse_report(await self._operate("report", *GENERATED_FOLDERS))

    async def take(self, wanted: Sequence[EntryFacts]) -> tuple[Entry, ...]:
        """Return the entries with their content; `report` then begins anew."""
        names = [each.path for each in wanted]
        count = await self._operate("take", *GENERATED_FOLDERS, stdin=_encode_names(names))
        most = 2 + sum(each.size + MAX_FACTS_BYTES for each in wanted) // PART_BYTES
        if not count.strip().isdecimal() or not 0 < int(count) <= most:
            raise SandboxError(f"the sandbox sent no number of parts: {count[:80]!r}")
        parts = [await self.session.read(f"sync/out.{number}") for number in range(int(count))]
        return decode_bundle(b"".join(parts), wanted)

    async def run_script(self, code: str, *, stdin: str = "") -> Execution:
        """Run a line of our own in the workspace."""
        limits = Limits(timeout_s=OPERATION_TIMEOUT_S, output_bytes=REPORT_BYTES)
        return await self.session.run(self._build_snippet(code, limits, stdin=stdin))

    async def _operate(self, operation: str, *arguments: str, stdin: str = "") -> str:
        program = (
            "exec",
            "/usr/bin/python3",
            "-I",
            "-S",
            "-c",
            _read_guest(),
            operation,
            WORKSPACE,
        )
        execution = await self.run_script(shlex.join((*program, *arguments)), stdin=stdin)
        _require_workspace(execution)
        if execution.status != "ok":
            why = execution.stderr.strip().splitlines()[-1:] or [execution.status]
            raise SandboxError(
                f"the sandbox could not {operation} the project's files: {why[0]}",
                hint=f"{SIZES_HINT}; it holds 16,000 files at most",
            )
        return execution.stdout

    def _build_snippet(
        self, code: str, limits: Limits, *, stdin: str = "", env: dict[str, str] | None = None
    ) -> Snippet:
        try:
            return Snippet(
                language="bash",
                code=code,
                stdin=stdin,
                env=env or {},
                limits=limits,
                toolchain=self.toolchain,
            )
        except ValidationError as wrong:
            first = wrong.errors(include_url=False)[0]
            raise RejectedCall(
                f"Error: the sandbox takes no such command: {first['msg']}"
            ) from None


def _require_workspace(execution: Execution) -> None:
    if execution.session is None or execution.session.workspace == "lost":
        raise WorkspaceLost("the sandbox was lost, and the copy of the project with it")


def _encode_names(names: Sequence[str]) -> str:
    import json

    return json.dumps(names)


@cache
def _read_guest() -> str:
    return (Path(__file__).parent / "guest.py").read_text(encoding="utf-8")
