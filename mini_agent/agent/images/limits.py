"""What the pictures of a prompt may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Bounds for one conversation; `longest_side`, in pixels, is what each picture is reduced to.

    `pixels` and `bytes` hold for a picture as it is found, `fetch_s` for one download.
    """

    images: int = 8
    bytes: int = 20 << 20
    pixels: int = 50_000_000
    longest_side: int = 1024
    fetch_s: float = 20.0


USUAL: Final = ImageLimits()
