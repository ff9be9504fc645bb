"""The command line: `mini-agent demo`, `mini-agent mcp`, `mini-agent gateway`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version

from mini_agent.errors import MiniAgentError
from mini_agent.extras import module_of_extra


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process: 0 done, 1 failed, 2 called wrongly."""
    called = _parser().parse_args(arguments)
    try:
        sys.exit(called.run(called))
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
    demo.set_defaults(run=_demo)
    mcp = commands.add_parser("mcp", help="our sandbox as an MCP server on stdin and stdout")
    mcp.set_defaults(run=_mcp)
    gateway = commands.add_parser("gateway", help="many MCP servers' tools over HTTP, as one")
    gateway.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="a config.toml of Codex or a .mcp.json, also several times; ~/.codex/config.toml",
    )
    gateway.add_argument("--host", default="127.0.0.1", help="the address to listen on; 127.0.0.1")
    gateway.add_argument("--port", type=int, default=8787, help="8787; 0 for a free one")
    gateway.set_defaults(run=_gateway)
    return parser


# Each command imports what it needs: an MCP client waits for its server to start.
def _demo(called: argparse.Namespace) -> int:
    done: int = importlib.import_module("mini_agent.demo").run_demo(called.text, local=called.local)
    return done


def _mcp(_called: argparse.Namespace) -> int:
    importlib.import_module("mini_agent.mcp_door.stdio").serve()
    return 0


def _gateway(called: argparse.Namespace) -> int:
    served = module_of_extra("mini_agent_shim.gateway_main", extra="mini_agent", what="the gateway")
    served.serve(called.config, called.host, called.port)
    return 0
