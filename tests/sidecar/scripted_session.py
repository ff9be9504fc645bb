"""A runner that serves snippet after snippet, with a workspace in memory."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from codex_sidecar.runner.frames import Frame
from codex_sidecar.runner.workspace import WorkspaceEntry, WorkspaceRequest, WorkspaceResponse
from mini_agent_protocol import frames
from mini_agent_protocol.order import RunOrder, decode_order, encode_result
from tests.sidecar.scripted_engine import RunnerPeer, result


@dataclass
class SessionRunner:
    """Snippets are lines of `print TEXT`, `write PATH TEXT`, `read PATH`, `wait`, `die`.

    `wait` ends at an interrupt, or when `go_on` is set. `running` counts the snippets begun.
    """

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    running: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    orders: list[RunOrder] = field(default_factory=list)

    async def run(self, peer: RunnerPeer) -> None:
        """One sandbox, from its first snippet to the end of its stream."""
        workspace: dict[str, str] = {}
        while True:
            frame = await peer.next()
            body = (await peer.next()).body
            if frame.kind == frames.WORKSPACE:
                _answer(peer, WorkspaceRequest.model_validate_json(frame.body), body, workspace)
                continue
            peer.nonce = (await peer.next()).body
            order = decode_order(frame.body)
            self.orders.append(order)
            peer.send(frames.RUNNING, b"")
            self.running.release()
            signal = await self._carry_out(peer, order.code, workspace)
            peer.send(frames.RESULT, encode_result(result(signal=signal)))

    async def _carry_out(self, peer: RunnerPeer, code: str, workspace: dict[str, str]) -> int:
        signal = 0
        for line in code.splitlines():
            word, _, rest = line.partition(" ")
            if word == "write":
                path, _, text = rest.partition(" ")
                workspace[path] = text
            elif word == "wait":
                signal = await self._wait(peer)
            elif word == "die":
                raise OSError
            else:
                text = workspace.get(rest, "nothing") if word == "read" else rest
                peer.send(frames.STDOUT, f"{text}\n".encode())
        return signal

    async def _wait(self, peer: RunnerPeer) -> int:
        interrupted = asyncio.create_task(peer.next())
        going_on = asyncio.create_task(self.go_on.wait())
        both: set[asyncio.Task[Frame] | asyncio.Task[bool]] = {interrupted, going_on}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        was_interrupted = interrupted.done()
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        return 2 if was_interrupted else 0


def _answer(
    peer: RunnerPeer, call: WorkspaceRequest, content: bytes, workspace: dict[str, str]
) -> None:
    answer, said = WorkspaceResponse(ok=True), b""
    if call.op == "list":
        listed = (
            WorkspaceEntry(path=path, bytes=len(text), modified=0)
            for path, text in workspace.items()
        )
        answer = WorkspaceResponse(ok=True, files=tuple(listed))
    elif call.op == "read" and call.path not in workspace:
        answer = WorkspaceResponse(ok=False, kind="missing", error="No such file or directory")
    elif call.op == "read":
        said = workspace[call.path].encode()
    elif call.op == "export":
        said = json.dumps(workspace).encode()
    else:
        _change(call, content, workspace)
    head = answer.model_dump_json().encode()
    body = len(head).to_bytes(4, "big") + head + said
    peer.send_raw(frames.encode_frame(frames.WORKSPACE_RESPONSE, body))


def _change(call: WorkspaceRequest, content: bytes, workspace: dict[str, str]) -> None:
    if call.op == "write":
        workspace[call.path] = content.decode()
    elif call.op == "append":
        workspace[call.path] = workspace.get(call.path, "") + content.decode()
    elif call.op == "move":
        workspace[call.target] = workspace.pop(call.path)
    elif call.op == "delete":
        del workspace[call.path]
    else:
        workspace.clear()
        workspace.update(json.loads(content or "{}"))
