"""Open a client of the sidecar that the settings name."""

from __future__ import annotations

from mini_agent.errors import NotConfigured, SandboxUnavailable
from mini_agent.sandbox.client import SidecarClient
from mini_agent.sandbox.http import Headers, no_headers
from mini_agent.settings import Settings


def open_sandbox(settings: Settings, *, headers: Headers = no_headers) -> SidecarClient:
    """A client of the sidecar, to be closed by the caller.

    Raises `NotConfigured` where no address is set or the token cannot be read.
    """
    if not settings.sidecar_url:
        raise NotConfigured(
            "no sidecar is named to run snippets in",
            hint="set MINI_AGENT_SIDECAR_URL, such as http://127.0.0.1:8077, and "
            "MINI_AGENT_SIDECAR_TOKEN (`make token`)",
        )
    return SidecarClient(settings.sidecar_url, settings.read_sidecar_token(), headers=headers)


def open_sandbox_for_service(settings: Settings, *, headers: Headers = no_headers) -> SidecarClient:
    """The same for a service that is up already: `SandboxUnavailable` for what is not set."""
    try:
        return open_sandbox(settings, headers=headers)
    except NotConfigured as missing:
        raise SandboxUnavailable(missing.message, hint=missing.hint) from missing
