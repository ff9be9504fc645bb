"""Names of files in a workspace: which can be written, and which can be read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final
from unicodedata import category

MAX_NAME_BYTES: Final = 255
MAX_PATH_BYTES: Final = 1024
# The first is a folder of the runner's, the others names that it uses for a moment.
RESERVED_PREFIX: Final = ".mini-agent"


def normalize_new_path(name: str) -> str:
    """Return the path under which a file is made; `ValueError` says why there can be none.

    Any name that a file system takes, but for control characters, which hide what a name is.
    """
    path = normalize_path(name)
    control = next((character for character in path if category(character) == "Cc"), None)
    if control is not None:
        raise ValueError(f"file name {name!r} holds a control character, {control!r}")
    return path


def require_plain_path(name: str) -> None:
    """Raise `ValueError`, which says why, unless a file can be made under this name."""
    normalize_new_path(name)


def normalize_path(name: str) -> str:
    """Return the path of a file that may be there, relative to the workspace and without "./".

    Raises `ValueError`, which says why it can be none of the workspace's.
    """
    path = PurePosixPath(name)
    for why, holds in _reasons(name, path).items():
        if holds:
            raise ValueError(f"file name {name!r:.300} is not a plain relative path: it {why}")
    return str(path)


def _reasons(name: str, path: PurePosixPath) -> dict[str, bool]:
    encoded = name.encode(errors="surrogatepass")
    longest = max((len(part.encode(errors="surrogatepass")) for part in path.parts), default=0)
    return {
        "names no file": path.parts == () or name.endswith(("/", "/.")),
        "is absolute, so name it relative to the workspace": path.is_absolute(),
        "leads out of the workspace by '..'": ".." in path.parts,
        "holds a NUL character": "\0" in name,
        "is not valid Unicode text": not _is_text(name),
        f"has a part of more than {MAX_NAME_BYTES} bytes": longest > MAX_NAME_BYTES,
        f"has more than {MAX_PATH_BYTES} bytes": len(encoded) > MAX_PATH_BYTES,
        f"begins with {RESERVED_PREFIX}, which is the runner's": any(
            part.startswith(RESERVED_PREFIX) for part in path.parts
        ),
    }


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
