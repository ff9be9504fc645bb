"""An engine whose machine, images and runners are scripted, on a real unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydantic import JsonValue

from codex_sidecar.execution.self_test import CASES
from codex_sidecar.runner.frames import Frame
from mini_agent_protocol import frames
from mini_agent_protocol.order import (
    RunOrder,
    RunResult,
    decode_order,
    decode_result,
    encode_result,
)

LANGUAGES = ("python", "node", "go", "rust", "shell", "c", "php", "ruby")
ABOUT = b'{"version": "1.2", "packages": {"thing": "3"}}'


class RunnerPeer:
    """The runner's side of one snippet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.nonce = b""

    async def receive_order(self) -> RunOrder:
        """The order; its files and its nonce are taken in too."""
        order = decode_order(await self._frame())
        await self._frame()
        self.nonce = await self._frame()
        return order

    async def next(self) -> Frame:
        """The next frame, whatever it is."""
        head = await self._reader.readexactly(5)
        return Frame(head[:1], await self._reader.readexactly(int.from_bytes(head[1:], "big")))

    def send(self, kind: bytes, body: bytes) -> None:
        """A frame with the snippet's nonce."""
        self.send_raw(frames.encode_frame(kind, self.nonce + body))

    def send_raw(self, content: bytes, stream: int = 1) -> None:
        """Bytes, as the engine wraps them."""
        self._writer.write(bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content)

    async def _frame(self) -> bytes:
        return (await self.next()).body


Runner = Callable[[RunnerPeer], Awaitable[None]]


def prints(text: str) -> Runner:
    """A runner whose snippet prints this and is done."""

    async def run(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.RUNNING, b"")
        peer.send(frames.STDOUT, text.encode())
        peer.send(frames.RESULT, encode_result(result()))

    return run


async def confines(peer: RunnerPeer) -> None:
    """A runner that is in a sandbox as it has to be; what is none of the self-test prints so."""
    order = await peer.receive_order()
    case = next((case for case in CASES if case.snippet.code == order.code), None)
    endings = {"timeout": result(signal=9, late=True), "oom": result(signal=9, oom_kills=1)}
    peer.send(frames.RUNNING, b"")
    peer.send(frames.STDOUT, case.stdout.encode() if case else b"confined\n")
    ending = endings.get(case.status if case else "ok", result())
    peer.send(frames.RESULT, encode_result(ending))


def result(**more: JsonValue) -> RunResult:
    """A runner's result: all well, but for what is said."""
    return decode_result(json.dumps(RunResult(run_ms=1)._asdict() | more).encode())


@dataclass
class ScriptedEngine:
    """Change its attributes to change what happens next; `calls` are those that change things."""

    socket: Path
    runner: Runner = confines
    images: set[str] = field(
        default_factory=lambda: {f"mini-agent/sandbox-{n}:local" for n in LANGUAGES}
    )
    facts: dict[str, JsonValue] = field(default_factory=dict)
    found: list[dict[str, JsonValue]] = field(default_factory=list)
    refusal: tuple[int, str] | None = None
    refusals: list[tuple[int, str]] = field(default_factory=list)
    version: str = "1"
    is_silent: bool = False
    held: dict[str, JsonValue] = field(default_factory=dict)
    oom_killed: bool = False
    bodies: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listens on its socket."""
        self._server = await asyncio.start_unix_server(self._serve, str(self.socket))

    async def stop(self) -> None:
        """Goes away: connections end and the socket is gone."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.hang_up()
        self.socket.unlink(missing_ok=True)

    async def hang_up(self) -> None:
        """Ends every stream, as an engine does that is restarted."""
        for task in tuple(self._open):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    def created(self) -> list[str]:
        """The names of the containers that were asked for."""
        return list(self.bodies)

    def left(self) -> list[str]:
        """The names of those that nobody asked it to remove, though it could be asked."""
        if self.is_silent:
            return []
        removed = {call.removeprefix(_REMOVAL) for call in self.calls if call.startswith(_REMOVAL)}
        return [name for name in self.bodies if name not in removed]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._requests(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            length = [
                line[16:]
                for line in head.lower().splitlines()
                if line.startswith("content-length: ")
            ]
            body = await reader.readexactly(int(length[0])) if length else b""
            path = urlsplit(target).path
            if self.is_silent:
                await asyncio.sleep(3600)
            if path.endswith("/attach"):
                writer.write(b"HTTP/1.1 101 UPGRADED\r\n\r\n")
                peer = RunnerPeer(reader, writer)
                peer.send_raw(frames.encode_frame(frames.READY, ABOUT))
                await self.runner(peer)
                await reader.read()
                return
            status, answer = self._answer(method, target, body)
            content = json.dumps(answer).encode() if answer is not None else b""
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
            )

    def _answer(self, method: str, target: str, body: bytes) -> tuple[int, JsonValue]:
        parts = urlsplit(target)
        path = parts.path.removeprefix("/v1.45")
        if method == "GET":
            return self._told(path)
        self.calls.append(f"{method} {path}")
        if self.refusal is not None:
            return self.refusal[0], {"message": self.refusal[1]}
        if path == "/containers/create" and self.refusals:
            status, why = self.refusals.pop()
            return status, {"message": why}
        if path == "/containers/create":
            self.bodies[parse_qs(parts.query)["name"][0]] = json.loads(body)
            return HTTPStatus.CREATED, {"Id": "x"}
        return HTTPStatus.NO_CONTENT, None

    def _told(self, path: str) -> tuple[int, JsonValue]:
        known: dict[str, JsonValue] = {
            "/version": {"ApiVersion": "1.47"},
            "/info": _FACTS | self.facts,
            "/containers/json": list[JsonValue](self.found),
            **{f"/images/{image}/json": {"Id": f"{image} {self.version}"} for image in self.images},
            **{f"/containers/{name}/json": self._inspected(name) for name in self.bodies},
        }
        if path in known:
            return HTTPStatus.OK, known[path]
        return HTTPStatus.NOT_FOUND, {"message": "no such thing"}

    def _inspected(self, name: str) -> JsonValue:
        state: dict[str, JsonValue] = {
            "Running": False,
            "ExitCode": 137,
            "OOMKilled": self.oom_killed,
        }
        asked = self.bodies[name]["HostConfig"]
        assert isinstance(asked, dict)
        image = f"{self.bodies[name]['Image']} {self.version}"
        return {"Image": image, "State": state, "HostConfig": asked | self.held}


_REMOVAL = "DELETE /containers/"

_FACTS: dict[str, JsonValue] = {
    "NCPU": 4,
    "MemTotal": 4096 << 20,
    "Runtimes": {"runc": {}, "crun": {}},
    "MemoryLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "SecurityOptions": ["name=seccomp,profile=builtin"],
}
