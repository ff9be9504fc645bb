"""One command of the command line carried out, and told in one line when it cannot be."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from mini_agent.errors import MiniAgentError

INTERRUPTED: Final = 130


def carry_out(command: Callable[[], int]) -> None:
    """Runs it and ends the process."""
    if sys.stdin is None:
        # Started without a standard input; its place would go to the next file that is opened.
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    try:
        sys.exit(command())
    except MiniAgentError as wrong:
        print(f"mini-agent: {wrong.message}", file=sys.stderr)
        if wrong.hint:
            print(f"  {wrong.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        # The run has ended by now, and all it printed is flushed. Python would take LiteLLM apart
        # first, for a second.
        os._exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has left; Python would complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
