"""Representations of values for people: media types and their content."""

import binascii
import json
import sys
from collections.abc import Callable, Iterator

from sandbox_runner.python import figures
from sandbox_runner.python.exit import attempt

MAX_ROWS = 1000

_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "application/json": "_repr_json_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
}
_PLAIN = "text/plain"
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")

# Makes the content when called: text, bytes, or anything else that the program's code returns.
Render = Callable[[], object]


def representations(value: object) -> Iterator[tuple[str, Render]]:
    """The representations that a value has: media types, and what renders each."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        frame = value if isinstance(value, pandas.DataFrame) else value.to_frame()
        yield "text/html", frame._repr_html_
        yield "application/json", lambda: _table(value)
    elif figures.is_figure(value):
        if not figures.is_empty(value):
            yield "image/png", lambda: figures.png(value)
    else:
        yield from _bundle(value) or _own(value)


def is_truncated(value: object) -> bool:
    """Whether a table has more rows than go into its JSON."""
    pandas = sys.modules.get("pandas")
    is_table = pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series)
    return is_table and len(value) > MAX_ROWS  # type: ignore[arg-type]


def encode(media_type: str, content: object) -> object:
    """Content as text or bytes: what is neither becomes JSON, an image in base64 its bytes."""
    if isinstance(content, tuple) and len(content) == 2:
        content = content[0]
    if isinstance(content, str) and media_type in _BINARY:
        return binascii.a2b_base64(content)
    if content is None or isinstance(content, bytes):
        return content
    is_text = isinstance(content, str) and not (
        media_type.endswith("json") and not _is_json(content)
    )
    return content if is_text else json.dumps(content)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _bundle(value: object) -> list[tuple[str, Render]]:
    if not callable(getattr(type(value), "_repr_mimebundle_", None)):
        return []
    bundle, _ = attempt(lambda: value._repr_mimebundle_(include=None, exclude=None))  # type: ignore[attr-defined]
    if isinstance(bundle, tuple):
        bundle = bundle[0]
    if not isinstance(bundle, dict):
        return []
    return [(str(name), lambda it=it: it) for name, it in bundle.items() if name != _PLAIN]  # type: ignore[misc]


def _own(value: object) -> Iterator[tuple[str, Render]]:
    has_png = callable(getattr(type(value), "_repr_png_", None))
    for media_type, method in _METHODS.items():
        # The same picture twice is no better than once.
        if callable(getattr(type(value), method, None)) and not (
            has_png and media_type == "image/jpeg"
        ):
            yield media_type, getattr(value, method)


def _table(value: object) -> object:
    rows = value.head(MAX_ROWS)  # type: ignore[attr-defined]
    text, error = attempt(lambda: _to_json(rows))
    # Bytes that are no text, for example, have no JSON of their own.
    return text if error is None else _to_json(_as_text(rows))


def _as_text(rows: object) -> object:
    return rows.apply(lambda values: values.map(str) if hasattr(values, "map") else str(values))  # type: ignore[attr-defined]


def _to_json(rows: object) -> object:
    return rows.to_json(orient="split", date_format="iso", default_handler=str)  # type: ignore[attr-defined]
