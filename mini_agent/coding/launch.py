"""The launch configuration of a session: options, folders, settings, models and trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.options import Options
from mini_agent.coding.permissions.rules import Rules, parse_rule
from mini_agent.coding.permissions.settings import PermissionSettings, merge_permission_settings
from mini_agent.coding.settings import (
    ClaudeSettings,
    SandboxSettings,
    load_settings_file,
    merge_settings,
    settings_paths,
)
from mini_agent.coding.transcript.locations import (
    SessionFile,
    SessionOrigin,
    create_session_file,
    find_newest_session,
    find_session_file,
    get_sessions_folder,
)
from mini_agent.errors import BadRequest, MiniAgentError, NotConfigured

DEFAULT_MODEL: Final = "gpt-4.1"
DIGEST_MODELS: Final = (
    ("gpt-", "gpt-4.1-nano"),
    ("openai/gpt-", "openai/gpt-4.1-nano"),
    ("o1", "o4-mini"),
    ("o3", "o4-mini"),
    ("o4", "o4-mini"),
    ("gemini/", "gemini/gemini-2.5-flash"),
    ("anthropic/", "anthropic/claude-3-haiku-20240307"),
)
TRUST_FILE: Final = "mini-agent-trusted.json"
PROJECT_MCP_FILE: Final = ".mcp.json"


@dataclass(frozen=True, slots=True)
class LaunchConfig:
    """Everything that is read once, at the start."""

    options: Options
    variables: Mapping[str, str] = field(repr=False)
    paths: ProjectPaths
    settings: ClaudeSettings
    model: str
    digest_model: str
    permission_settings: PermissionSettings
    is_trusted: bool
    warnings: tuple[str, ...] = ()

    @property
    def sessions_folder(self) -> Path:
        """The folder of this project's sessions."""
        return get_sessions_folder(self.paths.claude_home, self.paths.project)

    @property
    def origin(self) -> SessionOrigin:
        """The folder and branch that the lines of a new transcript name."""
        return SessionOrigin(str(self.paths.project), read_git_branch(self.paths.project))

    @property
    def sandbox(self) -> SandboxSettings:
        """Whether and how Bash runs in the sandbox; the option counts before the settings."""
        asked = self.options.sandbox
        is_on = self.settings.sandbox.enabled if asked is None else asked
        return replace(self.settings.sandbox, enabled=is_on and self.uses_builtin)

    @property
    def uses_builtin(self) -> bool:
        """Whether the builtin tools and prompts are used: where --mcp is absent or names them."""
        return not self.options.mcp or "builtin" in self.options.mcp

    def select_session_file(self) -> SessionFile:
        """Select the session file that the options name, or a new one."""
        if self.options.resume and self.options.continue_newest:
            raise BadRequest("--resume and --continue name a session each", hint="take one of them")
        if self.options.resume:
            return find_session_file(self.options.resume, self.sessions_folder)
        return (
            find_newest_session(self.sessions_folder)
            if self.options.continue_newest
            else create_session_file(self.sessions_folder)
        )


def read_launch_config(options: Options, variables: Mapping[str, str]) -> LaunchConfig:
    """Read settings, models and trust for `options`; raises `NotConfigured` or `BadRequest`.

    The settings of a project that is not trusted are left out, with a warning: its hooks and
    servers are commands and its rules allow them, and a stranger may have written both.
    """
    paths = resolve_paths(options.add_dirs, variables)
    trusted = TrustedFolders(paths.claude_home)
    if options.trust_project and not trusted.has(paths.project):
        trusted.add(paths.project)
    is_trusted = trusted.has(paths.project)
    # INVARIANT: files in a folder allow nothing there until the user trusts the folder.
    settings_files = [
        load_settings_file(path)
        for path in settings_paths(paths.claude_home, paths.project)[: None if is_trusted else 1]
    ]
    settings = merge_settings(settings_files)
    model = select_model(options.model, settings.model, variables)
    return LaunchConfig(
        options=options,
        variables=variables,
        paths=paths,
        settings=settings,
        model=model,
        digest_model=options.digest_model or select_digest_model(model),
        permission_settings=_add_option_rules(
            merge_permission_settings(settings_files, paths.project), options
        ),
        is_trusted=is_trusted,
        warnings=settings.warnings if is_trusted else (*settings.warnings, *_warn_untrusted(paths)),
    )


def _add_option_rules(settings: PermissionSettings, options: Options) -> PermissionSettings:
    deny = tuple(map(parse_rule, options.disallowed_tools))
    allow = tuple(map(parse_rule, options.allowed_tools))
    return replace(settings, rules=settings.rules + Rules(deny=deny, allow=allow))


def find_project_files(paths: ProjectPaths) -> list[Path]:
    """List the files in the project that start commands or allow them."""
    settings = settings_paths(paths.claude_home, paths.project)[1:]
    return [path for path in (paths.project / PROJECT_MCP_FILE, *settings) if path.is_file()]


def _warn_untrusted(paths: ProjectPaths) -> list[str]:
    own = find_project_files(paths)
    return [f"{path} is left out: this folder is not trusted yet (--trust)" for path in own]


@dataclass(frozen=True, slots=True)
class ProjectPaths:
    """The project's folder, further folders, and the user's own `.claude`."""

    project: Path
    additional: tuple[Path, ...]
    claude_home: Path


def resolve_paths(add_dirs: tuple[str, ...], variables: Mapping[str, str]) -> ProjectPaths:
    """Resolve the paths of this process; raises `BadRequest` for a missing folder."""
    try:
        project = Path.cwd()
    except FileNotFoundError:
        raise BadRequest(
            "the current folder is gone", hint="cd into one that is there, and start again"
        ) from None
    additional = tuple(_resolve_folder(named) for named in add_dirs)
    home = variables.get("CLAUDE_CONFIG_DIR")
    return ProjectPaths(project, additional, Path(home) if home else Path.home() / ".claude")


def _resolve_folder(named: str) -> Path:
    path = Path(named).expanduser().absolute()
    if not path.is_dir():
        raise BadRequest(f"--add-dir {named}: there is no such folder", field="add_dir")
    return path


def read_git_branch(project: Path) -> str:
    """Read the branch that is checked out; empty outside a repository."""
    for folder in (project, *project.parents):
        try:
            head = (folder / ".git" / "HEAD").read_text().strip()
        except OSError:
            continue
        return head.removeprefix("ref: refs/heads/") if head.startswith("ref:") else "HEAD"
    return ""


def select_model(named: str, configured: str, variables: Mapping[str, str]) -> str:
    """Select the model of the option, the environment or the settings, in this order.

    Without any it is `DEFAULT_MODEL` if OPENAI_API_KEY is set; raises `NotConfigured` otherwise.
    """
    environment = variables.get("LITELLM_DEFAULT_CODE_MODEL") or variables.get(
        "LITELLM_DEFAULT_MODEL"
    )
    # Claude Code's settings may hold a short name such as "opus", unknown to LiteLLM.
    of_settings = configured if "-" in configured else ""
    model = named or environment or of_settings
    if model:
        return model
    if variables.get("OPENAI_API_KEY"):
        return DEFAULT_MODEL
    raise NotConfigured(
        "no model is named",
        field="model",
        hint="name one with --model or LITELLM_DEFAULT_CODE_MODEL, such as "
        "ollama/qwen2.5-coder:3b or gemini/gemini-2.5-pro",
    )


def select_digest_model(model: str) -> str:
    """Select the small model of the same provider; the model itself where none is known."""
    return next((small for prefix, small in DIGEST_MODELS if model.startswith(prefix)), model)


@dataclass(frozen=True, slots=True)
class TrustedFolders:
    """The folders that the user trusts, in a file of the user's own .claude folder."""

    claude_home: Path

    def has(self, project: Path) -> bool:
        """Tell whether `project` or a parent of it is trusted."""
        trusted = self._folders()
        return any(str(folder) in trusted for folder in (project, *project.parents))

    def add(self, project: Path) -> None:
        """Trust `project` from now on."""
        folders = sorted({*self._folders(), str(project)})
        try:
            self.claude_home.mkdir(parents=True, exist_ok=True)
            (self.claude_home / TRUST_FILE).write_text(json.dumps(folders, indent=2) + "\n")
        except OSError as error:
            raise MiniAgentError(
                f"{self.claude_home / TRUST_FILE} cannot be written: {error.strerror}"
            ) from error

    def _folders(self) -> set[str]:
        try:
            read = json.loads((self.claude_home / TRUST_FILE).read_text())
        except (OSError, ValueError):
            return set()
        return {str(folder) for folder in read} if isinstance(read, list) else set()
