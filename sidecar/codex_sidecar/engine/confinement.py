"""A sandbox's confinement: the body with which its container is created, and the default limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from codex_sidecar.engine import seccomp
from codex_sidecar.kinds import Preload
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.languages import (
    LANGUAGES,
    REGISTRY,
    SPECS,
    USUAL_LANGUAGES,
    Language,
)

COMPILE_TIMEOUT_S: Final = 45.0


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """Limits of a snippet that names none; units as in `Limits`."""

    timeout_s: float = 10.0
    memory_mb: int = 288
    cpus: float = 1.0
    pids: int = 128
    output_bytes: int = 65_536
    workspace_mb: int = 64


_COMPILED: Final = DefaultLimits(timeout_s=30.0, memory_mb=768, pids=256, workspace_mb=300)

DEFAULT_LIMITS: Final = MappingProxyType[Language, DefaultLimits](
    {spec.name: _COMPILED if spec.compile else DefaultLimits() for spec in REGISTRY}
)


@dataclass(frozen=True, slots=True)
class ImageCatalog:
    """The names of the images: `prefix` + name + ":" + `tag`."""

    prefix: str
    tag: str

    def image(self, language: Language) -> str:
        """Return the image with the compiler or interpreter of a language."""
        return f"{self.prefix}{SPECS[language].image}:{self.tag}"

    def images(self) -> tuple[str, ...]:
        """Return every image, once, in the order of the languages."""
        return self._images(LANGUAGES)

    def required_images(self) -> tuple[str, ...]:
        """Return those that have to be present: of all languages that are not optional."""
        return self._images(USUAL_LANGUAGES)

    def _images(self, languages: Iterable[Language]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(self.image, languages)))


SANDBOX_LABEL: Final = "mini-agent.sandbox"
INSTANCE_LABEL: Final = "mini-agent.instance"
DEADLINE_LABEL: Final = "mini-agent.deadline"

MIN_UID: Final = 100_000
UID_COUNT: Final = 1_000_000_000

GVISOR: Final = "runsc"
MIB: Final = 1 << 20
MAX_INODES: Final = 16_384
MAX_FILE_MB: Final = 64
MAX_OPEN_FILES: Final = 1024
_SECCOMP: Final = seccomp.build_profile()


@dataclass(frozen=True, slots=True)
class Confinement:
    """A sandbox to be created: `uid` is used by no other, `deadline` is in epoch seconds."""

    image: str
    runtime: str
    uid: int
    limits: EnforcedLimits
    instance: str
    deadline: int
    lifetime_s: float
    preload: Preload = "plain"

    def body(self) -> dict[str, JsonValue]:
        """Return the body of the engine's create call; a request contributes only numbers."""
        return {
            "Image": self.image,
            "Cmd": [str(self.lifetime_s), self.preload],
            "User": f"{self.uid}:{self.uid}",
            "WorkingDir": "/workspace",
            "Hostname": "sandbox",
            "Env": [f"{name}={value}" for name, value in self._environment().items()],
            "Labels": {
                SANDBOX_LABEL: "1",
                INSTANCE_LABEL: self.instance,
                DEADLINE_LABEL: str(self.deadline),
            },
            # When the sidecar ends, the stream closes and the runner exits.
            **dict.fromkeys(("OpenStdin", "StdinOnce"), True),
            **dict.fromkeys(("AttachStdin", "AttachStdout", "AttachStderr"), True),
            "HostConfig": self._host_config(),
        }

    def _host_config(self) -> dict[str, JsonValue]:
        memory = self.limits.memory_mb * MIB
        return {
            "Runtime": self.runtime,
            "NetworkMode": "none",
            "Dns": ["127.0.0.1"],
            "ReadonlyRootfs": True,
            "Tmpfs": self._tmpfs(),
            "ShmSize": shm_mb(self.limits.memory_mb) * MIB,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={_SECCOMP}"],
            "Memory": memory,
            "MemorySwap": memory,
            "NanoCpus": round(self.limits.cpus * 1e9),
            "PidsLimit": self.limits.pids,
            "OomScoreAdj": 500,
            # Never nproc: the kernel counts it per user of the host, across sandboxes.
            "Ulimits": [
                _ulimit("core", 0),
                _ulimit("nofile", self.limits.open_files),
                _ulimit("fsize", max(MAX_FILE_MB, self.limits.workspace_mb) * MIB),
                _ulimit("memlock", 65_536),
            ],
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "LogConfig": {"Type": "none", "Config": {}},
            "Init": False,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        }

    def _tmpfs(self) -> dict[str, JsonValue]:
        common = f"rw,nosuid,nodev,nr_inodes={self.limits.inodes}"
        owner = f"uid={self.uid},gid={self.uid},mode=0700"
        return {
            "/tmp": f"{common},noexec,size={tmp_mb(self.limits.memory_mb)}m,mode=1777",  # noqa: S108 - the sandbox's own
            "/workspace": f"{common},exec,size={self.limits.workspace_mb}m,{owner}",
            # The program's own file, and what a compiler makes of it.
            "/tmp/.snippet": f"{common},exec,size={self.limits.workspace_mb}m,{owner}",  # noqa: S108
        }

    def _environment(self) -> MappingProxyType[str, str]:
        # Libraries that start a thread for each of the host's cores would meet the limits at once.
        cores = str(max(1, int(self.limits.cpus)))
        threads = dict.fromkeys(("GOMAXPROCS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), cores)
        # Byte code would lie among the user's files, and can be older than they are.
        python = dict.fromkeys(("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"), "1")
        user = dict.fromkeys(("USER", "LOGNAME"), "sandbox")
        return MappingProxyType({"HOME": "/workspace", **user, **python, **threads})


def tmp_mb(memory_mb: int) -> int:
    """Return the size of /tmp in MiB; it lives in memory."""
    return max(4, min(64, memory_mb // 4))


def shm_mb(memory_mb: int) -> int:
    """Return the size of /dev/shm in MiB; it lives in memory."""
    return 16 if memory_mb >= 128 else 4


def _ulimit(name: str, value: int) -> dict[str, JsonValue]:
    return {"Name": name, "Soft": value, "Hard": value}
