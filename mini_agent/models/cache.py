"""Caches the replies of models in Redis, with LiteLLM's cache."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import lru_cache
from typing import Final, Protocol

from pydantic import TypeAdapter, ValidationError

from mini_agent.errors import NotConfigured
from mini_agent.model import NO_USAGE, Model, ModelReply, ModelRequest
from mini_agent.models.litellm import LiteLLMModel
from mini_agent.models.litellm_runtime import load_litellm
from mini_agent.settings import require_extra

NAMESPACE: Final = "mini-agent"
TTL_S: Final = 86_400
# A call of the cache that takes longer is given up.
TIMEOUT_S: Final = 0.5
REPLY_ADAPTER: Final = TypeAdapter(ModelReply)

_log: Final = logging.getLogger(__name__)


class Cache(Protocol):
    """The methods of LiteLLM's cache that we use."""

    def async_get_cache(self, key: str) -> Awaitable[object]:
        """Returns the value of `key`, or None."""
        ...

    def async_set_cache(self, key: str, value: object, *, ttl: int) -> Awaitable[object]:
        """Stores a JSON `value` for `ttl` seconds."""
        ...


def create_litellm_model(ollama_address: str, redis_url: str) -> Model:
    """Creates the model that calls LiteLLM, with a cache where `redis_url` is not empty.

    Raises `NotConfigured` for an invalid URL, and without the extra `redis_cache`.
    """
    model = LiteLLMModel(ollama_address=ollama_address)
    if not redis_url:
        return model
    with require_extra("redis_cache", what="MINI_AGENT_REDIS_URL"):
        from redis import Redis
    try:
        Redis.from_url(redis_url).close()
    except ValueError as wrong:
        raise NotConfigured(
            f"MINI_AGENT_REDIS_URL is no address of a Redis: {wrong}",
            hint="write redis://HOST:6379/0, rediss:// for TLS, or unix:///path/to/socket",
        ) from None
    return CachedModel(model, redis_url, address=ollama_address)


class CachedModel:
    """A model whose replies are cached; `address`, where it is served, is part of the key.

    A reply that is blank or cut off is not cached. A Redis that is not reachable delays a reply by
    `TIMEOUT_S` at most a call. A cached reply counts no tokens.
    """

    def __init__(self, model: Model, redis_url: str, *, address: str = "") -> None:
        self._model = model
        self._redis_url = redis_url
        self._address = address

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Returns the cached reply, or requests one; raises what the cached model raises."""
        key = _cache_key(request, self._address)
        cache = await self._cache()
        cached = _parse_reply(await _call_cache(cache.async_get_cache(key)))
        if cached is not None:
            return cached
        reply = await self._model.reply(request)
        if reply.finish_reason != "length" and (reply.text.strip() or reply.tool_calls):
            await _call_cache(
                cache.async_set_cache(key, REPLY_ADAPTER.dump_python(reply), ttl=TTL_S)
            )
        return reply

    async def _cache(self) -> Cache:
        await load_litellm()
        # Creating it blocks: it asks Redis for its version.
        return await asyncio.to_thread(_open_cache, self._redis_url)


@lru_cache(maxsize=8)
def _open_cache(url: str) -> Cache:
    from litellm.caching.redis_cache import RedisCache

    cache: Cache = RedisCache(
        url=url,
        namespace=NAMESPACE,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )
    return cache


def _cache_key(request: ModelRequest, address: str) -> str:
    key = {
        "address": address,
        "model": request.model,
        "messages": request.messages,
        "tools": request.tools,
        "temperature": request.temperature,
        "num_ctx": request.num_ctx,
        "options": dict(request.options),
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


async def _call_cache(call: Awaitable[object]) -> object:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await call
    # Any fault of the cache: the model can reply without it.
    except Exception as broken:  # noqa: BLE001
        _log.debug("the cache is left out: %s", broken)
        return None


def _parse_reply(cached: object) -> ModelReply | None:
    if cached is None:
        return None
    try:
        return replace(REPLY_ADAPTER.validate_python(cached), usage=NO_USAGE)
    except ValidationError:
        return None
