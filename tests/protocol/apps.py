"""Requests to an app of ASGI, as a server makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp, Message, Receive


def client_of(app: ASGIApp) -> httpx.AsyncClient:
    """A client whose requests the app serves."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


def messages(*given: Mapping[str, object]) -> Receive:
    """What a server has to say, one message after the other, and then nothing."""
    left = list(given)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return dict(left.pop(0))

    return receive
