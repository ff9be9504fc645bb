"""The command line: `mini-agent demo`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from mini_agent.demo import run_demo
from mini_agent.errors import MiniAgentError


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process: 0 done, 1 failed, 2 called wrongly."""
    called = _parser().parse_args(arguments)
    try:
        sys.exit(run_demo(called.text, local=called.local))
    except MiniAgentError as wrong:
        print(f"mini-agent: {wrong.message}", file=sys.stderr)
        if wrong.hint:
            print(f"  {wrong.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mini-agent", description="An agent loop whose snippets run in sealed sandboxes."
    )
    parser.add_argument("--version", action="version", version=version("mini-agent"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="run one task end to end and show what happened")
    demo.add_argument("text", nargs="?", default="aaabbc", help="the string to run-length encode")
    demo.add_argument(
        "--local", action="store_true", help="without Docker: the code runs here, not in a sandbox"
    )
    return parser
