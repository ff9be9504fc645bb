"""The launch configuration of a session: options, folders, settings, models and trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.options import Options
from mini_agent.coding.permissions.rules import Rules, parse_rule
from mini_agent.coding.permissions.settings import PermissionSettings, merge_permission_settings
from mini_agent.coding.settings import (
    ClaudeSettings,
    SandboxSettings,
    SettingsFile,
    load_usable_settings,
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
from mini_agent.coding.trust import ProjectCommands, TrustStore, read_project_commands
from mini_agent.errors import BadRequest, NotConfigured

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
MAX_HEAD_CHARS: Final = 4096


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
    commands: ProjectCommands
    warnings: tuple[str, ...] = ()
    session_file: SessionFile | None = None

    def is_still_trusted(self) -> bool:
        """Tell whether the project's files are still those that were trusted."""
        now = read_trusted_commands(self.paths)
        return self.is_trusted and now.digest == self.commands.digest

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
        """Select the session file that was chosen before, that the options name, or a new one."""
        if self.session_file is not None:
            return self.session_file
        if self.options.resume and self.options.continue_newest:
            raise BadRequest("--resume and --continue name a session each", hint="take one of them")
        if self.options.resume:
            return find_session_file(self.options.resume, self.sessions_folder)
        return (
            find_newest_session(self.sessions_folder, self.paths.project)
            if self.options.continue_newest
            else create_session_file(self.sessions_folder)
        )


def read_launch_config(options: Options, variables: Mapping[str, str]) -> LaunchConfig:
    """Read settings, models and trust for `options`; raises `NotConfigured` or `BadRequest`.

    The settings of a project that is not trusted are left out, with a warning, except for what
    they deny: its hooks and servers are commands, and a stranger may have written them.
    """
    paths = resolve_paths(options.add_dirs, variables)
    store, commands = TrustStore(paths.claude_home), read_trusted_commands(paths)
    if options.trust_project and commands.files and not store.is_trusted(commands):
        store.trust(commands)
    is_trusted = store.is_trusted(commands)
    files, lines = _load_files(paths)
    # INVARIANT: files of the project allow and start nothing until the user trusts them.
    settings = merge_settings(files if is_trusted else _select_users(files, paths))
    model = select_model(options.model, settings.model, variables)
    permissions = _merge_permissions(files, paths, is_trusted=is_trusted)
    untrusted = [] if is_trusted else _warn_untrusted(commands, paths, store)
    return LaunchConfig(
        options=options,
        variables=variables,
        paths=paths,
        settings=settings,
        model=model,
        digest_model=options.digest_model or select_digest_model(model),
        permission_settings=_add_option_rules(permissions, options),
        is_trusted=is_trusted,
        warnings=(*lines, *settings.warnings, *untrusted),
        commands=commands,
    )


def trust_project(launch: LaunchConfig) -> LaunchConfig:
    """Trust the files that the user was shown, and read the configuration again."""
    TrustStore(launch.paths.claude_home).trust(launch.commands)
    return read_launch_config(launch.options, launch.variables)


def read_trusted_commands(paths: ProjectPaths) -> ProjectCommands:
    """Read the project's files that start commands, without the rules that the user has added."""
    approved = TrustStore(paths.claude_home).rules(paths.project)
    return read_project_commands(paths.claude_home, paths.project, approved)


def _load_files(paths: ProjectPaths) -> tuple[list[SettingsFile], list[str]]:
    loaded = [
        load_usable_settings(path) for path in settings_paths(paths.claude_home, paths.project)
    ]
    return [file for file, _ in loaded], [line for _, lines in loaded for line in lines]


def _select_users(files: Sequence[SettingsFile], paths: ProjectPaths) -> list[SettingsFile]:
    """Return the files that are no part of a project."""
    return [file for file in files if file.path == paths.claude_home / "settings.json"]


def _merge_permissions(
    files: Sequence[SettingsFile], paths: ProjectPaths, *, is_trusted: bool
) -> PermissionSettings:
    """Merge the permissions; a project that is not trusted may deny and ask.

    Beside these count the rules that the user has added there with the answer `always`.
    """
    if is_trusted:
        return merge_permission_settings(files, paths.project)
    users = merge_permission_settings(_select_users(files, paths), paths.project)
    own = merge_permission_settings(files[1:], paths.project).rules
    added = TrustStore(paths.claude_home).rules(paths.project)
    allow = tuple(rule for rule in own.allow if str(rule) in added)
    return replace(users, rules=users.rules + Rules(own.deny, own.ask, allow))


def _add_option_rules(settings: PermissionSettings, options: Options) -> PermissionSettings:
    deny = tuple(map(parse_rule, options.disallowed_tools))
    allow = tuple(map(parse_rule, options.allowed_tools))
    return replace(settings, rules=settings.rules + Rules(deny=deny, allow=allow))


def _warn_untrusted(commands: ProjectCommands, paths: ProjectPaths, store: TrustStore) -> list[str]:
    why = "this folder is not trusted yet"
    if store.was_trusted(paths.project):
        why = "it is not trusted any more, as files that start commands have changed"
    json_files = [file.path for file in commands.files if file.path.suffix == ".json"]
    lines = [f"{path} is left out: {why} (--trust)" for path in json_files]
    others = [file.path.name for file in commands.files if file.path not in json_files]
    if others and not lines:
        lines.append(f"{', '.join(others):.200} may start no commands: {why} (--trust)")
    return lines


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
    """Read the branch that is checked out; "HEAD" for none, empty outside a repository."""
    for folder in (project, *project.parents):
        head = _read_start(_git_folder(folder / ".git") / "HEAD").strip()
        if head:
            return head.removeprefix("ref: refs/heads/") if head.startswith("ref:") else "HEAD"
    return ""


def _git_folder(path: Path) -> Path:
    """Return where a repository keeps its HEAD; of a worktree `.git` is a file that names it."""
    key, _, named = _read_start(path).partition(":")
    return path.parent / named.strip() if key == "gitdir" else path


def _read_start(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_HEAD_CHARS)
    except OSError:
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
