"""The limits on a prompt's images, and image files read from one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.errors import BadRequest


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of one conversation; each image is reduced to `longest_side` pixels.

    `pixels` and `bytes` are limits of one image before it is reduced, `fetch_s` of one download, in
    seconds.
    """

    images: int = 8
    bytes: int = 20 << 20
    pixels: int = 50_000_000
    longest_side: int = 1024
    fetch_s: float = 20.0


DEFAULT_IMAGE_LIMITS: Final = ImageLimits()


def read_image_file(name: str, folder: Path, limits: ImageLimits) -> bytes | None:
    """Reads the file `name`; returns None where there is no such file.

    Raises `BadRequest` for a file outside of `folder`, also by a link, and for a large one.
    """
    try:
        folder = folder.resolve()
        path = (folder / Path(name).expanduser()).resolve()
        if not path.is_file():
            return None
        if not path.is_relative_to(folder):
            raise BadRequest(
                f"the picture {name} is outside of the folder {folder}",
                hint="pass folder= to have pictures read from another one",
            )
        with path.open("rb") as file:
            content = file.read(limits.bytes + 1)
    except (OSError, RuntimeError, ValueError) as unreadable:
        raise BadRequest(f"the picture {name} cannot be read: {unreadable}") from None
    if len(content) > limits.bytes:
        raise too_large_error(name, limits)
    return content


def too_large_error(name: str, limits: ImageLimits) -> BadRequest:
    """Creates the error for an image of too many bytes."""
    return BadRequest(
        f"the picture {name} has more than {limits.bytes >> 10} KiB",
        hint="make it smaller, or pass ImageLimits(bytes=...)",
    )
