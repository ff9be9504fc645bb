"""Answers of models, kept in LiteLLM's cache on Redis and given again for the same question."""

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
# A cache that takes longer is none; the model is asked instead.
TIMEOUT_S: Final = 0.5
REPLY_ADAPTER: Final = TypeAdapter(ModelReply)

_log: Final = logging.getLogger(__name__)


class Cache(Protocol):
    """LiteLLM's cache, as far as we use it."""

    def async_get_cache(self, key: str) -> Awaitable[object]:
        """What is kept under `key`, or None."""
        ...

    def async_set_cache(self, key: str, value: object, *, ttl: int) -> Awaitable[object]:
        """Keeps `value`, which JSON can carry, for `ttl` seconds."""
        ...


def create_litellm_model(ollama_address: str, redis_url: str) -> Model:
    """LiteLLM as a model; where a URL is given, one that remembers what it was asked.

    Raises `NotConfigured` for a URL that is not Redis's, and without the extra `redis_cache`.
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
    """Asks `model`, served at `address`, only what it was not asked before by who shares the Redis.

    A reply that is blank or was cut is not kept. A Redis that is away costs a moment, no answer. A
    kept reply counts no tokens.
    """

    def __init__(self, model: Model, redis_url: str, *, address: str = "") -> None:
        self._model = model
        self._redis_url = redis_url
        self._address = address

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn; raises what `model` raises."""
        key = _cache_key(request, self._address)
        cache = await self._cache()
        known = _parse_reply(await _call_cache(cache.async_get_cache(key)))
        if known is not None:
            return known
        reply = await self._model.reply(request)
        if reply.finish_reason != "length" and (reply.text.strip() or reply.tool_calls):
            await _call_cache(
                cache.async_set_cache(key, REPLY_ADAPTER.dump_python(reply), ttl=TTL_S)
            )
        return reply

    async def _cache(self) -> Cache:
        await load_litellm()
        # Its first act is to ask Redis for its version, and to wait for it.
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
    asked = {
        "address": address,
        "model": request.model,
        "messages": request.messages,
        "tools": request.tools,
        "temperature": request.temperature,
        "num_ctx": request.num_ctx,
        "options": dict(request.options),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


async def _call_cache(call: Awaitable[object]) -> object:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await call
    # Whatever is wrong with the cache: the model can answer without it.
    except Exception as broken:  # noqa: BLE001
        _log.debug("the cache is left out: %s", broken)
        return None


def _parse_reply(kept: object) -> ModelReply | None:
    if kept is None:
        return None
    try:
        return replace(REPLY_ADAPTER.validate_python(kept), usage=NO_USAGE)
    except ValidationError:
        return None
