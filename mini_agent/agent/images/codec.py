"""A picture made fit for a model: upright, small, and without what its file says beside it."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from mini_agent.agent.images.sources import ImageLimits
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
# Drawings and screenshots, whose letters JPEG would blur.
LOSSLESS_FORMATS: Final = ("PNG", "GIF")
JPEG_QUALITY: Final = 85
BACKGROUND: Final = "white"


def encode_image(content: bytes, name: str, limits: ImageLimits) -> JsonObject:
    """The picture as a part of a message; `BadRequest` for what is none, or of too many pixels."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _check_pixels(image, name, limits)
            sharp = image.format in LOSSLESS_FORMATS
            return _image_part(_reduce(image, limits.longest_side), "PNG" if sharp else "JPEG")
    except UnidentifiedImageError:
        raise BadRequest(
            f"{name} is no picture that can be read", hint=f"take one of {', '.join(FORMATS)}"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name, limits) from None
    # Pillow's decoders answer a broken file with these, whatever the format.
    except (OSError, SyntaxError, ValueError, EOFError) as broken:
        raise BadRequest(f"the picture {name} is broken: {broken}") from None


def _check_pixels(image: Image.Image, name: str, limits: ImageLimits) -> None:
    if image.width * image.height > limits.pixels:
        raise _too_many_pixels(name, limits)


def _too_many_pixels(name: str, limits: ImageLimits) -> BadRequest:
    return BadRequest(
        f"the picture {name} has more than {limits.pixels} pixels",
        hint="make it smaller, or pass ImageLimits(pixels=...)",
    )


def _reduce(image: Image.Image, longest_side: int) -> Image.Image:
    size = (longest_side, longest_side)
    # A JPEG can be decoded at a fraction of its size.
    image.draft("RGB", size)
    upright = ImageOps.exif_transpose(image)
    on_paper = (
        _fill_background(upright) if upright.has_transparency_data else upright.convert("RGB")
    )
    on_paper.thumbnail(size)
    return on_paper


def _fill_background(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    paper = Image.new("RGB", layer.size, BACKGROUND)
    paper.paste(layer, mask=layer)
    return paper


def _image_part(image: Image.Image, kind: str) -> JsonObject:
    written = BytesIO()
    image.info.clear()
    image.save(written, kind, quality=JPEG_QUALITY)
    encoded = base64.b64encode(written.getvalue()).decode()
    url = f"data:image/{kind.lower()};base64,{encoded}"
    return {"type": "image_url", "image_url": {"url": url}}
