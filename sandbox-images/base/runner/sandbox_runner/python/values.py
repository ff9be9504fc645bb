"""What a Python program's last expression was worth, and the figures that it left open."""

import binascii
import json
import os
from itertools import islice

from sandbox_runner.python.display import (
    MAX_FIGURES,
    Render,
    encode_json,
    figures,
    representations,
    is_truncated,
)

MAX_REPR_CHARS = 65_536
MOST_BYTES = 5 << 20

NO_VALUE = object()


class ValueWriter:
    """Values on their way to the runner, on a pipe that the program might have meddled with."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._identity = _identity(pipe)
        self._owner = os.getpid()
        self._rich: list[dict[str, str]] = []
        self._left = MOST_BYTES
        self._cut = False

    def tell(self, value: object) -> None:
        """Tells the value, unless it is NO_VALUE or None, and the open figures, if there are any."""
        has_value = value is not NO_VALUE and value is not None
        drawn = figures()
        # A process that the program forked says nothing of its own.
        if os.getpid() != self._owner or not (has_value or drawn):
            return
        import warnings  # noqa: PLC0415 - most programs have no values

        said = self._repr(value) if has_value else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for media_type, make in representations(value) if has_value else ():
                self._add(media_type, make)
            for make in drawn[:MAX_FIGURES]:
                self._add("image/png", make)
        self._cut |= len(drawn) > MAX_FIGURES or is_truncated(value)
        self._write({"result_repr": said, "rich": self._rich, "cut": self._cut})

    def _repr(self, value: object) -> str:
        try:
            said = repr(_shortened(value))
        except KeyboardInterrupt:
            raise
        except BaseException as failed:  # noqa: BLE001 - it is the program's own code
            return f"<{type(value).__name__} object, whose repr raised {type(failed).__name__}>"
        self._cut |= len(said) > MAX_REPR_CHARS
        return said[:MAX_REPR_CHARS].encode(errors="replace").decode()

    def _add(self, media_type: str, make: Render) -> None:
        try:
            content = encode_json(make())
        except Exception:  # noqa: BLE001 - it is the program's own code
            return
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

    def _write(self, told: dict[str, object]) -> None:
        # INVARIANT: the program may have closed the pipe and opened a file of its own in its place.
        if _identity(self._pipe) != self._identity:
            return
        left = memoryview(json.dumps(told).encode())
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
    # What is far too long to be shown is not made into text that is longer still.
    if type(value) in (str, bytes, bytearray, list, tuple) and len(value) > MAX_REPR_CHARS:  # type: ignore[arg-type]
        return value[:MAX_REPR_CHARS]  # type: ignore[index]
    if type(value) is dict and len(value) > MAX_REPR_CHARS:
        return dict(islice(value.items(), MAX_REPR_CHARS))
    if type(value) in (set, frozenset) and len(value) > MAX_REPR_CHARS:  # type: ignore[arg-type]
        return set(islice(value, MAX_REPR_CHARS))  # type: ignore[call-overload]
    return value
