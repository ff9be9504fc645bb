"""Trust in a project: which of its files start commands, and which of them the user has seen.

Trust is for one folder and for what its files said then: their digest is kept in the user's own
`.claude`. It is no rule for calls; an "always" of the user is kept beside it and trusts nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mini_agent.coding.front_matter import parse_lenient
from mini_agent.coding.hooks.configuration import parse_hooks
from mini_agent.coding.settings import MAX_BYTES, settings_paths
from mini_agent.coding.text_source import (
    FileRefused,
    find_root,
    list_files,
    read_bytes,
    read_source,
)
from mini_agent.coding.tools.text_file import real_path, write_file
from mini_agent.errors import BadRequest, MiniAgentError

TRUST_FILE: Final = "mini-agent-trusted.json"
PROJECT_MCP_FILE: Final = ".mcp.json"
SCRIPTS_FOLDER: Final = "hooks"
DOCUMENT_FOLDERS: Final = ("agents", "commands", "skills")
# A document with any of these starts commands, or asks for more than the session has.
STARTS_COMMANDS: Final = re.compile(r"!`|^\s*```!", re.MULTILINE)
STARTING_KEYS: Final = frozenset({"allowedtools", "hooks", "mcpservers", "permissionmode"})
MAX_FILES: Final = 1000
MAX_SCRIPT_BYTES: Final = 16 << 20
# What the user is asked about is shown as far as a person reads.
MAX_SHOWN: Final = 60
MAX_SHOWN_CHARS: Final = 600


@dataclass(frozen=True, slots=True)
class CommandFile:
    """A file of the project that starts commands, or allows them; `value` is its JSON."""

    path: Path
    content: bytes
    value: object = None


@dataclass(frozen=True, slots=True)
class ProjectCommands:
    """The files of a project that start commands; `digest` changes when one of them does."""

    project: Path
    files: tuple[CommandFile, ...]

    @property
    def digest(self) -> str:
        """The digest of all files and their names; empty where there are none."""
        total = hashlib.sha256()
        for file in self.files:
            name = str(file.path.relative_to(self.project)).encode("utf-8", "surrogateescape")
            for part in (name, file.content):
                total.update(len(part).to_bytes(8, "big") + part)
        return total.hexdigest() if self.files else ""

    def describe(self) -> list[str]:
        """Return a line for each file, with the commands that it starts."""
        lines = [line for file in self.files for line in _describe_file(self.project, file)]
        more = len(lines) - MAX_SHOWN
        return [*lines[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def read_project_commands(
    claude_home: Path, project: Path, approved: Iterable[str] = ()
) -> ProjectCommands:
    """Read the files; allow rules that the user `approved` here count as not written."""
    is_home = real_path(project / ".claude") == real_path(claude_home)
    own = () if is_home else settings_paths(claude_home, project)[1:]
    found = [_read_json(path, frozenset(approved)) for path in (project / PROJECT_MCP_FILE, *own)]
    found += () if is_home else _read_documents(project)
    return ProjectCommands(project, tuple(file for file in found if file is not None))


def _read_json(path: Path, approved: frozenset[str]) -> CommandFile | None:
    try:
        text = read_source(path, None, MAX_BYTES).text
    except FileNotFoundError:
        return None
    except FileRefused as refused:
        return CommandFile(path, str(refused).encode())
    try:
        value = _strip_approved(json.loads(text), approved)
    except (ValueError, RecursionError):
        return CommandFile(path, text.encode("utf-8", "replace"))
    content = json.dumps(value, sort_keys=True).encode()
    return CommandFile(path, content, value) if value else None


def _strip_approved(value: object, approved: frozenset[str]) -> object:
    """Leave out the user's own rules, and what is empty without them."""
    permissions = value.get("permissions") if isinstance(value, dict) else None
    allow = permissions.get("allow") if isinstance(permissions, dict) else None
    if not isinstance(value, dict) or not isinstance(permissions, dict) or not approved:
        return value
    if not isinstance(allow, list):
        return value
    kept = {"allow": [rule for rule in allow if rule not in approved]}
    rest = {key: each for key, each in {**permissions, **kept}.items() if each}
    return {key: each for key, each in {**value, "permissions": rest}.items() if each}


def _read_documents(project: Path) -> Iterator[CommandFile]:
    folder, roots = project / ".claude", (find_root(project), real_path(project))
    for name in DOCUMENT_FOLDERS:
        for path in list_files(folder / name, ".md", MAX_FILES):
            try:
                text = read_source(path, roots).text
            except (FileNotFoundError, FileRefused):
                continue  # it is left out where it would be used
            if _starts_commands(path, text):
                yield CommandFile(path, text.encode("utf-8", "replace"))
    for path in list_files(folder / SCRIPTS_FOLDER, "", MAX_FILES):
        yield CommandFile(path, _read_script(path))


def _starts_commands(path: Path, text: str) -> bool:
    if STARTS_COMMANDS.search(text):
        return True
    try:
        document = parse_lenient(path, text)
    except BadRequest:
        return True
    keys = (re.sub("[-_]", "", key).lower() for key in (*document.keys, *document.nested))
    return not STARTING_KEYS.isdisjoint(keys)


def _read_script(path: Path) -> bytes:
    try:
        return read_bytes(path, None, MAX_SCRIPT_BYTES)[0]
    except (FileNotFoundError, FileRefused) as refused:
        return str(refused).encode()


def _describe_file(project: Path, file: CommandFile) -> Iterator[str]:
    name = file.path.relative_to(project)
    commands = [*_list_commands(file.value)]
    yield f"{name}{':' if commands else ''}"
    for command in commands:
        line = " ".join(command.split())
        more = len(line) - MAX_SHOWN_CHARS
        yield f"  {line[:MAX_SHOWN_CHARS]}{f' ... and {more} characters' if more > 0 else ''}"


def _list_commands(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for hook in parse_hooks(value.get("hooks", {})).hooks:
        yield f"{hook.event}: {hook.line or hook.error}"
    servers = value.get("mcpServers")
    for name, server in servers.items() if isinstance(servers, dict) else ():
        if isinstance(server, dict):
            arguments = server.get("args")
            words = [server.get("command") or server.get("url"), *(arguments or ())]
            yield f"server {name}: {' '.join(map(str, words))}"
    if isinstance(value.get("env"), dict):
        yield f"variables: {', '.join(map(str, value['env']))}"


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    digest: str = Field(default="", description="What was trusted; empty for nothing.")
    rules: tuple[str, ...] = Field(
        default=(), description="The allow rules that the user's answer `always` has added."
    )


class _TrustFile(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    roots: dict[str, _Record] = Field(description="What is known of a folder, by its real path.")


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What the user trusts, in a file of the user's own .claude folder.

    An older file is a list of folders with all that is below them, some of them there because a
    command was allowed: it counts for nothing, and is replaced at the next answer.
    """

    claude_home: Path

    def is_trusted(self, commands: ProjectCommands) -> bool:
        """Tell whether exactly these files were trusted in this folder."""
        known = self._record(commands.project).digest
        return bool(known) and known == commands.digest

    def was_trusted(self, project: Path) -> bool:
        """Tell whether the folder was trusted, perhaps with other files."""
        return bool(self._record(project).digest)

    def rules(self, project: Path) -> tuple[str, ...]:
        """Return the allow rules that the user has added in this folder."""
        return self._record(project).rules

    def trust(self, commands: ProjectCommands) -> None:
        """Trust these files from now on; raises `MiniAgentError`."""
        record = self._record(commands.project)
        self._write(commands.project, _Record(digest=commands.digest, rules=record.rules))

    def add_rule(self, project: Path, rule: str) -> None:
        """Record a rule of the user's own; raises `MiniAgentError`."""
        record = self._record(project)
        if rule not in record.rules:
            self._write(project, _Record(digest=record.digest, rules=(*record.rules, rule)))

    def _record(self, project: Path) -> _Record:
        return self._read().get(str(real_path(project)), _Record())

    def _read(self) -> Mapping[str, _Record]:
        try:
            text = read_source(self.claude_home / TRUST_FILE, None).text
            return _TrustFile.model_validate_json(text).roots
        except (FileNotFoundError, FileRefused, ValidationError):
            return {}

    def _write(self, project: Path, record: _Record) -> None:
        file = _TrustFile(roots={**self._read(), str(real_path(project)): record})
        path = self.claude_home / TRUST_FILE
        try:
            write_file(path, f"{file.model_dump_json(indent=2)}\n".encode())
        except OSError as error:
            raise MiniAgentError(f"{path} cannot be written: {error.strerror}") from error
