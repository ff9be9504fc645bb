"""What a sandbox cannot do."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.docker.sidecar_process import Sidecar, docker, execute

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        ("socket.create_connection(('192.0.2.1', 80), 2)", "ENETUNREACH"),
        ("socket.socket(socket.AF_VSOCK)", "EPERM"),
        ("socket.socket(38, socket.SOCK_SEQPACKET)", "EPERM"),
        ("open('/etc/added', 'w')", "EROFS"),
        ("open('/proc/sys/kernel/core_pattern', 'w')", "EROFS"),
        ("os.unshare(os.CLONE_NEWUSER)", "EPERM"),
        ("os.setuid(0)", "EPERM"),
        ("os.chroot('/tmp')", "EPERM"),
        ("open('/proc/1/environ')", "EACCES"),
        ("open('/proc/1/mem', 'rb')", "EACCES"),
        ("os.listdir('/proc/1/fd')", "EACCES"),
        ("open('/tmp/big', 'wb').truncate(1 << 40)", "EFBIG"),
    ],
)
async def test_an_attempt_is_refused(client: httpx.AsyncClient, attempt: str, answer: str) -> None:
    code = (
        f"import errno, os, signal, socket\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"try:\n    {attempt}\n    print('done')\n"
        "except OSError as refused:\n    print(errno.errorcode[refused.errno])"
    )
    ran = await execute(client, "python", code)
    assert (ran.stdout, ran.stderr) == (f"{answer}\n", "")


async def test_a_snippet_is_nobody_without_any_right(client: httpx.AsyncClient) -> None:
    rights = "grep -hE '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status"
    code = f"{rights}; hostname; ls /sys/class/net"
    ran = await execute(client, "bash", code)
    assert ran.stdout.split() == [
        *("CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2"),
        *("sandbox", "lo"),
    ]


async def test_the_first_process_survives_whatever_a_snippet_sends_it(
    client: httpx.AsyncClient,
) -> None:
    code = "kill -INT 1; kill -TERM 1; kill -KILL 1; kill -ALRM 1; kill -CHLD 1; echo still here"
    ran = await execute(client, "bash", code)
    assert (ran.status, ran.stdout) == ("ok", "still here\n")


async def test_no_two_sandboxes_have_one_user_and_the_engine_holds_the_whole_profile(
    real: Sidecar, client: httpx.AsyncClient
) -> None:
    async with asyncio.TaskGroup() as running:
        runs = [running.create_task(execute(client, "bash", "id -u; sleep 2")) for _ in range(2)]
        ids: list[str] = []
        while len(ids) < 2:
            ids = await docker("ps", "-q", "--filter", f"label=mini-agent.instance={real.instance}")
        shown = await docker(
            "inspect",
            "--format",
            "{{.HostConfig.ReadonlyRootfs}},{{.HostConfig.NetworkMode}},{{.HostConfig.CapDrop}},"
            "{{.HostConfig.LogConfig.Type}},{{.HostConfig.Privileged}},{{len .Mounts}},"
            "{{.HostConfig.OomScoreAdj}},{{.HostConfig.IpcMode}},{{.HostConfig.CgroupnsMode}}",
            *ids,
        )
    assert set(shown) == {"true,none,[ALL],none,false,0,500,private,private"}
    uids = {int(run.result().stdout) for run in runs}
    assert len(uids) == 2
    assert min(uids) >= 100_000


async def test_two_snippets_share_nothing(client: httpx.AsyncClient) -> None:
    await execute(client, "bash", "echo secret >/tmp/left; echo secret >left; sleep 100 &")
    ran = await execute(client, "bash", "ls -A /tmp /workspace /dev/shm; ps -e | grep -c sleep")
    assert "left" not in ran.stdout
    assert ran.stdout.endswith("0\n")
