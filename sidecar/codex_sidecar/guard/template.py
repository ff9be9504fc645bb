"""The template of a sandbox: parses a create call's body and refuses every deviation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from codex_sidecar.engine.confinement import (
    DEADLINE_LABEL,
    MIB,
    MIN_UID,
    UID_COUNT,
    Confinement,
    DefaultLimits,
)
from codex_sidecar.engine.limits import Host, resolve_limits
from codex_sidecar.guard.errors import RequestRefused
from codex_sidecar.kinds import Preload
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.snippet import Limits


@dataclass(frozen=True, slots=True)
class SandboxTemplate:
    """What all sandboxes share, and the bounds of the rest."""

    images: frozenset[str]
    runtime: str
    instance: str
    host: Host
    longest_s: float


class _BodyModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Mounts(_BodyModel):
    workspace: str = Field(
        alias="/workspace",
        pattern=r",size=[1-9][0-9]{0,5}m,",
        max_length=256,
        description="The options of the workspace's file system, its size among them.",
    )


class _Spending(_BodyModel):
    memory: int = Field(alias="Memory", description="Memory, in bytes.")
    nano_cpus: int = Field(alias="NanoCpus", description="Processor time, in billionths of a core.")
    pids: int = Field(alias="PidsLimit", description="Processes and threads at the same time.")
    tmpfs: _Mounts = Field(alias="Tmpfs", description="The file systems in memory.")


class _Labels(_BodyModel):
    deadline: str = Field(
        alias=DEADLINE_LABEL,
        pattern="^[1-9][0-9]{0,11}$",
        description="When the sandbox is to be gone, as Unix time in whole seconds.",
    )


class _Sandbox(_BodyModel):
    """The values of a body that are free; all others follow from them."""

    image: str = Field(alias="Image", description="The image.")
    command: tuple[str, Preload] = Field(
        alias="Cmd", strict=False, description="The program and what it loads beforehand."
    )
    user: str = Field(
        alias="User",
        pattern="^[1-9][0-9]{0,11}:[0-9]{1,12}$",
        description="The user and group that it runs as, UID:GID.",
    )
    labels: _Labels = Field(alias="Labels", description="The labels that are free.")
    spending: _Spending = Field(alias="HostConfig", description="The limits.")


_BODY: Final = TypeAdapter(dict[str, JsonValue])
_LIFETIME: Final = re.compile(r"[0-9]{1,6}\.[0-9]{1,16}")


def parse_confinement(body: bytes, template: SandboxTemplate, now: float) -> Confinement:
    """Parse a body; `RequestRefused` unless it describes exactly one of our sandboxes."""
    try:
        requested = _BODY.validate_json(body)
        confinement = _build_confinement(_Sandbox.model_validate(requested), template)
    except (ValidationError, BadRequest) as error:
        raise RequestRefused(f"not the body of a sandbox: {_describe_field(error)}") from error
    # INVARIANT: the engine's body is built from the confinement, so a value that is not compared
    # here is dropped, never passed on.
    for path in _differences(requested, confinement.body(), ""):
        raise RequestRefused(f"a sandbox has another {path or 'body'}")
    _require_within(confinement, template, now)
    return confinement


def _build_confinement(requested: _Sandbox, template: SandboxTemplate) -> Confinement:
    return Confinement(
        image=requested.image,
        runtime=template.runtime,
        uid=int(requested.user.partition(":")[0]),
        limits=_build_limits(requested.spending, template.host),
        instance=template.instance,
        deadline=int(requested.labels.deadline),
        lifetime_s=float(requested.command[0])
        if _LIFETIME.fullmatch(requested.command[0])
        else 0.0,
        preload=requested.command[1],
    )


def _build_limits(requested: _Spending, host: Host) -> EnforcedLimits:
    size = re.search(r",size=([0-9]+)m,", requested.tmpfs.workspace)
    limits = Limits(
        memory_mb=requested.memory // MIB,
        cpus=requested.nano_cpus / 1e9,
        pids=requested.pids,
        workspace_mb=int(size[1]) if size else None,
    )
    return resolve_limits(limits, DefaultLimits(), host)


def _require_within(confinement: Confinement, template: SandboxTemplate, now: float) -> None:
    if confinement.image not in template.images:
        raise RequestRefused("the image is not of the catalog")
    if not MIN_UID <= confinement.uid < MIN_UID + UID_COUNT:
        raise RequestRefused("the user is not of the range for sandboxes")
    if not 0 < confinement.lifetime_s <= template.longest_s:
        raise RequestRefused("the life is longer than any sandbox's")
    if confinement.deadline > now + template.longest_s:
        raise RequestRefused("the deadline is later than any sandbox's")


def _differences(requested: JsonValue, expected: JsonValue, path: str) -> Iterator[str]:
    if isinstance(requested, dict) and isinstance(expected, dict):
        for name in sorted({*requested, *expected}):
            inner = f"{path}.{name[:64]}".removeprefix(".")
            if name in requested and name in expected:
                yield from _differences(requested[name], expected[name], inner)
            else:
                yield inner
    # Compared as text: to Python, 1, 1.0 and True are equal.
    elif json.dumps(requested) != json.dumps(expected):
        yield path


def _describe_field(error: ValidationError | BadRequest) -> str:
    if isinstance(error, BadRequest):
        return error.field
    return ".".join(str(part)[:64] for part in error.errors()[0]["loc"]) or "not a JSON object"
