"""The command line: `mini-agent run`, `demo`, `mcp` and `gateway`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from mini_agent.errors import MiniAgentError
from mini_agent.extras import module_of_extra
from mini_agent.tool_backend import PLACES, backend_named

INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process: 0 done, 1 failed, 2 called wrongly, 130 Ctrl-C."""
    called = _parser().parse_args(arguments)
    try:
        sys.exit(called.run(called))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mini-agent", description="An agent loop whose snippets run in sealed sandboxes."
    )
    parser.add_argument("--version", action="version", version=version("mini-agent"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="run one prompt and show what happens meanwhile"))
    _add_demo(commands.add_parser("demo", help="run one task end to end and show what happened"))
    mcp = commands.add_parser("mcp", help="our sandbox as an MCP server on stdin and stdout")
    mcp.set_defaults(run=_mcp)
    _add_gateway(commands.add_parser("gateway", help="many MCP servers' tools over HTTP, as one"))
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("prompt", help="what is to be done; - reads it from standard input")
    run.add_argument("--model", default="", help="such as ollama/qwen2.5-coder:3b")
    run.add_argument(
        "--backend",
        type=_backend,
        metavar="PLACE[+PLACE...]",
        help=f"where its tools are: {', '.join(PLACES)}; or several, such as auto+research",
    )
    run.add_argument("--seconds", type=float, help="how long the whole run may take")
    run.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    run.set_defaults(run=_run)


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("text", nargs="?", default="aaabbc", help="the string to run-length encode")
    demo.add_argument(
        "--local", action="store_true", help="without Docker: the code runs here, not in a sandbox"
    )
    demo.set_defaults(run=_demo)


def _add_gateway(gateway: argparse.ArgumentParser) -> None:
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


def _backend(given: str) -> str:
    try:
        return str(backend_named(given))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


# Each command imports what it needs: an MCP client waits for its server to start.
def _run(called: argparse.Namespace) -> int:
    command = importlib.import_module("mini_agent.run_command")
    asked = (called.prompt, called.model, called.backend, called.seconds, called.json)
    done: int = command.run_prompt(command.RunCommand(*asked))
    return done


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
