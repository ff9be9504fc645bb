"""Install the provider in LiteLLM at once."""

from __future__ import annotations

from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.provider.import_hook import arm
from mini_agent.provider.registration import register_mini_agent


def install() -> None:
    """Install the provider at once, as LITELLM_ENABLE_MINI_AGENT=1 does at `import litellm`.

    Makes `model="mini-agent"` and `"mini-agent/..."` work everywhere in LiteLLM, and its names of
    ours importable. Calling it again puts back what has been removed from the registry since.
    """
    arm()
    import_litellm()
    register_mini_agent()
