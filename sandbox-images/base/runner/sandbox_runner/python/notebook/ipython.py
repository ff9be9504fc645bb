"""The part of IPython.display that programs use: objects that say which media type they are."""

import os

MAX_NAME_CHARS = 255
# What libraries ask of a module of this name.
version_info = (8, 30, 0)


class DisplayObject:
    """Text or bytes with a media type, given as such or by the name of a file."""

    media_type = "text/plain"
    __module__ = "IPython.display"

    def __init__(
        self, data: object = None, url: object = None, filename: object = None, **_: object
    ) -> None:
        # IPython's first parameter can be a file's name as well.
        is_name = isinstance(data, str) and len(data) <= MAX_NAME_CHARS and os.path.isfile(data)
        path = filename or (data if is_name else None)
        self.data = (data if data is not None else url) if path is None else self._read(str(path))

    def _read(self, path: str) -> object:
        with open(path, encoding="utf-8") as file:
            return file.read()

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {self.media_type: self.data}

    def __str__(self) -> str:
        return str(self.data)


class HTML(DisplayObject):
    """HTML."""

    media_type = "text/html"


class Markdown(DisplayObject):
    """Markdown."""

    media_type = "text/markdown"


class Latex(DisplayObject):
    """LaTeX, with its own signs for formulas."""

    media_type = "text/latex"


class Math(Latex):
    """A formula in LaTeX, with or without the signs of one."""

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        formula = str(self.data).strip("$")
        return {self.media_type: f"$\\displaystyle {formula}$"}


class SVG(DisplayObject):
    """A drawing."""

    media_type = "image/svg+xml"


class JSON(DisplayObject):
    """What JSON can hold."""

    media_type = "application/json"


class Javascript(DisplayObject):
    """A script, which nothing runs here."""

    media_type = "application/javascript"


class Pretty(DisplayObject):
    """Text as it is."""

    def __repr__(self) -> str:
        return str(self.data)

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {}


class Image(DisplayObject):
    """A picture: the bytes of its file."""

    SIGNATURES = (
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"RIFF", "image/webp"),
    )

    def _read(self, path: str) -> object:
        with open(path, "rb") as file:
            return file.read()

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        content = self.data if isinstance(self.data, bytes) else b""
        found = [kind for signature, kind in self.SIGNATURES if content.startswith(signature)]
        return {found[0]: content} if found else {}


def ignore(*_: object, **__: object) -> None:
    """Does nothing: what a notebook would do to its page has no place here."""


def get_ipython() -> None:
    """There is no IPython that runs."""


clear_output = set_matplotlib_formats = ignore
