"""One session at the desk, from its opening to what follows it."""

from __future__ import annotations

from mini_agent.coding.bootstrap import Seams, opened
from mini_agent.coding.launch import Ground
from mini_agent.coding.ledger import Ledger
from mini_agent.coding.terminal.commands import Slash
from mini_agent.coding.terminal.console import Desk
from mini_agent.coding.terminal.help import Next
from mini_agent.coding.terminal.questions import Questions
from mini_agent.coding.terminal.recall import recalled
from mini_agent.coding.terminal.repl import Talk
from mini_agent.coding.terminal.screen import Screen
from mini_agent.models.litellm_runtime import close_litellm_clients, settle_litellm


async def sat_out(ground: Ground, desk: Desk, first: str | None, begins: str) -> Next:
    """What follows; `first` is said already, None that the user has left."""
    if first is None:
        return Next()
    screen = Screen(desk.console)
    questions = Questions(desk.console, screen, desk.reader)
    seams = Seams(
        lambda _session, _facts: screen, call_asker=questions, asker=questions, begins=begins
    )
    async with opened(ground, seams) as assembled:
        for line in recalled(assembled.assistant.session.entries):
            screen.show(line)
        slash = Slash(assembled, screen.say)
        ledger = assembled.ledger
        desk.opened(assembled.facts.permissions, tuple(slash.names), lambda: _spent(ledger))
        done = await Talk(assembled, screen, desk.reader, slash).to_its_end(first)
        assembled.ends = done.why
        return done


async def cleaned_up() -> None:
    """Lets go of what LiteLLM keeps."""
    await settle_litellm()
    await close_litellm_clients()


def _spent(ledger: Ledger) -> str:
    total = ledger.total
    price = f" · ${total.cost:.4f}" if total.cost else ""
    return f" · {total.total_tokens} tokens{price}"
