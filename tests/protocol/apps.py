"""Requests to an app of ASGI, as a server makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping

import httpx
from starlette.types import ASGIApp, Message


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    """A client whose requests the app serves."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def messages(*given: MutableMapping[str, object]) -> Callable[[], Awaitable[Message]]:
    """What a server has to say, one message after the other, and then nothing."""
    left = list(given)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive
