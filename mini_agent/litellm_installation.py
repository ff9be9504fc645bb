"""The provider put into LiteLLM by hand, at once."""

from __future__ import annotations

from mini_agent.litellm_hook import arm
from mini_agent.litellm_install import register_ours
from mini_agent.litellm_lazy import litellm_module


def install() -> None:
    """Does by hand, and at once, what LITELLM_ENABLE_MINI_AGENT=1 does at `import litellm`.

    Makes `model="mini-agent"` and `"mini-agent/..."` work everywhere in LiteLLM, and its names of
    ours importable. Calling it again puts back what has been removed from the registry since.
    """
    arm()
    litellm_module()
    register_ours()
