"""`docker run` with all that a sandbox of ours is denied, for a fair comparison."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pydantic import JsonValue

from codex_sidecar.engine import seccomp
from codex_sidecar.engine.confinement import DEFAULT_LIMITS, Confinement
from codex_sidecar.engine.limits import Host, resolve_limits
from mini_agent.sandbox import Language, Limits

LARGE_HOST: Final = Host(cpus=64, memory_mb=64_000)


def confinement(image: str, language: Language, lifetime_s: float = 600) -> Confinement:
    """What a sandbox with the usual limits is created with; it belongs to no sidecar."""
    return Confinement(
        image=image,
        runtime="runc",
        uid=900_000_000 + secrets.randbelow(1_000_000),
        limits=resolve_limits(Limits(), DEFAULT_LIMITS[language], LARGE_HOST),
        instance="bench-yardstick",
        deadline=0,
        lifetime_s=lifetime_s,
    )


@contextmanager
def hardened_flags(image: str, language: Language) -> Iterator[tuple[str, ...]]:
    """The flags, in which a file is named that lives as long as the block."""
    with TemporaryDirectory() as folder:
        profile = Path(folder) / "seccomp.json"
        profile.write_text(seccomp.build_profile())
        yield tuple(_flags(confinement(image, language), profile))


def _flags(made: Confinement, profile: Path) -> Iterator[str]:
    limits, user = made.limits, f"{made.uid}:{made.uid}"
    yield from ("--network=none", "--read-only", "--cap-drop=ALL", "--pull=never")
    yield from ("--security-opt=no-new-privileges", f"--security-opt=seccomp={profile}")
    yield from (f"--user={user}", f"--pids-limit={limits.pids}", f"--cpus={limits.cpus}")
    yield from (f"--memory={limits.memory_mb}m", f"--memory-swap={limits.memory_mb}m")
    yield from ("--log-driver=none", "--ipc=private", "--cgroupns=private", "--hostname=sandbox")
    yield from ("--dns=127.0.0.1", "--oom-score-adj=500", "--shm-size=16m", "--workdir=/workspace")
    yield from ("--ulimit=core=0", f"--ulimit=nofile={limits.open_files}", "--env=HOME=/workspace")
    for place, options in _tmpfs(made).items():
        yield f"--tmpfs={place}:{options}"


def _tmpfs(made: Confinement) -> Mapping[str, JsonValue]:
    host = made.body()["HostConfig"]
    folders = host["Tmpfs"] if isinstance(host, dict) else {}
    return folders if isinstance(folders, dict) else {}
