"""Pictures that a prompt names, put beside its text for a model that can see."""

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
    """`messages`, each user's text followed by the pictures whose paths or URLs it names.

    Files are read inside `folder` alone; a name of no file is text like any other. URLs are fetched
    by https, from public addresses. Every picture is turned upright, made smaller, and written anew
    without what its file says beside it. Raises `BadRequest` for a picture that cannot be had,
    and, where a `model` is named, when that one is known to see none; `NotConfigured` without the
    extra `images`.
    """
    with require_extra("images", what="a prompt with pictures"):
        import PIL  # noqa: F401  said before anything is downloaded
    attaching = ImageAttacher(Path(folder), limits)
    attached = [await attaching.to(index, message) for index, message in enumerate(messages)]
    if model and attaching.count:
        await require_vision(model, Settings().ollama_address)
    return attached


def with_images(
    messages: Sequence[Message],
    *,
    model: str = "",
    folder: Path | str = ".",
    limits: ImageLimits = DEFAULT_IMAGE_LIMITS,
) -> list[Message]:
    """The same for plain code."""
    return run_blocking(awith_images(messages, model=model, folder=folder, limits=limits))
