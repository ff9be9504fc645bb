"""Short words for what tests do in a session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from mini_agent.sandbox import Execution, Language, Output, SidecarSession, Snippet


async def ran(
    session: SidecarSession, code: str, language: Language = "python", *, stateful: bool = False
) -> Execution:
    return await session.run(Snippet(language=language, code=code, stateful=stateful))


def workspace(execution: Execution) -> str:
    assert execution.session is not None
    return execution.session.workspace


@asynccontextmanager
async def running(
    session: SidecarSession, code: str, language: Language, *, stateful: bool = False
) -> AsyncIterator[AsyncGenerator[Output | Execution, None]]:
    """A snippet that has printed something; leaving the block is leaving the snippet."""
    snippet = Snippet(language=language, code=code, stateful=stateful)
    async with aclosing(session.stream(snippet)) as items:
        assert isinstance(await anext(items), Output)
        yield items
