"""What slash commands have to say, as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mini_agent.coding.bootstrap import Assembled
from mini_agent.coding.facts import Facts
from mini_agent.coding.ledger import Ledger
from mini_agent.coding.permissions.policy import Permissions
from mini_agent.coding.settings import ClaudeSettings
from mini_agent.coding.subagents.kinds import Kind
from mini_agent.coding.transcript.locations import Listed


def context_report(assembled: Assembled) -> str:
    """How full the context was at the last question."""
    newest, window = assembled.ledger.newest, assembled.assistant.inner.window.tokens
    if not newest.total_tokens:
        return "nothing has been asked yet"
    if window is None:
        return f"{newest.total_tokens} tokens; how many this model takes is not known"
    return f"{newest.total_tokens} of {window} tokens ({newest.total_tokens * 100 // window} %)"


def cost_report(ledger: Ledger) -> str:
    """Tokens and price of this session since it was opened."""
    total = ledger.total
    price = f"${total.cost:.4f}" if total.cost else "the price is not known"
    return (
        f"{total.prompt_tokens} input tokens, of them {total.cached_tokens} from the cache; "
        f"{total.completion_tokens} response tokens; {price}"
    )


def mcp_report(facts: Facts) -> str:
    """The servers, and all tools."""
    servers = [f"{each.name}: {each.problem or 'connected'}" for each in facts.servers]
    return "\n".join((*(servers or ["no MCP server"]), f"tools: {', '.join(facts.tools)}"))


def agents_report(kinds: Mapping[str, Kind]) -> str:
    """The subagents, a line each."""
    return "\n".join(f"{kind.name}: {kind.description}" for kind in kinds.values())


def hooks_report(settings: ClaudeSettings) -> str:
    """The commands that are run, a line each."""
    lines = [
        f"{hook.event} {hook.matcher or '*'}: {hook.command} ({hook.timeout_s:g} s)"
        for hook in settings.hooks
    ]
    return "\n".join(lines) or "no hooks of settings.json; MCP servers may have some"


def permissions_report(permissions: Permissions) -> str:
    """The mode and all rules."""
    rules = permissions.rules
    lines = [
        *(f"deny  {rule}" for rule in rules.deny),
        *(f"ask   {rule}" for rule in rules.ask),
        *(f"allow {rule}" for rule in rules.allow),
    ]
    return "\n".join((f"mode: {permissions.mode}", *(lines or ["no rules"])))


def sessions_report(listed: Sequence[Listed]) -> str:
    """The newest sessions, numbered."""
    lines = [
        f"{number:>3}  {each.changed:%Y-%m-%d %H:%M}  {each.title or each.place.session_id}"
        for number, each in enumerate(listed[:20], start=1)
    ]
    return "\n".join((*lines, "/resume NUMBER goes on with one")) if lines else "no sessions yet"
