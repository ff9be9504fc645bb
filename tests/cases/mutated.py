"""A sidecar whose sandboxes lack one control: `python -m tests.cases.mutated NAME`. For a test.

Nothing here is large enough to harm the machine: what is not limited at all has an end all the
same, and the network leads nowhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from codex_sidecar.__main__ import main
from codex_sidecar.engine.confinement import Confinement
from codex_sidecar.runner.container import Container

Body = dict[str, JsonValue]
Change = Callable[[str], str]
NETWORK_VARIABLE: Final = "MINI_AGENT_TEST_NETWORK"
BODY: Final = "body"
READ_BACK: Final = "_verify_limits"
GIB: Final = 1 << 30


def host(**changes: JsonValue) -> Callable[[Body], Body]:
    """Other values for what the host is asked for."""

    def changed(body: Body) -> Body:
        return _with_host(body, changes)

    return changed


def ulimit(name: str, value: int) -> Callable[[Body], Body]:
    """Another limit of a process."""

    def changed(body: Body) -> Body:
        limits = _list(_host(body)["Ulimits"])
        others = [one for one in limits if _dict(one)["Name"] != name]
        mine: JsonValue = {"Name": name, "Soft": value, "Hard": value}
        return _with_host(body, {"Ulimits": [*others, mine]})

    return changed


def mounts(old: str, new: str) -> Callable[[Body], Body]:
    """Other options of the folders in memory."""

    def changed(body: Body) -> Body:
        folders = _dict(_host(body)["Tmpfs"])
        options = {place: str(said).replace(old, new) for place, said in folders.items()}
        return _with_host(body, {"Tmpfs": dict(options)})

    return changed


def root(body: Body) -> Body:
    """The user that the images have, to whom the workspace belongs then."""
    user = str(body["User"]).partition(":")[0]
    owned = mounts(f"uid={user},gid={user}", "uid=0,gid=0")(body)
    return owned | {"User": "0:0"}


def named_by_the_engine(body: Body) -> Body:
    """The host's name is the container's id."""
    return {name: value for name, value in body.items() if name != "Hostname"}


def network(body: Body) -> Body:
    """A network without any way out, made for the test."""
    return _with_host(body, {"NetworkMode": os.environ[NETWORK_VARIABLE]})


MUTATIONS: Final = MappingProxyType[str, Callable[[Body], Body]](
    {
        "user": root,
        "read-only": host(ReadonlyRootfs=False),
        "capabilities": host(CapDrop=[]),
        # Without it the engine cannot load a filter that forbids setgroups.
        "no-new-privileges": host(SecurityOpt=[]),
        "seccomp": host(SecurityOpt=["no-new-privileges"]),
        "seccomp-unconfined": host(SecurityOpt=["no-new-privileges", "seccomp=unconfined"]),
        "network": network,
        "dns": host(Dns=[]),
        "pids": host(PidsLimit=600),
        "memory": host(Memory=2 * GIB, MemorySwap=2 * GIB),
        "cpus": host(NanoCpus=2 * 10**9),
        "oom-score": host(OomScoreAdj=0),
        "shm-size": host(ShmSize=128 << 20),
        "cgroupns": host(CgroupnsMode="host"),
        "hostname": named_by_the_engine,
        "tmp-size": mounts("size=64m,mode=1777", "size=200m,mode=1777"),
        "workspace-size": mounts("size=8m", "size=64m"),
        "inodes": mounts("nr_inodes=16384", "nr_inodes=65536"),
        "mount-flags": mounts("nosuid,nodev", "suid,dev"),
        "tmp-noexec": mounts("noexec", "exec"),
        "file-size": ulimit("fsize", -1),
        "open-files": ulimit("nofile", 4096),
        "core": ulimit("core", -1),
        "memlock": ulimit("memlock", 8 << 20),
    }
)
ONE_USER: Final = "unique-user"
NAMES: Final = (*MUTATIONS, ONE_USER)


def mutate(name: str) -> None:
    """From now on every sandbox lacks what the name says."""
    original = Confinement.body

    def body(confinement: Confinement) -> Body:
        if name == ONE_USER:
            return original(replace(confinement, uid=654_321))
        return MUTATIONS[name](json.loads(json.dumps(original(confinement))))

    setattr(Confinement, BODY, body)
    # The sidecar finds most of this out by itself and refuses; here the cases have to.
    setattr(Container, READ_BACK, believe)


async def believe(_: Container) -> None:
    """Asks the engine nothing."""


def _with_host(body: Body, changes: dict[str, JsonValue]) -> Body:
    return body | {"HostConfig": _host(body) | changes}


def _host(body: Body) -> dict[str, JsonValue]:
    return _dict(body["HostConfig"])


def _dict(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value


def _list(value: JsonValue) -> list[JsonValue]:
    assert isinstance(value, list)
    return value


if __name__ == "__main__":
    mutate(sys.argv[1])
    main()
