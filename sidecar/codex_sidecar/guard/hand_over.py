"""A container's streams, given to the client itself: afterwards the guard is out of their way."""

from __future__ import annotations

import os
import socket
from typing import Final

from codex_sidecar.guard.http import Incoming

_HANDED_OVER: Final = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\nDescriptor: 1\r\n\r\n"
)


def handed_over(client: Incoming, engine: Incoming) -> bool:
    """Sends the client the engine's connection; False where some of it has been read already.

    A connection that the engine has upgraded never becomes HTTP again, so it is good for the
    streams of this one container and for nothing else.
    """
    if not (engine.hears_no_more() and client.hears_no_more()):
        return False
    try:
        with socket.socket(fileno=os.dup(client.descriptor)) as to_client:
            socket.send_fds(to_client, [_HANDED_OVER], [engine.descriptor])
    except OSError as lost:
        raise EOFError from lost
    finally:
        engine.close()
    return True
