"""A proxy before the engine's socket that delays, cuts and garbles what goes through it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

ENGINE = "/var/run/docker.sock"
CHUNK = 65_536

Change = Callable[[bytes], bytes]


def as_it_is(said: bytes) -> bytes:
    """Nothing is changed."""
    return said


class EngineProxy:
    """Passes everything on, until it is told otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: Change = as_it_is
        self._slow = (b"", 0.0)
        self._passes = threading.Event()
        self._passes.set()
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.path))
        self._listener.listen(128)
        self._begin(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._passes.set()
        for thread in self._threads:
            thread.join(10)

    def cut(self) -> None:
        """Ends every connection; those that come are ended at once."""
        self._is_cut = True
        for each in tuple(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def hang(self) -> None:
        """Takes connections, and passes nothing on any more."""
        self._passes.clear()

    def delay(self, word: bytes, seconds: float) -> None:
        """What is asked with `word` in it is passed on later."""
        self._slow = (word, seconds)

    def heal(self) -> None:
        """Passes everything on again."""
        self.answers, self._slow, self._is_cut = as_it_is, (b"", 0.0), False
        self._passes.set()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._begin(partial(self._serve, caller))

    def _serve(self, caller: socket.socket) -> None:
        with caller, socket.socket(socket.AF_UNIX) as engine:
            if self._is_cut:
                return
            engine.connect(ENGINE)
            self._open |= {caller, engine}
            back = threading.Thread(target=self._pump, args=(engine, caller, self._back))
            back.start()
            self._pump(caller, engine, self._there)
            back.join()
            self._open -= {caller, engine}

    def _pump(self, source: socket.socket, sink: socket.socket, change: Change) -> None:
        with contextlib.suppress(OSError):
            while said := source.recv(CHUNK):
                sink.sendall(change(said))
            sink.shutdown(socket.SHUT_WR)

    def _there(self, said: bytes) -> bytes:
        word, seconds = self._slow
        if word and word in said:
            time.sleep(seconds)
        self._passes.wait()
        return said

    def _back(self, said: bytes) -> bytes:
        self._passes.wait()
        return self.answers(said)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()
