"""The value of a Python program's last expression, and the figures that it left open."""

import binascii
import json
import os
from itertools import islice

from sandbox_runner.python.display import (
    MAX_FIGURES,
    Render,
    encode_json,
    figures,
    is_truncated,
    representations,
)
from sandbox_runner.python.exit import attempt

MAX_REPR_CHARS = 65_536
MAX_BYTES = 5 << 20

NO_VALUE = object()


class ValueWriter:
    """Writes values to the runner, on a pipe that the program may have replaced."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._identity = _identity(pipe)
        self._owner = os.getpid()
        self._rich: list[dict[str, str]] = []
        self._left = MAX_BYTES
        self._cut = False

    def write(self, value: object) -> None:
        """Writes the value, unless it is NO_VALUE or None, and the figures that are open."""
        has_value = value is not NO_VALUE and value is not None
        drawn = figures()
        # A process that the program forked writes none of its own.
        if os.getpid() != self._owner or not (has_value or drawn):
            return
        import warnings  # noqa: PLC0415 - most programs have no values

        text = self._repr(value) if has_value else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for media_type, render in representations(value) if has_value else ():
                self._add(media_type, render)
            for render in drawn[:MAX_FIGURES]:
                self._add("image/png", render)
        self._cut |= len(drawn) > MAX_FIGURES or is_truncated(value)
        self._send({"result_repr": text, "rich": self._rich, "cut": self._cut})

    def _repr(self, value: object) -> str:
        text, error = attempt(lambda: repr(_shortened(value)))
        if isinstance(error, KeyboardInterrupt):
            raise error
        if text is None:
            return f"<{type(value).__name__} object, whose repr raised {type(error).__name__}>"
        self._cut |= len(text) > MAX_REPR_CHARS
        return text[:MAX_REPR_CHARS].encode(errors="replace").decode()

    def _add(self, media_type: str, render: Render) -> None:
        content, error = attempt(lambda: encode_json(render()))
        if error is not None and not isinstance(error, Exception):
            raise error
        if isinstance(content, bytes):
            self._keep(media_type, "base64", binascii.b2a_base64(content, newline=False).decode())
        elif isinstance(content, str):
            self._keep(media_type, "text", content.encode(errors="replace").decode())

    def _keep(self, media_type: str, form: str, content: str) -> None:
        self._left -= len(json.dumps(content))
        if self._left < 0:
            self._cut = True
        else:
            self._rich.append({"media_type": media_type, form: content})

    def _send(self, message: dict[str, object]) -> None:
        # INVARIANT: the program may have closed the pipe and opened a file of its own in its place.
        if _identity(self._pipe) != self._identity:
            return
        left = memoryview(json.dumps(message).encode())
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
