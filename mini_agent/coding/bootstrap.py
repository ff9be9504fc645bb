"""A session put together: its file, its model, its tools and what stands before them, its hooks.

What a session is made of, for whoever shows it.

How a session stands, read from its lines.

What this session may do: the rules of files and options, and the mode it begins in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias

from mini_agent.coding.approval import PermissionPrompter, PlanModePrompter, PolicyApprover
from mini_agent.coding.assistant import Assistant, ContextLimitLookup
from mini_agent.coding.hooks.commands import CombinedHooks, CommandHooks
from mini_agent.coding.hooks.event import HookContext
from mini_agent.coding.inner_loop import InnerLoop, build_config
from mini_agent.coding.launch import LaunchConfig, TrustedFolders, find_project_files
from mini_agent.coding.lazy import LazyPages, LazySearch, open_sandbox
from mini_agent.coding.mcp_servers import (
    McpServer,
    close_servers,
    list_servers,
    start_servers,
)
from mini_agent.coding.memory.file_changes import EndedJobTracker, FileTracker
from mini_agent.coding.notifications import Notifications, NotifyingAsker, NotifyingCallAsker
from mini_agent.coding.observer import NullObserver, Observer
from mini_agent.coding.permissions.matching import denied_globs
from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.permissions.settings import LOCAL_SETTINGS, add_allow_rule
from mini_agent.coding.prompts.builtin import BuiltinPrompts, SessionStatus
from mini_agent.coding.prompts.server import McpPromptServer, PromptServer, ServerHooks
from mini_agent.coding.side_model import PromptCachingModel, SideModel
from mini_agent.coding.subagents.run import ParentSession, SubagentType, read_subagent_types
from mini_agent.coding.tool_middleware import MiddlewareContext
from mini_agent.coding.tools.catalog import available_tools
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.protocols import PageFetcher, UserPrompter
from mini_agent.coding.toolset import Toolset
from mini_agent.coding.transcript.log import Entry
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import UsageTracker
from mini_agent.errors import ToolsUnavailable
from mini_agent.events import Event, ModelReplied, ToolFinished, ToolStarted
from mini_agent.model import Model
from mini_agent.models.capabilities import find_context_window
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker, tool_named


@dataclass(frozen=True, slots=True)
class SessionContext:
    """The ground it stands on, what it may do, and the tools and servers that there are."""

    launch: LaunchConfig
    permissions: PermissionPolicy
    tools: tuple[str, ...]
    servers: tuple[McpServer, ...]


TODO_TOOL: Final = "TodoWrite"


def read_status(session: Session, *, in_plan_mode: bool) -> SessionStatus:
    """What reminders depend on."""
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
    """Where the tools work: the project, and the folders that options and settings add."""
    places, rights = launch.paths, launch.permission_settings
    known = [folder for folder in rights.additional if folder.is_dir()]
    environment = {**launch.variables, **launch.settings.env}
    at = ToolContext.create(places.project, environment, (*places.additional, *known))
    searx = environment.get("MINI_AGENT_SEARXNG_URL")
    return replace(
        at,
        excluded=denied_globs(rights.rules, at),
        search_engine=LazySearch(searx) if searx else None,
    )


def build_permissions(launch: LaunchConfig, at: ToolContext) -> PermissionPolicy:
    """The rules, and the mode."""
    rights = launch.permission_settings
    mode = launch.options.permission_mode or rights.mode or "default"
    own = {*available_tools(at), "Task"} if launch.uses_builtin else ()
    return PermissionPolicy(
        at, rights.rules, mode, own_tools=frozenset(own), save_rule=partial(_remember_rule, launch)
    )


def _remember_rule(launch: LaunchConfig, rule: Rule) -> None:
    """Remembers a rule; where there was nothing of a stranger's, the folder is trusted by that."""
    places = launch.paths
    if not launch.is_trusted and not find_project_files(places):
        TrustedFolders(places.claude_home).add(places.project)
    add_allow_rule(places.project / LOCAL_SETTINGS, rule)


SESSION_END_TIMEOUT_S: Final = 10.0
ObserverFactory: TypeAlias = Callable[[Session, SessionContext], Observer]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Who watches, and who is asked; `model` answers in LiteLLM's place, `find_context_window` knows how
    much it takes, `pages` are the web's. Of a session in which nothing was said hooks are told that
    it `begins` so."""

    build_observer: ObserverFactory
    model: Model | None = None
    find_context_limit: ContextLimitLookup = find_context_window
    call_asker: PermissionPrompter | None = None
    prompter: UserPrompter | None = None
    pages: PageFetcher = field(default_factory=LazyPages)
    begins: str = "startup"


@dataclass
class AssistantRuntime:
    """A session that can be talked to; `ends` is what hooks are told of its end."""

    assistant: Assistant
    observer: Observer
    context: SessionContext
    usage_tracker: UsageTracker
    kinds: Mapping[str, SubagentType]
    notifications: Notifications
    ends: str = "other"


@asynccontextmanager
async def open_session(
    launch: LaunchConfig, dependencies: Dependencies
) -> AsyncIterator[AssistantRuntime]:
    """The session that is asked for, with its servers started; they are ended with it."""
    sandbox = open_sandbox(Settings()) if launch.uses_builtin else nullcontext()
    async with sandbox as programs, _open_with_programs(launch, dependencies, programs) as runtime:
        if programs is not None:
            sealed = await programs.list_openai_tools()
            runtime.context.permissions.isolated_tools = frozenset(map(tool_named, sealed))
        yield runtime


@asynccontextmanager
async def _open_with_programs(
    launch: LaunchConfig, dependencies: Dependencies, programs: Invoker | None
) -> AsyncIterator[AssistantRuntime]:
    beside = [McpServer("sandbox", None, programs)] if programs is not None else []
    servers = [*beside, *await start_servers(list_servers(launch))]
    workplace = build_tool_context(launch)
    try:
        _require_tools(launch, servers)
        runtime = await _RuntimeBuilder(launch, dependencies, servers, workplace).runtime()
        for warning in (
            *launch.warnings,
            runtime.assistant.session.warning,
            *_list_problems(servers),
        ):
            if warning:
                runtime.observer.on_warning(warning)
        source = "resume" if runtime.assistant.session.entries else dependencies.begins
        await runtime.assistant.begin(source)
        try:
            yield runtime
        finally:
            await _close_session(runtime)
    finally:
        await workplace.shell.aclose()
        await close_servers(servers)


async def _close_session(runtime: AssistantRuntime) -> None:
    await runtime.notifications.aclose()
    try:
        # Who wants to leave is not kept for longer.
        async with asyncio.timeout(SESSION_END_TIMEOUT_S):
            await runtime.assistant.end(runtime.ends)
    except TimeoutError:
        runtime.observer.on_warning(
            f"hooks of SessionEnd were ended after {SESSION_END_TIMEOUT_S:g} s"
        )


def _list_problems(servers: Sequence[McpServer]) -> list[str]:
    return [f"{server.name}: {server.problem}" for server in servers if server.problem]


def _require_tools(launch: LaunchConfig, servers: Sequence[McpServer]) -> None:
    if not launch.uses_builtin and not any(s.connection and s.tools for s in servers):
        raise ToolsUnavailable(
            f"no server of --mcp has started: {'; '.join(_list_problems(servers))}",
            hint="mend its command, or add --mcp builtin for our own tools",
        )


class _RuntimeBuilder:
    """Puts the parts together, in the order in which they need each other."""

    def __init__(
        self,
        launch: LaunchConfig,
        dependencies: Dependencies,
        servers: Sequence[McpServer],
        workplace: ToolContext,
    ) -> None:
        self._launch, self._dependencies, self._servers = launch, dependencies, servers
        self._session = Session.at(launch.select_session_file(), launch.origin)
        self._observer: Observer = NullObserver()
        self._ledger = UsageTracker()
        address = Settings().ollama_address
        heard = LiteLLMModel(ollama_address=address, on_text=self._told_text)
        self._model = PromptCachingModel(dependencies.model or heard)
        # What is asked beside the conversation is nothing for the user to watch.
        beside = dependencies.model or LiteLLMModel(ollama_address=address)
        self._aside = PromptCachingModel(beside, self._ledger.add_side_reply)
        self._digest = SideModel(self._aside, launch.digest_model)
        self._workplace = workplace
        places, jobs = launch.paths, EndedJobTracker(workplace.shell)
        self._builtin = BuiltinPrompts(places.project, places.claude_home, self._standing, jobs)
        self._behaviour = self._behaviours()
        self._hooks = CombinedHooks([self._commands(), ServerHooks(self._behaviour)])
        self._notifications = Notifications(self._hooks, self._hook_context, self._warn)
        asker = (
            NotifyingAsker(dependencies.prompter, self._notifications)
            if dependencies.prompter
            else None
        )
        planning = PlanModePrompter(asker, lambda: self._permissions) if asker else None
        self._workplace = replace(
            workplace, prompter=planning, digester=self._digest, page_fetcher=dependencies.pages
        )
        self._permissions = build_permissions(launch, self._workplace)
        self._kinds = read_subagent_types(
            (launch.paths.claude_home / "agents", launch.paths.project / ".claude" / "agents")
        )
        self._track = FileTracker(self._builtin.seen, self._workplace.path)

    async def runtime(self) -> AssistantRuntime:
        launch, options = self._launch, self._launch.options
        tools = self._tool_set().create()
        listed = tuple(tool_named(tool) for tool in await tools.list_openai_tools())
        context = SessionContext(launch, self._permissions, listed, tuple(self._servers))
        self._observer = self._dependencies.build_observer(self._session, context)
        self._session.reader = self._observer.on_line
        config = build_config(launch.model, options.max_turns)
        self._inner = InnerLoop(
            self._session, self._model, tools, config, self._hear, not options.execute_tools
        )
        assistant = Assistant(
            self._inner,
            self._aside,
            self._hooks,
            self._behaviour,
            self._hook_context,
            self._observer,
            self._dependencies.find_context_limit,
        )
        return AssistantRuntime(
            assistant, self._observer, context, self._ledger, self._kinds, self._notifications
        )

    def _tool_set(self) -> Toolset:
        parent = ParentSession(
            session=self._session,
            model=self._aside,
            model_name=self._launch.model,
            hooks=self._hooks,
            hook_context=self._hook_context,
            environment=self._builtin.environment,
            listener=self._hear_below,
            warn=self._warn,
        )
        user = self._dependencies.call_asker
        noticed = NotifyingCallAsker(user, self._notifications) if user else None
        around = MiddlewareContext(
            self._hook_context,
            self._hooks,
            PolicyApprover(self._permissions, noticed, self._warn),
            lambda: self._observer,
            self._stop,
        )
        own = self._workplace if self._launch.uses_builtin else None
        asker = self._workplace.prompter
        return Toolset(own, self._servers, around, parent, self._kinds, self._digest, asker)

    def _behaviours(self) -> list[PromptServer]:
        served = [McpPromptServer(s.connection) for s in self._servers if s.connection and s.tools]
        return [self._builtin, *served] if self._launch.uses_builtin else [*served]

    def _commands(self) -> CommandHooks:
        cwd = str(self._launch.paths.project)
        return CommandHooks(self._launch.settings.hooks, cwd, self._workplace.environment)

    def _hook_context(self) -> HookContext:
        session, cwd = self._session, str(self._launch.paths.project)
        return HookContext(session.id, str(session.path), cwd, self._permissions.mode)

    def _standing(self) -> SessionStatus:
        return read_status(self._session, in_plan_mode=self._permissions.mode == "plan")

    def _hear(self, event: Event) -> None:
        self._track.hear(event)
        if isinstance(event, ModelReplied):
            self._ledger.add(event.usage)
        self._observer.on_event(event)

    def _hear_below(self, event: Event) -> None:
        """What a subagent does; what it says is for the agent above."""
        if isinstance(event, ToolStarted | ToolFinished):
            self._observer.on_event(event)

    # The watcher and the loop are there only once the tools are listed.
    def _stop(self, reason: str) -> None:
        self._inner.stop(reason)

    def _warn(self, said: str) -> None:
        self._observer.on_warning(said)

    def _told_text(self, piece: str) -> None:
        self._observer.on_text(piece)
