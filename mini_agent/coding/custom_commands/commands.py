"""Slash commands of the user and the project: finds them, and expands one to a prompt.

Command lines and files in a template go through the tools Bash and Read, and so through hooks,
rules and questions. A project that is not trusted starts none.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.custom_commands.template import (
    Arguments,
    CommandLine,
    FileReference,
    Piece,
    Text,
    fill_template,
)
from mini_agent.coding.front_matter import Document, document_folders, read_documents
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.permissions.rules import Rule, Rules, parse_rule
from mini_agent.coding.tools.text_file import is_file
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import ParsedArguments, build_tool_call
from mini_agent.tools.invoker import Invoker, ToolOutput
from mini_agent.tools.outputs import parse_output

COMMAND: Final = re.compile(r"/(?P<name>\w[\w:.-]*)(?:\s+(?P<argument>.*))?", re.DOTALL)
RULE_SEPARATOR: Final = re.compile(r"[,\s]+(?![^()]*\))")
MAX_NEAR: Final = 4
MIN_SIMILARITY: Final = 0.5
MAX_SUMMARY_CHARS: Final = 70


@dataclass(frozen=True, slots=True)
class Invocation:
    """A line of the user's that calls a command."""

    name: str
    argument: str


def parse_invocation(line: str) -> Invocation | None:
    """Parse `/name arguments`; None for a prompt, such as one that begins with a path."""
    match = COMMAND.fullmatch(line.strip())
    if match is None or Path(f"/{match['name']}").exists():
        return None
    return Invocation(match["name"], (match["argument"] or "").strip())


def read_commands(
    claude_home: Path, project: Path, report: Callable[[str], None]
) -> dict[str, Document]:
    """Read `.claude/commands`, a folder in it as `folder:name`, and `.claude/skills`, by name."""
    skills = document_folders(claude_home, project, "skills")
    found = {each.name: each for each in read_documents(skills, report, "SKILL.md")}
    for folder in document_folders(claude_home, project, "commands"):
        for document in read_documents((folder,), report):
            parts = document.path.relative_to(folder.path).with_suffix("").parts
            found[":".join(parts)] = document
    return found


def describe_command(document: Document) -> str:
    """Return its argument hint and description, or the beginning of its text."""
    first = document.text.partition("\n")[0]
    summary = document.keys.get("description") or f"{first:.{MAX_SUMMARY_CHARS}}"
    return " ".join(part for part in (document.keys.get("argument-hint"), summary) if part)


def suggest_names(name: str, known: Iterator[str] | Mapping[str, object]) -> list[str]:
    """Return the names most like `name`, those in folders included."""
    names = list(known)
    same = [each for each in names if each.rpartition(":")[2] == name]
    near = difflib.get_close_matches(name, names, MAX_NEAR, MIN_SIMILARITY)
    return list(dict.fromkeys((*same, *near)))[:MAX_NEAR]


@dataclass(frozen=True, slots=True)
class CustomCommands:
    """The commands of a session; `tools` are its tools, which `is_withheld` keeps from running."""

    documents: Mapping[str, Document]
    launch: LaunchConfig
    permissions: PermissionPolicy
    tools: Invoker
    is_withheld: bool = False

    async def expand_line(self, line: str) -> str:
        """Expand a line that calls a command; any other stays. Raises `BadRequest` where unknown.

        The program's own commands work at the terminal only.
        """
        invocation = parse_invocation(line)
        if invocation is None:
            return line
        if invocation.name not in self.documents:
            near = ", ".join(f"/{each}" for each in suggest_names(invocation.name, self.documents))
            raise BadRequest(
                f"there is no command /{invocation.name:.80} here"
                f"{f'; near it: {near}' if near else ''}",
                hint="the program's own commands work at the terminal; a prompt may begin with a "
                "space",
            )
        return await self.expand(invocation)

    async def expand(self, invocation: Invocation) -> str:
        """Expand a command to a prompt; raises `BadRequest` where a part of it may not run."""
        document = self.documents[invocation.name]
        pieces = fill_template(document.text, Arguments.parse(invocation.argument))
        with self._allowing(document):
            texts = [await self._expand_piece(piece, document) for piece in pieces]
            files = [
                await self._read(piece, document)
                for piece in pieces
                if isinstance(piece, FileReference)
            ]
        return "\n\n".join(("".join(texts), *filter(None, files))).strip()

    async def _expand_piece(self, piece: Piece, document: Document) -> str:
        match piece:
            case Text():
                return piece.text
            case FileReference():
                return piece.written
            case CommandLine():
                return await self._run(piece.command, document)

    async def _run(self, command: str, document: Document) -> str:
        if not self._is_trusted(document):
            raise BadRequest(
                f"{document.path} starts the command {command!r:.80}, and this folder is not "
                "trusted",
                hint="read the file, then start once with --trust",
            )
        output = await self._call("Bash", {"command": command})
        if output.rc is None:
            raise BadRequest(f"{document.path}: !`{command:.80}` was not run: {output.error:.300}")
        return (output.model_text or output.stdout).strip()

    async def _read(self, reference: FileReference, document: Document) -> str:
        path = self._resolve(reference.path)
        if not is_file(path):
            return ""
        output = await self._call("Read", {"file_path": str(path)})
        if not output.ok:
            reason = output.error or output.model_text
            raise BadRequest(f"{document.path}: @{reference.path} was not read: {reason:.300}")
        return f"Contents of {path}:\n{output.model_text or output.stdout}"

    def _resolve(self, written: str) -> Path:
        return self.launch.paths.project / Path(written).expanduser()

    async def _call(self, tool: str, arguments: JsonObject) -> ToolOutput:
        if self.is_withheld:
            raise BadRequest(
                f"the command calls {tool}, and tools are withheld",
                hint="leave out --no-execute-tools",
            )
        call = build_tool_call(f"command-{tool.lower()}", ParsedArguments(tool, arguments))
        return parse_output(await self.tools.call_openai_tool(call))

    @contextmanager
    def _allowing(self, document: Document) -> Iterator[None]:
        """Allow what `allowed-tools` names while the command is expanded; deny rules hold."""
        added = tuple(self._parse_allowed(document))
        before = self.permissions.rules.allow
        self.permissions.rules = self.permissions.rules + Rules(allow=added)
        try:
            yield
        finally:
            now = self.permissions.rules
            kept = (rule for rule in now.allow if rule in before or rule not in added)
            self.permissions.rules = replace(now, allow=tuple(kept))

    def _parse_allowed(self, document: Document) -> Iterator[Rule]:
        written = document.keys.get("allowed-tools", "").strip(" []")
        if written and self._is_trusted(document):
            for text in filter(None, RULE_SEPARATOR.split(written)):
                if text != "*":
                    yield parse_rule(text.strip("\"'"))

    def _is_trusted(self, document: Document) -> bool:
        return document.is_users or self.launch.is_still_trusted()
