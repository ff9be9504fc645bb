"""Encodes an image for a model: upright, reduced, without metadata."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from mini_agent.agent.images.sources import ImageLimits
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject

FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
# Formats that models do not take, and Pillow decodes without another program.
OTHER_FORMATS: Final = ("AVIF", "BMP", "ICNS", "ICO", "JPEG2000", "MPO", "PPM", "TGA", "TIFF")
# Formats of drawings and screenshots, whose letters JPEG blurs.
LOSSLESS_FORMATS: Final = ("PNG", "GIF", "BMP", "ICNS", "ICO", "PPM", "TGA", "TIFF")
JPEG_QUALITY: Final = 85
BACKGROUND: Final = "white"


def convert_image(content: bytes, name: str, limits: ImageLimits) -> JsonObject:
    """Encodes an image of any format that Pillow decodes; raises as `encode_image` does."""
    Image.init()
    known = tuple(each for each in (*FORMATS, *OTHER_FORMATS) if each in Image.OPEN)
    return encode_image(content, name, limits, formats=known)


def encode_image(
    content: bytes, name: str, limits: ImageLimits, *, formats: tuple[str, ...] = FORMATS
) -> JsonObject:
    """Encodes an image as a part of a message.

    Raises `BadRequest` for what is no image or has too many pixels.
    """
    try:
        with Image.open(BytesIO(content), formats=formats) as image:
            _check_pixels(image, name, limits)
            is_lossless = image.format in LOSSLESS_FORMATS
            reduced = _reduce(image, limits.longest_side)
            return _image_part(reduced, "PNG" if is_lossless else "JPEG")
    except UnidentifiedImageError:
        raise BadRequest(
            f"{name} is no picture that can be read", hint=f"take one of {', '.join(FORMATS)}"
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(name, limits) from None
    # Pillow's decoders raise these for a broken file, whatever the format.
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
    opaque = _fill_background(upright) if upright.has_transparency_data else upright.convert("RGB")
    opaque.thumbnail(size)
    return opaque


def _fill_background(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    background = Image.new("RGB", layer.size, BACKGROUND)
    background.paste(layer, mask=layer)
    return background


def _image_part(image: Image.Image, image_format: str) -> JsonObject:
    written = BytesIO()
    image.info.clear()
    image.save(written, image_format, quality=JPEG_QUALITY)
    encoded = base64.b64encode(written.getvalue()).decode()
    url = f"data:image/{image_format.lower()};base64,{encoded}"
    return {"type": "image_url", "image_url": {"url": url}}
