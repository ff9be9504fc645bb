"""Opens a session: its transcript, models, tools, hooks and permissions, wired together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

from mini_agent.coding.approval import PermissionPrompter, PlanModePrompter, PolicyApprover
from mini_agent.coding.assistant import Assistant, ContextLimitLookup
from mini_agent.coding.custom_commands.commands import CustomCommands, read_commands
from mini_agent.coding.front_matter import document_folders
from mini_agent.coding.hooks.commands import CombinedHooks, CommandHooks
from mini_agent.coding.hooks.event import HookContext
from mini_agent.coding.inner_loop import InnerLoop, build_config
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.lazy import (
    PATCHES,
    LazyPages,
    LazySearch,
    attach_review,
    open_sandbox,
    open_sandbox_shell,
)
from mini_agent.coding.mcp_servers import (
    McpServer,
    close_servers,
    list_problems,
    list_servers,
    require_tools,
    start_servers,
)
from mini_agent.coding.memory.file_changes import EndedJobTracker, FileTracker
from mini_agent.coding.memory.files import MemoryAccess
from mini_agent.coding.notifications import (
    Notifications,
    NotifyingPermissionPrompter,
    NotifyingUserPrompter,
)
from mini_agent.coding.observer import NullObserver, Observer
from mini_agent.coding.permissions.matching import denied_globs
from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.pictures import PictureFilter
from mini_agent.coding.prompts.builtin import BuiltinPrompts, SessionStatus
from mini_agent.coding.prompts.server import McpPromptServer, PromptServer, ServerHooks
from mini_agent.coding.session_permissions import (
    MemoryRules,
    build_permissions,
    matches_condition,
)
from mini_agent.coding.side_model import PromptCachingModel, SideModel
from mini_agent.coding.subagents.definition import SubagentType, read_subagent_types
from mini_agent.coding.subagents.run import ParentSession
from mini_agent.coding.tool_middleware import MiddlewareContext
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.protocols import PageFetcher, UserPrompter
from mini_agent.coding.toolset import Toolset
from mini_agent.coding.transcript.log import Entry
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import UsageTracker
from mini_agent.events import Event, ModelReplied, ToolFinished, ToolStarted
from mini_agent.model import Model
from mini_agent.models.capabilities import find_context_window
from mini_agent.models.direct import ChatModel
from mini_agent.models.waiting import WaitingModel
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker, get_tool_name

TODO_TOOL: Final = "TodoWrite"
# SessionEnd hooks must not keep the user from leaving for longer.
SESSION_END_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class SessionContext:
    """The launch configuration, permissions, tool names and MCP servers of an open session."""

    launch: LaunchConfig
    permissions: PermissionPolicy
    tools: tuple[str, ...]
    servers: tuple[McpServer, ...]


ObserverFactory: TypeAlias = Callable[[Session, SessionContext], Observer]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts that differ between terminal, headless runs and tests.

    `model` replaces LiteLLM, `find_context_limit` returns a model's context size in tokens,
    `start_source` is reported to SessionStart hooks of a session without messages.
    """

    build_observer: ObserverFactory
    model: Model | None = None
    find_context_limit: ContextLimitLookup = find_context_window
    permission_prompter: PermissionPrompter | None = None
    prompter: UserPrompter | None = None
    pages: PageFetcher = field(default_factory=LazyPages)
    start_source: str = "startup"


@dataclass
class AssistantRuntime:
    """An open session; `end_reason` is reported to SessionEnd hooks."""

    assistant: Assistant
    observer: Observer
    context: SessionContext
    usage_tracker: UsageTracker
    kinds: Mapping[str, SubagentType]
    notifications: Notifications
    custom_commands: CustomCommands
    end_reason: str = "other"


@asynccontextmanager
async def open_session(
    launch: LaunchConfig, dependencies: Dependencies
) -> AsyncIterator[AssistantRuntime]:
    """Open the session that the options select, with its MCP servers; close both at the end."""
    sandbox = open_sandbox(Settings()) if launch.uses_builtin else nullcontext()
    async with (
        open_sandbox_shell(build_tool_context(launch), launch.sandbox) as tool_context,
        sandbox as programs,
        _open_with_programs(launch, dependencies, programs, tool_context) as runtime,
    ):
        isolated = await programs.list_openai_tools() if programs is not None else []
        runtime.context.permissions.isolated_tools = frozenset(
            (*map(get_tool_name, isolated), *_list_sandboxed_tools(launch))
        )
        yield runtime


def _list_sandboxed_tools(launch: LaunchConfig) -> tuple[str, ...]:
    return ("Bash",) if launch.sandbox.enabled and launch.sandbox.allows_bash else ()


@asynccontextmanager
async def _open_with_programs(
    launch: LaunchConfig,
    dependencies: Dependencies,
    programs: Invoker | None,
    tool_context: ToolContext,
) -> AsyncIterator[AssistantRuntime]:
    sandbox_servers = [McpServer("sandbox", None, programs)] if programs is not None else []
    servers = [*sandbox_servers, *await start_servers(list_servers(launch))]
    try:
        require_tools(launch, servers)
        runtime = await _RuntimeBuilder(launch, dependencies, servers, tool_context).build()
        for warning in (
            *launch.warnings,
            runtime.assistant.session.warning,
            *list_problems(servers),
        ):
            if warning:
                runtime.observer.on_warning(warning)
        source = "resume" if runtime.assistant.session.entries else dependencies.start_source
        await runtime.assistant.begin(source)
        try:
            yield runtime
        finally:
            await _close_session(runtime)
    finally:
        await tool_context.shell.aclose()
        await close_servers(servers)


async def _close_session(runtime: AssistantRuntime) -> None:
    await runtime.notifications.aclose()
    try:
        async with asyncio.timeout(SESSION_END_TIMEOUT_S):
            await runtime.assistant.end(runtime.end_reason)
    except TimeoutError:
        runtime.observer.on_warning(
            f"hooks of SessionEnd were ended after {SESSION_END_TIMEOUT_S:g} s"
        )


class _RuntimeBuilder:
    """Builds the parts of a session in the order in which they depend on each other."""

    def __init__(
        self,
        launch: LaunchConfig,
        dependencies: Dependencies,
        servers: Sequence[McpServer],
        tool_context: ToolContext,
    ) -> None:
        self._launch, self._dependencies, self._servers = launch, dependencies, servers
        self._session = Session.open(launch.select_session_file(), launch.origin)
        self._observer: Observer = NullObserver()
        self._usage_tracker = UsageTracker()
        # What is to be said before there is an observer.
        self._early_lines: list[str] = []
        address = Settings().ollama_address
        pictures = PictureFilter()
        streaming_model = ChatModel(ollama_address=address, on_text=self._on_text)
        self._model = PromptCachingModel(
            self._wait(dependencies.model or streaming_model),
            on_refused=self._on_pictures_refused,
            pictures=pictures,
        )
        # Side tasks do not stream to the observer.
        self._side_model = PromptCachingModel(
            self._wait(dependencies.model or ChatModel(ollama_address=address)),
            self._usage_tracker.add_side_reply,
            self._on_pictures_refused,
            pictures,
        )
        self._digest_model = SideModel(self._side_model, launch.digest_model)
        self._tool_context = tool_context
        paths, jobs = launch.paths, EndedJobTracker(tool_context.shell)
        self._builtin = BuiltinPrompts(
            paths.project,
            paths.claude_home,
            self._read_status,
            jobs,
            # The permissions are built later than the prompts, and before any is read.
            access=MemoryAccess(
                lambda path: MemoryRules(self._permissions).deny(path),
                lambda path: MemoryRules(self._permissions).permit(path),
            ),
            in_sandbox=launch.sandbox.enabled,
        )
        self._prompt_servers = self._build_prompt_servers()
        self._hooks = CombinedHooks(
            [self._build_command_hooks(), ServerHooks(self._prompt_servers)]
        )
        self._notifications = Notifications(self._hooks, self._hook_context, self._warn)
        prompter = (
            NotifyingUserPrompter(dependencies.prompter, self._notifications)
            if dependencies.prompter
            else None
        )
        planning = PlanModePrompter(prompter, lambda: self._permissions) if prompter else None
        self._tool_context = replace(
            tool_context,
            prompter=planning,
            digester=self._digest_model,
            page_fetcher=dependencies.pages,
        )
        self._permissions = build_permissions(launch, self._tool_context)
        self._subagent_types = read_subagent_types(
            document_folders(paths.claude_home, paths.project, "agents"), self._early_lines.append
        )
        self._file_tracker = FileTracker(self._builtin.snapshots, self._tool_context.path)

    async def build(self) -> AssistantRuntime:
        launch, options = self._launch, self._launch.options
        tools = self._build_tool_set().create()
        tool_names = tuple(get_tool_name(tool) for tool in await tools.list_openai_tools())
        context = SessionContext(launch, self._permissions, tool_names, tuple(self._servers))
        self._observer = self._dependencies.build_observer(self._session, context)
        self._session.on_line = self._observer.on_line
        for line in self._early_lines:
            self._observer.on_warning(line)
        config = build_config(launch.model, options.max_turns)
        self._inner_loop = InnerLoop(
            self._session, self._model, tools, config, self._on_event, not options.execute_tools
        )
        assistant = Assistant(
            self._inner_loop,
            self._side_model,
            self._hooks,
            self._prompt_servers,
            self._hook_context,
            self._observer,
            self._dependencies.find_context_limit,
        )
        return AssistantRuntime(
            assistant,
            self._observer,
            context,
            self._usage_tracker,
            self._subagent_types,
            self._notifications,
            self._build_commands(tools),
        )

    def _build_commands(self, tools: Invoker) -> CustomCommands:
        paths = self._launch.paths
        documents = read_commands(paths.claude_home, paths.project, self._warn)
        withheld = not self._launch.options.execute_tools
        return CustomCommands(documents, self._launch, self._permissions, tools, withheld)

    def _build_tool_set(self) -> Toolset:
        parent = ParentSession(
            session=self._session,
            model=self._side_model,
            model_name=self._launch.model,
            hooks=self._hooks,
            hook_context=self._hook_context,
            environment=self._builtin.environment,
            listener=self._on_subagent_event,
            warn=self._warn,
            permissions=self._permissions,
        )
        user = self._dependencies.permission_prompter
        notifying = NotifyingPermissionPrompter(user, self._notifications) if user else None
        approver = PolicyApprover(self._permissions, notifying, self._warn)
        if self._launch.sandbox.enabled:
            patches = self._launch.paths.claude_home / PATCHES
            attach_review(self._tool_context, self._permissions, approver, self._warn, patches)
        middleware_context = MiddlewareContext(
            self._hook_context,
            self._hooks,
            approver,
            lambda: self._observer,
            self._stop,
        )
        tool_context = self._tool_context if self._launch.uses_builtin else None
        return Toolset(
            tool_context,
            self._servers,
            middleware_context,
            parent,
            self._subagent_types,
            self._digest_model,
            self._tool_context.prompter,
        )

    def _build_prompt_servers(self) -> list[PromptServer]:
        served = [McpPromptServer(s.connection) for s in self._servers if s.connection and s.tools]
        return [self._builtin, *served] if self._launch.uses_builtin else [*served]

    def _build_command_hooks(self) -> CommandHooks:
        cwd = str(self._launch.paths.project)
        hooks, variables = self._launch.settings.hooks, self._tool_context.environment
        return CommandHooks(hooks, cwd, variables, partial(matches_condition, self._tool_context))

    def _hook_context(self) -> HookContext:
        session, cwd = self._session, str(self._launch.paths.project)
        return HookContext(session.id, str(session.path), cwd, self._permissions.mode)

    def _read_status(self) -> SessionStatus:
        return read_status(self._session, in_plan_mode=self._permissions.mode == "plan")

    def _on_event(self, event: Event) -> None:
        self._file_tracker.on_event(event)
        if isinstance(event, ModelReplied):
            self._usage_tracker.add(event.usage)
        self._observer.on_event(event)

    def _on_subagent_event(self, event: Event) -> None:
        """Show a subagent's tool calls; its text is for the parent agent only."""
        if isinstance(event, ToolStarted | ToolFinished):
            self._observer.on_event(event)

    # The observer and the loop exist only after the tools are listed.
    def _stop(self, reason: str) -> None:
        self._inner_loop.stop(reason)

    def _warn(self, message: str) -> None:
        self._observer.on_warning(message)

    def _wait(self, model: Model) -> WaitingModel:
        stop_key = "Esc" if self._launch.options.interactive else "Ctrl-C"
        return WaitingModel(model, self._warn, stop_key=stop_key)

    def _on_pictures_refused(self, reason: str) -> None:
        self._warn(f"{reason}; they are left out from now on")
        self._session.add_picture_refusal(reason)

    def _on_text(self, piece: str) -> None:
        self._observer.on_text(piece)


def read_status(session: Session, *, in_plan_mode: bool) -> SessionStatus:
    """Count the prompts of the session, as far as the builtin reminders depend on them."""
    prompts, since_todos = 0, 0
    for entry in session.entries:
        if any(use.get("name") == TODO_TOOL for use in entry.blocks_of_type("tool_use")):
            since_todos = 0
        elif _is_prompt(entry):
            prompts += 1
            since_todos += 1
    return SessionStatus(prompts == 0, in_plan_mode, since_todos)


def _is_prompt(entry: Entry) -> bool:
    return entry.type == "user" and bool(entry.text) and not entry.is_meta


def build_tool_context(launch: LaunchConfig) -> ToolContext:
    """Build the context of the tools: the project and the folders that options and settings add."""
    paths, permission_settings = launch.paths, launch.permission_settings
    additional = [folder for folder in permission_settings.additional if folder.is_dir()]
    environment = {**launch.variables, **launch.settings.env}
    context = ToolContext.create(paths.project, environment, (*paths.additional, *additional))
    searxng_url = environment.get("MINI_AGENT_SEARXNG_URL")
    return replace(
        context,
        excluded=denied_globs(permission_settings.rules, context),
        search_engine=LazySearch(searxng_url) if searxng_url else None,
    )
