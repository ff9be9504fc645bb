"""Representations of values and figures for people: media types and their content."""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO

MAX_ROWS = 1000
MAX_FIGURES = 8

_METHODS = {
    "text/html": "_repr_html_",
    "image/svg+xml": "_repr_svg_",
    "application/json": "_repr_json_",
    "image/png": "_repr_png_",
}

# Makes the content when called: text, bytes, or anything else that the program's code returns.
Render = Callable[[], object]


def representations(value: object) -> Iterator[tuple[str, Render]]:
    """The representations that a value has: media types, and what renders each."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        frame = value if isinstance(value, pandas.DataFrame) else value.to_frame()
        yield "text/html", frame._repr_html_
        yield "application/json", lambda: _table(value)
        return
    for media_type, method in _METHODS.items():
        if callable(getattr(type(value), method, None)):
            yield media_type, getattr(value, method)


def figures() -> list[Render]:
    """The figures that matplotlib holds open; each call draws one as PNG and closes it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    numbers = pyplot.get_fignums() if pyplot else []
    return [partial(_png, number) for number in numbers]


def is_truncated(value: object) -> bool:
    """Whether a table has more rows than go into its JSON."""
    pandas = sys.modules.get("pandas")
    is_table = pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series)
    return is_table and len(value) > MAX_ROWS  # type: ignore[arg-type]


def encode_json(content: object) -> object:
    """Encodes what `_repr_json_` returned; text and bytes stay as they are."""
    return content if isinstance(content, str | bytes | None) else json.dumps(content)


def _table(value: object) -> object:
    rows = value.head(MAX_ROWS)  # type: ignore[attr-defined]
    return rows.to_json(orient="split", date_format="iso", default_handler=str)


def _png(number: int) -> bytes:
    pyplot = sys.modules["matplotlib.pyplot"]
    content = BytesIO()
    figure = pyplot.figure(number)
    try:
        figure.savefig(content, format="png")
    finally:
        pyplot.close(figure)
    return content.getvalue()
