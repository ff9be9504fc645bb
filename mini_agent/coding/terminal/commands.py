"""The slash commands: the builtin ones, and those in files of the user and the project."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from mini_agent.coding.bootstrap import AssistantRuntime, SessionContext
from mini_agent.coding.compaction import CompactionRequest
from mini_agent.coding.custom_commands.commands import Invocation, describe_command, suggest_names
from mini_agent.coding.doctor_checks import format_checks, run_checks
from mini_agent.coding.hooks.commands import CommandHook
from mini_agent.coding.options import PERMISSION_MODES
from mini_agent.coding.permissions.policy import PermissionPolicy
from mini_agent.coding.prompts.server import send_mode
from mini_agent.coding.settings import ClaudeSettings
from mini_agent.coding.subagents.definition import SubagentType
from mini_agent.coding.transcript.locations import SessionListing, find_session_file, list_sessions
from mini_agent.coding.transcript.log import Block, Entry
from mini_agent.coding.transcript.session import Session
from mini_agent.coding.usage import UsageTracker
from mini_agent.errors import BadRequest

MAX_BLOCK_CHARS: Final = 2000
ROLE_HEADINGS: Final = {"user": "## You", "assistant": "## The assistant"}
COMMAND_HELP: Final[Mapping[str, str]] = {
    "help": "this list",
    "clear": "begin a new session",
    "compact": "put a summary in the place of the conversation; /compact WHAT MATTERS",
    "context": "how full the model's context is",
    "resume": "go on with an earlier session; /resume NUMBER or ID",
    "model": "which model answers; /model NAME changes it",
    "permissions": "the rules and the mode; /permissions MODE changes it, Shift-Tab does too",
    "sandbox": "where commands run, and what waits there to be applied",
    "mcp": "the MCP servers and the tools",
    "agents": "the subagents",
    "hooks": "the hooks",
    "cost": "tokens and price so far",
    "plan": "plan mode, in which nothing is changed; /plan true, /plan false",
    "export": "write the conversation to a Markdown file; /export FILE",
    "doctor": "what works here and what does not",
    "exit": "leave; Ctrl-D does too",
}
KEY_HELP: Final = "Alt-Enter begins a new line, @ completes files, Esc or Ctrl-C stops."


@dataclass(frozen=True, slots=True)
class Transition:
    """What follows a session: exit with `exit_code`, or open another session or model.

    `reason` is reported to SessionEnd hooks.
    """

    opens_session: bool = False
    session: str = ""
    model: str = ""
    exit_code: int = 0
    reason: str = "other"


USER_EXIT: Final = Transition(reason="prompt_input_exit")


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt that a command expands to."""

    text: str


CommandResult: TypeAlias = Transition | PromptText | None


CommandHandler: TypeAlias = Callable[[str], Awaitable[CommandResult]]


class SlashCommands:
    """The commands of one session; `show` prints their output."""

    def __init__(self, runtime: AssistantRuntime, show: Callable[[str], None]) -> None:
        self._runtime = runtime
        self._show = show
        self._own = runtime.custom_commands
        self._plain: Mapping[str, Callable[[], str]] = {
            "help": self._help,
            "context": lambda: format_context(runtime),
            "sandbox": runtime.context.permissions.context.shell.describe,
            "mcp": lambda: format_servers(runtime.context),
            "agents": lambda: format_subagents(runtime.kinds),
            "hooks": lambda: format_hooks(runtime.context.launch.settings),
            "cost": lambda: format_cost(runtime.usage_tracker),
            "doctor": lambda: format_checks(run_checks(runtime.context.launch)),
        }
        self._others: Mapping[str, CommandHandler] = {
            "clear": self._clear,
            "compact": self._compact,
            "resume": self._resume,
            "model": self._model,
            "permissions": self._permissions,
            "plan": self._plan,
            "export": self._export,
            "exit": self._exit,
            "quit": self._exit,
        }

    @property
    def names(self) -> Iterable[str]:
        """The names of all commands, for completion."""
        return (*COMMAND_HELP, *self._own.documents)

    async def execute(self, line: str) -> CommandResult:
        """Execute a command; an unknown one prints those near it and the list."""
        name, argument = (*line[1:].split(maxsplit=1), "", "")[:2]
        if name in self._plain:
            self._show(self._plain[name]())
        elif name in self._others:
            return await self._others[name](argument.strip())
        elif name in self._own.documents:
            return PromptText(await self._own.expand(Invocation(name, argument.strip())))
        else:
            near = ", ".join(f"/{each}" for each in suggest_names(name, iter(self.names)))
            also = f"; near it: {near}" if near else ""
            self._show(f"there is no command /{name}{also}\n{self._help()}")
        return None

    def _help(self) -> str:
        own = {name: describe_command(each) for name, each in self._own.documents.items()}
        lines = [f"/{name:<12} {what}" for name, what in {**COMMAND_HELP, **own}.items()]
        return "\n".join((*lines, KEY_HELP))

    async def _clear(self, argument: str) -> CommandResult:
        del argument
        return Transition(opens_session=True, reason="clear")

    async def _exit(self, argument: str) -> CommandResult:
        del argument
        return USER_EXIT

    async def _compact(self, argument: str) -> CommandResult:
        await self._runtime.assistant.compact(CompactionRequest(argument))
        self._show("the conversation is a summary now")
        return None

    async def _resume(self, argument: str) -> CommandResult:
        launch = self._runtime.context.launch
        listings = list_sessions(launch.sessions_folder, launch.paths.project)
        if not argument:
            self._show(format_sessions(listings))
            return None
        if argument.isdigit() and 1 <= int(argument) <= len(listings):
            argument = listings[int(argument) - 1].session_file.session_id
        find_session_file(argument, launch.sessions_folder)
        return Transition(opens_session=True, session=argument, reason="resume")

    async def _model(self, argument: str) -> CommandResult:
        if not argument:
            self._show(f"{self._runtime.context.launch.model} answers; /model NAME changes that")
            return None
        session = self._runtime.assistant.session
        named = str(session.path) if session.path.exists() else ""
        return Transition(opens_session=True, session=named, model=argument)

    async def _permissions(self, argument: str) -> CommandResult:
        permissions = self._runtime.context.permissions
        for mode in PERMISSION_MODES:
            if mode == argument:
                permissions.mode = mode
        if argument and argument not in PERMISSION_MODES:
            raise BadRequest(
                f"there is no mode {argument!r:.40}", hint=f"one of {', '.join(PERMISSION_MODES)}"
            )
        self._show(format_permissions(permissions))
        return None

    async def _plan(self, argument: str) -> CommandResult:
        permissions = self._runtime.context.permissions
        switch = argument or ("false" if permissions.mode == "plan" else "true")
        if switch not in ("true", "false"):
            raise BadRequest(f"/plan {argument:.40}?", hint="write /plan true or /plan false")
        permissions.mode = "plan" if switch == "true" else "default"
        await send_mode(self._runtime.assistant.servers, permissions.mode)
        self._show(f"plan mode is {'on' if switch == 'true' else 'off'}")
        return None

    async def _export(self, argument: str) -> CommandResult:
        session = self._runtime.assistant.session
        folder = self._runtime.context.launch.paths.project
        path = folder / (argument or f"session-{session.id[:8]}.md")
        export_markdown(session, path)
        self._show(f"written to {path}")
        return None


def format_context(runtime: AssistantRuntime) -> str:
    """Describe how full the context was at the last request, in tokens."""
    used = runtime.usage_tracker.newest.total_tokens
    limit = runtime.assistant.inner.context_limit.tokens
    if not used:
        return "nothing has been asked yet"
    if limit is None:
        return f"{used} tokens; how many this model takes is not known"
    return f"{used} of {limit} tokens ({used * 100 // limit} %)"


def format_cost(usage: UsageTracker) -> str:
    """Format the tokens and the price of this session since it was opened."""
    total = usage.total
    price = f"${total.cost:.4f}" if total.cost else "the price is not known"
    return (
        f"{total.prompt_tokens} input tokens, of them {total.cached_tokens} from the cache; "
        f"{total.completion_tokens} response tokens; {price}"
    )


def format_servers(context: SessionContext) -> str:
    """Format the MCP servers and the names of all tools."""
    servers = [f"{each.name}: {each.problem or 'connected'}" for each in context.servers]
    return "\n".join((*(servers or ["no MCP server"]), f"tools: {', '.join(context.tools)}"))


def format_subagents(kinds: Mapping[str, SubagentType]) -> str:
    """Format the subagent types, one a line."""
    return "\n".join(f"{kind.name}: {kind.description}" for kind in kinds.values())


def format_hooks(settings: ClaudeSettings) -> str:
    """Format the command hooks, one a line."""
    lines = [f"{hook.event} {hook.matcher or '*'}: {_format_hook(hook)}" for hook in settings.hooks]
    return "\n".join(lines) or "no hooks of settings.json; MCP servers may have some"


def _format_hook(hook: CommandHook) -> str:
    if hook.error:
        return f"in error, not run: {hook.source}: {hook.error}"
    return f"{hook.line} ({hook.timeout_s:g} s)"


def format_permissions(permissions: PermissionPolicy) -> str:
    """Format the mode and all rules."""
    rules = permissions.rules
    lines = [
        *(f"deny  {rule}" for rule in rules.deny),
        *(f"ask   {rule}" for rule in rules.ask),
        *(f"allow {rule}" for rule in rules.allow),
    ]
    return "\n".join((f"mode: {permissions.mode}", *(lines or ["no rules"])))


def format_sessions(listings: Sequence[SessionListing]) -> str:
    """Format the newest sessions, numbered."""
    lines = [
        f"{number:>3}  {each.changed:%Y-%m-%d %H:%M}  {each.title or each.session_file.session_id}"
        for number, each in enumerate(listings[:20], start=1)
    ]
    return "\n".join((*lines, "/resume NUMBER goes on with one")) if lines else "no sessions yet"


def export_markdown(session: Session, path: Path) -> None:
    """Write the session as Markdown to a new file; raises `BadRequest` if the file exists."""
    text = "\n\n".join(_format_entries(session.entries)) + "\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BadRequest(f"{path} is there already", hint="name another file") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}") from None


def _format_entries(entries: tuple[Entry, ...]) -> Iterator[str]:
    last = ""
    for entry in entries:
        if entry.type != last and not _has_only_results(entry):
            last = entry.type
            yield ROLE_HEADINGS[entry.type]
        yield from (_format_block(block) for block in entry.blocks)


def _has_only_results(entry: Entry) -> bool:
    return all(block.get("type") == "tool_result" for block in entry.blocks)


def _format_block(block: Block) -> str:
    match block.get("type"):
        case "text":
            return str(block.get("text") or "")
        case "tool_use":
            tool_input = json.dumps(block.get("input"), ensure_ascii=False)
            return f"`{block.get('name')}` {tool_input:.{MAX_BLOCK_CHARS}}"
        case "tool_result":
            content = block.get("content")
            text = content if isinstance(content, str) else json.dumps(content)
            return f"```text\n{text[:MAX_BLOCK_CHARS].replace('```', '` ` `')}\n```"
        case kind:
            return f"({kind})"
