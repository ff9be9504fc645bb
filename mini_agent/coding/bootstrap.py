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

from mini_agent.coding.approval import CallAsker, Planning, RuledApproval
from mini_agent.coding.assistant import Assistant, WindowOf
from mini_agent.coding.hooks.commands import AllHooks, CommandHooks
from mini_agent.coding.hooks.event import Circumstances
from mini_agent.coding.inner_loop import InnerLoop, coding_config
from mini_agent.coding.launch import Ground, Trust, of_the_project
from mini_agent.coding.lazy import LatePages, LateSearch, late_sandbox
from mini_agent.coding.mcp_servers import (
    McpServer,
    closed,
    looked_at,
    servers_of,
)
from mini_agent.coding.memory.file_changes import EndedJobs, Track
from mini_agent.coding.notifications import NoticedCalls, NoticedQuestions, Notices
from mini_agent.coding.observer import Unwatched, Watcher
from mini_agent.coding.permissions.matching import hidden_by
from mini_agent.coding.permissions.policy import Permissions
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.permissions.settings import LOCAL, remember_in
from mini_agent.coding.prompts.builtin import Builtin, Standing
from mini_agent.coding.prompts.server import BehaviourServer, McpBehaviour, ServedHooks
from mini_agent.coding.side_model import AskedModel, ModelDigest
from mini_agent.coding.subagents.run import Kind, Parent, kinds_in
from mini_agent.coding.tool_middleware import Surroundings
from mini_agent.coding.tools.catalog import offered
from mini_agent.coding.tools.protocols import Asker, Pages
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.coding.toolset import ToolSet
from mini_agent.coding.transcript.log import Entry
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import Ledger
from mini_agent.errors import ToolsUnavailable
from mini_agent.events import Event, ModelReplied, ToolFinished, ToolStarted
from mini_agent.model import Model
from mini_agent.models.capabilities import window_of
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker, tool_named


@dataclass(frozen=True, slots=True)
class Facts:
    """The ground it stands on, what it may do, and the tools and servers that there are."""

    ground: Ground
    permissions: Permissions
    tools: tuple[str, ...]
    servers: tuple[McpServer, ...]


TODOS: Final = "TodoWrite"


def standing_of(session: Session, *, in_plan_mode: bool) -> Standing:
    """What reminders depend on."""
    prompts, since_todos = 0, 0
    for entry in session.entries:
        if any(use.get("name") == TODOS for use in entry.of_type("tool_use")):
            since_todos = 0
        elif _is_prompt(entry):
            prompts += 1
            since_todos += 1
    return Standing(prompts == 0, in_plan_mode, since_todos)


def _is_prompt(entry: Entry) -> bool:
    return entry.type == "user" and bool(entry.text) and not entry.is_meta


def workplace_of(ground: Ground) -> Workplace:
    """Where the tools work: the project, and the folders that options and settings add."""
    places, rights = ground.places, ground.rights
    known = [folder for folder in rights.additional if folder.is_dir()]
    environment = {**ground.variables, **ground.settings.env}
    at = Workplace.at(places.project, environment, (*places.additional, *known))
    searx = environment.get("MINI_AGENT_SEARXNG_URL")
    return replace(
        at,
        hidden=hidden_by(rights.rules, at),
        search=LateSearch(searx) if searx else None,
    )


def permissions_of(ground: Ground, at: Workplace) -> Permissions:
    """The rules, and the mode."""
    rights = ground.rights
    mode = ground.options.permission_mode or rights.mode or "default"
    own = {*offered(at), "Task"} if ground.uses_builtin else ()
    return Permissions(at, rights.rules, mode, own=frozenset(own), keep=partial(_keep, ground))


def _keep(ground: Ground, rule: Rule) -> None:
    """Remembers a rule; where there was nothing of a stranger's, the folder is trusted by that."""
    places = ground.places
    if not ground.is_trusted and not of_the_project(places):
        Trust(places.claude_home).add(places.project)
    remember_in(places.project / LOCAL, rule)


MOST_END_S: Final = 10.0
Watching: TypeAlias = Callable[[Session, Facts], Watcher]


@dataclass(frozen=True, slots=True)
class Seams:
    """Who watches, and who is asked; `model` answers in LiteLLM's place, `window_of` knows how
    much it takes, `pages` are the web's. Of a session in which nothing was said hooks are told that
    it `begins` so."""

    watching: Watching
    model: Model | None = None
    window_of: WindowOf = window_of
    call_asker: CallAsker | None = None
    asker: Asker | None = None
    pages: Pages = field(default_factory=LatePages)
    begins: str = "startup"


@dataclass
class Assembled:
    """A session that can be talked to; `ends` is what hooks are told of its end."""

    assistant: Assistant
    watcher: Watcher
    facts: Facts
    ledger: Ledger
    kinds: Mapping[str, Kind]
    notices: Notices
    ends: str = "other"


@asynccontextmanager
async def opened(ground: Ground, seams: Seams) -> AsyncIterator[Assembled]:
    """The session that is asked for, with its servers started; they are ended with it."""
    sandbox = late_sandbox(Settings()) if ground.uses_builtin else nullcontext()
    async with sandbox as programs, _opened(ground, seams, programs) as assembled:
        if programs is not None:
            sealed = await programs.list_openai_tools()
            assembled.facts.permissions.sealed = frozenset(map(tool_named, sealed))
        yield assembled


@asynccontextmanager
async def _opened(
    ground: Ground, seams: Seams, programs: Invoker | None
) -> AsyncIterator[Assembled]:
    beside = [McpServer("sandbox", None, programs)] if programs is not None else []
    servers = [*beside, *await looked_at(servers_of(ground))]
    workplace = workplace_of(ground)
    try:
        _require_some(ground, servers)
        assembled = await _Assembly(ground, seams, servers, workplace).assembled()
        for remark in (*ground.remarks, assembled.assistant.session.remark, *_problems(servers)):
            if remark:
                assembled.watcher.remark(remark)
        source = "resume" if assembled.assistant.session.entries else seams.begins
        await assembled.assistant.begin(source)
        try:
            yield assembled
        finally:
            await _ended(assembled)
    finally:
        await workplace.shell.aclose()
        await closed(servers)


async def _ended(assembled: Assembled) -> None:
    await assembled.notices.aclose()
    try:
        # Who wants to leave is not kept for longer.
        async with asyncio.timeout(MOST_END_S):
            await assembled.assistant.end(assembled.ends)
    except TimeoutError:
        assembled.watcher.remark(f"hooks of SessionEnd were ended after {MOST_END_S:g} s")


def _problems(servers: Sequence[McpServer]) -> list[str]:
    return [f"{server.name}: {server.problem}" for server in servers if server.problem]


def _require_some(ground: Ground, servers: Sequence[McpServer]) -> None:
    if not ground.uses_builtin and not any(s.connection and s.tools for s in servers):
        raise ToolsUnavailable(
            f"no server of --mcp has started: {'; '.join(_problems(servers))}",
            hint="mend its command, or add --mcp builtin for our own tools",
        )


class _Assembly:
    """Puts the parts together, in the order in which they need each other."""

    def __init__(
        self, ground: Ground, seams: Seams, servers: Sequence[McpServer], workplace: Workplace
    ) -> None:
        self._ground, self._seams, self._servers = ground, seams, servers
        self._session = Session.at(ground.place(), ground.origin)
        self._watcher: Watcher = Unwatched()
        self._ledger = Ledger()
        address = Settings().ollama_address
        heard = LiteLLMModel(ollama_address=address, on_text=self._told_text)
        self._model = AskedModel(seams.model or heard)
        # What is asked beside the conversation is nothing for the user to watch.
        beside = seams.model or LiteLLMModel(ollama_address=address)
        self._aside = AskedModel(beside, self._ledger.add_aside)
        self._digest = ModelDigest(self._aside, ground.digest_model)
        self._workplace = workplace
        places, jobs = ground.places, EndedJobs(workplace.shell)
        self._builtin = Builtin(places.project, places.claude_home, self._standing, jobs)
        self._behaviour = self._behaviours()
        self._hooks = AllHooks([self._commands(), ServedHooks(self._behaviour)])
        self._notices = Notices(self._hooks, self._circumstances, self._remark)
        asker = NoticedQuestions(seams.asker, self._notices) if seams.asker else None
        planning = Planning(asker, lambda: self._permissions) if asker else None
        self._workplace = replace(workplace, asker=planning, digest=self._digest, pages=seams.pages)
        self._permissions = permissions_of(ground, self._workplace)
        self._kinds = kinds_in(
            (ground.places.claude_home / "agents", ground.places.project / ".claude" / "agents")
        )
        self._track = Track(self._builtin.seen, self._workplace.path)

    async def assembled(self) -> Assembled:
        ground, options = self._ground, self._ground.options
        tools = self._tool_set().at()
        listed = tuple(tool_named(tool) for tool in await tools.list_openai_tools())
        facts = Facts(ground, self._permissions, listed, tuple(self._servers))
        self._watcher = self._seams.watching(self._session, facts)
        self._session.reader = self._watcher.line
        config = coding_config(ground.model, options.max_turns)
        self._inner = InnerLoop(
            self._session, self._model, tools, config, self._hear, not options.executes_tools
        )
        assistant = Assistant(
            self._inner,
            self._aside,
            self._hooks,
            self._behaviour,
            self._circumstances,
            self._watcher,
            self._seams.window_of,
        )
        return Assembled(assistant, self._watcher, facts, self._ledger, self._kinds, self._notices)

    def _tool_set(self) -> ToolSet:
        parent = Parent(
            session=self._session,
            model=self._aside,
            model_name=self._ground.model,
            hooks=self._hooks,
            circumstances=self._circumstances,
            environment=self._builtin.environment,
            listener=self._hear_below,
            remark=self._remark,
        )
        user = self._seams.call_asker
        noticed = NoticedCalls(user, self._notices) if user else None
        around = Surroundings(
            self._circumstances,
            self._hooks,
            RuledApproval(self._permissions, noticed, self._remark),
            lambda: self._watcher,
            self._stop,
        )
        own = self._workplace if self._ground.uses_builtin else None
        asker = self._workplace.asker
        return ToolSet(own, self._servers, around, parent, self._kinds, self._digest, asker)

    def _behaviours(self) -> list[BehaviourServer]:
        served = [McpBehaviour(s.connection) for s in self._servers if s.connection and s.tools]
        return [self._builtin, *served] if self._ground.uses_builtin else [*served]

    def _commands(self) -> CommandHooks:
        cwd = str(self._ground.places.project)
        return CommandHooks(self._ground.settings.hooks, cwd, self._workplace.environment)

    def _circumstances(self) -> Circumstances:
        session, cwd = self._session, str(self._ground.places.project)
        return Circumstances(session.id, str(session.path), cwd, self._permissions.mode)

    def _standing(self) -> Standing:
        return standing_of(self._session, in_plan_mode=self._permissions.mode == "plan")

    def _hear(self, event: Event) -> None:
        self._track.hear(event)
        if isinstance(event, ModelReplied):
            self._ledger.add(event.usage)
        self._watcher.event(event)

    def _hear_below(self, event: Event) -> None:
        """What a subagent does; what it says is for the agent above."""
        if isinstance(event, ToolStarted | ToolFinished):
            self._watcher.event(event)

    # The watcher and the loop are there only once the tools are listed.
    def _stop(self, reason: str) -> None:
        self._inner.stop(reason)

    def _remark(self, said: str) -> None:
        self._watcher.remark(said)

    def _told_text(self, piece: str) -> None:
        self._watcher.text(piece)
