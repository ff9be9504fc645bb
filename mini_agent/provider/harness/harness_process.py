"""A command that runs in a sandbox, as a `litellm.harness` Process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from mini_agent.errors import MiniAgentError
from mini_agent.provider.harness.process import harness_error, notes_on
from mini_agent.sandbox.session import SidecarSession
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Snippet

GRACE_S: Final = 5.0
ENDED: Final = 137


class SandboxProcess:
    """Begins at once. Its input is empty: `stdin` is None."""

    def __init__(self, session: SidecarSession, snippet: Snippet) -> None:
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout, self.stderr = asyncio.StreamReader(), asyncio.StreamReader()
        self.returncode: int | None = None
        self._failed: Exception | None = None
        self._session = session
        self._following = asyncio.create_task(self._follow(session.stream(snippet)))

    async def wait(self) -> int:
        """Its exit code, once it has one; LiteLLM's `SandboxError` where it could not be run."""
        await asyncio.wait({self._following})
        if self._failed is not None:
            raise self._failed
        return ENDED if self.returncode is None else self.returncode

    async def kill(self) -> None:
        """Ctrl-C; what does not end within seconds is ended with its container, and the files."""
        if self._following.done():
            return
        with contextlib.suppress(MiniAgentError):
            await self._session.interrupt()
        await asyncio.wait({self._following}, timeout=GRACE_S)
        self._following.cancel()
        await asyncio.wait({self._following})

    async def _follow(self, items: AsyncGenerator[Output | Execution, None]) -> None:
        try:
            async with aclosing(items):
                self.returncode = await self._heard(items)
        except MiniAgentError as error:
            self._failed = harness_error(str(error))
            self.stdout.set_exception(self._failed)
            self.stderr.set_exception(self._failed)
        finally:
            self.stdout.feed_eof()
            self.stderr.feed_eof()

    async def _heard(self, items: AsyncGenerator[Output | Execution, None]) -> int:
        async for item in items:
            if isinstance(item, Execution):
                self.stderr.feed_data("".join(f"[{n}]\n" for n in notes_on(item)).encode())
                return item.exit_code
            stream = self.stdout if item.stream == "stdout" else self.stderr
            stream.feed_data(item.text.encode())
        raise MiniAgentError("the command's stream ended without its exit code")
