"""Starts the gateway: `mini-agent gateway`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import uvicorn

from mini_agent.errors import NotConfigured
from mini_agent.mcp.gateway.catalog import Gateway
from mini_agent.mcp.gateway.configuration import Configuration, load_configuration
from mini_agent.mcp.gateway.tables import FILE_HINT, default_file
from mini_agent_shim.http.auth import AccessPolicy, ApiTokens, own_host_names
from mini_agent_shim.http.tracing import export_spans
from mini_agent_shim.mcp.gateway_app import GatewayApp
from mini_agent_shim.settings import is_loopback

VARIABLE: Final = "MINI_AGENT_GATEWAY_TOKEN"
HOSTS_VARIABLE: Final = "MINI_AGENT_ALLOWED_HOSTS"
SHUTDOWN_TIMEOUT_S: Final = 5


def serve(files: Sequence[str], host: str, port: int) -> None:
    """Serve until a signal; raises `NotConfigured` where the address or the files are unusable."""
    token = os.environ.get(VARIABLE, "")
    if not token and not is_loopback(host):
        raise NotConfigured(
            f"the gateway would listen on {host} without a token",
            hint=f"set {VARIABLE}, and send `Authorization: Bearer TOKEN`; or --host 127.0.0.1",
        )
    export_spans("mini-agent-gateway")
    paths = [Path(file).expanduser() for file in files] or [default_file(os.environ)]
    configuration = load_configuration(paths, os.environ)
    names = os.environ.get(HOSTS_VARIABLE, "").lower().split(",")
    policy = AccessPolicy(
        names=own_host_names(name.strip() for name in (*names, host) if name.strip()),
        tokens=ApiTokens(token, {}),
        service_name="gateway",
        variable=VARIABLE,
    )
    if not configuration.servers:
        _print(f"{', '.join(map(str, paths))} names no MCP server, {FILE_HINT}")
    with listen(host, port) as listener:
        asyncio.run(_serve(configuration, policy, listener))


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; raises `NotConfigured` where the address cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as why:
        what = why.strerror if isinstance(why, OSError) else "a port is below 65536"
        raise NotConfigured(
            f"the gateway cannot listen on {host}, port {port}: {what}",
            hint="--host and --port take another address; --port 0 is a free one",
        ) from None
    # asyncio sets TCP_NODELAY only where TCP is named; without it each response waits 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())


async def _serve(
    configuration: Configuration, policy: AccessPolicy, listener: socket.socket
) -> None:
    for remark in (*configuration.remarks, *(each.problem for each in configuration.servers)):
        if remark:
            _print(remark)
    async with Gateway(configuration) as gateway:
        await gateway.require_required()
        app = GatewayApp(gateway, policy).app()
        config = uvicorn.Config(
            app,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        )
        address, port = listener.getsockname()[:2]
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        _print(f"{len(configuration.servers)} MCP servers at http://{place}/tools and /mcp")
        await _Server(config).serve([listener])


# uvicorn's own handlers would end the process before its child processes are stopped.
class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _print(line: str) -> None:
    sys.stderr.write(f"mini-agent gateway: {line}\n")
