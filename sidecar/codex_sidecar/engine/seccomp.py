"""The system calls a sandbox may make: an allow-list. Every other call fails with EPERM."""

from __future__ import annotations

import errno
import json
from typing import Final

from pydantic import JsonValue

_MEMORY: Final = """
    brk cachestat fadvise64 get_mempolicy madvise map_shadow_stack membarrier memfd_create
    mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap
    pkey_alloc pkey_free pkey_mprotect process_madvise
"""
_FILES: Final = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat
    faccessat2 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
    fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat
    getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
    inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek
    lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2
    pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx
    symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime
    utimensat utimes write writev
"""
_PROCESSES: Final = """
    arch_prctl capget execve execveat exit exit_group fork getcpu getegid geteuid getgid
    getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage
    getsid gettid getuid kill pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
    sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
    set_robust_list get_robust_list set_tid_address setpgid setpriority setrlimit setsid
    sigaltstack sysinfo tgkill times tkill uname vfork wait4 waitid landlock_add_rule
    landlock_create_ruleset landlock_restrict_self
"""
_WAITING: Final = """
    alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl
    epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 futex futex_requeue futex_wait
    futex_waitv futex_wake getitimer getrandom gettimeofday nanosleep pause poll ppoll pselect6
    select setitimer signalfd signalfd4 time timer_create timer_delete timer_getoverrun
    timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
"""
_SOCKETS: Final = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg
    recvmsg sendmmsg sendmsg sendto setsockopt shutdown socketpair
"""

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
# CLONE_NEWTIME is not among them: as a clone flag that bit is part of the signal number.
NAMESPACE_FLAGS: Final = 0x7E02_0000


def build_profile() -> str:
    """Return the profile as JSON, which the engine takes inline in the security options.

    INVARIANT: used only with no-new-privileges; otherwise the filter is loaded so early that the
    start itself would need calls which are denied here.
    """
    calls = f"{_MEMORY} {_FILES} {_PROCESSES} {_WAITING} {_SOCKETS}".split()
    rules: list[JsonValue] = [
        _allow(*calls),
        *(_allow("socket", _argument(0, family)) for family in (AF_UNIX, AF_INET, AF_INET6)),
        # Routing only (protocol 0): what getifaddrs() asks.
        _allow("socket", _argument(0, AF_NETLINK), _argument(2, 0)),
        _allow("clone", _masked_zero(0, NAMESPACE_FLAGS)),
        # Its flags lie in memory that no filter can read; on ENOSYS libc uses clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno.ENOSYS},
    ]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": errno.EPERM,
            "archMap": [
                {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
            ],
            "syscalls": rules,
        }
    )


def _allow(*names_and_arguments: str | dict[str, JsonValue]) -> dict[str, JsonValue]:
    names: list[JsonValue] = [item for item in names_and_arguments if isinstance(item, str)]
    arguments: list[JsonValue] = [item for item in names_and_arguments if isinstance(item, dict)]
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": arguments}


def _argument(index: int, value: int) -> dict[str, JsonValue]:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def _masked_zero(index: int, mask: int) -> dict[str, JsonValue]:
    return {"index": index, "value": mask, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
