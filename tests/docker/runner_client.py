"""A sandbox of the test's own, and a client of its runner that sends and receives single frames."""

from __future__ import annotations

import io
import json
import os
import secrets
import tarfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, JsonValue, TypeAdapter

from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import DEFAULT_LIMITS, Confinement, ImageCatalog
from codex_sidecar.engine.limits import Host, resolve_limits
from codex_sidecar.kinds import Preload
from codex_sidecar.runner.container import Container
from codex_sidecar.runner.frames import Frame
from mini_agent.sandbox import Language, Limits
from mini_agent_protocol.frames import split_parts
from mini_agent_protocol.languages import SPECS
from mini_agent_protocol.order import RunOrder, RunResult, decode_result, encode_order

IMAGE_TAG = os.environ.get("CODEX_SIDECAR_IMAGE_TAG", "local")
NONCE = secrets.token_bytes(16)
HEADER = TypeAdapter(dict[str, JsonValue])


def container(
    engine: Engine,
    language: Language = "python",
    *,
    lifetime_s: float = 100,
    preload: Preload = "plain",
    memory_mb: int | None = None,
) -> Container:
    """A sandbox that does not exist yet."""
    asked = Limits(memory_mb=memory_mb)
    confinement = Confinement(
        image=ImageCatalog("mini-agent/sandbox-", IMAGE_TAG).image(language),
        runtime="runc",
        uid=100_000 + secrets.randbelow(1_000_000),
        limits=resolve_limits(asked, DEFAULT_LIMITS[language], Host(cpus=2, memory_mb=4000)),
        instance=f"runner-{secrets.token_hex(4)}",
        deadline=int(time.time() + 100),
        lifetime_s=lifetime_s,
        preload=preload,
    )
    return Container(engine, f"mini-agent-test-{secrets.token_hex(8)}", confinement)


class WorkspaceFile(BaseModel):
    """A file of the workspace."""

    path: str
    bytes: int
    modified: float


class CallAnswer(BaseModel):
    """The answer to a call about the workspace."""

    ok: bool
    error: str
    kind: str
    files: tuple[WorkspaceFile, ...]
    content: bytes = b""


@dataclass(slots=True)
class RunRecord:
    """All that came back of one snippet; `values` is the body of its frame."""

    output: dict[bytes, bytes] = field(default_factory=lambda: {b"O": b"", b"E": b""})
    values: bytes = b""
    artifacts: bytes = b""
    result: RunResult | None = None

    @property
    def stdout(self) -> str:
        return self.output[b"O"].decode()

    @property
    def stderr(self) -> str:
        return self.output[b"E"].decode()

    @property
    def end(self) -> RunResult:
        assert self.result is not None
        return self.result

    @property
    def value(self) -> JsonValue:
        return HEADER.validate_json(self.values)["result_repr"] if self.values else None

    @property
    def skipped(self) -> list[str]:
        return TypeAdapter(list[str]).validate_json(split_parts(self.artifacts)[0])


@dataclass(frozen=True, slots=True)
class RunnerClient:
    """Sends snippets and calls to one runner."""

    sandbox: Container
    language: Language = "python"

    async def order(self, code: str, **more: object) -> None:
        """Orders a snippet."""
        await self.sandbox.send(b"S", encode_order(plain_order(self.language, code, **more)))
        await self.sandbox.send(b"F", b"")
        await self.sandbox.send(b"G", NONCE)

    async def hear(self) -> RunRecord:
        """Receives all frames of the snippet, to its result."""
        record = RunRecord()
        while record.result is None:
            self._note(await self.sandbox.receive(NONCE), record)
        return record

    async def run(self, code: str, **more: object) -> RunRecord:
        """Orders a snippet and receives all of it."""
        await self.order(code, **more)
        record = await self.hear()
        if more.get("artifacts"):
            record.artifacts = (await self.sandbox.receive(NONCE)).body
        return record

    async def call(self, op: str, path: str = "", content: bytes = b"") -> CallAnswer:
        """A call about the workspace."""
        await self.sandbox.send(b"K", json.dumps({"op": op, "path": path}).encode())
        await self.sandbox.send(b"F", content)
        frame = await self.sandbox.receive(b"")
        assert frame.kind == b"k"
        text, content = split_parts(frame.body)
        return CallAnswer.model_validate_json(text).model_copy(update={"content": content})

    def _note(self, frame: Frame, record: RunRecord) -> None:
        if frame.kind in record.output:
            record.output[frame.kind] += frame.body
        elif frame.kind == b"V":
            record.values = frame.body
        elif frame.kind == b"X":
            record.result = decode_result(frame.body)


def plain_order(language: Language, code: str, **more: object) -> RunOrder:
    """The order that the sidecar would send, but for `more`."""
    spec = SPECS[language]
    fields: dict[str, object] = {
        "program": spec.program,
        "code": spec.source(code),
        "start": spec.start,
        "compile": spec.compile,
        "beside": spec.lies_beside(code),
        "stdin": "",
        "args": (),
        "env": {},
        "compile_timeout_s": 45.0,
        "timeout_s": 10.0,
        "artifacts": (),
        "artifact_count": 64,
        "artifact_bytes": 8 << 20,
        "output_bytes": 8 << 20,
        "isolation": "fork" if spec.forks else "spawn",
    }
    return RunOrder(**TypeAdapter(dict[str, Any]).validate_python(fields | more))


@asynccontextmanager
async def open_runner(
    language: Language = "python", *, preload: Preload = "plain", memory_mb: int | None = None
) -> AsyncIterator[RunnerClient]:
    """A started sandbox, removed afterwards."""
    engine = Engine("/var/run/docker.sock")
    sandbox = container(engine, language, preload=preload, memory_mb=memory_mb)
    try:
        await sandbox.start()
        yield RunnerClient(sandbox, language)
    finally:
        await sandbox.remove()
        await engine.aclose()


def names_in(tar: bytes) -> list[str]:
    """The names of a tar's members."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as members:
        return sorted(members.getnames())
