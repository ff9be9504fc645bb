"""Parses a call into a permission request, and matches rules against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.permissions.shell_commands import covers_line, touches_line
from mini_agent.coding.permissions.shell_files import find_changed_files, find_read_files
from mini_agent.coding.tools.bash import Bash
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.coding_tool import CodingTool, FileEditTool
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_glob
from mini_agent.coding.tools.text_file import is_file, is_folder, real_path
from mini_agent.messages import JsonObject

# What is written there is a command that starts later, or says which ones may.
STARTUP_NAMES: Final = frozenset(
    {".git", ".claude", ".mcp.json", ".vscode", ".idea", ".husky", ".envrc", ".gitconfig"}
    | {".gitmodules", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".zshenv"}
)
# Whoever looks a name up takes them for one.
UNICODE_DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """One call; `tool` is None for a foreign tool, whose arguments we cannot interpret.

    `paths` are the files and folders the call reads or writes.
    """

    tool_name: str
    arguments: JsonObject
    context: ToolContext
    tool: CodingTool | None
    paths: tuple[Path, ...] = ()

    @property
    def changes_files(self) -> bool:
        """Return whether the call writes a file."""
        return isinstance(self.tool, FileEditTool)

    @property
    def is_read_only(self) -> bool:
        """Return whether the call changes nothing."""
        return self.tool is not None and self.tool.is_read_only

    @property
    def is_local(self) -> bool:
        """Return whether the call sends nothing outside and touches only the project's files."""
        return self.tool is not None and not self.tool.is_open_world and self.is_inside

    @property
    def is_inside(self) -> bool:
        """Return whether all paths are in the folders, and none starts commands when written."""
        return all(map(self.context.contains, self.paths)) and not self.startup_names

    @property
    def startup_names(self) -> frozenset[str]:
        """Return the names of `STARTUP_NAMES` that the call would write to."""
        if not self.changes_files:
            return frozenset()
        return frozenset(name for path in self.paths for name in self._find_startup_names(path))

    @property
    def command(self) -> str | None:
        """Return the command line of a Bash call, else None."""
        return self.tool.command if isinstance(self.tool, Bash) else None

    @property
    def host(self) -> str:
        """Return the host whose page is fetched, in lower case; empty if there is none."""
        url = self.arguments.get("url")
        try:
            host = urlsplit(url).hostname if isinstance(url, str) else ""
            return (host or "").lower().translate(UNICODE_DOTS).rstrip(".")
        except ValueError:
            return ""

    def _find_startup_names(self, path: Path) -> Iterator[str]:
        real = real_path(path)
        for folder in self.context.folders:
            for form in (path.absolute(), real):
                if form.is_relative_to(folder):
                    parts = {part.lower() for part in form.relative_to(folder).parts}
                    yield from STARTUP_NAMES & parts
            # A name that is a link may lead to a folder of another name.
            named = ((name, real_path(folder / name)) for name in STARTUP_NAMES)
            yield from (name for name, leads in named if real.is_relative_to(leads))


def parse_request(tool: str, arguments: JsonObject, context: ToolContext) -> PermissionRequest:
    """Check the arguments; raise `ValidationError` or `NotRun` if the tool rejects them."""
    if tool not in TOOLS:
        return PermissionRequest(tool, arguments, context, None)
    asked = TOOLS[tool].model_validate(arguments)
    return PermissionRequest(tool, arguments, context, asked, asked.paths(context))


READING_TOOLS: Final = ("Read", "Grep", "Glob", "LS")
EDITING_TOOLS: Final = ("Edit", "Write", "MultiEdit", "NotebookEdit")
# A rule for one of them is one for its whole family, as in Claude Code's settings.
TOOL_FAMILIES: Final = {"Read": READING_TOOLS, "Edit": EDITING_TOOLS}
DOMAIN_PREFIX: Final = "domain:"
SLASHES: Final = re.compile("/+")


def touches(rule: Rule, request: PermissionRequest) -> bool:
    """Return whether any part of the call matches: the test for deny and ask rules."""
    if not rule.spec:
        return _is_for_tool(rule, request.tool_name)
    paths = {
        form
        for path in _matched_paths(rule, request)
        for form in (path.absolute(), real_path(path))
    }
    if any(_matches_path(rule.spec, path, request) for path in paths):
        return True
    if paths or not _is_for_tool(rule, request.tool_name):
        return False
    if request.command is not None:
        return touches_line(rule.spec, request.command)
    return _matches_arguments(rule.spec, request)


def covers(rule: Rule, request: PermissionRequest) -> bool:
    """Return whether the whole call matches: the test for allow rules.

    Without a spec the rule covers calls on files inside the project only.
    """
    if not _is_for_tool(rule, request.tool_name):
        return False
    if not rule.spec:
        return request.is_inside
    if request.command is not None:
        context = request.context
        return covers_line(
            rule.spec,
            request.command,
            lambda inside: _is_trusted_folder(context.path(inside), context),
        )
    if request.paths:
        # What starts commands has to be named.
        return request.startup_names <= {*SLASHES.split(rule.spec.lower())} and all(
            _matches_path(rule.spec, real_path(path), request) for path in request.paths
        )
    return _matches_arguments(rule.spec, request)


def denied_globs(rules: Rules, context: ToolContext) -> tuple[str, ...]:
    """Return globs of absolute paths that must not be read, for searches to leave out."""
    specs = [rule.spec for rule in rules.deny if rule.tool == "Read" and rule.spec]
    globs = (
        each.rstrip("/")
        for spec in specs
        for each in expand_path_spec(spec, context.folders, context.home)
    )
    return tuple(form for glob in globs for form in (glob, f"{glob}/**"))


def expand_path_spec(spec: str, folders: tuple[Path, ...], home: str) -> Iterator[str]:
    """Yield the absolute globs that the spec of a file rule stands for."""
    project = folders[0]
    if spec.startswith("//"):
        yield spec[1:]
    elif spec.startswith("~/"):
        yield f"{_escape_folder(Path(home))}/{spec[2:]}"
    elif "/" in spec.rstrip("/"):
        yield f"{_escape_folder(project)}/{spec.removeprefix('./').lstrip('/')}"
    else:
        yield from (f"{_escape_folder(folder)}/**/{spec}" for folder in folders)


def _matched_paths(rule: Rule, request: PermissionRequest) -> Iterable[Path]:
    """Return the files of the call that the rule is about, those in a command line included."""
    if request.command is None:
        return request.paths if _is_for_tool(rule, request.tool_name) else ()
    if rule.tool in READING_TOOLS:
        return find_read_files(request.command, request.context)
    return (
        find_changed_files(request.command, request.context) if rule.tool in EDITING_TOOLS else ()
    )


def _is_trusted_folder(folder: Path, context: ToolContext) -> bool:
    """Return whether git would find no foreign repository there, whose config starts commands."""
    real = real_path(folder)
    above = (each for each in (real, *real.parents) if each != context.project)
    return context.contains(folder) and not any(
        is_file(each / "HEAD") and is_folder(each / "objects") for each in above
    )


def _is_for_tool(rule: Rule, tool: str) -> bool:
    if tool in TOOL_FAMILIES.get(rule.tool, (rule.tool,)):
        return True
    if not rule.tool.startswith("mcp__"):
        return False
    server = rule.tool.removesuffix("__*")
    return tool == rule.tool or (server.count("__") == 1 and tool.startswith(f"{server}__"))


def _matches_path(spec: str, path: Path, request: PermissionRequest) -> bool:
    candidates = [str(each) for each in (path, *path.parents)]
    for written in expand_path_spec(spec, request.context.folders, request.context.home):
        pattern = compile_glob(written.rstrip("/").removesuffix("/**"))
        # What holds for a folder holds for all that is in it.
        if any(pattern.fullmatch(each) for each in candidates):
            return True
    return False


def _matches_arguments(spec: str, request: PermissionRequest) -> bool:
    if spec.startswith(DOMAIN_PREFIX):
        domain = spec.removeprefix(DOMAIN_PREFIX).strip().lower()
        return (
            bool(domain)
            and re.fullmatch(re.escape(domain).replace(r"\*", ".*"), request.host) is not None
        )
    own = request.arguments.get("subagent_type") if request.tool_name == "Task" else None
    return own == spec


def _escape_folder(folder: Path) -> str:
    """Return the folder as a glob that matches only itself."""
    return re.sub(r"([*?\[{}])", r"[\1]", str(folder)) if str(folder) != "/" else ""
