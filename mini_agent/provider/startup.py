"""What a starting interpreter calls where LITELLM_ENABLE_MINI_AGENT asks for the provider."""

from __future__ import annotations

import os

ENABLE_VARIABLE = "LITELLM_ENABLE_MINI_AGENT"
TRUE_VALUES = ("1", "true", "yes")


def arm() -> None:
    """Has the provider put into LiteLLM as soon as that is imported, if the variable says so."""
    if os.environ.get(ENABLE_VARIABLE, "").strip().lower() in TRUE_VALUES:
        from mini_agent.provider.import_hook import arm as arm_hook

        arm_hook()
