"""Entry point of the `.pth` file: install the import hook where the environment asks for it."""

from __future__ import annotations

import os

ENABLE_VARIABLE = "LITELLM_ENABLE_MINI_AGENT"
TRUE_VALUES = ("1", "true", "yes")


def arm() -> None:
    """Install the import hook if the environment variable asks for it."""
    if os.environ.get(ENABLE_VARIABLE, "").strip().lower() in TRUE_VALUES:
        from mini_agent.provider.import_hook import arm as arm_hook

        arm_hook()
