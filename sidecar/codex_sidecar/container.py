"""One sandbox: a container from its creation to its removal, with the runner in it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from codex_sidecar import frames
from codex_sidecar.attached import Attached
from codex_sidecar.confinement import MIB, Confinement
from codex_sidecar.conversation import Conversation
from codex_sidecar.engine import Engine, HostConfig, State
from codex_sidecar.errors import EngineRefused, RunnerLost
from codex_sidecar.frames import Frame, FrameReader
from codex_sidecar.languages import About
from mini_agent.errors import MiniAgentError, SandboxError
from mini_agent.sandbox import EnforcedLimits, SandboxFacts, Snippet

START_S: Final = 30.0
END_S: Final = 2.0
PAUSE_S: Final = 0.05


class Container:
    """Is started once, runs snippets, is removed once."""

    def __init__(self, engine: Engine, name: str, confinement: Confinement) -> None:
        self.name = name
        self.confinement = confinement
        self.about = About()
        self.start_ms = 0.0
        self._engine = engine
        self._creation: asyncio.Task[None] | None = None
        self._attached: Attached | None = None
        self._frames: FrameReader | None = None

    async def start(self) -> None:
        """Creates and starts it; returns when the runner is ready, else `SandboxError`."""
        began = time.perf_counter()
        # INVARIANT: a creation that was begun is waited for, or its container would outlive us.
        self._creation = asyncio.create_task(
            self._engine.create(self.name, self.confinement.body())
        )
        await asyncio.shield(self._creation)
        self._attached = await self._engine.attach(self.name)
        self._frames = FrameReader(self._attached)
        await self._engine.start(self.name)
        try:
            async with asyncio.timeout(START_S):
                self.about = About.model_validate_json((await self._frames.receive()).body)
        except (TimeoutError, RunnerLost, ValueError) as silent:
            raise SandboxError(
                f"the runner in {self.confinement.image} did not start: {self._complaint()}",
                hint="was the image built by `make images`?",
            ) from silent
        self.start_ms = (time.perf_counter() - began) * 1000

    async def enforced(self) -> tuple[EnforcedLimits, SandboxFacts]:
        """The limits as the engine holds them; `SandboxError` where others than asked for."""
        config = (await self._engine.inspect(self.name)).host_config
        held = _read_back(config, self.confinement.limits)
        if held != self.confinement.limits or config.network != "none":
            raise SandboxError(
                f"the engine enforces other limits than were asked for: {held}",
                hint="does this machine have the memory, cpu and pids cgroups?",
            )
        facts = SandboxFacts(image=self.confinement.image, runtime=config.runtime, network="none")
        return held, facts

    async def run(self, snippet: Snippet, files: bytes) -> Conversation:
        """Runs one snippet; what was heard of it."""
        talk = Conversation(self, self.confinement.limits)
        await talk.hold(snippet, files, self.kill)
        return talk

    async def send(self, kind: bytes, body: bytes) -> None:
        """Sends the runner a frame."""
        if self._attached is None:
            raise RunnerLost("the sandbox was not started")
        await self._attached.send(frames.encode(kind, body))

    async def receive(self, nonce: bytes) -> Frame:
        """The runner's next frame."""
        if self._frames is None:
            raise RunnerLost("the sandbox was not started")
        return await self._frames.receive(nonce)

    async def kill(self) -> None:
        """Ends every process in it."""
        # An engine that cannot kill it is asked again, by force, when it is removed.
        with contextlib.suppress(EngineRefused):
            await self._engine.kill(self.name)

    async def oom_killed(self) -> bool:
        """Whether the engine saw it run out of memory; asked once its stream has ended."""
        with contextlib.suppress(EngineRefused, TimeoutError):
            async with asyncio.timeout(END_S):
                # The stream ends a moment before the engine has taken note.
                while (state := await self._state()).running:  # noqa: ASYNC110 - it only answers
                    await asyncio.sleep(PAUSE_S)
                return state.oom_killed
        return False

    async def remove(self) -> None:
        """Removes it, in whatever state it is."""
        if self._creation is not None:
            with contextlib.suppress(MiniAgentError):
                await self._creation
        if self._attached is not None:
            await self._attached.close()
        await self._engine.remove(self.name)

    async def _state(self) -> State:
        return (await self._engine.inspect(self.name)).state

    def _complaint(self) -> str:
        said = self._frames.complaint if self._frames else ""
        return said.strip()[-300:] or "no word from it"


def _read_back(config: HostConfig, asked: EnforcedLimits) -> EnforcedLimits:
    options = config.tmpfs.get("/workspace", "").split(",")
    sizes = [option.removeprefix("size=") for option in options if option.startswith("size=")]
    if config.pids is None or not sizes:
        raise EngineRefused("enforce the limits", 500, "no pids limit or no sized workspace")
    return EnforcedLimits(
        timeout_s=asked.timeout_s,
        memory_mb=config.memory // MIB,
        cpus=config.nano_cpus / 1e9,
        pids=config.pids,
        output_bytes=asked.output_bytes,
        workspace_mb=int(sizes[0].removesuffix("m")),
    )
