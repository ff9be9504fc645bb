"""One sandbox: a container from its creation to its removal, with the runner in it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from codex_sidecar.engine.attach import HijackedStream
from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import GVISOR, MIB, Confinement
from codex_sidecar.engine.models import ContainerState, HostConfig
from codex_sidecar.errors import EngineRefused, NotReady, RunnerLost
from codex_sidecar.runner.exchange import Exchange
from codex_sidecar.runner.frames import Frame, FrameReader
from codex_sidecar.runner.languages import ImageContents
from codex_sidecar.runner.output import Listener
from mini_agent_protocol import frames
from mini_agent_protocol.errors import MiniAgentError, SandboxError
from mini_agent_protocol.execution import EnforcedLimits, SandboxFacts
from mini_agent_protocol.snippet import Snippet

START_TIMEOUT_S: Final = 30.0
EXIT_TIMEOUT_S: Final = 2.0
OOM_EVENT_TIMEOUT_S: Final = 0.5
POLL_INTERVAL_S: Final = 0.05
PING_INTERVAL_S: Final = 2.0


class Container:
    """Started once, runs snippets, removed once."""

    def __init__(self, engine: Engine, name: str, confinement: Confinement) -> None:
        self.name = name
        self.confinement = confinement
        self.image_contents = ImageContents()
        self._limits = confinement.limits
        self._facts = SandboxFacts(image=confinement.image, runtime=confinement.runtime)
        self._engine = engine
        self._creation: asyncio.Task[None] | None = None
        self._attached: HijackedStream | None = None
        self._frames: FrameReader | None = None

    @property
    def is_alive(self) -> bool:
        """Whether its stream is open; known without asking the engine."""
        return self._attached is not None and not self._attached.has_ended

    async def start(self) -> None:
        """Create and start it; returns when the runner is ready.

        Raises `SandboxError` where the runner does not start, or where the engine enforces other
        limits than were requested.
        """
        # INVARIANT: a create call that was sent is awaited, or its container would be leaked.
        self._creation = asyncio.create_task(
            self._engine.create_container(self.name, self.confinement.body())
        )
        await asyncio.shield(self._creation)
        self._attached = await self._engine.attach_to_container(self.name)
        await self._engine.start_container(self.name)
        # Meanwhile the runner gets ready.
        await self._verify_limits()
        self._frames = FrameReader(self._attached)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self.image_contents = ImageContents.model_validate_json(
                    (await self._frames.receive()).body
                )
        except (TimeoutError, RunnerLost, ValueError) as error:
            # Where the engine itself is unavailable, that is the error to report.
            await self._engine.ping()
            raise SandboxError(
                f"the runner in {self.confinement.image} did not start: {self._runner_error()}",
                hint="was the image built by `make images`?",
            ) from error

    def set_snippet_limits(self, limits: EnforcedLimits) -> None:
        """Set the limits that the sidecar enforces itself: time and output."""
        enforced = self.confinement.limits
        self._limits = enforced.model_copy(
            update={"timeout_s": limits.timeout_s, "output_bytes": limits.output_bytes}
        )

    async def enforced_limits(self) -> tuple[EnforcedLimits, SandboxFacts]:
        """Return the limits as read back from the engine at the start, and facts of the sandbox."""
        counts_inodes = not self._facts.runtime.startswith(GVISOR)
        limits = self._limits if counts_inodes else self._limits.model_copy(update={"inodes": None})
        return limits, self._facts

    async def run(
        self, snippet: Snippet, files: bytes, listener: Listener | None = None
    ) -> Exchange:
        """Run one snippet; returns the exchange with all that the runner sent."""
        exchange = Exchange(self, self._limits, listener=listener)
        running = asyncio.create_task(exchange.run(snippet, files, self.kill))
        try:
            # The deadline starts with the program, so until then a silent engine is found by pings.
            while not (await asyncio.wait({running}, timeout=PING_INTERVAL_S))[0]:
                if not exchange.has_started:
                    await self._engine.ping()
            await running
        finally:
            running.cancel()
            await asyncio.wait({running})
        return exchange

    async def send(self, kind: bytes, body: bytes) -> None:
        """Send the runner a frame."""
        await self.send_frames(Frame(kind, body))

    async def send_frames(self, *sent: Frame) -> None:
        """Send the runner several frames in one write, as each write wakes the engine."""
        if self._attached is None:
            raise RunnerLost("the sandbox was not started")
        content = b"".join([frames.encode_frame(frame.kind, frame.body) for frame in sent])
        await self._attached.send(content)

    async def receive(self, nonce: bytes, max_bytes: int = frames.MAX_FRAME_BYTES) -> Frame:
        """Return the runner's next frame, of at most `max_bytes`."""
        if self._frames is None:
            raise RunnerLost("the sandbox was not started")
        return await self._frames.receive(nonce, max_bytes)

    async def kill(self) -> None:
        """Kill every process in it."""
        # Removing it kills as well.
        with contextlib.suppress(EngineRefused):
            await self._engine.kill_container(self.name)

    async def oom_killed(self) -> bool:
        """Whether the engine saw it run out of memory; asked once its stream has ended."""
        with contextlib.suppress(EngineRefused, TimeoutError):
            async with asyncio.timeout(EXIT_TIMEOUT_S):
                # The stream ends a moment before the engine's state changes.
                while (state := await self._state()).running:  # noqa: ASYNC110 - it only answers
                    await asyncio.sleep(POLL_INTERVAL_S)
                # On a busy machine the event of the kernel's kill comes after that of the exit.
                known_at = asyncio.get_running_loop().time() + OOM_EVENT_TIMEOUT_S
                while not state.oom_killed and asyncio.get_running_loop().time() < known_at:
                    await asyncio.sleep(POLL_INTERVAL_S)
                    state = await self._state()
                return state.oom_killed
        return False

    async def remove(self) -> None:
        """Remove it, whatever its state."""
        if self._attached is not None:
            await self._attached.close()
        # INVARIANT: a container that the engine refused to create is not ours, whatever its name.
        if await self._may_exist():
            await self._engine.remove_container(self.name)

    async def _may_exist(self) -> bool:
        try:
            if self._creation is not None:
                await self._creation
        except (EngineRefused, NotReady):
            return False
        except MiniAgentError:
            return True
        return self._creation is not None

    async def _state(self) -> ContainerState:
        return (await self._engine.inspect_container(self.name)).state

    async def _verify_limits(self) -> None:
        details = await self._engine.inspect_container(self.name)
        config = details.host_config
        requested = self.confinement.limits
        enforced = _parse_limits(config, requested)
        # -1: the engine cannot limit swap; `require_host` refuses a machine that has some.
        is_swap_limited = config.memory_and_swap in (config.memory, -1)
        if enforced != requested or config.network != "none" or not is_swap_limited:
            raise SandboxError(
                f"the engine enforces other limits than were asked for: {enforced}",
                hint="does this machine have the memory, cpu and pids cgroups?",
            )
        self._facts = SandboxFacts(
            image=self.confinement.image,
            image_id=details.image_id,
            runtime=config.runtime,
            network="none",
        )

    def _runner_error(self) -> str:
        stderr = self._frames.stderr if self._frames else ""
        return stderr.strip()[-300:] or "no word from it"


def _parse_limits(config: HostConfig, requested: EnforcedLimits) -> EnforcedLimits:
    options = dict(
        option.split("=", 1)
        for option in config.tmpfs.get("/workspace", "").split(",")
        if "=" in option
    )
    files = [ulimit.hard for ulimit in config.ulimits if ulimit.name == "nofile"]
    if config.pids is None or not files or not {"size", "nr_inodes"} <= options.keys():
        raise EngineRefused("enforce the limits", 500, "no pids, files or workspace limit")
    return EnforcedLimits(
        timeout_s=requested.timeout_s,
        memory_mb=config.memory // MIB,
        cpus=config.nano_cpus / 1e9,
        pids=config.pids,
        output_bytes=requested.output_bytes,
        workspace_mb=int(options["size"].removesuffix("m")),
        inodes=int(options["nr_inodes"]),
        open_files=files[0],
    )
