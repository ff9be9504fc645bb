"""Runs in a sandbox and tells of each thing that has to be denied there whether it is."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable

PR_GET_NO_NEW_PRIVS = 39
PTRACE_TRACEME = 0
UNCHANGED = 0xFFFFFFFF
# An address that is kept for documentation and never routed.
UNROUTABLE_ADDRESS = ("192.0.2.1", 80)
WORKSPACE_MB = 4
MIB = 1 << 20


def no_root() -> bool:
    """Neither by user nor by group."""
    return 0 not in {*os.getresuid(), *os.getresgid(), *os.getgroups()}


def no_network() -> bool:
    """Not even a way to it, so that it is known at once."""
    try:
        socket.create_connection(UNROUTABLE_ADDRESS, timeout=1).close()
    except OSError as refused:
        # In gVisor's words it is the host, which elsewhere a firewall on the way may say too.
        only_loopback = [name for _, name in socket.if_nameindex()] == ["lo"]
        unreachable = errno.EHOSTUNREACH if only_loopback else errno.ENETUNREACH
        return refused.errno in {errno.ENETUNREACH, unreachable}
    return False


def no_capabilities() -> bool:
    """Of any of the five kinds."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - as cheap as can be
        sets = [line.split()[1] for line in status if line.startswith("Cap")]
    return len(sets) >= 4 and all(int(held, 16) == 0 for held in sets)


def no_new_privileges() -> bool:
    """By running a program that has more than this one."""
    return bool(ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)


def no_writable_root() -> bool:
    """As a file system, whoever asks."""
    return bool(os.statvfs("/").f_flag & os.ST_RDONLY)


def no_more_room() -> bool:
    """Than was asked for, in the workspace."""
    try:
        with open("large", "wb") as large:  # noqa: PTH123
            large.write(bytes((WORKSPACE_MB + 1) * MIB))
    except OSError as full:
        return full.errno == errno.ENOSPC
    finally:
        os.unlink("large")  # noqa: PTH108
    return False


def no_tracing() -> bool:
    """A filter on system calls refuses it, and a change of personality."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 == libc.personality(UNCHANGED))


CHECKS: tuple[Callable[[], bool], ...] = (
    no_root,
    no_network,
    no_capabilities,
    no_new_privileges,
    no_writable_root,
    no_more_room,
    no_tracing,
)

if __name__ == "__main__":
    for check in CHECKS:
        print(check.__name__, "holds" if check() else "FAILS")
