"""The command `mini-agent`: starts the assistant at a terminal or headless."""

from __future__ import annotations

import os

from mini_agent.coding.launch import read_launch_config
from mini_agent.coding.options import Options
from mini_agent.coding.text_encoding import prepare_output


def run_assistant(options: Options) -> int:
    """Return the exit code: 0 done, 1 failed, 2 tools withheld; an interrupt is raised."""
    prepare_output()
    launch = read_launch_config(options, dict(os.environ))
    # Each mode imports only what it needs, so that the prompt shows at once.
    if options.interactive:
        from mini_agent.coding.terminal.startup import run
    else:
        from mini_agent.coding.headless.run import run
    return run(launch)
