"""Inspect's own checks of a sandbox, on a session of ours: run by pytest where Inspect is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from inspect_ai.util._sandbox.self_check import *  # noqa: F403 - its checks are collected here

from mini_agent.integrations.inspect_sandbox import InspectSandbox, MiniAgentSandboxEnvironment

# A sandbox has no root, so it cannot make another user.
UNSUPPORTED = {"test_exec_as_user"}


@pytest.fixture
async def sandbox_env(request: pytest.FixtureRequest) -> AsyncIterator[InspectSandbox]:
    """A sample's sandbox."""
    if request.node.originalname in UNSUPPORTED:
        request.applymarker(pytest.mark.xfail(reason="there is no root", strict=True))
    environments = await MiniAgentSandboxEnvironment.sample_init("checks", None, {})
    yield environments["default"]
    await MiniAgentSandboxEnvironment.sample_cleanup(
        "checks", None, environments, interrupted=False
    )
