"""Runs in a sandbox and prints, for each thing that has to be denied there, whether it is."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from collections.abc import Callable

PR_GET_NO_NEW_PRIVS = 39
PTRACE_TRACEME = 0
UNCHANGED = 0xFFFFFFFF
# TEST-NET-1 (RFC 5737), which is never routed.
UNROUTABLE_ADDRESS = ("192.0.2.1", 80)
WORKSPACE_MB = 4
MIB = 1 << 20


def no_root() -> bool:
    """Check that neither user nor group is root."""
    return 0 not in {*os.getresuid(), *os.getresgid(), *os.getgroups()}


def no_network() -> bool:
    """Check that there is no route to a network, so that attempts fail at once."""
    try:
        socket.create_connection(UNROUTABLE_ADDRESS, timeout=1).close()
    except OSError as refused:
        # gVisor reports EHOSTUNREACH, which elsewhere may also come from a firewall on the way.
        only_loopback = [name for _, name in socket.if_nameindex()] == ["lo"]
        unreachable = errno.EHOSTUNREACH if only_loopback else errno.ENETUNREACH
        return refused.errno in {errno.ENETUNREACH, unreachable}
    return False


def no_capabilities() -> bool:
    """Check that all five sets of capabilities are empty."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - as cheap as can be
        sets = [line.split()[1] for line in status if line.startswith("Cap")]
    return len(sets) >= 4 and all(int(capabilities, 16) == 0 for capabilities in sets)


def no_new_privileges() -> bool:
    """Check that running a set-uid program cannot add privileges."""
    return bool(ctypes.CDLL(None).prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)


def no_writable_root() -> bool:
    """Check that the root file system is mounted read-only."""
    return bool(os.statvfs("/").f_flag & os.ST_RDONLY)


def no_more_room() -> bool:
    """Check that the workspace holds no more than its limit."""
    try:
        with open("large", "wb") as large:  # noqa: PTH123
            large.write(bytes((WORKSPACE_MB + 1) * MIB))
    except OSError as full:
        return full.errno == errno.ENOSPC
    finally:
        os.unlink("large")  # noqa: PTH108
    return False


def no_tracing() -> bool:
    """Check that seccomp refuses ptrace and a change of personality."""
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
