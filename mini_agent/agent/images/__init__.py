"""Attaches the images that a prompt names by path or URL, for a model with vision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mini_agent.agent.images.attach import ImageAttacher
from mini_agent.agent.images.sources import DEFAULT_IMAGE_LIMITS, ImageLimits
from mini_agent.agent.sync import run_blocking
from mini_agent.messages import Message
from mini_agent.models.capabilities import require_vision
from mini_agent.settings import Settings, require_extra


async def awith_images(
    messages: Sequence[Message],
    *,
    model: str = "",
    folder: Path | str = ".",
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
) -> list[Message]:
    """Returns `messages` with the images that each user text names by path or URL.

    Files are read inside `folder` alone; a name of no file stays text. URLs are fetched by https,
    from public addresses. Every image is turned upright, reduced, and encoded anew without its
    metadata. Raises `BadRequest` for an image that cannot be read or fetched, and for a `model`
    that is known to take no images; `NotConfigured` without the extra `images`.
    """
    with require_extra("images", what="a prompt with pictures"):
        import PIL  # noqa: F401  checked before anything is downloaded
    attacher = ImageAttacher(Path(folder), limits)
    attached = [await attacher.attach(index, message) for index, message in enumerate(messages)]
    if model and attacher.count:
        await require_vision(model, Settings().ollama_address)
    return attached


def with_images(
    messages: Sequence[Message],
    *,
    model: str = "",
    folder: Path | str = ".",
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
) -> list[Message]:
    """Does the same as `awith_images`, for blocking callers."""
    return run_blocking(awith_images(messages, model=model, folder=folder, limits=limits))
