"""Matches permission rules against a call, or the files and commands in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.carried_commands import may_carry
from mini_agent.coding.permissions.request import PermissionRequest
from mini_agent.coding.permissions.rules import Rule, Rules
from mini_agent.coding.permissions.shell_commands import may_touch_line, touches_line
from mini_agent.coding.permissions.shell_coverage import LineCoverage
from mini_agent.coding.permissions.shell_files import FileUse, LineFiles, Tree, walk_tree
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_glob
from mini_agent.coding.tools.text_file import real_path

READING_TOOLS: Final = ("Read", "Grep", "Glob", "LS")
EDITING_TOOLS: Final = ("Edit", "Write", "MultiEdit", "NotebookEdit")
# A rule for the first tool of a family is a rule for all of them, as in Claude Code's settings.
TOOL_FAMILIES: Final = {"Read": READING_TOOLS, "Edit": EDITING_TOOLS}
DOMAIN_PREFIX: Final = "domain:"
SLASHES: Final = re.compile("/+")


def touches(rule: Rule, request: PermissionRequest, files: LineFiles | None) -> bool:
    """Return whether any part of the call matches: the test for deny and ask rules.

    `files` are those of the command line, if the call is one.
    """
    if not rule.spec:
        return _is_for_tool(rule, request.tool_name)
    use = _file_use(rule, files)
    paths = use.paths if use else request.paths if _is_for_tool(rule, request.tool_name) else ()
    if _match_any(rule.spec, paths, request):
        return True
    if use:
        return any(_is_in_tree(rule.spec, tree, request) for tree in use.trees if tree.is_sure)
    if paths or not _is_for_tool(rule, request.tool_name):
        return False
    if request.command is not None:
        return touches_line(rule.spec, request.command)
    return _matches_arguments(rule.spec, request)


def may_touch(rule: Rule, request: PermissionRequest, files: LineFiles | None) -> bool:
    """Return whether a part of the command line may match that its text does not show."""
    if request.command is None or files is None or not rule.spec:
        return False
    use = _file_use(rule, files)
    if use is None:
        is_own = _is_for_tool(rule, request.tool_name)
        return is_own and (
            files.values.is_unclear
            or may_touch_line(rule.spec, request.command)
            or may_carry(rule.spec, request.command)
        )
    return (
        use.is_unclear
        or _match_any(rule.spec, use.mentioned, request)
        or any(_is_in_tree(rule.spec, tree, request, unless_known=True) for tree in use.trees)
    )


def concerns(rule: Rule, request: PermissionRequest) -> bool:
    """Return whether any part of the call matches, or may match without its text showing it."""
    command = request.command
    files = None if command is None else LineFiles(command, request.context)
    return touches(rule, request, files) or may_touch(rule, request, files)


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


def _file_use(rule: Rule, files: LineFiles | None) -> FileUse | None:
    """Return the files in a command line that the rule is about; None if it is about others."""
    if files is None:
        return None
    if rule.tool in READING_TOOLS:
        return files.read
    return files.changed if rule.tool in EDITING_TOOLS else None


def _match_any(spec: str, paths: Iterable[Path], request: PermissionRequest) -> bool:
    forms = {form for path in paths for form in (path.absolute(), real_path(path))}
    return any(_matches_path(spec, path, request) for path in forms)


def _is_in_tree(
    spec: str, tree: Tree, request: PermissionRequest, *, unless_known: bool = False
) -> bool:
    """Return whether the folder holds a file that the spec is about.

    A folder with too many files holds one `unless_known`.
    """
    if _matches_path(spec, tree.folder, request):
        return True
    patterns = _path_patterns(spec, request)
    for path in walk_tree(tree):
        if path is None:
            return unless_known
        if any(pattern.fullmatch(str(path)) for pattern in patterns):
            return True
    return False


def _matches_path(spec: str, path: Path, request: PermissionRequest) -> bool:
    candidates = [str(each) for each in (path, *path.parents)]
    # A rule for a folder is a rule for all that is in it.
    patterns = _path_patterns(spec, request)
    return any(pattern.fullmatch(each) for pattern in patterns for each in candidates)


def _path_patterns(spec: str, request: PermissionRequest) -> list[re.Pattern[str]]:
    written = expand_path_spec(spec, request.context.folders, request.context.home)
    return [compile_glob(each.rstrip("/").removesuffix("/**")) for each in written]


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
