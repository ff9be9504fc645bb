"""The program's own file: outside of the workspace, or in it for a while, over no other file."""

import os

from mini_agent_protocol.order import RunOrder
from mini_agent_protocol.record import Record
from sandbox_runner.paths import SNIPPET_FOLDER, WORKSPACE

MAX_NAMES = 1000
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
# What an interpreter looks for beside a program is beside the workspace's files.
LINKS = ("node_modules", "package.json")


class ProgramFile(Record):
    """A file that was written for an order; `inode` tells it from what later takes its place."""

    folder: str
    name: str
    inode: int

    @property
    def path(self) -> str:
        """The absolute path."""
        return f"{self.folder}/{self.name}"

    def withdraw(self, content: bytes) -> None:
        """Removes it from the workspace, unless the program has made a file of its own of it."""
        if self.folder != WORKSPACE:
            return
        try:
            if os.lstat(self.path).st_ino == self.inode and _holds(self.path, content):
                os.unlink(self.path)
        except OSError:
            return


def place_program(order: RunOrder) -> ProgramFile:
    """Writes the order's program under the first name that is free."""
    if order.beside:
        return _write(WORKSPACE, order)
    _clear(order.program)
    return _write(SNIPPET_FOLDER, order)


def _write(folder: str, order: RunOrder) -> ProgramFile:
    for number in range(1, MAX_NAMES):
        name = order.program if number == 1 else order.program.replace("main", f"main_{number}", 1)
        try:
            file = os.open(f"{folder}/{name}", NEW_FILE, 0o644)
        except FileExistsError:
            continue
        with open(file, "wb") as program:
            program.write(order.code.encode())
            return ProgramFile(folder, name, os.fstat(file).st_ino)
    raise FileExistsError(f"{MAX_NAMES} files with names such as {order.program}")


def _clear(name: str) -> None:
    try:
        os.unlink(f"{SNIPPET_FOLDER}/{name}")
    except FileNotFoundError:
        return
    except OSError:
        # An earlier program of the session took its permissions, or made a folder of it.
        os.chmod(SNIPPET_FOLDER, 0o700)


def _holds(path: str, content: bytes) -> bool:
    with open(path, "rb") as file:
        return file.read(len(content) + 1) == content


def link_workspace() -> None:
    """Makes the workspace's packages those of a program that lies outside of it."""
    for name in LINKS:
        os.symlink(f"{WORKSPACE}/{name}", f"{SNIPPET_FOLDER}/{name}")
