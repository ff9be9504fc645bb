"""Runs in a container with small limits and prints each that it runs into."""

import os
import signal
import time

SHARE = 0.8


def memory() -> bool:
    """A child that takes too much is killed, or gets no more."""
    child = os.fork()
    if child == 0:
        try:
            taken = bytearray(200 << 20)
            taken[::4096] = bytes(len(taken[::4096]))
        except MemoryError:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def processes() -> bool:
    """At some point there are no more."""
    children: list[int] = []
    try:
        while len(children) < 64:
            child = os.fork()
            if child == 0:
                signal.pause()
                os._exit(0)
            children.append(child)
    except BlockingIOError:
        return True
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return False


def cpu() -> bool:
    """Half a core is had where a whole one is wanted."""
    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < 1:
        pass
    return time.process_time() - used < SHARE * (time.monotonic() - began)


if __name__ == "__main__":
    for limit in (memory, processes, cpu):
        if limit():
            print(limit.__name__, flush=True)
