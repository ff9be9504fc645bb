"""The value of a Python program's last expression, what it displays, and its figures."""

import binascii
import json
import os
import sys
from itertools import islice

from sandbox_runner.python import figures
from sandbox_runner.python.display import MAX_ROWS, encode, is_truncated, representations
from sandbox_runner.python.exit import attempt

MAX_REPR_CHARS = 65_536
MAX_BYTES = 5 << 20
MAX_FIGURES = 24

NO_VALUE = object()


class ValueWriter:
    """Writes values to the runner as they come, on a pipe that the program may have replaced."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.begin()

    def begin(self) -> None:
        """Begins with another program's values."""
        self._identity = _identity(self._pipe)
        self._owner = os.getpid()
        self._left = MAX_BYTES
        self._drawn = self._figures = 0

    def write(self, value: object) -> None:
        """Writes the value, unless it is NO_VALUE or None, and the figures that are open."""
        self.display(value, is_result=True)
        if "matplotlib.pyplot" in sys.modules:
            self.write_figures()
        if self._figures > self._drawn:
            left_out = f"{self._figures - self._drawn} of {self._figures} figures"
            self._send(skipped=[f"{left_out}: more than {MAX_FIGURES}, or too large"])

    def display(self, value: object, *, is_result: bool = False) -> list[str]:
        """Writes what the value looks like, and its repr where it is the program's last one.

        Returns the media types.
        """
        # A process that the program forked writes none of its own.
        if value is NO_VALUE or value is None or os.getpid() != self._owner:
            return []
        skipped: list[str] = []
        text = self._repr(value, skipped) if is_result else None
        rich = self._shown(value, skipped)
        if is_result or rich:
            self._send(result_repr=text, rich=rich, skipped=skipped)
        return [shown["media_type"] for shown in rich]

    def write_figures(self) -> None:
        """Writes the figures that are open, and closes them."""
        for figure in figures.open_figures():
            if os.getpid() == self._owner and not figures.is_empty(figure):
                self._write_figure(figure)
            figures.close(figure)

    def write_rich(self, media_type: str, content: object) -> None:
        """Writes something that has its form already."""
        rich: list[dict[str, str]] = []
        skipped: list[str] = []
        self._add(media_type, content, rich, skipped)
        self._send(rich=rich, skipped=skipped)

    def _write_figure(self, figure: object) -> None:
        self._figures += 1
        if self._drawn < MAX_FIGURES:
            rich = self._shown(figure, [])
            self._drawn += bool(rich)
            self._send(rich=rich)

    def _shown(self, value: object, skipped: list[str]) -> list[dict[str, str]]:
        import warnings  # noqa: PLC0415 - most programs have no values

        rich: list[dict[str, str]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for media_type, render in representations(value):
                content, error = attempt(render)
                if error is not None and not isinstance(error, Exception):
                    raise error
                self._add(media_type, content, rich, skipped)
        if figures.is_figure(value):
            figures.close(value)
        if is_truncated(value):
            skipped.append(f"rows of a table: more than {MAX_ROWS}")
        return rich

    def _repr(self, value: object, skipped: list[str]) -> str:
        text, error = attempt(lambda: repr(_shortened(value)))
        if isinstance(error, KeyboardInterrupt):
            raise error
        if text is None:
            return f"<{type(value).__name__} object, whose repr raised {type(error).__name__}>"
        if len(text) > MAX_REPR_CHARS:
            skipped.append(f"characters of the value: more than {MAX_REPR_CHARS}")
        return text[:MAX_REPR_CHARS].encode(errors="replace").decode()

    def _add(
        self, media_type: str, content: object, rich: list[dict[str, str]], skipped: list[str]
    ) -> None:
        content, _ = attempt(lambda: encode(media_type, content))
        if isinstance(content, bytes):
            form, text = "base64", binascii.b2a_base64(content, newline=False).decode()
        elif isinstance(content, str):
            form, text = "text", content.encode(errors="replace").decode()
        else:
            return
        size = len(json.dumps(text))
        if size > self._left:
            skipped.append(f"{media_type} of {size} bytes: more than {MAX_BYTES} in all")
            return
        self._left -= size
        rich.append({"media_type": media_type, form: text})

    def _send(self, **message: object) -> None:
        # INVARIANT: the program may have closed the pipe and opened a file of its own in its place.
        if _identity(self._pipe) != self._identity or os.getpid() != self._owner:
            return
        left = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while left:
                left = left[os.write(self._pipe, left) :]
        except OSError:
            return


def _identity(pipe: int) -> tuple[int, int]:
    try:
        status = os.fstat(pipe)
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def _shortened(value: object) -> object:
    # A value that is too long to be shown is cut before it becomes even longer text.
    if type(value) in (str, bytes, bytearray, list, tuple) and len(value) > MAX_REPR_CHARS:  # type: ignore[arg-type]
        return value[:MAX_REPR_CHARS]  # type: ignore[index]
    if type(value) is dict and len(value) > MAX_REPR_CHARS:
        return dict(islice(value.items(), MAX_REPR_CHARS))
    if type(value) in (set, frozenset) and len(value) > MAX_REPR_CHARS:  # type: ignore[arg-type]
        return set(islice(value, MAX_REPR_CHARS))  # type: ignore[call-overload]
    return value
