"""Other people's sandboxes in the same rounds, where PEERS=1 asks for them.

All are run offline, from one image made of ours and what they want to find in it, with their own
defaults of safety: root, a network, no limits. What differs from their documents, in their favour:

- llm-sandbox: the environment is not set up anew (that takes pip and a network), and close() is not
  counted; it would wait ten seconds for a container that ignores SIGTERM. Its pool uses containers
  again.
- SWE-ReX: its server is installed in the image. "Kept" is a new `python3 -c` in a container that
  stays: to be compared with our clean interpreter, which has a container to itself.
- smolagents: its kernel gateway is installed in the image, and installing packages is left out.
  "Kept" is one kernel, which keeps its variables: to be compared with our session.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bench.options import OUTPUT_DIR, ROOT, Options
from bench.row import Row

IMAGE: Final = "mini-agent/bench-peers:local"
UV: Final = Path(sys.executable).parent / "uv"
CLIENTS: Final = (
    "llm-sandbox[docker]==0.3.46",
    "swe-rex==1.4.0",
    "smolagents[docker]==1.26.0",
    "aiohttp",
)
SERVERS: Final = ("swe-rex==1.4.0", "jupyter-kernel-gateway", "ipykernel")
PEER_LABELS: Final = {
    "llm_sandbox_new": "llm-sandbox, new container",
    "llm_sandbox_pool": "llm-sandbox, pool (containers reused)",
    "swerex_new": "SWE-ReX, new deployment",
    "swerex_kept": "SWE-ReX, python3 -c in a kept one",
    "smolagents_new": "smolagents, new container and kernel",
    "smolagents_kept": "smolagents, kernel kept",
}
GATEWAY: Final = (
    '["jupyter", "kernelgateway", "--KernelGatewayApp.ip=0.0.0.0", "--KernelGatewayApp.port=8888"]'
)
DOCKERFILE: Final = f"""FROM {{base}}
USER root
COPY site /opt/peers
RUN echo /opt/peers >/usr/lib/python3/dist-packages/peers.pth \\
 && sed -i '1s|^#!.*|#!/usr/bin/python3|' /opt/peers/bin/* \\
 && mkdir -p /sandbox/.sandbox-venv/bin && ln -s /usr/bin/python3 /usr/local/bin/python \\
 && ln -s /usr/bin/python3 /sandbox/.sandbox-venv/bin/python
ENV PATH=/opt/peers/bin:/usr/local/bin:/usr/bin:/bin HOME=/root
ENTRYPOINT []
CMD {GATEWAY}
"""


class Peer:
    """One of the others, in a process of its own."""

    def __init__(self, key: str, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._is_ready = False
        self.row = Row(key, PEER_LABELS[key], self.once)

    async def once(self) -> str:
        """What it printed."""
        if self._process.stdin is None:
            raise RuntimeError("the worker was started without pipes")
        self._process.stdin.write(b"go\n")
        self._is_ready = False
        return await self._line()

    async def until_ready(self) -> None:
        """Returns when nothing of the last one is left."""
        if not self._is_ready:
            await self._line()
            self._is_ready = True

    async def _line(self) -> str:
        if self._process.stdout is None:
            raise RuntimeError("the worker was started without pipes")
        line = (await self._process.stdout.readline()).decode().strip()
        if not line:
            raise SystemExit(f"{self.row.label}: its worker has ended")
        return line


@asynccontextmanager
async def peers(options: Options) -> AsyncIterator[list[Peer]]:
    """All of them, ready to run; none where none are wanted."""
    async with AsyncExitStack() as opened:
        if not options.peers:
            yield []
            return
        await _install(options)
        yield [await opened.enter_async_context(_peer(key)) for key in PEER_LABELS]


@asynccontextmanager
async def _peer(key: str) -> AsyncIterator[Peer]:
    with (OUTPUT_DIR / f"{key}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(str(OUTPUT_DIR / "peers/bin/python"), str(ROOT / "bench/peer_worker.py"), key, IMAGE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    peer = Peer(key, process)
    try:
        await peer.until_ready()
        yield peer
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _install(options: Options) -> None:
    place, image = OUTPUT_DIR / "peers", OUTPUT_DIR / "peer-image"
    image.mkdir(parents=True, exist_ok=True)
    (image / "Dockerfile").write_text(DOCKERFILE.format(base=options.image("python")))
    python = str(place / "bin/python")
    await _run(str(UV), "venv", "-q", "--allow-existing", "-p", sys.executable, str(place))
    await _run(str(UV), "pip", "install", "-q", "-p", python, *CLIENTS)
    shutil.rmtree(image / "site", ignore_errors=True)
    target = ("--target", str(image / "site"), "--python-version", "3.13", "--only-binary", ":all:")
    await _run(str(UV), "pip", "install", "-q", *target, *SERVERS)
    await _run("docker", "build", "-q", "-t", IMAGE, str(image))


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait() != 0:
        raise SystemExit(f"this failed: {' '.join(command)}")


async def wait_until_ready(each: Sequence[Peer]) -> None:
    """Returns when all are."""
    for peer in each:
        await peer.until_ready()
