"""The profile of system calls, as the engine is given it."""

from __future__ import annotations

from pydantic import BaseModel

from codex_sidecar.engine import seccomp


class Argument(BaseModel):
    index: int
    value: int
    op: str


class Rule(BaseModel):
    names: list[str]
    action: str
    args: list[Argument] = []


class Profile(BaseModel):
    defaultAction: str  # noqa: N815 - the engine's spelling
    syscalls: list[Rule]


PROFILE = Profile.model_validate_json(seccomp.build_profile())


def test_what_is_not_listed_is_denied() -> None:
    assert PROFILE.defaultAction == "SCMP_ACT_ERRNO"


def test_no_call_is_listed_that_reaches_beyond_a_process_or_its_namespaces() -> None:
    allowed = {
        name for rule in PROFILE.syscalls if rule.action == "SCMP_ACT_ALLOW" for name in rule.names
    }
    kernel = {"bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key"}
    others = {"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"}
    rights = {"setuid", "setgid", "setresuid", "setgroups", "capset", "chroot", "mount", "unshare"}
    assert not allowed & (kernel | others | rights | {"setns", "open_by_handle_at", "clone3"})


def test_sockets_are_local_or_of_the_internet_alone() -> None:
    families = {
        rule.args[0].value for rule in PROFILE.syscalls if rule.names == ["socket"] and rule.args
    }
    assert families == {1, 2, 10, 16}
    assert all(rule.args for rule in PROFILE.syscalls if "socket" in rule.names)


def test_no_process_can_be_cloned_into_a_namespace_of_its_own() -> None:
    (clone,) = (rule for rule in PROFILE.syscalls if "clone" in rule.names)
    assert clone.args[0].op == "SCMP_CMP_MASKED_EQ"
    for flag in (
        0x00020000,
        0x02000000,
        0x04000000,
        0x08000000,
        0x10000000,
        0x20000000,
        0x40000000,
    ):
        assert clone.args[0].value & flag
