"""Figures of matplotlib: each `show()` shows those that are open, as in a notebook."""

import sys
from collections.abc import Callable
from io import BytesIO
from types import ModuleType

HEADLESS_BACKEND = "agg"


def take_over(pyplot: ModuleType, write_open: Callable[[], None]) -> None:
    """Lets `pyplot.show()` write what is open, and other backends be the one without a display."""

    def show(*_: object, **__: object) -> None:
        write_open()

    switch = pyplot.switch_backend

    def switch_backend(newbackend: str) -> None:
        try:
            switch(newbackend)
        except ImportError:
            # It needs a display, and a sandbox has none.
            switch(HEADLESS_BACKEND)

    show.__doc__, switch_backend.__doc__ = pyplot.show.__doc__, switch.__doc__
    vars(pyplot).update(show=show, switch_backend=switch_backend)


def open_figures() -> list[object]:
    """The figures that pyplot holds open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [pyplot.figure(number) for number in pyplot.get_fignums()] if pyplot else []


def is_figure(value: object) -> bool:
    """Whether it is a figure, held by pyplot or not."""
    figures = sys.modules.get("matplotlib.figure")
    return figures is not None and isinstance(value, figures.Figure)


def close(figure: object) -> None:
    """Lets pyplot hold it no longer."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def is_empty(figure: object) -> bool:
    """Whether there is nothing on it but its background."""
    return len(figure.get_children()) < 2  # type: ignore[attr-defined]


def png(figure: object) -> bytes:
    """The figure with all its labels, which may lie outside of what it was made for."""
    content = BytesIO()
    figure.savefig(content, format="png", bbox_inches="tight")  # type: ignore[attr-defined]
    return content.getvalue()
