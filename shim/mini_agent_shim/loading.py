"""LiteLLM, loaded ahead of the first run, and what only its loading needed given back."""

from __future__ import annotations

import asyncio
import ctypes
import gc

from mini_agent.models.litellm_runtime import loaded_litellm


async def load_litellm() -> None:
    """Takes seconds; afterwards a run does not have to wait for it."""
    await loaded_litellm()
    await asyncio.to_thread(give_back)


def give_back() -> None:
    """Memory that was needed for a while alone goes back to the system, where glibc has it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
