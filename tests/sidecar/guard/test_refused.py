"""What the guard refuses in front of a real engine, where each of these would have worked."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.docker.sidecar_process import docker, require_engine
from tests.sidecar.guard.create_bodies import body
from tests.sidecar.guard.guard_process import Guard, guard
from tests.sidecar.guard.json_changes import put
from tests.sidecar.guard.socket_client import ask, request

pytestmark = pytest.mark.docker

IMAGE = "mini-agent/sandbox-shell:local"
HOST = "HostConfig"
ATTACH = "stream=1&stdin=1&stdout=1&stderr=1"
UPGRADE = ("Upgrade: tcp", "Connection: Upgrade")


@pytest.fixture(scope="module")
def real() -> Iterator[Guard]:
    require_engine()
    with tempfile.TemporaryDirectory() as folder, guard(Path(folder)) as running:
        yield running


@pytest.fixture
async def foreign() -> AsyncIterator[str]:
    """A container that only looks like ours: it has a name of our pattern and not our label."""
    name = f"mini-agent-sandbox-{secrets.token_hex(8)}"
    await docker("run", "-d", "--name", name, "--entrypoint", "sleep", IMAGE, "60")
    yield name
    await docker("rm", "-f", name)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((HOST, "Privileged"), True),
        ((HOST, "Binds"), ["/:/host"]),
        ((HOST, "Binds"), []),
        ((HOST, "Mounts"), [{"Type": "bind", "Source": "/", "Target": "/host"}]),
        ((HOST, "VolumesFrom"), ["litellm-mini-agent"]),
        ((HOST, "VolumeDriver"), "local"),
        ((HOST, "PidMode"), "host"),
        ((HOST, "IpcMode"), "host"),
        ((HOST, "IpcMode"), "shareable"),
        ((HOST, "UTSMode"), "host"),
        ((HOST, "UsernsMode"), "host"),
        ((HOST, "CgroupnsMode"), "host"),
        ((HOST, "Cgroup"), "host"),
        ((HOST, "CgroupParent"), "/"),
        ((HOST, "NetworkMode"), "host"),
        ((HOST, "NetworkMode"), "bridge"),
        ((HOST, "NetworkMode"), "container:litellm-mini-agent"),
        ((HOST, "Devices"), [{"PathOnHost": "/dev/kvm", "PathInContainer": "/dev/kvm"}]),
        ((HOST, "DeviceCgroupRules"), ["a *:* rwm"]),
        ((HOST, "DeviceRequests"), [{"Count": -1, "Capabilities": [["gpu"]]}]),
        ((HOST, "CapAdd"), ["SYS_ADMIN"]),
        ((HOST, "CapDrop"), []),
        ((HOST, "GroupAdd"), ["docker"]),
        ((HOST, "SecurityOpt"), ["no-new-privileges", "seccomp=unconfined"]),
        ((HOST, "SecurityOpt", "0"), "apparmor=unconfined"),
        ((HOST, "SecurityOpt", "2"), "apparmor=unconfined"),
        ((HOST, "SecurityOpt", "2"), "systempaths=unconfined"),
        ((HOST, "SecurityOpt", "2"), "label=disable"),
        ((HOST, "MaskedPaths"), []),
        ((HOST, "ReadonlyPaths"), []),
        ((HOST, "ReadonlyRootfs"), False),
        ((HOST, "Runtime"), "io.containerd.runc.v2"),
        ((HOST, "Sysctls"), {"net.ipv4.ip_forward": "1"}),
        ((HOST, "ExtraHosts"), ["codex-agent:192.0.2.1"]),
        ((HOST, "Dns"), ["192.0.2.53"]),
        ((HOST, "Links"), ["litellm-mini-agent:x"]),
        ((HOST, "PortBindings"), {"80/tcp": [{"HostPort": "80"}]}),
        ((HOST, "PublishAllPorts"), True),
        ((HOST, "RestartPolicy", "Name"), "always"),
        ((HOST, "AutoRemove"), True),
        ((HOST, "Init"), True),
        ((HOST, "ContainerIDFile"), "/etc/cron.d/x"),
        ((HOST, "LogConfig", "Type"), "syslog"),
        ((HOST, "Annotations"), {"a": "b"}),
        ((HOST, "StorageOpt"), {"size": "100G"}),
        ((HOST, "Tmpfs", "/opt"), "rw,exec"),
        ((HOST, "Tmpfs", "/workspace"), "rw,size=64m,exec,suid,dev"),
        ((HOST, "OomKillDisable"), True),
        ((HOST, "OomScoreAdj"), -1000),
        ((HOST, "Memory"), 0),
        ((HOST, "MemorySwap"), -1),
        ((HOST, "NanoCpus"), 0),
        ((HOST, "CpuRtRuntime"), 950_000),
        ((HOST, "CpusetCpus"), "0-63"),
        ((HOST, "PidsLimit"), -1),
        ((HOST, "ShmSize"), 1 << 40),
        ((HOST, "Ulimits", "0"), {"Name": "core", "Soft": -1, "Hard": -1}),
        (("User",), "0:0"),
        (("User",), ""),
        (("User",), "root"),
        (("Image",), "debian:trixie-slim"),
        (("Image",), "mini-agent/codex-agent:local"),
        (("Entrypoint",), ["/bin/sh"]),
        (("Cmd",), ["60.0", "plain", "more"]),
        (("Cmd", "1"), "/bin/sh"),
        (("Env", "0"), "LD_PRELOAD=/tmp/x.so"),
        (("WorkingDir",), "/proc/self/fd/8"),
        (("Hostname",), "codex-agent"),
        (("Domainname",), "x"),
        (("MacAddress",), "02:42:ac:11:00:02"),
        (("Volumes",), {"/host": {}}),
        (("ExposedPorts",), {"80/tcp": {}}),
        (("Healthcheck",), {"Test": ["CMD-SHELL", "id"]}),
        (("OnBuild",), ["RUN id"]),
        (("StopSignal",), "SIGCONT"),
        (("Tty",), True),
        (("Labels", "mini-agent.instance"), "another"),
        (("Labels", "com.docker.compose.project"), "mini-agent"),
        (("Labels", "mini-agent.deadline"), "99999999999"),
        (("NetworkingConfig",), {"EndpointsConfig": {"bridge": {}}}),
        (("Platform",), "linux/arm64"),
    ],
    ids=str,
)
async def test_a_sandbox_with_another(
    real: Guard, place: tuple[str, ...], value: JsonValue
) -> None:
    content = json.dumps(put(body(real.instance), place, value)).encode()
    name = f"mini-agent-sandbox-{secrets.token_hex(8)}"
    reply = await ask(real.socket, request("POST", f"/containers/create?name={name}", content))
    assert (reply.status, reply.refusal().error.code) == (403, "refused_by_guard")
    assert await docker("ps", "-aq", "--filter", f"name={name}") == []


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/containers/{}/json"),
        ("POST", "/containers/{}/start"),
        ("POST", "/containers/{}/kill"),
        ("DELETE", "/containers/{}?force=1&v=1"),
        ("POST", "/containers/{}/exec"),
        ("POST", "/containers/{}/stop"),
        ("POST", "/containers/{}/restart"),
        ("POST", "/containers/{}/pause"),
        ("POST", "/containers/{}/update"),
        ("POST", "/containers/{}/rename?name=mini-agent-sandbox-00"),
        ("POST", "/containers/{}/wait"),
        ("POST", "/containers/{}/resize?h=1&w=1"),
        ("GET", "/containers/{}/logs?stdout=1"),
        ("GET", "/containers/{}/top"),
        ("GET", "/containers/{}/stats"),
        ("GET", "/containers/{}/changes"),
        ("GET", "/containers/{}/export"),
        ("GET", "/containers/{}/archive?path=/etc"),
        ("HEAD", "/containers/{}/archive?path=/etc"),
        ("PUT", "/containers/{}/archive?path=/etc"),
        ("GET", "/containers/{}/attach/ws?stream=1"),
        ("POST", "/commit?container={}"),
    ],
)
async def test_a_foreign_container_is_not_touched(
    real: Guard, foreign: str, method: str, target: str
) -> None:
    reply = await ask(real.socket, request(method, target.format(foreign)))
    assert reply.status == 403
    running = await docker("inspect", "--format", "{{.State.Running}},{{.RestartCount}}", foreign)
    assert running == ["true,0"]


async def test_a_foreign_container_is_not_attached_to(real: Guard, foreign: str) -> None:
    target = f"/containers/{foreign}/attach?{ATTACH}"
    assert (await ask(real.socket, request("POST", target, b"", *UPGRADE))).status == 403


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/build"),
        ("POST", "/build/prune"),
        ("POST", "/images/create?fromImage=debian"),
        ("POST", "/images/load"),
        ("GET", "/images/get?names=debian:trixie-slim"),
        ("GET", "/images/search?term=x"),
        ("POST", "/images/prune"),
        ("DELETE", "/images/debian:trixie-slim"),
        ("POST", "/images/debian:trixie-slim/push"),
        ("POST", "/containers/prune"),
        ("POST", "/exec/0123456789abcdef/start"),
        ("GET", "/exec/0123456789abcdef/json"),
        ("GET", "/volumes"),
        ("POST", "/volumes/create"),
        ("DELETE", "/volumes/mini-agent_mini-agent-token"),
        ("POST", "/volumes/prune"),
        ("GET", "/networks"),
        ("POST", "/networks/create"),
        ("POST", "/networks/bridge/connect"),
        ("POST", "/networks/prune"),
        ("GET", "/plugins"),
        ("POST", "/plugins/pull?remote=x"),
        ("POST", "/plugins/x/enable"),
        ("GET", "/swarm"),
        ("POST", "/swarm/init"),
        ("GET", "/nodes"),
        ("POST", "/services/create"),
        ("GET", "/tasks"),
        ("POST", "/secrets/create"),
        ("GET", "/secrets"),
        ("POST", "/configs/create"),
        ("GET", "/distribution/debian/json"),
        ("POST", "/auth"),
        ("GET", "/events"),
        ("GET", "/system/df"),
        ("GET", "/debug/pprof"),
        ("GET", "/metrics"),
        ("OPTIONS", "/_ping"),
        ("PATCH", "/containers/json"),
    ],
)
async def test_the_engine_is_not_asked_for(real: Guard, method: str, target: str) -> None:
    reply = await ask(real.socket, request(method, target))
    assert (reply.status, reply.refusal().error.code) == (403, "refused_by_guard")


@pytest.mark.parametrize("target", ["/session", "/grpc"])
async def test_there_is_no_stream_into_the_engine_itself(real: Guard, target: str) -> None:
    upgrade = ("Upgrade: h2c", "Connection: Upgrade")
    assert (await ask(real.socket, request("POST", target, b"", *upgrade))).status == 400
    assert (await ask(real.socket, request("POST", target, b"", *UPGRADE))).status == 403
