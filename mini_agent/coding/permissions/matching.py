"""Matches permission rules against a call, or the files and commands in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.request import PermissionRequest
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.permissions.shell_commands import touches_line
from mini_agent.coding.permissions.shell_coverage import LineCoverage
from mini_agent.coding.permissions.shell_files import find_changed_files, find_read_files
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_glob
from mini_agent.coding.tools.text_file import real_path

READING_TOOLS: Final = ("Read", "Grep", "Glob", "LS")
EDITING_TOOLS: Final = ("Edit", "Write", "MultiEdit", "NotebookEdit")
# A rule for the first tool of a family is a rule for all of them, as in Claude Code's settings.
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


def is_covered(rules: Iterable[Rule], request: PermissionRequest) -> bool:
    """Return whether the whole call matches: the test for allow rules.

    Of a command line each part has to match one of them.
    """
    own = [rule for rule in rules if _is_for_tool(rule, request.tool_name)]
    if request.command is None or not all(rule.spec for rule in own):
        return any(_covers(rule, request) for rule in own)
    specs = tuple(rule.spec for rule in own)
    return LineCoverage(specs, request.context).covers(request.command)


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


def _covers(rule: Rule, request: PermissionRequest) -> bool:
    """Return whether the rule is for the call; without a spec, on files in the project only."""
    if not rule.spec:
        return request.is_inside
    if request.paths:
        # A file that starts commands has to be named by the rule.
        return request.startup_names <= {*SLASHES.split(rule.spec.lower())} and all(
            _matches_path(rule.spec, real_path(path), request) for path in request.paths
        )
    return request.command is None and _matches_arguments(rule.spec, request)


def _is_for_tool(rule: Rule, tool: str) -> bool:
    if tool in TOOL_FAMILIES.get(rule.tool, (rule.tool,)):
        return True
    if not rule.tool.startswith("mcp__"):
        return False
    server = rule.tool.removesuffix("__*")
    return tool == rule.tool or (server.count("__") == 1 and tool.startswith(f"{server}__"))


def _matched_paths(rule: Rule, request: PermissionRequest) -> Iterable[Path]:
    """Return the files of the call that the rule is about, those in a command line included."""
    if request.command is None:
        return request.paths if _is_for_tool(rule, request.tool_name) else ()
    if rule.tool in READING_TOOLS:
        return find_read_files(request.command, request.context)
    return (
        find_changed_files(request.command, request.context) if rule.tool in EDITING_TOOLS else ()
    )


def _matches_path(spec: str, path: Path, request: PermissionRequest) -> bool:
    candidates = [str(each) for each in (path, *path.parents)]
    for written in expand_path_spec(spec, request.context.folders, request.context.home):
        pattern = compile_glob(written.rstrip("/").removesuffix("/**"))
        # A rule for a folder is a rule for all that is in it.
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
