"""An empty workspace, whatever a snippet has left in it."""

import os
import stat

from sandbox_runner.recipes import WORKSPACE
from sandbox_runner.workspace.files import FOLDER

PULLED_UP = ".mini-agent.wiped"


def wipe() -> None:
    """Removes all there is, folders without permissions and folders a thousand deep alike."""
    top = os.open(WORKSPACE, FOLDER)
    pulled_up = 0
    try:
        while names := os.listdir(top):
            for name in names:
                pulled_up = _remove(top, name, pulled_up)
    finally:
        os.close(top)


def _remove(top: int, name: str, pulled_up: int) -> int:
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return pulled_up
    # It is ours and no link, and nothing runs that could put one in its place.
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, FOLDER, dir_fd=top)
    try:
        for inner in os.listdir(folder):
            if not _is_folder(inner, folder):
                os.unlink(inner, dir_fd=folder)
                continue
            # Pulled up instead of gone into: no depth can use up descriptors or the stack.
            pulled_up += 1
            os.chmod(inner, 0o700, dir_fd=folder)
            os.rename(inner, f"{PULLED_UP}{pulled_up}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=top)
    return pulled_up


def _is_folder(name: str, at: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
